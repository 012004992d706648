"""A lead that takes its scorers down is folded in a process of its own, with limits."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import TYPE_CHECKING, Final

from leadpulse.ids import uuid7
from leadpulse.logging import get_logger
from leadpulse.postgres.connect import connect
from leadpulse.postgres.failures import fault_of
from leadpulse.usecases.score import Desk, score_leads
from leadpulse.usecases.setbacks import bury
from leadpulse.worker.marks import ProgressMark, last_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from leadpulse.usecases.score import LeadKey

_log = get_logger("leadpulse.scorer")

_DIES: Final = "The scorer dies when it folds this lead."
_MEMORY: Final = 1 << 30
_CPU_SECONDS: Final = 20
_PATIENCE: Final = 30.0
# The exit status of a child that couldn't reach the database: nothing is known of the lead.
_TEMPORARY: Final = 75


async def fold_in_child(command: Sequence[str], marks: Path, dsn: str, lead: LeadKey) -> None:
    """Fold a lead in a child process; if that dies, it was the third time: a dead letter."""
    progress = marks / f"progress-{uuid7()}"
    process = await asyncio.create_subprocess_exec(
        *command, "fold", str(progress), *lead, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            status = await process.wait()
    except TimeoutError:
        status = -9
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    event = last_progress(progress)
    progress.unlink(missing_ok=True)
    if status in (0, _TEMPORARY):
        return
    _log.error("child_died", status=status, project=lead[0], lead=lead[1], at_event=event)
    conn = await connect(dsn, "scorer")
    try:
        await bury(conn, lead, _DIES, event)
    finally:
        await conn.close()


def limit_resources() -> None:
    """Let this process end before the machine suffers."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))


async def fold_alone(dsn: str, progress: Path, lead: LeadKey) -> int:
    """What the child does: one pass about one lead; returns its exit status."""
    try:
        conn = await connect(dsn, "scorer")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not the lead's fault
        _log.warning("child_without_database", error=error)
        return _TEMPORARY
    try:
        desk = Desk(conn, progress=ProgressMark(progress))
        result = await score_leads(desk, [lead], ("normal", "group", "alone", "child", "dead"))
        if result.failed:
            # Two scorers died of it, and here it fails too (of the memory limit, most likely).
            await bury(conn, lead, next(iter(result.failed.values())))
    except Exception as error:
        if fault_of(error) == "database":
            return _TEMPORARY
        raise
    finally:
        await conn.close()
    return 0
