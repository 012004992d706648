"""The passes that time drives, beside scoring and on a connection of their own."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.logging import get_logger
from leadpulse.postgres.connect import connect
from leadpulse.postgres.failures import DatabaseError
from leadpulse.usecases import maintain, private
from leadpulse.usecases.due import Relabeller, decay_pass
from leadpulse.usecases.figures import count_pass
from leadpulse.usecases.import_pass import forget_pass, import_pass
from leadpulse.usecases.project_removal import removal_pass
from leadpulse.usecases.retention import retention_pass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.models import ModelCache
    from leadpulse.worker.counters import Counters

    Tell = Callable[[Sequence[tuple[str, str]]], None]

_log = get_logger("leadpulse.upkeep")

_TICK: Final = 0.1
_AFTER_TROUBLE: Final = 1.0


@dataclass(slots=True)
class Chore:
    """Work to look for every so many seconds; at once again while it finds some."""

    name: str
    every: float
    run: Callable[[Connection], Awaitable[int]]
    next_at: float = 0.0


def chores(models: ModelCache, tell: Tell | None = None) -> list[Chore]:
    """Everything that time drives; `tell` hears of leads that look different by it."""
    relabeller = Relabeller(models)
    return [
        Chore("decay", 1.0, lambda conn: decay_pass(conn, models, tell=tell)),
        Chore("labels", 2.0, relabeller.step),
        Chore("rescore", 0.5, maintain.rescore_walk),
        Chore("totals", 5.0, maintain.roll_up),
        Chore("generations", 2.0, maintain.drop_old_generations),
        Chore("conflicts", 600.0, maintain.expire_conflicts),
    ]


def private_chores(models: ModelCache) -> list[Chore]:
    """What takes away: it needs rights that scorers and the other upkeep don't have."""
    return [
        Chore("erasures", 2.0, private.erasure_pass),
        Chore("removals", 2.0, private.sweep_pass),
        Chore("retention", 5.0, lambda conn: retention_pass(conn, models)),
        Chore("projects", 60.0, removal_pass),
        Chore("digests", 3600.0, private.expiry_pass),
    ]


def import_chores() -> list[Chore]:
    """What people wait for."""
    return [
        Chore("imports", 1.0, import_pass),
        Chore("old imports", 3600.0, forget_pass),
    ]


def counting_chores(models: ModelCache) -> list[Chore]:
    """What may take seconds, and so keeps nothing else waiting."""
    return [Chore("figures", 2.0, lambda conn: count_pass(conn, models))]


async def keep_up(
    dsn: str, models: ModelCache, counters: Counters, tell: Tell | None = None
) -> None:
    """Run all chores for ever. Several processes may; each pass is done by one at a time."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep(dsn, "upkeep", chores(models, tell), counters))
        group.create_task(_keep(dsn, "privacy", private_chores(models), counters))
        group.create_task(_keep(dsn, "imports", import_chores(), counters))
        group.create_task(_keep(dsn, "figures", counting_chores(models), counters))


async def _keep(dsn: str, name: str, work: list[Chore], counters: Counters) -> None:
    for chore in work:
        # Processes that start together don't stay together.
        chore.next_at = time.monotonic() + chore.every * random.random()  # noqa: S311
    while True:
        try:
            conn = await connect(dsn, name)
            try:
                while True:
                    await _run_due(conn, work, counters)
                    await asyncio.sleep(_TICK)
            finally:
                await conn.close()
        except (DatabaseError, OSError, TimeoutError) as error:
            _log.debug("upkeep_without_database", error=error)
            await asyncio.sleep(_AFTER_TROUBLE)


async def _run_due(conn: Connection, work: list[Chore], counters: Counters) -> None:
    for chore in work:
        if time.monotonic() < chore.next_at:
            continue
        try:
            found = await chore.run(conn)
            counters.note_chore(chore.name, found)
        except DatabaseError:
            counters.note_chore(chore.name, 0, failed=True)
            chore.next_at = time.monotonic() + chore.every
            raise
        except Exception:  # noqa: BLE001 - logged, with its trace
            # One chore that fails keeps none of the others from their work.
            _log.exception("chore_failed", chore=chore.name)
            counters.note_chore(chore.name, 0, failed=True)
            found = 0
        chore.next_at = time.monotonic() + (0.0 if found else chore.every)
