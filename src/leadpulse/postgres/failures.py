"""Work that failed: when it is tried again, who gave it up, and what a person may do then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec
import psycopg

from leadpulse.domain.retry import DELAYS, Failures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

DatabaseError: Final = psycopg.Error
_ERROR_KEPT: Final = 500

_FAILED: Final = """
insert into scoring_failures (project_id, lead_id, attempts, crashes, solo_crashes, retry_at,
    error, event, first_failed_at, last_failed_at)
select w.p, w.l, w.a, w.c, w.s, clock_timestamp() + w.wait * interval '1 second', w.error,
    w.event, clock_timestamp(), clock_timestamp()
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, a int, c int, s int, wait float8,
    error text, event uuid)
cross join lateral (select from leads l where l.project_id = w.p and l.id = w.l) l
on conflict (project_id, lead_id) do update set
    attempts = scoring_failures.attempts + excluded.attempts,
    crashes = scoring_failures.crashes + excluded.crashes,
    solo_crashes = scoring_failures.solo_crashes + excluded.solo_crashes,
    retry_at = excluded.retry_at, error = excluded.error,
    event = coalesce(excluded.event, scoring_failures.event),
    last_failed_at = excluded.last_failed_at
"""

_KNOWN: Final = """
select w.p::text, w.l::text, f.attempts, f.crashes, f.solo_crashes
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid)
cross join lateral (
    select f.* from scoring_failures f where f.project_id = w.p and f.lead_id = w.l
) f
"""

# In the order of the leads, as they are recorded: two at work don't wait for each other.
_SUCCEEDED: Final = """
delete from scoring_failures where ctid = any (array(
    select f.ctid from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid)
    cross join lateral (
        select f.ctid from scoring_failures f
        where f.project_id = w.p and f.lead_id = w.l for update
    ) f
))
"""

_RECOVERED: Final = """
update dead_letters d set state = 'replayed', settled_at = clock_timestamp()
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid)
where d.project_id = w.p and d.lead_id = w.l and d.state = 'open'
"""

# One open dead letter per lead: a later failure is news of the same trouble. Whoever is merged
# into it loses what waited as well, and must know so should he be taken out again; whoever is
# held elsewhere just now is folded there with what waited for him.
_GIVE_UP: Final = """
with w as materialized (
    select * from jsonb_to_recordset(%(leads)s::jsonb)
        w (p uuid, l uuid, id uuid, error text, attempts int, event uuid)
), waiting as (
    delete from inbox i using w
    where i.project_id = w.p
        and (i.lead_id = w.l or i.lead_id in (
            select r.lead_id from lead_roots r where r.project_id = w.p and r.root_id = w.l))
), f as (
    update scoring_failures f set attempts = %(last)s, solo_crashes = least(f.solo_crashes, 2)
    from w where f.project_id = w.p and f.lead_id = w.l
), tree as materialized (
    select l.project_id, l.id from w
    cross join lateral (
        select l.project_id, l.id from leads l
        where l.project_id = w.p
            and (l.id = w.l or l.id in (
                select r.lead_id from lead_roots r
                where r.project_id = w.p and r.root_id = w.l))
        for no key update of l skip locked
    ) l
), lead as (
    update leads l set stale = true from tree t
    where l.project_id = t.project_id and l.id = t.id
    returning l.project_id, l.id
)
insert into dead_letters (project_id, id, lead_id, kind, error, attempts, event,
    first_failed_at, failed_at)
select w.p, w.id, w.l, 'scoring', w.error, w.attempts,
    coalesce(w.event, f.event), coalesce(f.first_failed_at, clock_timestamp()), clock_timestamp()
from w
join lead on lead.project_id = w.p and lead.id = w.l
left join scoring_failures f on f.project_id = w.p and f.lead_id = w.l
on conflict (project_id, lead_id) where state = 'open' do update set
    error = excluded.error, attempts = excluded.attempts, failed_at = excluded.failed_at,
    event = coalesce(excluded.event, dead_letters.event)
