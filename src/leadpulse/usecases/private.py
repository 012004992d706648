"""Upkeep of what must not be kept: bounded passes, each of which may be late or missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.postgres import erasing, keeper, suppressing
from leadpulse.postgres import lead_changes as store
from leadpulse.postgres.session import reach
from leadpulse.usecases import erase
from leadpulse.usecases.leads import STRAGGLERS
from leadpulse.usecases.suppressing import KEPT_AT_MOST

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_PROJECTS: Final = 20
_LEADS: Final = 100
_ROWS: Final = 5_000


async def erasure_pass(conn: Connection) -> int:
    """Goes on with an erasure that is not over, of whatever project; 1 if there was one."""
    async with conn.transaction():
        for project_id in await keeper.reach_erasing(conn, _PROJECTS):
            erasure = await erasing.oldest_open(conn, project_id)
            if erasure is not None:
                await erase.go_on(conn, project_id, erasure)
                return 1
    return 0


async def sweep_pass(conn: Connection) -> int:
    """Removes rows of removed leads that came late or were too many.

    Returns how many rows, and leads of which nothing can be left: 0 when nothing is to be done.
    """
    async with conn.transaction():
        await keeper.reach_removals(conn, _LEADS)
        waiting = await store.settling(conn, STRAGGLERS, _LEADS)
        now = await store.clock(conn)
    removed = 0
    for lead in waiting:
        async with conn.transaction():
            await reach(conn, lead.project_id)
            count = await store.remove_rows(
                conn, lead.project_id, lead.lead_id, _ROWS, erased=lead.erased
            )
            if count < _ROWS and lead.removed_at < now - STRAGGLERS:
                await store.removal_done(conn, lead.project_id, lead.lead_id)
                removed += 1
        removed += count
    return removed


async def expiry_pass(conn: Connection) -> int:
    """Forgets digests of events that were not kept, when they are old or too many."""
    async with conn.transaction():
        return sum([
            await suppressing.expire(conn, project_id, KEPT_AT_MOST, _ROWS)
            for project_id in await keeper.reach_suppressing(conn)
        ])  # fmt: skip
