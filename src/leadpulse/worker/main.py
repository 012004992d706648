"""The worker: a parent that keeps scorers running, and the scorer that it runs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadpulse.domain.retry import delay_after
from leadpulse.logging import get_logger
from leadpulse.postgres.connect import connect
from leadpulse.postgres.failures import DatabaseError, Failure, record_failures
from leadpulse.postgres.session import reach
from leadpulse.processes import Program, Supervisor
from leadpulse.usecases.hints import teller_through
from leadpulse.worker.health import HealthPage
from leadpulse.worker.marks import left_behind, status_file
from leadpulse.worker.scorer import Scorer, ScorerOptions
from leadpulse.worker.upkeep import keep_up
from leadpulse.worker.watchdog import watch

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Mapping, Sequence

    from leadpulse.settings import Settings
    from leadpulse.worker.marks import Claim

_log = get_logger("leadpulse.worker")

# Callers wait for the API and nobody waits for a scorer, so it stands back where processors are
# short: a fifth more single events were answered for it, and none was scored later.
_NICE: Final = 10

ENTRY: Final = (sys.executable, "-m", "leadpulse.worker")
_CRASHES_KEPT: Final = 100


@dataclass(slots=True)
class Crew:
    """Scorers to be supervised; `on_death` must hear of each that ends unasked."""

    programs: list[Program]
    marks: Path
    deaths: int = 0
    _claims: asyncio.Queue[Claim] = field(default_factory=lambda: asyncio.Queue(_CRASHES_KEPT))

    def on_death(self, name: str, pid: int, status: int) -> None:
        """Read what a dead scorer was at, before it is started again."""
        del pid, status
        if not name.startswith("scorer-"):
            return
        self.deaths += 1
        claim = left_behind(self.marks / f"claim-{name.removeprefix('scorer-')}")
        if claim is not None and not self._claims.full():
            self._claims.put_nowait(claim)

    async def account(self, dsn: str) -> None:
        """Record crashes against the leads that were there, for ever."""
        while True:
            claim = await self._claims.get()
            while not await _record_crash(dsn, claim):  # noqa: ASYNC110 - the database is away
                await asyncio.sleep(0.2)


async def _record_crash(dsn: str, claim: Claim) -> bool:
    solo = int(claim.alone)
    # A crowd is innocent but for one, so it goes on at once, in small groups.
    wait = (delay_after(1, 0.0) or 0.0) if solo else 0.0
    failures = [
        Failure(*lead, 0, 1 - solo, solo, wait, "A scorer died while it folded this lead.", None)
        for lead in claim.leads
    ]
    try:
        conn = await connect(dsn, "worker")
        try:
            await reach(conn, {project_id for project_id, _ in claim.leads}, lasting=True)
            await record_failures(conn, failures)
        finally:
            await conn.close()
    except (DatabaseError, OSError, TimeoutError):
        return False
    return True


@asynccontextmanager
async def crew(
    settings: Settings,
    dsn: str,
    health: socket.socket | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    entry: Sequence[str] = ENTRY,
) -> AsyncIterator[Crew]:
    """The scorers of `settings.workers`, with watchdog, crash records and the health page.

    `health` is a socket that listens already. `environment` is the children's whole one.
    """
    with tempfile.TemporaryDirectory(prefix="leadpulse-scorers-") as folder:
        marks = Path(folder)
        programs = [
            Program(
                f"scorer-{index}",
                [*entry, "scorer", str(index), folder],
                _environment(settings, dsn, environment),
                heartbeat=status_file(marks, index),
            )
            for index in range(settings.workers)
        ]
        found = Crew(programs, marks)
        page = HealthPage(dsn, found, settings.workers)
        tasks = [asyncio.create_task(found.account(dsn)), asyncio.create_task(watch(dsn))]
        try:
            if health is not None:
                await page.start(health)
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await page.stop()


async def run_workers(
    settings: Settings,
    dsn: str,
    health: socket.socket | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    entry: Sequence[str] = ENTRY,
) -> None:
    """Keep scorers running until SIGTERM or SIGINT."""
    async with crew(settings, dsn, health, environment=environment, entry=entry) as found:
        await Supervisor(found.programs, on_death=found.on_death).run()


def _environment(settings: Settings, dsn: str, given: Mapping[str, str] | None) -> dict[str, str]:
    base = dict(os.environ if given is None else given)
    return {**base, **settings.environ(), "DATABASE_URL": dsn}


async def run_scorer(
    settings: Settings, dsn: str, index: int, marks: Path, child: Sequence[str] = ENTRY
) -> None:
    """What a scorer process does until SIGTERM: score, keep up, watch the others."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Passes make many short-lived tuples without cycles; looking at all of them again and
    # again took a fifth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    os.nice(_NICE)
    scorer = Scorer(
        ScorerOptions(
            dsn,
            marks,
            child,
            index,
            settings.workers,
            leads_per_second=_share(settings.max_leads_per_second, settings),
        )
    )
    scorer.teller = teller = teller_through(settings.redis_url, dsn)
    beside = [
        asyncio.create_task(keep_up(dsn, scorer.models, scorer.counters, teller.changed)),
        asyncio.create_task(watch(dsn)),
        asyncio.create_task(teller.run()),
    ]
    try:
        await scorer.run(stop)
    finally:
        for task in beside:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*beside, return_exceptions=True)


def _share(ceiling: int, settings: Settings) -> int:
    """The installation's ceiling is divided among its scorers."""
    return max(1, ceiling // settings.workers) if ceiling else 0
