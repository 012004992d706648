"""A real PostgreSQL for tests, and a fresh database of it in a few milliseconds."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from leadpulse.postgres.binaries import Binaries, binaries_in, wheel_binaries
from leadpulse.postgres.embedded import EmbeddedPostgres
from leadpulse.postgres.migrate import migrate
from support.legs import MissingLegError

NEWEST: Final = "18"
OLDEST: Final = "15"
OLDEST_BINARIES: Final = Path(
    os.environ.get("LEADPULSE_TEST_POSTGRES15", "/usr/lib/postgresql/15/bin")
)

# Nothing here has to survive a power cut; tests that are about that say so with
# settings of their own.
FAST: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}

_ROOM: Final = 4 * 1024**3


def binaries_of(version: str) -> Binaries:
    """Find a version's programs, or tell that this leg cannot be run."""
    if version == NEWEST:
        return wheel_binaries()
    if not (OLDEST_BINARIES / "postgres").exists():
        raise MissingLegError(
            f"PostgreSQL {OLDEST} is not installed (looked in {OLDEST_BINARIES}; "
            "LEADPULSE_TEST_POSTGRES15 names another place)"
        )
    return binaries_in(OLDEST_BINARIES)


def reachable_folder(parent: str = "/tmp") -> Path:
    """Make a temporary folder that a server of another user can pass through.

    pytest's own tmp_path is closed to everybody else, so root's servers would move
    away from it.
    """
    folder = Path(tempfile.mkdtemp(prefix="lp-", dir=parent))
    folder.chmod(0o711)
    return folder


def _fastest_parent() -> str:
    """In memory a clone takes 20 ms, on a busy disk half a second."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK):
        return str(shared) if shutil.disk_usage(shared).free > _ROOM else "/tmp"
    return "/tmp"


class Cluster:
    """One running server with a migrated template; hands out clones of it."""

    _TEMPLATE = "template_leadpulse"

    def __init__(self, version: str) -> None:
        self.version = version
        binaries = binaries_of(version)
        self._folder = reachable_folder(_fastest_parent())
        self.server = EmbeddedPostgres(self._folder / "data", binaries=binaries, settings=FAST)
        self._numbers = count(1)

    def start(self) -> None:
        """Start the server and migrate the template."""
        self.server.start_blocking()
        self._execute(f"CREATE DATABASE {self._TEMPLATE}")
        migrate(self.server.dsn_of(self._TEMPLATE))

    def create(self, *, template: str = _TEMPLATE) -> str:
        """Make a database and return its name; `template0` gives an empty one."""
        name = f"test_{next(self._numbers)}"
        # Copying files wants a checkpoint before and after, which without fsync is
        # nothing; writing every page through the log took six times as long.
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def dsn(self, name: str) -> str:
        """Return the address of one database."""
        return self.server.dsn_of(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Stop the server and remove its files."""
        self.server.stop_blocking()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.server.dsn_of("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())
