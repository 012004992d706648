from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class EmbeddedError(Exception):
    """The embedded server cannot do its work; the message tells a person what to do."""


class DataDirectoryInUseError(EmbeddedError):
    """Another process owns the data directory."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        self.data_dir = data_dir
        self.pid = pid
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{data_dir} is in use by {holder}. Stop that one first, or choose another "
            "directory with --data-dir."
        )


class StartError(EmbeddedError):
    """PostgreSQL did not start; carries the end of its log."""

    def __init__(self, sentence: str, tail: str = "") -> None:
        self.tail = tail
        super().__init__(f"{sentence}\n{tail}".rstrip())


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message tells what to do."""
