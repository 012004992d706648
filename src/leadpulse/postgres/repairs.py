"""Facts that keep an event out of the fold, changed by a person; and another chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Callers hold the row lock of the survivor: whoever removes a lead or folds it takes that first
# too, so nobody waits in a circle for events, failures and dead letters.

_REQUEUE: Final = """
insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
    model_version, has_traits)
select project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
    model_version, coalesce(traits <> '{}', false)
from events
where project_id = %s and id = %s and not quarantined and left(event_type, 8) <> '$profile'
on conflict do nothing
"""

_RELEASE: Final = """
with e as (
    update events set quarantined = false
    where project_id = %(p)s and quarantined and lead_id in (
        select %(l)s::uuid
        union all
        select r.lead_id from lead_roots r where r.project_id = %(p)s and r.root_id = %(l)s)
    returning *
), i as (
    insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, has_traits)
    select project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, coalesce(traits <> '{}', false)
    from e where not excluded and left(event_type, 8) <> '$profile'
    on conflict do nothing
)
select count(*)::int from e
"""


async def exclude_event(
    conn: Connection, project_id: str, event: str, *, excluded: bool
) -> str | None:
    """Keep an event out of the fold, or let it in; returns its lead, None if there is none."""
    cursor = await conn.execute(
        "update events set excluded = %s where project_id = %s and id = %s returning lead_id::text",
        (excluded, project_id, event),
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def lead_of_event(conn: Connection, project_id: str, event: str) -> str | None:
    """Return the lead of an event."""
    cursor = await conn.execute(
        "select lead_id::text from events where project_id = %s and id = %s", (project_id, event)
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def lead_of_letter(conn: Connection, project_id: str, key: str) -> str | None:
    """Return the lead of a dead letter, without a lock."""
    cursor = await conn.execute(
        "select lead_id::text from dead_letters where project_id = %s and id = %s",
        (project_id, key),
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def requeue(conn: Connection, project_id: str, event: str) -> None:
    """Put an event into the inbox once more; what its profile facts say is looked at again."""
    await conn.execute(_REQUEUE, (project_id, event))


async def release(conn: Connection, project_id: str, lead_id: str) -> int:
    """Let all held events of a lead and its merged leads count; they go into the inbox."""
    cursor = await conn.execute(_RELEASE, {"p": project_id, "l": lead_id})
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def allow_tries(conn: Connection, project_id: str, lead_id: str) -> None:
    """Give a lead all its tries again; what it did to scorers is not forgotten."""
    await conn.execute(
        "update scoring_failures set attempts = 0, retry_at = clock_timestamp()"
        " where project_id = %s and lead_id = %s",
        (project_id, lead_id),
    )
