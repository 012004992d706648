"""Deleting a project: nobody gets in from that moment; its rows go after seven days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.errors import Conflict, Forbidden, NotFound
from leadpulse.domain.facts import DAY
from leadpulse.domain.permissions import Permission
from leadpulse.postgres import keeper, members
from leadpulse.postgres import project_removal as store
from leadpulse.postgres.session import unit
from leadpulse.usecases import audit
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.standing import Asker, person, standing

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

# How long a deleted project is kept (µs), as the statements say it too.
KEPT: Final = 7 * DAY
_AMONG: Final = 20


async def delete_project(pool: Pool, project_id: str, by: Asker) -> int:
    """Shuts a project, and returns since when it is (µs). Raises Forbidden, NotFound."""
    async with unit(pool, project_id, user=person(by)) as (conn, _):
        state = await store.state(conn, project_id)
        if state is None:
            raise NotFound("project", project_id)
        # All of them are changed; in this order nobody waits for somebody who waits for him.
        await members.hold_everybody(conn, project_id)
        (await standing(conn, project_id, by))(Permission.PROJECT_DELETE)
        if state.deleted_at is not None:
            return state.deleted_at
        await audit.record(conn, project_id, "project.deleted", f"project:{project_id}")
        return await store.close(conn, project_id)


async def restore_project(pool: Pool, user_id: str, project_id: str) -> None:
    """Opens a deleted project again for everybody who had a way in, within seven days.

    Raises NotFound for who is no member, Forbidden for who is no owner, Conflict if too late.
    """
    if not is_id(project_id):
        raise NotFound("project", project_id[:100])
    async with unit(pool, project_id, user=user_id) as (conn, _):
        member = project_id in await members.memberships(conn, user_id)
        state = await store.state(conn, project_id) if member else None
        if state is None:
            raise NotFound("project", project_id)
        # What he is by now, and stays until this is done.
        await members.hold_everybody(conn, project_id)
        role = await members.hold_own(conn, project_id, user_id)
        if role != "owner":
            raise Forbidden("This needs the role owner.", "missing_role")
        if state.deleted_at is not None:
            if not await store.reopen(conn, project_id):
                raise Conflict("This project was deleted more than seven days ago.", "too_late")
            await audit.record(conn, project_id, "project.restored", f"project:{project_id}")


async def removal_pass(conn: Connection, limit: int = 5_000) -> int:
    """Removes some rows of a project whose seven days are over; returns how many."""
    async with conn.transaction():
        for project_id in await keeper.reach_leaving(conn, _AMONG):
            if not await store.hold(conn, project_id):
                continue
            removed = 0
            for table in await store.tables(conn):
                removed += await store.remove_some(conn, project_id, table, limit - removed)
                if removed >= limit:
                    break
            if not removed:
                # All leads are gone since an earlier pass, so nobody writes anything of theirs.
                await store.remove_project(conn, project_id)
            return removed or 1
    return 0
