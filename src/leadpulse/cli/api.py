from __future__ import annotations

import socket
from typing import Annotated

import typer

from leadpulse.bootstrap.api import run_api
from leadpulse.bootstrap.database import awaited, database, for_processes
from leadpulse.bootstrap.network import inherited, listen, url_of
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import DataDir, Host, Port, settings_for
from leadpulse.cli.output import say
from leadpulse.cli.running import run
from leadpulse.logging import configure_logging, process_context
from leadpulse.settings import Settings

app = new_app()


@app.command()
def api(
    *,
    host: Host = None,
    port: Port = None,
    fd: Annotated[int | None, typer.Option("--fd", hidden=True)] = None,
    data_dir: DataDir = None,
) -> None:
    """Run one API process, beside workers of their own. For production, with DATABASE_URL.

    Start as many as you like against one database; `leadpulse migrate` comes first.
    """
    settings = settings_for(data_dir, host=host, port=port)
    configure_logging(settings.log_level, settings.log_format)
    process_context(process="api")
    if fd is not None:
        # A child of `serve`, which starts the database meanwhile and keeps the socket.
        with inherited(fd) as bound:
            run(_child(settings, bound))
        return
    with listen(settings.host, settings.port) as bound:
        run(_api(settings, bound))


async def _child(settings: Settings, bound: socket.socket) -> None:
    await run_api(settings, for_processes(settings, await awaited(settings)), bound)


async def _api(settings: Settings, bound: socket.socket) -> None:
    async with database(settings) as dsn:
        say(f"LeadPulse API: {url_of(bound)}")
        await run_api(settings, for_processes(settings, dsn), bound)
