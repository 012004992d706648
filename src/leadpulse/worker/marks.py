"""Small files through which a scorer's parent learns what it did when it died.

They survive the death of the process, which is all they are for; a machine that dies takes
the parent along.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from leadpulse.domain.facts import Fact

LeadKey = tuple[str, str]


def status_file(marks: Path, scorer: int) -> Path:
    """Where a scorer says every second how it does."""
    return marks / f"status-{scorer}"


class Mark:
    """A file with one JSON document, replaced in place."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, document: object) -> None:
        data = msgspec.json.encode(document)
        os.pwrite(self._file, data, 0)
        os.ftruncate(self._file, len(data))

    def clear(self) -> None:
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        os.close(self._file)


def read_mark(path: Path) -> Any:
    """What a mark says; None if nothing (or half of something) is there."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


class ClaimMark:
    """Whom the present pass is about. Empty between passes."""

    def __init__(self, path: Path) -> None:
        self._mark = Mark(path)
        self._marked = False

    def begin(self, leads: Sequence[LeadKey], *, alone: bool) -> None:
        self._mark.write({"alone": alone, "leads": leads})
        self._marked = True

    def end(self) -> None:
        if self._marked:
            self._mark.clear()
            self._marked = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The leads of a pass that never ended; `alone`: there was only this one."""

    leads: list[LeadKey]
    alone: bool


def left_behind(path: Path) -> Claim | None:
    """Read what a dead scorer was at, once: the mark is cleared."""
    said = read_mark(path)
    if not isinstance(said, dict):
        return None
    path.write_bytes(b"")
    return Claim([(p, lead) for p, lead in said["leads"]], bool(said["alone"]))


class ProgressMark:
    """The event that is being folded; told before each."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_TRUNC, 0o600)

    def __call__(self, fact: Fact) -> None:
        os.pwrite(self._file, fact.id.encode(), 0)


def last_progress(path: Path) -> str | None:
    """The event that was being folded last."""
    try:
        return path.read_text(encoding="ascii") or None
    except (OSError, ValueError):
        return None
