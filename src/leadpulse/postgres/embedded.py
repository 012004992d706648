"""The embedded PostgreSQL: a real server as a supervised child of this process.

The postmaster is our own child in the foreground, so its death is seen at once,
and a restart after SIGKILL finds no lock of a stranger. A thread of its own
starts it and waits for it: on Linux the death signal of a child follows the
thread that started it, so that thread must live as long as the server.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from leadpulse.postgres import cluster
from leadpulse.postgres.binaries import Binaries, bin, wheel_binaries  # noqa: A004 - bin("psql")
from leadpulse.postgres.errors import DataDirectoryInUseError, EmbeddedError, StartError
from leadpulse.postgres.location import Layout, prepare
from leadpulse.postgres.ownership import Ownership, owner_pid, running_dsn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = [
    "Binaries",
    "DataDirectoryInUseError",
    "EmbeddedError",
    "EmbeddedPostgres",
    "StartError",
    "bin",
    "owner_pid",
    "running_dsn",
]

_POLL = 0.005
_LOG_CHECK = 30.0
_LOG_LIMIT = 8 * 1024 * 1024
_BACKOFF = (0.0, 0.1, 0.2, 0.5, 1.0)
_STEADY_AFTER = 10.0
_STOP_PATIENCE = 30.0
_SLOW_START = 5.0

_log = structlog.get_logger("leadpulse.postgres")


class EmbeddedPostgres:
    """One server on one data directory, kept running until `stop`.

    `on_death` is called in the supervising thread with the exit status whenever
    the server ended without being asked to; it is then already being restarted.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        binaries: Binaries | None = None,
        settings: Mapping[str, str] | None = None,
        on_death: Callable[[int], None] | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self._binaries = binaries
        self._settings = dict(settings or {})
        self._on_death = on_death
        self._ownership = Ownership(self.data_dir)
        self._layout: Layout | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._ready = False
        self._failure: EmbeddedError | None = None

    # The interface -----------------------------------------------------------

    async def start(self) -> str:
        """Start the server and return the address of its database; see `start_blocking`."""
        return await asyncio.to_thread(self.start_blocking)

    async def stop(self) -> None:
        """Stop the server and give the data directory back; see `stop_blocking`."""
        await asyncio.to_thread(self.stop_blocking)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def dsn(self) -> str:
        """The address of the database `leadpulse`."""
        return self.dsn_of("leadpulse")

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None while there is none."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    @property
    def layout(self) -> Layout:
        """Where the files are; known once the server was started."""
        if self._layout is None:
            raise EmbeddedError("The embedded PostgreSQL was not started.")
        return self._layout

    def dsn_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        sockets = quote(str(self.layout.sockets), safe="")
        return f"postgresql://{cluster.SUPERUSER}@/{quote(database)}?host={sockets}"

    def start_blocking(self) -> str:
        """Take the data directory, make the cluster if there is none, start, wait until ready.

        Waits as long as crash recovery takes. Raises an EmbeddedError whose
        message says what to do; then nothing is left running or locked.
        """
        try:
            self._layout = prepare(self.data_dir, self._binaries or wheel_binaries())
            self._ownership.take()
        except OSError as error:
            raise EmbeddedError(
                f"{self.data_dir} cannot be used ({error.strerror}). "
                "Choose another place with --data-dir."
            ) from error
        try:
            cluster.clear_leftovers(self._layout)
            durable = self._settings.get("fsync", "on") == "on"
            cluster.ensure_cluster(self._layout, durable=durable)
            cluster.write_configuration(self._layout, self._settings)
            self._start_thread()
            self._create_database()
            self._ownership.announce(self.dsn)
        except OSError as error:
            self.stop_blocking()
            raise cluster.start_error(self._layout, str(error)) from error
        except BaseException:
            self.stop_blocking()
            raise
        return self.dsn

    def stop_blocking(self) -> None:
        """End all connections, write a checkpoint, stop. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            process = self._process
        if process is not None:
            self._end(process)
        if self._thread is not None:
            self._thread.join()
        self._ownership.release()

    # Starting ----------------------------------------------------------------

    def _start_thread(self) -> None:
        self._stopping = self._ready = False
        self._failure = None
        self._thread = threading.Thread(target=self._supervise, name="postgres", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._failure is not None)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _create_database(self) -> None:
        with psycopg.connect(self.dsn_of("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'leadpulse'"
            ).fetchone()
            if found is None:
                name = sql.Identifier("leadpulse")
                connection.execute(sql.SQL("CREATE DATABASE {}").format(name))

    # The thread --------------------------------------------------------------

    def _supervise(self) -> None:
        attempt = 0
        while not self._asked_to_stop():
            started = time.monotonic()
            try:
                self._run_once()
            except Exception as error:  # noqa: BLE001 - a full disk may be freed, a lock released
                if self._failed_for_good(error):
                    return
            attempt = 1 if time.monotonic() - started > _STEADY_AFTER else attempt + 1
            with self._changed:
                pause = _BACKOFF[min(attempt - 1, len(_BACKOFF) - 1)]
                self._changed.wait_for(self._asked_to_stop, timeout=pause)

    def _asked_to_stop(self) -> bool:
        return self._stopping

    def _run_once(self) -> None:
        """Start the server and stay until it ended."""
        if self._ready:
            cluster.clear_leftovers(self.layout)
        offset = self._log_size()
        process = self._spawn()
        if process is None:
            return
        if self._await_ready(process):
            self._announce_ready()
        code = self._await_end(process)
        if self._asked_to_stop():
            return
        problem = cluster.start_error(self.layout, self._log_since(offset))
        if not self._ready:
            raise problem
        _log.error("postgres_died", pid=process.pid, status=code, detail=str(problem))
        if self._on_death is not None:
            self._on_death(code)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        layout = self.layout
        program = [str(layout.binaries.path("postgres")), "-D", str(layout.cluster)]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        output = os.open(layout.log, flags, 0o600)
        try:
            with self._changed:
                if self._asked_to_stop():
                    return None
                # A session of its own: Ctrl-C is for us, who stop things in order.
                # If we die, SIGINT is the fast, clean shutdown.
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    cluster.as_user(program, layout.user, signal.SIGINT),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env=cluster.clean_environment(),
                    start_new_session=True,
                )
                return self._process
        finally:
            os.close(output)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> bool:
        began = time.monotonic()
        told = False
        while process.poll() is None:
            if cluster.is_ready(self.layout, process.pid):
                return True
            if not told and time.monotonic() - began > _SLOW_START:
                told = True
                _log.info("postgres_recovering", detail="replaying its log after a crash")
            time.sleep(_POLL)
        return False

    def _announce_ready(self) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _await_end(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(timeout=_LOG_CHECK)
            except subprocess.TimeoutExpired:
                self._trim_log()

    def _failed_for_good(self, error: Exception) -> bool:
        """Hand the first start's error to its caller; later ones are logged and tried again."""
        if self._ready:
            _log.error("postgres_not_restarted", error=str(error))
            return False
        if not isinstance(error, EmbeddedError):
            error = cluster.start_error(self.layout, str(error))
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        return True

    # Ending ------------------------------------------------------------------

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            deadline = time.monotonic() + _STOP_PATIENCE
            if process.poll() is None:
                process.send_signal(number)
            # The thread waits for the process too, so only look.
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(_POLL)
            if process.poll() is not None:
                return

    # The log -----------------------------------------------------------------

    def _log_size(self) -> int:
        try:
            return self.layout.log.stat().st_size
        except FileNotFoundError:
            return 0

    def _log_since(self, offset: int) -> str:
        with self.layout.log.open("rb") as file:
            file.seek(min(offset, self._log_size()))
            return file.read(1 << 20).decode(errors="replace")

    def _trim_log(self) -> None:
        """Keep the log's end in a second file and begin anew: two files, bounded for good."""
        log = self.layout.log
        if self._log_size() <= _LOG_LIMIT:
            return
        with log.open("rb") as file:
            file.seek(-_LOG_LIMIT // 2, os.SEEK_END)
            log.with_suffix(".log.1").write_bytes(file.read())
        # The server appends, so cutting the file under it is safe.
        os.truncate(log, 0)
