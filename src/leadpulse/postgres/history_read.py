"""Reading the ledger of a lead: its history, its timeline, and how active it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection


class LedgerOf(NamedTuple):
    """Which ledger: the generation of a lead that readers see."""

    project_id: str
    lead_id: str
    generation: int


class LedgerLine(NamedTuple):
    """An entry of the ledger with the event that it is about (instants in µs)."""

    kind: int
    at: int
    entry: int
    event: str
    old: float
    delta: float
    new: float
    points: float
    rules: dict[str, float] | None
    steps: int
    decayed_at: int | None
    version: int
    recorded_at: int
    event_id: str | None
    event_type: str | None


class TimelineLine(NamedTuple):
    """An event of a lead and what it did to the score."""

    at: int
    entry: int
    event: str
    delta: float
    new: float
    event_id: str
    event_type: str
    session_id: str | None
    properties: dict[str, Any]


class TypeSeen(NamedTuple):
    """An event type among a lead's recent entries, under the model that scored it."""

    event_type: str
    version: int


def _parameters(ledger: LedgerOf, after: tuple[int, int] | None, limit: int) -> dict[str, Any]:
    at, entry = after or (0, 0)
    return {
        "project": ledger.project_id,
        "lead": ledger.lead_id,
        "generation": ledger.generation,
        "at": Instant(at),
        "entry": entry,
        "limit": limit,
    }


async def ledger_page(
    connection: Connection, ledger: LedgerOf, after: tuple[int, int] | None, limit: int
) -> list[LedgerLine]:
    """Entries behind a place (at, entry), oldest first."""
    behind = "and (g.at, g.entry) > (%(at)s, %(entry)s)" if after else ""
    rows = await fetch_all(
        connection,
        f"""
            select g.kind, g.at, g.entry, g.event, g.old_score, g.delta, g.new_score, g.points,
            g.rules, g.steps, g.decayed_at, g.model_version, g.recorded_at,
            e.event_id, e.event_type
            from (select * from ledger g where g.project_id = %(project)s
            and g.lead_id = %(lead)s and g.generation = %(generation)s
            {behind}
            order by g.at, g.entry limit %(limit)s) g
            left join events e on e.project_id = g.project_id and e.id = g.event
            order by g.at, g.entry
        """,  # noqa: S608 - the fragments are ours
        _parameters(ledger, after, limit),
    )
    return [LedgerLine(*row) for row in rows]


async def timeline_page(
    connection: Connection, ledger: LedgerOf, before: tuple[int, int] | None, limit: int
) -> list[TimelineLine]:
    """Events before a place (at, entry), newest first."""
    behind = "and (g.at, g.entry) < (%(at)s, %(entry)s)" if before else ""
    rows = await fetch_all(
        connection,
        f"""
            select g.at, g.entry, g.event, g.delta, g.new_score,
            e.event_id, e.event_type, e.session_id, e.properties
            from (select * from ledger g where g.project_id = %(project)s
            and g.lead_id = %(lead)s and g.generation = %(generation)s and g.kind <> 1
            {behind}
            order by g.at desc, g.entry desc limit %(limit)s) g
            join events e on e.project_id = g.project_id and e.id = g.event
            order by g.at desc, g.entry desc
        """,  # noqa: S608 - the fragments are ours
        _parameters(ledger, before, limit),
    )
    return [TimelineLine(*row) for row in rows]


async def acts_until(
    connection: Connection, ledger: LedgerOf, instants: tuple[int, ...]
) -> list[int]:
    """How many acts the ledger counts up to and with each instant: one index probe each."""
    cursor = await connection.execute(
        """
        select coalesce((
            select g.acts from ledger g
            where g.project_id = %(project)s and g.lead_id = %(lead)s
                and g.generation = %(generation)s
                and g.at <= timestamptz 'epoch' + w.us * interval '1 microsecond'
            order by g.at desc, g.entry desc limit 1), 0)
        from unnest(string_to_array(%(instants)s, ',')::bigint[]) with ordinality w (us, place)
        order by w.place
        """,
        {
            "project": ledger.project_id,
            "lead": ledger.lead_id,
            "generation": ledger.generation,
            "instants": ",".join(map(str, instants)),
        },
    )
    return [row[0] for row in await cursor.fetchall()]


async def types_since(
    connection: Connection, ledger: LedgerOf, since: int, most: int | None
) -> tuple[list[TypeSeen], int]:
    """Distinct event types of entries after `since`, and how many entries were looked at.

    `most`: only the newest so many entries.
    """
    newest = "" if most is None else "order by g.at desc, g.entry desc limit %(most)s"
    rows = await fetch_all(
        connection,
        f"""
            select e.event_type, g.model_version, count(*)
            from (select g.event, g.model_version
            from ledger g where g.project_id = %(project)s and g.lead_id = %(lead)s
            and g.generation = %(generation)s and g.kind = 0 and g.at > %(since)s
            {newest}
            ) g join events e on e.project_id = %(project)s and e.id = g.event
            group by e.event_type, g.model_version
        """,  # noqa: S608 - the fragments are ours
        {
            "project": ledger.project_id,
            "lead": ledger.lead_id,
            "generation": ledger.generation,
            "since": Instant(since),
            "most": most,
        },
    )
    return [TypeSeen(row[0], row[1]) for row in rows], sum(row[2] for row in rows)