"""


class Failure(NamedTuple):
    """One more failed try of a lead; the numbers are added to what is known."""

    project_id: str
    lead_id: str
    attempts: int
    crashes: int
    solo_crashes: int
    wait: float
    error: str
    event: str | None


class GivenUp(NamedTuple):
    """A lead that isn't tried any more until something new happens. `id` of the dead letter."""

    project_id: str
    lead_id: str
    id: str
    error: str
    attempts: int
    event: str | None


async def record_failures(conn: Connection, failures: Sequence[Failure]) -> None:
    """Add failed tries; the leads wait as long as each failure says."""
    await conn.execute(
        _FAILED,
        (_json([
            {
                "p": f.project_id, "l": f.lead_id, "a": f.attempts, "c": f.crashes,
                "s": f.solo_crashes, "wait": f.wait, "error": _clean(f.error), "event": f.event,
            }
            for f in sorted(failures, key=lambda f: f[:2])
        ]),),
    )  # fmt: skip


async def failures_of(
    conn: Connection, leads: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Failures]:
    """Return what is known of leads (project, lead) that failed."""
    cursor = await conn.execute(_KNOWN, (_json([{"p": p, "l": lead} for p, lead in leads]),))
    return {(row[0], row[1]): Failures(*row[2:]) for row in await cursor.fetchall()}


async def forget_failures(conn: Connection, leads: Sequence[tuple[str, str]]) -> None:
    """Leads (project, lead) that failed before were folded."""
    await conn.execute(_SUCCEEDED, (_json([{"p": p, "l": lead} for p, lead in sorted(leads)]),))


async def settle_dead_letters(conn: Connection, leads: Sequence[tuple[str, str]]) -> None:
    """Everything stored of these leads was folded, so nothing of theirs is missing any more."""
    await conn.execute(_RECOVERED, (_json([{"p": p, "l": lead} for p, lead in leads]),))


async def give_up(conn: Connection, leads: Sequence[GivenUp]) -> None:
    """Turn waiting work into dead letters; the events stay, the next pass folds them all.

    What a lead did to its scorers stays known: the next try is its last again.
    """
    await conn.execute(
        _GIVE_UP,
        {
            "leads": _json([
                {
                    "p": g.project_id, "l": g.lead_id, "id": g.id, "error": _clean(g.error),
                    "attempts": g.attempts, "event": g.event,
                }
                for g in leads
            ]),
            "last": len(DELAYS),
        },
    )  # fmt: skip


def fault_of(error: BaseException) -> Literal["database", "work"]:
    """Tell whose fault an error is: of a database that is away or busy, or of the work."""
    outage = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return "database" if outage else "work"


# ── Dead letters, for people ─────────────────────────────────────────────────────────


class DeadLetter(NamedTuple):
    """Work that failed for good; times in µs."""

    id: str
    lead_id: str
    kind: str
    error: str
    attempts: int
    event: str | None
    first_failed_at: int
    failed_at: int
    state: str
    settled_at: int | None


_COLUMNS: Final = (
    "id::text, lead_id::text, kind, error, attempts, event::text, first_failed_at, failed_at,"
    " state, settled_at"
)


async def dead_letter(conn: Connection, project_id: str, key: str) -> DeadLetter | None:
    """Return one dead letter and lock it, so that two people don't settle it at once."""
    cursor = await conn.execute(
        f"select {_COLUMNS} from dead_letters where project_id = %s and id = %s for update".encode(),  # noqa: S608, E501
        (project_id, key),
    )
    row = await cursor.fetchone()
    return None if row is None else DeadLetter(*row)


async def settle(conn: Connection, project_id: str, key: str, state: str) -> None:
    """Close an open dead letter as `replayed` or `discarded`."""
    await conn.execute(
        "update dead_letters set state = %s, settled_at = clock_timestamp()"
        " where project_id = %s and id = %s and state = 'open'",
        (state, project_id, key),
    )


def _clean(error: str) -> str:
    """An error as PostgreSQL can hold it, and not longer than somebody reads."""
    return error.replace("\x00", "").encode(errors="replace").decode()[:_ERROR_KEPT]


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()
