from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from leadpulse.bootstrap.database import pool
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import DataDir, ProjectOption, checked_id, quiet_logs, settings_for
from leadpulse.cli.output import note, progress
from leadpulse.cli.running import run
from leadpulse.postgres.models import ModelCache
from leadpulse.postgres.session import Pool
from leadpulse.settings import Settings
from leadpulse.usecases.export_files import (
    Piece,
    events_as_csv,
    events_as_jsonl,
    leads_as_jsonl,
    require_project,
)
from leadpulse.usecases.export_leads import export_leads
from leadpulse.usecases.leads_read import Question
from leadpulse.usecases.overview import count_leads

app = new_app()


class What(StrEnum):
    """What can be exported."""

    LEADS = "leads"
    EVENTS = "events"


class Shape(StrEnum):
    """How a file is written."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command()
def export(
    what: Annotated[What, typer.Argument(help="leads or events.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is standard output.")],
    *,
    project: ProjectOption,
    shape: Annotated[
        Shape | None, typer.Option("--format", help="If the name of the file doesn't tell.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Write leads or events into a file, as JSON lines or CSV.

    Events as JSON lines are in the form that `import` takes. CSV is safe to open in a
    spreadsheet: what looks like a formula begins with an apostrophe.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    wanted = shape or (Shape.CSV if file.suffix.lower() == ".csv" else Shape.JSONL)
    if str(file) != "-" and file.exists() and not force:
        raise CommandError(f"{file} exists already. Name another file, or add --force.")
    with _output(file) as output:
        rows = run(_export(settings, checked_id(project), (what, wanted), output))
    note(f"{rows:,} {what.value} exported.")


@contextlib.contextmanager
def _output(file: Path) -> Iterator[IO[bytes]]:
    """The file appears complete or not at all."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = file.with_name(f".{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            yield output
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


async def _export(
    settings: Settings, project_id: str, kind: tuple[What, Shape], output: IO[bytes]
) -> int:
    rows = 0
    async with pool(settings) as pools:
        events = await require_project(pools, project_id)
        leads = await count_leads(pools, project_id)
        with progress("Exporting", events if kind[0] is What.EVENTS else leads) as advance:
            async for piece in _pieces(pools, project_id, kind):
                output.write(piece.data)
                rows += piece.rows
                advance(piece.rows)
    return rows


def _pieces(pools: Pool, project_id: str, kind: tuple[What, Shape]) -> AsyncIterator[Piece]:
    match kind:
        case (What.EVENTS, Shape.JSONL):
            return events_as_jsonl(pools, project_id)
        case (What.EVENTS, Shape.CSV):
            return events_as_csv(pools, project_id)
        case (What.LEADS, Shape.JSONL):
            return leads_as_jsonl(pools, ModelCache(), project_id)
    return _leads_as_csv(pools, project_id)


async def _leads_as_csv(pools: Pool, project_id: str) -> AsyncIterator[Piece]:
    heading = True
    async for data in export_leads(pools, ModelCache(), project_id, Question()):
        # A cell may hold a line break, so rows are counted by the line ends of the table.
        yield Piece(data, 0 if heading else data.count(b"\r\n"))
        heading = False
