"""One owner per data directory, and how others find what the owner runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import TYPE_CHECKING

from leadpulse.postgres.errors import DataDirectoryInUseError, EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

_LOCK = "owner.lock"
_INFO = "postgres.json"
# Somebody who only looks holds the lock for microseconds; an owner keeps it.
_PATIENCE = 0.3


class Ownership:
    """The lock on a data directory. The kernel drops it when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock, or raise an error that names the holder."""
        try:
            file = os.open(self._data_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"{self._data_dir} cannot be written to ({error.strerror}). "
                "Choose another place with --data-dir."
            ) from error
        if not _lock(file, time.monotonic() + _PATIENCE):
            os.close(file)
            raise DataDirectoryInUseError(self._data_dir, _holder(self._data_dir))
        self._file = file
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)

    def announce(self, dsn: str) -> None:
        """Tell other processes how to reach the server."""
        fresh = self._data_dir / f"{_INFO}.new"
        fresh.unlink(missing_ok=True)
        fresh.write_text(json.dumps({"dsn": dsn, "pid": os.getpid()}), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self._data_dir / _INFO)

    def release(self) -> None:
        """Give the directory back. Idempotent."""
        if self._file is None:
            return
        (self._data_dir / _INFO).unlink(missing_ok=True)
        os.close(self._file)
        self._file = None


def running_dsn(data_dir: Path) -> str | None:
    """Return where the running owner's server can be reached; None when nobody runs one."""
    try:
        file = os.open(data_dir / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    with contextlib.closing(os.fdopen(file)):
        if _lock(file, time.monotonic(), fcntl.LOCK_SH):
            return None
    try:
        dsn = json.loads((data_dir / _INFO).read_text(encoding="utf-8"))["dsn"]
    except (OSError, ValueError, KeyError):
        return None  # it is just starting or just stopping
    return str(dsn)


def owner_pid(data_dir: Path) -> int | None:
    """Return the process that owns the data directory, if one does."""
    return _holder(data_dir) if running_dsn(data_dir) is not None else None


def _lock(file: int, deadline: float, kind: int = fcntl.LOCK_EX) -> bool:
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _holder(data_dir: Path) -> int | None:
    try:
        return int((data_dir / _LOCK).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
