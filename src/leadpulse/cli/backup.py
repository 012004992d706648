from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from leadpulse.bootstrap.database import database
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import AsJson, DataDir, quiet_logs, settings_for
from leadpulse.cli.output import counted, print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.settings import Settings
from leadpulse.usecases.backup import Manifest, back_up

app = new_app()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the backup is written.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Save everything into one file, while events keep coming in.

    What is saved is of one instant. The file is readable by you only: it holds people's data.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if file.is_dir():
        raise CommandError(f"{file} is a directory. Name a file in it.")
    if file.exists() and not force:
        raise CommandError(f"{file} exists already. Name another file, or add --force.")
    if not file.absolute().parent.is_dir():
        raise CommandError(f"{file.parent} is no directory. Create it first.")
    manifest = run(_backup(settings, file.absolute()))
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size, **asdict(manifest)})
        return
    rows = manifest.rows
    say(
        f"{file}: {file.stat().st_size:,} bytes, {counted(rows.get('leads', 0), 'lead')}, "
        f"{counted(rows.get('events', 0), 'event')}."
    )


async def _backup(settings: Settings, file: Path) -> Manifest:
    async with database(settings) as dsn:
        with progress("Saving", in_bytes=True) as advance:
            return await back_up(dsn, file, version("leadpulse"), advance)
