"""Reading events: lists in the order of arrival, or of one lead in its own time; one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from leadpulse.domain.facts import PROFILE
from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

EventStatus = Literal["queued", "scored", "held", "excluded"]

# A rare type among millions of events is looked for in portions: a page may then be short
# and still have a next one.
SCANNED: Final = 50_000


class EventRow(NamedTuple):
    """A stored event (instants in µs); `lead_id` is the survivor."""

    id: str
    event_id: str
    event_type: str
    lead_id: str
    ts: int
    original_ts: int | None
    received_at: int
    session_id: str | None
    properties: dict[str, Any]
    traits: dict[str, Any] | None
    test: bool
    trusted: bool
    model_version: int
    status: EventStatus


_COLUMNS: Final = """
    e.id, e.event_id, e.event_type,
    coalesce((select r.root_id from lead_roots r
              where r.project_id = e.project_id and r.lead_id = e.lead_id), e.lead_id),
    e.ts, e.original_ts, e.received_at, e.session_id, e.properties, e.traits, e.test, e.trusted,
    e.model_version,
    case when e.excluded then 'excluded' when e.quarantined then 'held'
         when exists (select 1 from inbox i where i.project_id = e.project_id
                      and i.lead_id = e.lead_id and i.id = e.id) then 'queued'
         else 'scored' end
"""


_COMMITTED: Final = """
    case when current_setting('track_commit_timestamp') = 'on'
        then pg_xact_commit_timestamp(e.xmin) end
"""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: `since` ≤ timestamp ≤ `until` (µs); every condition given must hold."""

    event_type: str | None = None
    session_id: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def empty(self) -> bool:
        """True if every event is wanted."""
        return self == EventFilter()


def _conditions(wanted: EventFilter) -> tuple[list[str], dict[str, Any]]:
    conditions = [f"e.event_type <> '{PROFILE}'"]
    values: dict[str, Any] = {}
    for name, condition, value in (
        ("type", "e.event_type = %(type)s", wanted.event_type),
        ("session", "e.session_id = %(session)s", wanted.session_id),
    ):
        if value is not None:
            conditions.append(condition)
            values[name] = value
    for name, condition, instant in (
        ("since", "e.ts >= %(since)s", wanted.since),
        ("until", "e.ts <= %(until)s", wanted.until),
    ):
        if instant is not None:
            conditions.append(condition)
            values[name] = Instant(instant)
    return conditions, values


class Beside(NamedTuple):
    """What is told beside an event: whom it is about, and by how much it changed his score."""

    name: str | None
    email: str | None
    company: str | None
    delta: float | None


async def beside(
    connection: Connection, project_id: str, events: list[EventRow]
) -> dict[str, Beside]:
    """By the event's id; the delta is None as long as the event isn't scored."""
    if not events:
        return {}
    rows = await fetch_all(
        connection,
        """
        select e.id, p.name, p.email, p.company, g.delta
        from unnest(%(events)s::uuid[], %(leads)s::uuid[]) n (event, lead)
        join events e on e.project_id = %(project)s and e.id = n.event
        join leads l on l.project_id = %(project)s and l.id = n.lead
        left join lead_profiles p on p.project_id = %(project)s and p.lead_id = l.id
        left join lateral (
            select g.delta from ledger g
            where g.project_id = %(project)s and g.lead_id = l.id
                and g.generation = l.generation and g.at = e.ts and g.event = e.id
                and g.kind <> 1
            limit 1) g on true
        """,
        {
            "project": project_id,
            "events": [event.id for event in events],
            "leads": [event.lead_id for event in events],
        },
    )
    return {row[0]: Beside(*row[1:]) for row in rows}


