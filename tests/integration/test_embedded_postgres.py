from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from leadpulse.postgres import cluster as cluster_files
from leadpulse.postgres.binaries import copy_for_everybody, wheel_binaries
from leadpulse.postgres.cluster import usable_memory
from leadpulse.postgres.embedded import (
    DataDirectoryInUseError,
    EmbeddedError,
    EmbeddedPostgres,
    running_dsn,
)
from support.postgres import FAST, reachable_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_ROOT = os.geteuid() == 0
# What these tests are about is durability, so the settings are the product's own,
# but for memory.
_SMALL = {"shared_buffers": "32MB"}

_SERVE = """
import sys, time
from leadpulse.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1], settings={"shared_buffers": "32MB"})
print(server.start_blocking(), server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A place for a data directory that root's server can reach."""
    folder = reachable_folder()
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A started server."""
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    server.start_blocking()
    yield server
    server.stop_blocking()


class Elsewhere:
    """A server in another process, which can be killed."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(data_dir)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.dsn, postmaster = self.process.stdout.readline().split()
        self.postmaster = int(postmaster)

    def kill(self) -> None:
        """Kill the supervisor as the kernel would when memory runs out."""
        self.process.kill()
        self.process.communicate()


def _rows(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _connects_within(dsn: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            _rows(dsn, "SELECT 1")
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.01)
        else:
            return


def test_is_a_durable_utf8_cluster_of_its_own(server: EmbeddedPostgres) -> None:
    """A fresh server has checksums, UTF-8 with code point order, fsync, and no TCP."""
    names = (
        *("fsync", "synchronous_commit", "data_checksums"),
        *("listen_addresses", "server_encoding"),
    )
    shown = [_rows(server.dsn, f"SHOW {name}")[0][0] for name in names]
    assert shown == ["on", "on", "on", "", "UTF8"]
    assert _rows(server.dsn, "SELECT lower('ÄÖ'), 'Z' < 'a'") == [("äö", True)]
    assert server.layout.sockets.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become somebody else")
def test_root_runs_the_server_as_somebody_else(server: EmbeddedPostgres) -> None:
    """Under root the server's processes belong to an unprivileged account."""
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().effective != 0


def test_starts_again_with_its_data(data_dir: Path) -> None:
    """What was committed is there after a stop and a second start, which are both idempotent."""
    first = EmbeddedPostgres(data_dir, settings=_SMALL)
    dsn = first.start_blocking()
    _rows(dsn, "CREATE TABLE t AS SELECT 7 AS n")
    assert running_dsn(data_dir) == dsn
    first.stop_blocking()
    first.stop_blocking()
    assert running_dsn(data_dir) is None
    assert first.start_blocking() == dsn
    assert _rows(dsn, "SELECT n FROM t") == [(7,)]
    first.stop_blocking()


def test_a_second_owner_is_refused_and_told_who_holds_it(data_dir: Path) -> None:
    """While one process owns a data directory another learns its process id."""
    elsewhere = Elsewhere(data_dir)
    try:
        with pytest.raises(DataDirectoryInUseError, match=rf"process {elsewhere.process.pid}\b"):
            EmbeddedPostgres(data_dir).start_blocking()
        assert running_dsn(data_dir) == elsewhere.dsn
        assert _rows(elsewhere.dsn, "SELECT 1") == [(1,)]
    finally:
        elsewhere.kill()


def test_comes_back_when_the_postmaster_is_killed(data_dir: Path) -> None:
    """SIGKILL of the postmaster, five times, costs a moment and no committed row."""
    deaths: list[int] = []
    server = EmbeddedPostgres(data_dir, settings=_SMALL, on_death=deaths.append)
    dsn = server.start_blocking()
    try:
        _rows(dsn, "CREATE TABLE t (n int)")
        for n in range(5):
            _rows(dsn, f"INSERT INTO t VALUES ({n})")
            killed = server.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            while server.pid in (killed, None):
                time.sleep(0.005)
            _connects_within(dsn, 15)
        assert _rows(dsn, "SELECT count(*) FROM t") == [(5,)]
        assert deaths == [-signal.SIGKILL] * 5
    finally:
        server.stop_blocking()


def test_a_busy_orphan_does_not_prevent_the_restart(server: EmbeddedPostgres) -> None:
    """A backend that computes on after its postmaster was killed is ended, by its own id."""

    def compute() -> None:
        with pytest.raises(psycopg.OperationalError):
            _rows(server.dsn, "SELECT count(*) FROM generate_series(1, 100000000000) a")

    busy = threading.Thread(target=compute)
    busy.start()
    active = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE query LIKE '%generate_series(1%' AND pid <> pg_backend_pid()"
    )
    while not _rows(server.dsn, active):
        time.sleep(0.01)
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    while server.pid in (killed, None):
        time.sleep(0.005)
    _connects_within(server.dsn, 40)
    busy.join(10)
    assert not busy.is_alive()


