"""Upkeep: each pass is bounded, done by one process at a time, and may be late or missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.postgres import maintenance as store
from leadpulse.postgres.scoring import FIRST_ID

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Kinds of work, each with its own lock.
_ROLL_UP: Final = 1
_CONFLICTS: Final = 2
_GENERATIONS: Final = 3
_RESCORE: Final = 4

# With more than so many rows waiting in a project its rescore stands back.
_DEEP: Final = 2_000


async def roll_up(conn: Connection, limit: int = 20_000) -> int:
    """Fold counted changes into the hourly totals; returns how many."""
    async with conn.transaction():
        if not await store.try_alone(conn, _ROLL_UP):
            return 0
        return await store.roll_up(conn, limit)


async def expire_conflicts(conn: Connection, limit: int = 5_000) -> int:
    """Forget conflicts after seven days."""
    async with conn.transaction():
        if not await store.try_alone(conn, _CONFLICTS):
            return 0
        return await store.expire_conflicts(conn, limit)


async def drop_old_generations(conn: Connection, limit: int = 5_000) -> int:
    """Remove a portion of a ledger that a long fold replaced."""
    async with conn.transaction():
        if not await store.try_alone(conn, _GENERATIONS):
            return 0
        return await store.drop_old_generation(conn, limit)


async def rescore_walk(conn: Connection, limit: int = 500) -> int:
    """Put some more leads of a project that is being rescored into the inbox.

    Stands back while that project's inbox is deep, so new events are not delayed by it; the
    next project's turn comes then. Returns how many leads were walked over.
    """
    async with conn.transaction():
        if not await store.try_alone(conn, _RESCORE):
            return 0
        for walk in await store.rescores_under_way(conn, _DEEP):
            if walk.waiting < _DEEP:
                walked = await _walk_on(conn, walk, limit)
                if walked:
                    return walked
        return 0


async def _walk_on(conn: Connection, walk: store.Rescoring, limit: int) -> int:
    if walk.version < walk.history:
        # A newer version for all history has its own walk.
        await store.finish_walk(conn, walk)
        return 0
    leads = await store.next_leads(conn, walk.project_id, walk.cursor, limit)
    wanted = [lead for lead, epoch in leads if walk.everything or epoch < walk.version]
    if wanted:
        cause = "rebuild" if walk.everything else "model"
        await store.request_refolds(conn, walk.project_id, wanted, cause)
    if leads:
        await store.walked(conn, walk, leads[-1][0], len(leads))
    if len(leads) < limit and not (wanted or walk.folding):
        await _end(conn, walk)
    return len(leads)


async def _end(conn: Connection, walk: store.Rescoring) -> None:
    """The end of the leads is reached, and everything asked for is folded."""
    if await store.older_left(conn, walk.project_id, walk.version):
        # Someone was merged or taken apart meanwhile: once more from the beginning.
        await store.walked(conn, walk, FIRST_ID, 0)
        return
    await store.finish_walk(conn, walk)
