"""Deleting a project: shut at once, gone a week later, in portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_CLOSE: Final = """
with p as (
    update projects set deleted_at = clock_timestamp()
    where id = %(project)s::uuid returning id, deleted_at
), m as (
    update members m set closed_at = p.deleted_at from p where m.project_id = p.id
)
select deleted_at from p
"""

_OPEN: Final = """
with p as (
    update projects set deleted_at = null
    where id = %(project)s::uuid and deleted_at > clock_timestamp() - interval '7 days'
    returning id
), m as (
    update members m set closed_at = null from p where m.project_id = p.id
)
select exists (select from p)
"""

_STATE: Final = "select deleted_at from projects where id = %s for no key update"

# Whatever has a project_id and may be removed from; the leads after what hangs on them. The
# models, and what may only be added to, go with the project itself.
_TABLES: Final = """
select c.relname::text from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and c.relname <> all (array['models', 'sessions', 'members'])
    and has_table_privilege(c.oid, 'DELETE')
    and exists (select from pg_attribute a where a.attrelid = c.oid
                and a.attname = 'project_id' and not a.attisdropped)
order by c.relname = 'leads', c.relname
"""

_HOLD: Final = """
select from projects where id = %s and deleted_at < clock_timestamp() - interval '7 days'
for update skip locked
"""


class State(NamedTuple):
    """Since when a project is deleted (µs); None: it isn't."""

    deleted_at: int | None


async def state(conn: Connection, project_id: str) -> State | None:
    """Whether a project is deleted, held until the commit; None if there is none."""
    row = await (await conn.execute(_STATE, (project_id,))).fetchone()
    return None if row is None else State(*row)


async def close(conn: Connection, project_id: str) -> int:
    """Shuts a project: neither keys nor memberships open it any more. Returns when."""
    row = await (await conn.execute(_CLOSE, {"project": project_id})).fetchone()
    return 0 if row is None else row[0]


async def reopen(conn: Connection, project_id: str) -> bool:
    """Takes that back; False if it is too late."""
    row = await (await conn.execute(_OPEN, {"project": project_id})).fetchone()
    return row is not None and bool(row[0])


async def hold(conn: Connection, project_id: str) -> bool:
    """Holds a project whose time is over; False if somebody else does, or it isn't one."""
    return (await conn.execute(_HOLD, (project_id,))).rowcount == 1


async def tables(conn: Connection) -> list[str]:
    """The tables whose rows go in portions, in this order."""
    return [name for (name,) in await (await conn.execute(_TABLES)).fetchall()]


async def remove_some(conn: Connection, project_id: str, table: str, limit: int) -> int:
    """Removes up to so many rows of a project from a table; returns how many."""
    statement = (
        f'delete from public."{table}" where ctid = any (array('  # noqa: S608 - from the catalog
        f'select ctid from public."{table}" where project_id = %s limit %s))'
    )
    return (await conn.execute(statement.encode(), (project_id, limit))).rowcount


async def remove_project(conn: Connection, project_id: str) -> None:
    """Removes the project itself, with what little is left."""
    await conn.execute("delete from projects where id = %s", (project_id,))
