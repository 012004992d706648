from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from leadpulse.bootstrap.checking import verify_everything
from leadpulse.bootstrap.database import bring_up_to_date, server
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import AsJson, DataDir, quiet_logs, settings_for
from leadpulse.cli.output import counted, note, print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.postgres.connect import pool
from leadpulse.settings import Settings
from leadpulse.usecases.backup import Manifest, dump_size, read_manifest
from leadpulse.usecases.backup import restore as restore_from
from leadpulse.usecases.verify import VerifyReport

app = new_app()


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` wrote.")],
    *,
    verify: Annotated[
        bool, typer.Option(help="Hold every score against its events afterwards.")
    ] = True,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup into an empty database, and check it.

    Nothing is ever overwritten: name a new directory with --data-dir, or an empty database in
    DATABASE_URL. A backup of an older LeadPulse is brought to the present schema.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    manifest = read_manifest(file)
    report = run(_restore(settings, file, manifest, verify=verify))
    if as_json:
        document: dict[str, object] = {"restored": manifest.rows, "schema": manifest.schema}
        if report is not None:
            document["verify"] = {"ok": report.ok, "differingCount": report.differing_count}
        print_json(document)
    else:
        say(
            f"Restored {counted(manifest.rows.get('leads', 0), 'lead')} and "
            f"{counted(manifest.rows.get('events', 0), 'event')}; all rows compared."
        )
    if report is not None and not report.ok:
        note(
            f"Everything is restored, but {report.differing_count} leads differ from their events "
            f"and {report.failed} failed, as in the backup. `leadpulse verify` names them."
        )
        raise typer.Exit(1)


async def _restore(
    settings: Settings, file: Path, manifest: Manifest, *, verify: bool
) -> VerifyReport | None:
    async with server(settings, create=True) as dsn:
        with progress("Restoring", dump_size(file), in_bytes=True) as advance:
            await restore_from(dsn, file, manifest, advance)
        await asyncio.to_thread(bring_up_to_date, dsn)
        if not verify:
            return None
        async with pool(dsn, "verify", largest=2) as connections:
            with progress("Verifying", manifest.rows.get("leads")) as checked:
                return await verify_everything(connections, progress=checked)