def test_starts_after_the_supervisor_was_killed(data_dir: Path) -> None:
    """A server whose supervisor was killed, orphan or not, makes the next start no trouble."""
    elsewhere = Elsewhere(data_dir)
    _rows(elsewhere.dsn, "CREATE TABLE t AS SELECT 7 AS n")
    elsewhere.kill()
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    try:
        assert _rows(server.start_blocking(), "SELECT n FROM t") == [(7,)]
        assert server.pid != elsewhere.postmaster
    finally:
        server.stop_blocking()


def test_starts_after_everything_was_killed(data_dir: Path) -> None:
    """After SIGKILL of supervisor and postmaster together the next start just works."""
    elsewhere = Elsewhere(data_dir)
    _rows(elsewhere.dsn, "CREATE TABLE t AS SELECT 7 AS n")
    os.kill(elsewhere.postmaster, signal.SIGKILL)
    elsewhere.kill()
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    try:
        assert _rows(server.start_blocking(), "SELECT n FROM t") == [(7,)]
    finally:
        server.stop_blocking()


def test_a_reused_process_id_is_nobodys_lock(data_dir: Path) -> None:
    """A lock file that names an unrelated living process neither stops us nor harms it."""
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    server.start_blocking()
    lock = server.layout.cluster / "postmaster.pid"
    text = lock.read_text()
    server.stop_blocking()
    unrelated = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        lock.write_text(text.replace(text.split("\n")[0], str(unrelated.pid), 1))
        server.start_blocking()
        server.stop_blocking()
        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


def test_a_long_path_gets_a_short_socket(data_dir: Path) -> None:
    """A data directory too deep for a socket has it elsewhere, as private as before."""
    deep = data_dir.parent / ("d" * 90) / "data"
    deep.parent.mkdir(mode=0o755)
    server = EmbeddedPostgres(deep, settings=_SMALL)
    try:
        assert _rows(server.start_blocking(), "SELECT 1") == [(1,)]
        sockets = server.layout.sockets
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 103
        assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop_blocking()
    shutil.rmtree(sockets)


@pytest.mark.skipif(not AS_ROOT, reason="only root's server is another user")
def test_programs_can_be_copied_to_where_everybody_reaches_them(data_dir: Path) -> None:
    """The copy is complete: a server runs from it, and a second copy is not made."""
    target = data_dir.parent / "copy"
    copied = copy_for_everybody(wheel_binaries(), target)
    before = target.stat().st_ino
    assert copy_for_everybody(wheel_binaries(), target) == copied
    assert target.stat().st_ino == before
    server = EmbeddedPostgres(data_dir, binaries=copied, settings=_SMALL)
    try:
        assert _rows(server.start_blocking(), "SELECT 1") == [(1,)]
    finally:
        server.stop_blocking()


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user reaches his own directories")
def test_a_closed_parent_stays_closed(tmp_path: Path) -> None:
    """Under a directory only root may enter, root's server lives elsewhere and changes no mode."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    try:
        dsn = server.start_blocking()
        _rows(dsn, "CREATE TABLE t AS SELECT 7 AS n")
        home = server.layout.home
        assert (data_dir / "postgres.location").read_text().strip() == str(home)
        assert closed.stat().st_mode & 0o777 == 0o700
        server.stop_blocking()
        assert _rows(server.start_blocking(), "SELECT n FROM t") == [(7,)]
        assert server.layout.home == home
        server.stop_blocking()
        shutil.rmtree(home)
        with pytest.raises(EmbeddedError, match="which is gone"):
            server.start_blocking()
        assert not home.exists()
    finally:
        server.stop_blocking()
        shutil.rmtree(server.layout.home, ignore_errors=True)


@pytest.mark.skipif(not AS_ROOT, reason="the whole suite already runs as an ordinary user")
def test_an_ordinary_user_can_run_it() -> None:
    """Started by an ordinary account the server runs as that account."""
    python = _interpreter_for_everybody()
    nobody = pwd.getpwnam("nobody")
    folder = reachable_folder()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    source = Path(cluster_files.__file__).parents[2]
    try:
        done = subprocess.run(
            [python, "-c", _SERVE.replace("time.sleep(600)", "server.stop_blocking()"), "data"],
            check=False,
            capture_output=True,
            text=True,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd=folder,
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(source), *packages])},
        )
        assert done.returncode == 0, done.stderr
        assert (folder / "data" / "postgres" / "data").stat().st_uid == nobody.pw_uid
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _interpreter_for_everybody() -> str:
    """This interpreter may itself lie below a closed /root; then the system's does as well."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", "import sys; print(sys.version_info[:2])"],
                check=False,
                capture_output=True,
                text=True,
                user="nobody",
                cwd="/",
            )
        except OSError:
            continue
        if done.stdout.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip("no interpreter of this version that an ordinary user may run")


