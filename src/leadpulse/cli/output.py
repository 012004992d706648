"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# A log or a pipe gets a line now and then instead of a bar.
_LINE_EVERY = 10.0


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")


def say(text: str) -> None:
    """A line for people on standard output, as it stands."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line for people beside the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def counted(number: int, what: str) -> str:
    """A number of things by their singular: `1 lead`, `2,000 leads`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; not cut when the output is no terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    width = None if sys.stdout.isatty() else 400
    Console(width=width, highlight=False, markup=False).print(table)


@contextmanager
def progress(
    what: str, total: float | None = None, *, in_bytes: bool = False
) -> Iterator[Callable[[float], None]]:
    """Shows how far long work is; the block calls what it gets with each bit done."""
    if not sys.stderr.isatty():
        with _lines(what, total) as advance:
            yield advance
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)


@contextmanager
def _lines(what: str, total: float | None) -> Iterator[Callable[[float], None]]:
    done, told = 0.0, time.monotonic()

    def advance(amount: float) -> None:
        nonlocal done, told
        done += amount
        if time.monotonic() - told >= _LINE_EVERY:
            told = time.monotonic()
            note(f"{what}: {done:,.0f}" + (f" of {total:,.0f}" if total else ""))

    yield advance
