"""PostgreSQL's own programs for copying a whole database out and in again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from leadpulse.postgres.binaries import Binaries, binaries_in, wheel_binaries
from leadpulse.postgres.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leadpulse.postgres.connect import Connection

_CHUNK: Final = 1 << 18
# Programs of 17 and later begin with this, and servers before 17 refuse it.
_ONLY_SINCE_17: Final = b"SET transaction_timeout = 0;\n"
# Rows that describe running processes, not data.
_TRANSIENT: Final = ("workers",)
# Compared row by row through a sum of hashes: small tables that everything hangs on.
_HASHED: Final = ("projects", "models", "leads", "identifiers")


class DumpError(Exception):
    """A copy could not be made or put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, as far as it can be compared: rows, and hashes of some tables."""

    rows: dict[str, int]
    hashes: dict[str, str]

    def differences(self, other: Contents) -> list[str]:
        """What is not the same in `other`, for people."""
        told = [
            f"{table}: {rows} rows in the backup, {other.rows.get(table, 0)} restored"
            for table, rows in self.rows.items()
            if other.rows.get(table, 0) != rows
        ]
        return told + [
            f"{table}: the rows differ"
            for table, value in self.hashes.items()
            if other.hashes.get(table) != value
        ]


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied: a database as an exported snapshot shows it, read in a role.

    Without a role by whoever logs in, whom row security must not bind.
    """

    dsn: str
    snapshot: str
    role: str | None


async def server_version(conn: Connection) -> int:
    """The major version of the server."""
    return conn.info.server_version // 10_000