def test_another_major_version_names_the_way_out(data_dir: Path) -> None:
    """Data of an older PostgreSQL is not touched; the message names the command to run."""
    server = EmbeddedPostgres(data_dir, settings=_SMALL)
    server.start_blocking()
    server.stop_blocking()
    (server.layout.cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17.*leadpulse restore FILE --data-dir"):
        server.start_blocking()
    assert running_dsn(data_dir) is None


def test_a_place_that_cannot_be_used_is_named(data_dir: Path) -> None:
    """A data directory that is a file is refused with a sentence."""
    data_dir.write_text("not a directory")
    with pytest.raises(EmbeddedError, match="Choose another place with --data-dir"):
        EmbeddedPostgres(data_dir).start_blocking()


def test_a_wrong_configuration_shows_the_end_of_the_log(data_dir: Path) -> None:
    """When PostgreSQL refuses to start, the message carries what it said."""
    server = EmbeddedPostgres(data_dir, settings={"shared_buffers": "nonsense"})
    with pytest.raises(EmbeddedError, match=r'invalid value for parameter "shared_buffers"'):
        server.start_blocking()
    assert running_dsn(data_dir) is None


@pytest.mark.skipif(not AS_ROOT or not sys.platform.startswith("linux"), reason="needs mount")
@pytest.mark.parametrize("size", ["8m", "64m"])
def test_a_full_disk_is_named(size: str) -> None:
    """On a disk without room for a cluster, or for its log, the message says that it is full."""
    folder = reachable_folder()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("this machine does not let root mount a small disk")
    server = EmbeddedPostgres(folder / "data", settings=_SMALL)
    try:
        if size == "64m":
            server.start_blocking()
            server.stop_blocking()
            _fill(folder)
        with pytest.raises(EmbeddedError, match=r"is full\. Free some space"):
            server.start_blocking()
    finally:
        server.stop_blocking()
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def test_its_log_stays_bounded(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that grew beyond its limit is cut to its end, kept in a second file."""
    monkeypatch.setattr("leadpulse.postgres.embedded._LOG_LIMIT", 1000)
    with server.layout.log.open("a") as file:
        file.write("x" * 5000 + "the end\n")
    server._trim_log()
    assert server.layout.log.stat().st_size == 0
    kept = server.layout.log.with_suffix(".log.1").read_text()
    assert len(kept) == 500
    assert kept.endswith("the end\n")


def test_settings_of_an_operator_win(server: EmbeddedPostgres) -> None:
    """What ALTER SYSTEM set survives a restart, though the other files are written anew."""
    _rows(server.dsn, "ALTER SYSTEM SET max_connections = 55")
    server.stop_blocking()
    assert _rows(server.start_blocking(), "SHOW max_connections") == [("55",)]


def test_fast_settings_are_for_tests_only() -> None:
    """No product setting trades durability for speed."""
    product = cluster_files.server_settings()
    assert [product[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
        "on",
        "on",
        "on",
    ]
    assert FAST["fsync"] == "off"


def test_memory_is_that_of_the_container(tmp_path: Path) -> None:
    """Where its limit is told; no limit, or none that can be read, is the machine's memory."""
    whole = usable_memory(())
    narrow, none = tmp_path / "narrow", tmp_path / "none"
    narrow.write_text("268435456\n")
    none.write_text("max\n")
    assert usable_memory((none, narrow)) == 256 * 1024 * 1024
    assert usable_memory((none, tmp_path / "absent")) == whole > 0
