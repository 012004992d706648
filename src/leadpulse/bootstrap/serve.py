"""`leadpulse serve`: the whole product on one machine, as one family of processes.

The parent holds the listening socket and the embedded PostgreSQL, and keeps an API process and
scorers running. A child that dies is started again; while the API is away, callers wait in the
socket's queue instead of being refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.bootstrap import scorers
from leadpulse.bootstrap.announcement import announced
from leadpulse.bootstrap.database import bring_up_to_date, server
from leadpulse.bootstrap.network import listen, url_of
from leadpulse.files import make_data_dir
from leadpulse.postgres.connect import connect
from leadpulse.postgres.embedded import EmbeddedPostgres
from leadpulse.postgres.projects import list_projects
from leadpulse.processes import Program, Supervisor, python_module
from leadpulse.usecases.projects import CreatedProject, create_project

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from leadpulse.settings import Settings

WhenReady = Callable[["Serving"], Awaitable[bool]]

# The API needs about a second; a loaded machine longer.
_READY_WITHIN: Final = 60.0
_FIRST_PROJECT: Final = "My project"


class StartFailed(Exception):
    """The API did not come up; its log says why."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A running installation: its address, and the project that was made at its first start."""

    url: str
    dsn: str
    first_project: CreatedProject | None


async def serve_until_told(
    settings: Settings, when_ready: WhenReady, *, first_project: bool = True
) -> None:
    """Runs everything until SIGTERM or SIGINT, or until `when_ready` says so.

    `when_ready` runs beside it once the API answers; if it returns False, that was all. Raises
    ListenError, EmbeddedError and the like before anything is left running.
    """
    with (
        listen(settings.host, settings.port) as bound,
        listen("127.0.0.1", settings.worker_port, "LEADPULSE_WORKER_PORT") as health,
    ):
        async with _own_database(settings) as dsn:
            await asyncio.to_thread(bring_up_to_date, dsn)
            first = await _first_project(dsn) if first_project else None
            serving = Serving(url_of(bound), dsn, first)
            make_data_dir(settings.data_dir)
            await _run(settings, serving, (bound, health), when_ready)


@asynccontextmanager
async def _own_database(settings: Settings) -> AsyncIterator[str]:
    """The embedded server as ours alone: a second `serve` on its directory is an error."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            yield await stack.enter_async_context(server(settings))
            return
        embedded = EmbeddedPostgres(settings.data_dir)
        await embedded.start()
        stack.push_async_callback(embedded.stop)
        yield embedded.dsn


async def _first_project(dsn: str) -> CreatedProject | None:
    connection = await connect(dsn, "start")
    try:
        if await list_projects(connection):
            return None
        return await create_project(connection, _FIRST_PROJECT)
    finally:
        await connection.close()


async def _run(
    settings: Settings,
    serving: Serving,
    sockets: tuple[socket.socket, socket.socket],
    when_ready: WhenReady,
) -> None:
    bound, health = sockets
    environment = child_environment(settings, serving.dsn)
    api = Program(
        "api",
        python_module("leadpulse", "api", "--fd", str(bound.fileno())),
        environment,
        (bound.fileno(),),
    )
    async with scorers.family(settings, serving.dsn, health) as family:
        supervisor = Supervisor([api, *family.programs], on_death=family.on_death)
        running = asyncio.create_task(supervisor.run())
        beside = asyncio.create_task(_beside(settings, serving, when_ready))
        try:
            await asyncio.wait({running, beside}, return_when=asyncio.FIRST_COMPLETED)
            if beside.done() and (beside.exception() is not None or not beside.result()):
                await supervisor.stop()
            await running
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside


async def _beside(settings: Settings, serving: Serving, when_ready: WhenReady) -> bool:
    await _answering(serving.url)
    with announced(settings.data_dir, serving.url):
        if not await when_ready(serving):
            return False
        # The announcement stands for as long as this task is not cancelled.
        await asyncio.Event().wait()
    return True


async def _answering(url: str) -> None:
    """Waits until the API answers; raises StartFailed when it never does."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    deadline = asyncio.get_running_loop().time() + _READY_WITHIN
    request = f"GET /api/health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    while asyncio.get_running_loop().time() < deadline:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_READY_WITHIN):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.write(request.encode("ascii"))
                line = await reader.readline()
                writer.close()
            if b" 200 " in line:
                return
        await asyncio.sleep(0.05)
    raise StartFailed("The API does not come up; what it logged above says why.")


def child_environment(settings: Settings, dsn: str) -> dict[str, str]:
    """What child processes see: the same settings, and the database they belong to."""
    return {**os.environ, **settings.environ(), "DATABASE_URL": dsn}
