"""What an administrator of one project looks at: failed work, conflicts, held events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

JobState = Literal["open", "replayed", "discarded"]

_NIL = "00000000-0000-0000-0000-000000000000"
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class FailedJob(NamedTuple):
    """Work that failed for good (instants in µs); `event` is the one it failed at, if known."""

    id: str
    lead_id: str
    kind: str
    error: str
    attempts: int
    event: str | None
    first_failed_at: int
    failed_at: int
    state: JobState
    settled_at: int | None


class StoredConflict(NamedTuple):
    """A call that used an eventId again for something else; `event` is what was stored first."""

    id: str
    event_id: str
    trusted: bool
    event: str
    body: Any
    received_at: int


class HeldLead(NamedTuple):
    """A lead with events beyond the daily ceiling."""

    lead_id: str
    events: int


class System(NamedTuple):
    """The database, and what stands out in a project (instants in µs)."""

    server_version: str
    database_bytes: int
    connections: int
    held_leads: int
    conflicts: int
    retrying: int
    failed: int
    waiting: int
    oldest: int | None
    newest_model: int
    paused: bool


class Worker(NamedTuple):
    """A scorer that gave a sign of life lately."""

    host: str
    pid: int
    started_at: int
    seen_at: int


async def failed_jobs(
    connection: Connection, project_id: str, state: JobState, before: str | None, limit: int
) -> list[FailedJob]:
    """Dead letters of a state, newest first."""
    rows = await fetch_all(
        connection,
        """
        select id, lead_id, kind, error, attempts, event, first_failed_at, failed_at, state,
            settled_at
        from dead_letters
        where project_id = %(project)s and state = %(state)s and id < %(before)s::uuid
        order by id desc limit %(limit)s
        """,
        {"project": project_id, "state": state, "before": before or _LAST, "limit": limit},
    )
    return [FailedJob(*row) for row in rows]


async def conflicts(
    connection: Connection, project_id: str, before: str | None, limit: int
) -> list[StoredConflict]:
    """Conflicting calls, newest first."""
    rows = await fetch_all(
        connection,
        """
        select id, event_id, trusted, event, body, received_at from event_conflicts
        where project_id = %(project)s and id < %(before)s::uuid
        order by id desc limit %(limit)s
        """,
        {"project": project_id, "before": before or _LAST, "limit": limit},
    )
    return [StoredConflict(*row) for row in rows]


async def held_leads(
    connection: Connection, project_id: str, after: str | None, limit: int
) -> list[HeldLead]:
    """Leads with held events, by id."""
    rows = await fetch_all(
        connection,
        """
        select lead_id, count(*) from events
        where project_id = %(project)s and quarantined and lead_id > %(after)s::uuid
        group by lead_id order by lead_id limit %(limit)s
        """,
        {"project": project_id, "after": after or _NIL, "limit": limit},
    )
    return [HeldLead(*row) for row in rows]


async def system(connection: Connection, project_id: str) -> System | None:
    """The state of the database and of one project; None for an unknown project."""
    row = await fetch_one(
        connection,
        """
        select current_setting('server_version'), pg_database_size(current_database()),
            (select count(*) from pg_stat_activity where datname = current_database()),
            (select count(distinct lead_id) from events
                where project_id = p.id and quarantined),
            (select count(*) from event_conflicts where project_id = p.id),
            (select count(*) from scoring_failures where project_id = p.id),
            (select count(*) from dead_letters where project_id = p.id and state = 'open'),
            i.waiting, i.oldest, p.model_version, p.paused
        from projects p cross join lateral (
            select count(*) as waiting, min(received_at) as oldest from inbox
            where project_id = p.id) i
        where p.id = %(project)s
        """,
        {"project": project_id},
    )
    return None if row is None else System(*row)


async def database_start(connection: Connection) -> int:
    """Since when the database runs (µs)."""
    row = await fetch_one(connection, "select pg_postmaster_start_time()", {})
    return 0 if row is None else int(row[0])


async def workers(connection: Connection, since: int) -> list[Worker]:
    """Scorers seen since an instant (µs)."""
    rows = await fetch_all(
        connection,
        """
        select host, pid, started_at, seen_at from workers where seen_at > %(since)s
        order by started_at, id
        """,
        {"since": Instant(since)},
    )
    return [Worker(*row) for row in rows]


async def count_leads(connection: Connection, project_id: str) -> int:
    """Leads of a project, those that merged into another one left out."""
    row = await fetch_one(
        connection,
        "select count(*) from leads where project_id = %(project)s and merged_into is null",
        {"project": project_id},
    )
    return 0 if row is None else int(row[0])
