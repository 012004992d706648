from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import msgspec
import typer

from leadpulse.bootstrap.database import database
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import (
    AsJson,
    DataDir,
    ProjectOption,
    checked_id,
    quiet_logs,
    settings_for,
)
from leadpulse.cli.output import counted, note, print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.domain.errors import NotFound
from leadpulse.postgres.connect import connect
from leadpulse.settings import Settings
from leadpulse.usecases.import_events import (
    Format,
    ImportJob,
    ImportReport,
    Rejected,
    format_of,
    import_events,
)
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import Caller, project_caller

app = new_app()

# Wrong lines told on the screen; all of them go into the file, if it is asked for.
_TOLD_AT_MOST = 20


class Shape(StrEnum):
    """How a file is written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass
class _Rejects:
    """Tells the first wrong lines, and writes all of them down if asked."""

    file: IO[bytes] | None = None
    told: list[Rejected] = field(default_factory=list)

    def __call__(self, rejected: Rejected) -> None:
        if len(self.told) < _TOLD_AT_MOST:
            self.told.append(rejected)
        if self.file is not None:
            line, code, error, source = rejected
            document = {"line": line, "code": code, "error": error, "source": source}
            self.file.write(msgspec.json.encode(document) + b"\n")


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, or CSV with headings.")],
    *,
    project: ProjectOption,
    shape: Annotated[
        Shape | None, typer.Option("--format", help="If the name of the file doesn't tell.")
    ] = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Write wrong lines to FILE.rejected.jsonl.")
    ] = False,
    allow_rejected: Annotated[
        bool, typer.Option("--allow-rejected", help="Exit with status 0 despite wrong lines.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Import events in the form in which they are sent, as a trusted caller.

    Run it again if it broke off: what is stored already is not counted twice. In CSV the first
    line names the fields (event, email, timestamp, properties.amount, traits.name, …).
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    form: Format = format_of(file) if shape is None else shape.value
    with _rejects(file if rejected else None) as rejects:
        report = run(_import(settings, checked_id(project), (file, form), rejects))
    if as_json:
        told = [{"line": r.line, "code": r.code, "error": r.error} for r in rejects.told]
        print_json({**msgspec.to_builtins(report), "errors": told})
    else:
        _tell(report, rejects)
    if report.rejected and not allow_rejected:
        raise typer.Exit(1)


@contextlib.contextmanager
def _rejects(file: Path | None) -> Iterator[_Rejects]:
    if file is None:
        yield _Rejects()
        return
    with file.with_name(f"{file.name}.rejected.jsonl").open("wb") as output:
        yield _Rejects(output)


async def _import(
    settings: Settings, project_id: str, source: tuple[Path, Format], rejects: _Rejects
) -> ImportReport:
    path, form = source
    async with database(settings) as dsn:
        caller = await _caller(dsn, project_id)
        intake = IntakeBuffer(dsn)
        await intake.start()
        try:
            with progress("Importing", _size(path), in_bytes=True) as advance:
                job = ImportJob(path, form, caller, advance, rejects)
                return await import_events(intake, job)
        finally:
            await intake.stop()


async def _caller(dsn: str, project_id: str) -> Caller:
    connection = await connect(dsn, "import")
    try:
        caller = await project_caller(connection, project_id)
    finally:
        await connection.close()
    if caller is None:
        raise NotFound("project", project_id)
    return caller


def _size(path: Path) -> int:
    return path.stat().st_size


def _tell(report: ImportReport, rejects: _Rejects) -> None:
    say(
        f"{counted(report.accepted, 'event')} imported, {report.duplicates:,} were there already, "
        f"{report.conflicts:,} conflict with stored ones, {report.rejected:,} lines rejected."
    )
    for rejected in rejects.told:
        note(f"line {rejected.line}: {rejected.error}")
    if report.rejected > len(rejects.told):
        note(
            f"… and {report.rejected - len(rejects.told):,} more; --rejected writes them all down."
        )
