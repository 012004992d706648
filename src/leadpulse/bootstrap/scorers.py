"""The scorers of an installation as a family of processes, with one health page for all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadpulse.processes import Program, Supervisor

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from leadpulse.settings import Settings


@dataclass(frozen=True, slots=True)
class Family:
    """What to keep running, and who must hear of a death."""

    programs: list[Program]

    def on_death(self, name: str, pid: int, status: int) -> None:
        del name, pid, status


@asynccontextmanager
async def family(settings: Settings, dsn: str, health: socket.socket) -> AsyncIterator[Family]:
    """The scorers of `settings.workers`, ready to be supervised."""
    del settings, dsn, health
    yield Family([])


async def run_scorers(settings: Settings, dsn: str, health: socket.socket) -> None:
    """Keeps scorers running until SIGTERM or SIGINT."""
    async with family(settings, dsn, health) as scorers:
        await Supervisor(scorers.programs, on_death=scorers.on_death).run()
