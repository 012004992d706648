"""Events out of a file, through the same door as any other trusted event.

An event without an eventId gets one that follows from the file's content and its line, so an
import that broke off is simply started again: what is stored already counts as a duplicate.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from leadpulse.domain.errors import Invalid, LeadPulseError, Malformed, Overloaded
from leadpulse.domain.model import is_clean
from leadpulse.domain.wire import EventReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from leadpulse.domain.wire import WireEvent
    from leadpulse.usecases.grouping import Item
    from leadpulse.usecases.intake import IntakeBuffer
    from leadpulse.usecases.keys import Caller

Format = Literal["jsonl", "csv"]

_BATCH: Final = 500
# Batches on their way to the database while the next one is read.
_UNDER_WAY: Final = 4
# A line holds one event; what is longer than any event may be is no line of events.
_LONGEST_LINE: Final = 1024 * 1024
# So often a database that is away is waited for, a second or two each time.
_PATIENCE: Final = 60
_BOM: Final = b"\xef\xbb\xbf"
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
_WORDS: Final[dict[str, bool]] = {"true": True, "false": False}
_WHOLE: Final = frozenset(("properties", "traits", "context"))


class Rejected(NamedTuple):
    """A line that was not taken, and why."""

    line: int
    code: str
    error: str
    source: str


@dataclass(slots=True)
class ImportReport:
    """What became of the lines of a file."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0

    @property
    def lines(self) -> int:
        return self.accepted + self.duplicates + self.conflicts + self.rejected


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What is imported for whom, and who hears of it.

    `on_progress` hears the bytes read since; `on_rejected` each line that was not taken.
    """

    path: Path
    format: Format
    caller: Caller
    on_progress: Callable[[int], None]
    on_rejected: Callable[[Rejected], None]


class _Line(NamedTuple):
    number: int
    document: object
    error: LeadPulseError | None
    source: str


def format_of(path: Path) -> Format:
    """By the name of a file; JSON lines unless it ends in .csv."""
    return "csv" if path.suffix.lower() == ".csv" else "jsonl"


async def import_events(intake: IntakeBuffer, job: ImportJob) -> ImportReport:
    """Stores the events of a file; memory doesn't grow with it.

    Raises Unauthorized for a paused project, Invalid for what is no such file at all, OSError if
    it can't be read.
    """
    job.caller.may_send()
    await asyncio.to_thread(_recognise, job)
    digest = await asyncio.to_thread(_digest, job.path)
    report = ImportReport()
    under_way: set[asyncio.Task[None]] = set()
    try:
        async for lines in _batches(job):
            if len(under_way) >= _UNDER_WAY:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            under_way.add(asyncio.create_task(_store(intake, job, lines, (digest, report))))
        for task in under_way:
            await task
    finally:
        for task in under_way:
            task.cancel()
    return report


async def _store(
    intake: IntakeBuffer, job: ImportJob, lines: list[_Line], into: tuple[str, ImportReport]
) -> None:
    digest, report = into
    reader = EventReader(encode=msgspec.json.encode)
    events = [_read(reader, line, digest) for line in lines]
    answers = await _taken(intake, job.caller, events)
    for line, answer in zip(lines, answers, strict=True):
        error = answer if isinstance(answer, LeadPulseError) else answer.error
        if error is not None:
            report.rejected += 1
            job.on_rejected(Rejected(line.number, error.code, error.detail, line.source))
        elif isinstance(answer, LeadPulseError) or answer.status == "queued":
            report.accepted += 1
        elif answer.status == "duplicate":
            report.duplicates += 1
        else:
            report.conflicts += 1


async def _taken(
    intake: IntakeBuffer, caller: Caller, events: list[WireEvent | LeadPulseError]
) -> list[Item | LeadPulseError]:
    """Offers them for as long as the database is away or busy; an import can wait."""
    tries = 0
    while True:
        try:
            return await intake.take(caller, events)
        except Overloaded as busy:
            tries += 1
            if tries > _PATIENCE:
                raise
            await asyncio.sleep(busy.retry_after)


def _read(reader: EventReader, line: _Line, digest: str) -> WireEvent | LeadPulseError:
    if line.error is not None:
        return line.error
    try:
        event = reader.read(line.document)
    except LeadPulseError as error:
        return error
    if event.event_id is None:
        event = event._replace(event_id=f"import-{digest}-{line.number}")
    return event


_NO_TEXT: Final = (
    (b"\x1f\x8b", "is compressed: unpack it first, with gunzip."),
    (b"PK\x03\x04", "is a ZIP archive or a spreadsheet: unpack it, or save it as CSV."),
    (b"\xff\xfe", "is in UTF-16: save it in UTF-8."),
    (b"\xfe\xff", "is in UTF-16: save it in UTF-8."),
)


def _recognise(job: ImportJob) -> None:
    """Refuses as a whole what would be wrong line by line."""
    with job.path.open("rb") as file:
        begin = file.read(4_096)
    told = next((told for mark, told in _NO_TEXT if begin.startswith(mark)), None)
    if not begin:
        told = "is empty: there is nothing to import."
    elif told is None and b"\0" in begin:
        told = "is no text: JSON lines or CSV in UTF-8 are wanted."
    elif told is None and job.format == "jsonl" and begin.removeprefix(_BOM).lstrip()[:1] == b"[":
        told = "holds one list: write one event per line, for instance with jq -c '.[]'."
    if told is not None:
        raise Invalid([], f"{job.path} {told}")


def _digest(path: Path) -> str:
    """Of the content, so that a moved or renamed file is still the same one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


