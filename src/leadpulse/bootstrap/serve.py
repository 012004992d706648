"""`leadpulse serve`: the whole product on one machine, as one family of processes.

The parent holds the listening socket and the embedded PostgreSQL, and keeps an API process and
scorers running. A child that dies is started again; while the API is away, callers wait in the
socket's queue instead of being refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadpulse.bootstrap.network import listen
from leadpulse.postgres.errors import DataDirectoryInUseError
from leadpulse.postgres.ownership import owner_pid, running_dsn
from leadpulse.processes import Program, Supervisor, python_module

if TYPE_CHECKING:
    import socket

    from leadpulse.bootstrap.family import Serving
    from leadpulse.settings import Settings

WhenReady = Callable[["Serving"], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Beside:
    """The API that runs while the rest is started, and what is to follow."""

    api: Supervisor
    serving: asyncio.Task[None]
    when_ready: WhenReady
    first_project: bool


async def serve_until_told(
    settings: Settings, when_ready: WhenReady, *, first_project: bool = True
) -> None:
    """Runs everything until SIGTERM or SIGINT, or until `when_ready` says so.

    `when_ready` runs beside it once the API answers; if it returns False, that was all. Raises
    ListenError, EmbeddedError and the like, and then nothing is left running.
    """
    with (
        listen(settings.host, settings.port) as bound,
        listen("127.0.0.1", settings.worker_port, "LEADPULSE_WORKER_PORT") as health,
    ):
        if settings.database_url is None and running_dsn(settings.data_dir) is not None:
            raise DataDirectoryInUseError(settings.data_dir, owner_pid(settings.data_dir))
        api = Supervisor([_api(settings, bound)])
        serving = asyncio.create_task(api.run())
        await asyncio.sleep(0)
        try:
            # The API takes longest to load, and waits for its database itself: it loads
            # while we load what follows, and start the database.
            from leadpulse.bootstrap.family import live  # noqa: PLC0415

            beside = Beside(api, serving, when_ready, first_project)
            await live(settings, (bound, health), beside)
        finally:
            await api.stop()
            await serving


def _api(settings: Settings, bound: socket.socket) -> Program:
    number = bound.fileno()
    return Program(
        "api",
        python_module("leadpulse", "api", "--fd", str(number)),
        {**os.environ, **settings.environ()},
        (number,),
    )
