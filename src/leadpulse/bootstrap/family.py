"""What `serve` runs beside its API: the database, scorers, and whoever waits for it to be up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.bootstrap.announcement import announced
from leadpulse.bootstrap.database import bring_up_to_date, for_processes, server
from leadpulse.bootstrap.network import StartFailed, url_of
from leadpulse.files import make_data_dir
from leadpulse.postgres import keeper
from leadpulse.postgres.connect import connect
from leadpulse.postgres.embedded import EmbeddedPostgres
from leadpulse.processes import Supervisor
from leadpulse.usecases.projects import FIRST_PROJECT, CreatedProject, create_project
from leadpulse.worker.main import crew

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from leadpulse.bootstrap.serve import Beside, WhenReady
    from leadpulse.settings import Settings

    Sockets = tuple[socket.socket, socket.socket]

# The API needs about a second; a loaded machine longer.
_READY_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A running installation: its address, and the project that was made at its first start."""

    url: str
    dsn: str
    first_project: CreatedProject | None


async def live(settings: Settings, sockets: Sockets, beside: Beside) -> None:
    """Keeps database and scorers running for as long as the API does, or has to."""
    bound, health = sockets
    async with _own_database(settings) as dsn:
        await asyncio.to_thread(bring_up_to_date, dsn)
        first = await _first_project(dsn) if beside.first_project else None
        make_data_dir(settings.data_dir)
        await _until_told(settings, Serving(url_of(bound), dsn, first), health, beside)


async def _until_told(
    settings: Settings, here: Serving, health: socket.socket, beside: Beside
) -> None:
    async with crew(settings, for_processes(settings, here.dsn), health) as found:
        scorers = Supervisor(found.programs, on_death=found.on_death)
        working = asyncio.create_task(_when_it_answers(settings, here, scorers, beside.when_ready))
        try:
            await asyncio.wait({beside.serving, working}, return_when=asyncio.FIRST_COMPLETED)
            await beside.api.stop()
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working


async def _when_it_answers(
    settings: Settings, here: Serving, scorers: Supervisor, when_ready: WhenReady
) -> None:
    """What begins when the API answers: it comes up faster without scorers beside it.

    Ends only if `when_ready` says that this was all.
    """
    await _answering(here.url)
    with announced(settings.data_dir, here.url):
        async with scorers:
            if await when_ready(here):
                await asyncio.Event().wait()


@asynccontextmanager
async def _own_database(settings: Settings) -> AsyncIterator[str]:
    """The embedded server as ours alone: a second `serve` on its directory is an error."""
    if settings.database_url is not None:
        async with server(settings) as dsn:
            yield dsn
        return
    embedded = EmbeddedPostgres(settings.data_dir)
    await embedded.start()
    try:
        yield embedded.dsn
    finally:
        await embedded.stop()


async def _first_project(dsn: str) -> CreatedProject | None:
    connection = await connect(dsn, "start")
    try:
        if await keeper.reach_everything(connection):
            return None
        return await create_project(connection, FIRST_PROJECT)
    finally:
        await connection.close()


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
