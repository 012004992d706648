"""Events for a file: by portions in the order of their ids, with somebody to give them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

FIRST: Final = "00000000-0000-0000-0000-000000000000"

# What an event was sent with is not kept; what its lead is known by says the same. An
# anonymous id only stands in when there is nothing stronger: it may be a shared browser's.
_PORTION: Final = """
select e.id, e.event_id, e.event_type, e.ts, e.received_at, e.session_id, e.properties,
       e.traits, e.test, e.trusted, e.lead_id,
       (select i.value from identifiers i where i.project_id = e.project_id
            and i.lead_id = e.lead_id and i.kind = 1 order by i.created_at, i.value limit 1),
       (select i.value from identifiers i where i.project_id = e.project_id
            and i.lead_id = e.lead_id and i.kind = 2 order by i.created_at, i.value limit 1),
       (select i.value from identifiers i where i.project_id = e.project_id
            and i.lead_id = e.lead_id and i.kind = 3 order by i.created_at, i.value limit 1)
from events e
where e.project_id = %(project)s and e.id > %(after)s and not starts_with(e.event_type, '$')
order by e.id limit %(limit)s
"""


class StoredEvent(NamedTuple):
    """An event as it is stored (instants in µs), with identifiers of the lead it was given to."""

    id: str
    event_id: str
    event_type: str
    ts: int
    received_at: int
    session_id: str | None
    properties: dict[str, Any]
    traits: dict[str, Any] | None
    test: bool
    trusted: bool
    lead_id: str
    user_id: str | None
    email: str | None
    anonymous_id: str | None


async def events_after(
    conn: Connection, project_id: str, after: str, limit: int
) -> list[StoredEvent]:
    """The events behind one, in the order of arrival; adjustments and the like are left out."""
    cursor = await conn.execute(_PORTION, {"project": project_id, "after": after, "limit": limit})
    return [StoredEvent(*row) for row in await cursor.fetchall()]


async def count_events(conn: Connection, project_id: str) -> int:
    """How many events a project has."""
    cursor = await conn.execute("select count(*) from events where project_id = %s", [project_id])
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def project_exists(conn: Connection, project_id: str) -> bool:
    """True if there is such a project."""
    cursor = await conn.execute("select 1 from projects where id = %s", [project_id])
    return await cursor.fetchone() is not None
