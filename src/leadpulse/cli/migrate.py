from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leadpulse.bootstrap.database import bring_up_to_date, server
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import AsJson, DataDir, quiet_logs, settings_for
from leadpulse.cli.output import print_json, say
from leadpulse.cli.running import run
from leadpulse.settings import Settings

app = new_app()


@app.command()
def migrate(
    *,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, change nothing.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database to the schema of this version. Safe to run again."""
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if sql:
        from leadpulse.postgres.migrate import offline_sql  # noqa: PLC0415 - slow to load

        say(offline_sql())
        return
    applied = run(_migrate(settings))
    if as_json:
        print_json({"applied": applied})
    elif applied:
        say(f"Applied: {', '.join(applied)}.")
    else:
        say("Nothing to do: the schema is up to date.")


async def _migrate(settings: Settings) -> list[str]:
    async with server(settings, create=True) as dsn:
        return await asyncio.to_thread(bring_up_to_date, dsn)
