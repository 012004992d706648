"""The command line as people run it: a process of its own, with what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What a developer's own shell may have set must not decide a test.
_OURS = ("LEADPULSE_", "DATABASE_URL", "REDIS_URL", "PORT", "FRONTEND_URL", "PG")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """A clean environment with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **more}


def leadpulse(
    *arguments: str | Path,
    settings: Mapping[str, str] | None = None,
    folder: Path | None = None,
    seconds: float = 120,
) -> Done:
    """Runs a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "leadpulse", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        env=environment(**(settings or {})),
        cwd=folder,
    )
    return Done(done.returncode, done.stdout, done.stderr)