async def tables(conn: Connection) -> list[str]:
    """The tables of the database that are not PostgreSQL's own."""
    cursor = await conn.execute(
        """
        select relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') order by relname
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def contents(conn: Connection, names: Iterable[str]) -> Contents:
    """Counts and hashes of these tables, as the connection's snapshot sees them."""
    rows: dict[str, int] = {}
    hashes: dict[str, str] = {}
    for name in names:
        if name in _TRANSIENT:
            continue
        rows[name] = await _one(conn, f'select count(*) from "{name}"')  # noqa: S608 - from pg_class
        if name in _HASHED:
            # Sums don't depend on the order in which rows lie on disk.
            hashes[name] = await _one(
                conn,
                f'select coalesce(sum(hashtextextended(t::text, 0)), 0)::text from "{name}" t',  # noqa: S608
            )
    return Contents(rows, hashes)


async def export_snapshot(conn: Connection) -> str:
    """The open transaction's snapshot, for `dump` to see the very same rows."""
    snapshot: str = await _one(conn, "select pg_export_snapshot()")
    return snapshot


def dump(source: Source, major: int, write: Callable[[bytes], object]) -> None:
    """Hands the whole database to `write`, piece by piece. Raises DumpError."""
    address, environment = _address(source.dsn)
    role = [] if source.role is None else [f"--role={source.role}", "--enable-row-security"]
    excluded = [f"--exclude-table-data=public.{name}" for name in _TRANSIENT]
    process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        [
            str(_programs(major).path("pg_dump")), "--format=custom", "--compress=3",
            "--no-owner", "--no-privileges", "--no-comments", f"--snapshot={source.snapshot}",
            *role, *excluded, f"--dbname={address}",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    complaints = _Reader(process.stderr)
    try:
        _pump(process.stdout, write)
    except BaseException:
        process.kill()
        raise
    finally:
        status = _end(process)
    if status != 0:
        raise DumpError(f"pg_dump failed: {_last_line(complaints.text())}")


def restore(dsn: str, major: int, pieces: Iterable[bytes]) -> None:
    """Puts a dump into a database in one transaction: all of it or nothing. Raises DumpError."""
    address, environment = _address(dsn)
    programs = _programs(major)
    reading = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        [
            str(programs.path("pg_restore")), "--format=custom", "--no-owner", "--no-privileges",
            "--no-comments", "--file=-",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    writing = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        [
            str(programs.path("psql")), "--no-psqlrc", "--quiet", "--single-transaction",
            "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={address}",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    complaints = [_Reader(reading.stderr), _Reader(writing.stderr)]
    feeder = _Feeder(reading.stdin, pieces)
    try:
        feeder.start()
        _copy_script(reading.stdout, writing.stdin)
        feeder.join()
        failed = reading.wait() != 0 or feeder.error is not None
        if failed:
            # The script ends here, without the end that would commit it.
            writing.kill()
        elif writing.stdin is not None:
            writing.stdin.close()
    except BrokenPipeError:
        failed = True  # psql ended first, and says why
    except BaseException:
        writing.kill()
        raise
    finally:
        if reading.poll() is None and writing.poll() is not None:
            reading.kill()
        statuses = (_end(reading), _end(writing))
    if feeder.error is not None and not isinstance(feeder.error, BrokenPipeError):
        raise feeder.error
    if failed or any(statuses):
        said = "\n".join(reader.text() for reader in reversed(complaints)).strip()
        raise DumpError(f"The backup can't be restored: {_last_line(said)}")


class _Reader(threading.Thread):
    """Reads what a program complains about, so that its pipe never fills."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._said = b""
        self.start()

    def run(self) -> None:
        if self._pipe is not None:
            with self._pipe:
                while piece := self._pipe.read(4096):
                    self._said = (self._said + piece)[-8192:]

    def text(self) -> str:
        self.join(5)
        return self._said.decode(errors="replace")


class _Feeder(threading.Thread):
    """Writes pieces into a program's input and closes it."""

    def __init__(self, pipe: IO[bytes] | None, pieces: Iterable[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._pieces = pieces
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            if self._pipe is not None:
                with self._pipe:
                    for piece in self._pieces:
                        self._pipe.write(piece)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            self.error = error


def _end(process: subprocess.Popen[bytes]) -> int:
    """Waits for a program's end; what it complained about is read by a thread."""
    for pipe in (process.stdout, process.stdin):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    return process.wait()


def _copy_script(source: IO[bytes] | None, target: IO[bytes] | None) -> None:
    if source is None or target is None:
        return
    for line in source:
        if line != _ONLY_SINCE_17:
            target.write(line)
        # Settings come first; nothing behind the first table is looked at.
        if line.startswith((b"CREATE ", b"COPY ")):
            break
    _pump(source, target.write)
    target.flush()


def _pump(source: IO[bytes] | None, write: Callable[[bytes], object]) -> None:
    while source is not None and (piece := source.read(_CHUNK)):
        write(piece)


def _programs(server: int) -> Binaries:
    """Programs that fit a server: not older than it. The embedded ones, else the system's."""
    found: list[Binaries] = []
    with contextlib.suppress(EmbeddedError):
        found.append(wheel_binaries())
    if not found or found[0].major < server:
        folders = [*Path("/usr/lib/postgresql").glob("*/bin")]
        if (program := shutil.which("pg_dump")) is not None:
            folders.append(Path(program).resolve().parent)
        found += [_client_binaries(folder) for folder in folders if (folder / "psql").exists()]
    fitting = [binaries for binaries in found if binaries.major >= server]
    if not fitting:
        raise DumpError(
            f"The server is PostgreSQL {server}, and no pg_dump of version {server} or newer was "
            f"found. Install PostgreSQL's client programs of version {server}."
        )
    return fitting[0]


def _client_binaries(folder: Path) -> Binaries:
    if (folder / "postgres").exists():
        return binaries_in(folder)
    said = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [str(folder / "psql"), "--version"], check=True, capture_output=True, text=True
    ).stdout
    number = re.search(r"(\d+)", said)
    return Binaries(folder, int(number.group(1)) if number else 0)


def _address(dsn: str) -> tuple[str, dict[str, str]]:
    """The address without its password, which must not stand in the list of processes."""
    parts = conninfo_to_dict(dsn)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    password = parts.pop("password", None)
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    for name in ("HOME", "PGPASSFILE", "PGSSLROOTCERT"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return make_conninfo("", **parts), environment


def _last_line(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "error:" in line or "FATAL" in line]
    return (errors or lines or ["it ended without saying why"])[0].strip()


async def _one(conn: Connection, query: str) -> Any:
    row = await (await conn.execute(query)).fetchone()
    return None if row is None else row[0]