async def arrivals(
    connection: Connection,
    project_id: str,
    wanted: EventFilter,
    before: str | None,
    limit: int,
) -> tuple[list[EventRow], str | None]:
    """Events in the order of arrival, newest first.

    And the id to go on looking behind, if the page is short because so many were looked at.
    """
    conditions, values = _conditions(wanted)
    values |= {"project": project_id, "before": before, "limit": limit, "scanned": SCANNED}
    behind = "and e.id < %(before)s::uuid" if before else ""
    portion = f"from events e where e.project_id = %(project)s {behind} order by e.id desc"
    rows = await fetch_all(
        connection,
        " ".join([
            "select", _COLUMNS, "from (select e.*", portion, "limit %(scanned)s) e where",
            " and ".join(conditions), "order by e.id desc limit %(limit)s",
        ]),
        values,
    )  # fmt: skip
    found = [EventRow(*row) for row in rows]
    if len(found) >= limit:
        return found, None
    last = await fetch_one(
        connection,
        " ".join(["select e.id", portion, f"offset {SCANNED - 1} limit 1"]),
        {"project": project_id, "before": before},
    )
    return found, None if last is None else last[0]


async def of_lead(
    connection: Connection,
    lead: tuple[str, str],
    wanted: EventFilter,
    before: tuple[int, str] | None,
    limit: int,
) -> list[EventRow]:
    """Events of a lead and of all that merged into it, newest timestamp first."""
    conditions, values = _conditions(wanted)
    project_id, lead_id = lead
    values |= {"project": project_id, "lead": lead_id, "limit": limit}
    if before is not None:
        conditions.append("(e.ts, e.id) < (%(at)s, %(id)s::uuid)")
        # The index knows the timestamp alone.
        conditions.append("e.ts <= %(at)s")
        values |= {"at": Instant(before[0]), "id": before[1]}
    rows = await fetch_all(
        connection,
        " ".join([
            "select", _COLUMNS, "from (",
            "select %(lead)s::uuid as lead_id union all select r.lead_id from lead_roots r",
            "where r.project_id = %(project)s and r.root_id = %(lead)s::uuid",
            ") m cross join lateral (select e.* from events e where e.project_id = %(project)s",
            "and e.lead_id = m.lead_id and", " and ".join(conditions),
            "order by e.ts desc, e.id desc limit %(limit)s) e",
            "order by e.ts desc, e.id desc limit %(limit)s",
        ]),
        values,
    )  # fmt: skip
    return [EventRow(*row) for row in rows]


async def survivor(connection: Connection, project_id: str, lead_id: str) -> str | None:
    """The id under which a lead's state stands; None if the project has no such lead."""
    row = await fetch_one(
        connection,
        """
        select coalesce((select r.root_id from lead_roots r
                         where r.project_id = l.project_id and r.lead_id = l.id), l.id)
        from leads l where l.project_id = %(project)s and l.id = %(lead)s::uuid
        """,
        {"project": project_id, "lead": lead_id},
    )
    return None if row is None else row[0]


class Scored(NamedTuple):
    """What an event did: its ledger entry, and when a scorer took and wrote it."""

    old: float
    delta: float
    new: float
    points: float
    rules: dict[str, float] | None
    version: int
    claimed_at: int
    recorded_at: int


async def one_event(
    connection: Connection, project_id: str, event_id: str
) -> tuple[EventRow, int | None, Scored | None] | None:
    """An event by the server's id, when its commit happened, and what it scored.

    The time of the commit is None where PostgreSQL doesn't keep it.
    """
    row = await fetch_one(
        connection,
        " ".join([
            "select", _COLUMNS, ",", _COMMITTED, """
            from events e where e.project_id = %(project)s and e.id = %(event)s::uuid
            """,
            f"and e.event_type <> '{PROFILE}'",
        ]),
        {"project": project_id, "event": event_id},
    )  # fmt: skip
    if row is None:
        return None
    event = EventRow(*row[:-1])
    entry = await fetch_one(
        connection,
        """
        select g.old_score, g.delta, g.new_score, g.points, g.rules, g.model_version,
            g.claimed_at, g.recorded_at
        from leads l join ledger g on g.project_id = l.project_id and g.lead_id = l.id
            and g.generation = l.generation
        where l.project_id = %(project)s and l.id = %(lead)s and g.at = %(at)s
            and g.event = %(event)s and g.kind <> 1
        """,
        {"project": project_id, "lead": event.lead_id, "at": Instant(event.ts), "event": event.id},
    )
    return event, row[-1], None if entry is None else Scored(*entry)
