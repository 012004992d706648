"""How other commands find the `serve` that runs on a data directory."""

from __future__ import annotations

import contextlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leadpulse.settings import Settings

_FILE: Final = "serve.json"


@contextmanager
def announced(data_dir: Path, url: str) -> Iterator[None]:
    """Tells where the API of this process is, for the length of the block."""
    file = data_dir / _FILE
    fresh = data_dir / f"{_FILE}.{os.getpid()}"
    fresh.write_text(
        json.dumps({"url": url, "pid": os.getpid(), "since": _birth(os.getpid())}), encoding="utf-8"
    )
    fresh.replace(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()


def serving_url(data_dir: Path) -> str | None:
    """The address of the running `serve`; None if nobody serves."""
    try:
        told = json.loads((data_dir / _FILE).read_text(encoding="utf-8"))
        url, pid, since = str(told["url"]), int(told["pid"]), float(told["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # After a crash the file is still there, and its number may be another process by now.
    return url if _birth(pid) == since else None


def public_url(settings: Settings) -> str:
    """Where people find the pages: as it was set, or where `serve` runs."""
    found = None if settings.frontend_url else serving_url(settings.data_dir)
    return found or settings.public_url


def _birth(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return -1.0