# ── Lines ────────────────────────────────────────────────────────────────────────────


async def _batches(job: ImportJob) -> AsyncIterator[list[_Line]]:
    with job.path.open("rb") as file:
        lines = _csv_lines(file) if job.format == "csv" else _json_lines(file)
        read, batch = 0, []
        for line in lines:
            batch.append(line)
            if len(batch) == _BATCH:
                yield batch
                batch = []
                job.on_progress(file.tell() - read)
                read = file.tell()
                # Decoding is work of ours: let the intake breathe.
                await asyncio.sleep(0)
        if batch:
            yield batch
        job.on_progress(file.tell() - read)


def _json_lines(file: IO[bytes]) -> Iterator[_Line]:
    number = 0
    while raw := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(raw) > _LONGEST_LINE:
            _skip_rest(file, raw)
            yield _Line(number, None, Malformed("The line is longer than 1 MB."), "")
            continue
        raw = raw.removeprefix(_BOM) if number == 1 else raw
        if raw.strip():
            yield _decoded(number, raw)


def _decoded(number: int, raw: bytes) -> _Line:
    source = raw.decode(errors="replace").rstrip("\r\n")
    try:
        return _Line(number, msgspec.json.decode(raw), None, source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _Line(number, None, Malformed(f"This is not JSON: {error}."), source)


def _skip_rest(file: IO[bytes], piece: bytes) -> None:
    while piece and not piece.endswith(b"\n"):
        piece = file.readline(_LONGEST_LINE)


def _csv_lines(file: IO[bytes]) -> Iterator[_Line]:
    csv.field_size_limit(_LONGEST_LINE)
    # Detached at the end: the caller closes the file, and asks it where it stands.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, strict=True)
    try:
        heading = next(rows, None)
        if heading is None:
            return
        names = [name.strip() for name in heading]
        if not {"event", "eventType"} & set(names):
            raise Invalid(
                [], "The first line must name the columns, and one of them must be `event`."
            )
        twice = next((name for name, n in Counter(names).items() if name and n > 1), None)
        if twice is not None:
            raise Invalid([], f"The first line names the column {twice} twice.")
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield _Line(rows.line_num, None, Malformed(f"This is not CSV: {error}."), "")
                continue
            if any(row):
                yield _from_cells(rows.line_num, names, row)
    finally:
        text.detach()


def _from_cells(number: int, names: list[str], row: list[str]) -> _Line:
    source = json.dumps(row, ensure_ascii=True)
    if len(row) != len(names):
        told = f"There are {len(row)} cells, and the first line names {len(names)} columns."
        return _Line(number, None, Malformed(told), source)
    if not all(cell.isascii() or is_clean(cell) for cell in row):
        return _Line(number, None, Malformed("The line is not UTF-8."), source)
    document: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=True):
        if cell == "" or name == "":
            continue
        group, dot, member = name.partition(".")
        if dot and group in _WHOLE:
            inner = document.setdefault(group, {})
            if isinstance(inner, dict):
                inner[member] = _value(cell)
        elif name in _WHOLE:
            try:
                whole = msgspec.json.decode(cell.encode(errors="surrogateescape"))
            except msgspec.DecodeError as error:
                return _Line(number, None, Malformed(f"{name} is not JSON: {error}."), source)
            document[name] = whole
        elif name in ("timestamp", "sentAt") and cell.isascii() and cell.isdigit():
            document[name] = int(cell)
        elif name == "test":
            document[name] = _WORDS.get(cell.lower(), cell)
        else:
            document[name] = cell
    return _Line(number, document, None, source)


def _value(cell: str) -> object:
    """CSV knows text only: what is written as a JSON number or boolean is one."""
    if cell in _WORDS:
        return _WORDS[cell]
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell
