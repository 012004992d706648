"""What a command does to the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from leadpulse.bootstrap.database import pool
from leadpulse.cli.options import DataDir, quiet_logs, settings_for
from leadpulse.cli.running import run
from leadpulse.postgres.session import Pool

_T = TypeVar("_T")


def deed(data_dir: DataDir, work: Callable[[Pool], Awaitable[_T]], *, create: bool = False) -> _T:
    """Runs `work` with connections to the database of this installation."""
    settings = settings_for(data_dir)
    quiet_logs(settings)

    async def done() -> _T:
        async with pool(settings, create=create) as connections:
            return await work(connections)

    return run(done())
