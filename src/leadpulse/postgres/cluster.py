"""One database cluster on disk: making it, configuring it, clearing what a crash left."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from leadpulse.launch import User, command
from leadpulse.postgres.errors import EmbeddedError, StartError
from leadpulse.postgres.location import PORT, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUPERUSER: Final = "leadpulse"
_TAIL_BYTES = 2048
# What a server may take to end before it is asked less politely, in seconds.
_FAST_STOP = 20.0
_IMMEDIATE_STOP = 5.0

_HBA = """\
# Written at every start. The kernel tells who is at the other end of the socket,
# so there is no password to leak, and nothing listens on the network.
local all all peer map=leadpulse
"""

_DAMAGED = (
    "The data in {home} is damaged. Restore the last backup into a new directory: "
    "leadpulse restore FILE --data-dir NEW."
)
_FULL = "The disk that holds {home} is full. Free some space, then start again."
# What PostgreSQL writes, and what a person can do about it.
_HINTS = {
    "No space left on device": _FULL,
    # A page was written in part.
    "Check free disk space": _FULL,
    "Disk quota exceeded": _FULL,
    "could not map anonymous shared memory": (
        "There is not enough memory for PostgreSQL. Stop something else, then start again."
    ),
    "Read-only file system": (
        "{home} is on a read-only file system. Choose another place with --data-dir."
    ),
    "invalid checkpoint record": _DAMAGED,
    "could not locate a valid checkpoint record": _DAMAGED,
    "Permission denied": (
        "PostgreSQL may not read or write its own files in {home}. Give them back to their owner."
    ),
}


# Where the system tells a container's limit: control groups of version 2 and of version 1.
_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def usable_memory(limits: Sequence[Path] = _LIMITS) -> int:
    """Bytes of memory of this machine, or of the container that we are in if that is less."""
    found = psutil.virtual_memory().total
    for limit in limits:
        with contextlib.suppress(OSError, ValueError):
            found = min(found, int(limit.read_text()))
    return found


def server_settings() -> dict[str, str]:
    """Return what differs from PostgreSQL's defaults, and why."""
    memory = usable_memory() // (4 * 1024 * 1024)
    return {
        # An acknowledged event survives a power cut; nothing is traded for speed here.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        # With five million events, 2 GB took a fifth off the cost of each against 512 MB.
        "shared_buffers": f"{max(16, min(2048, memory))}MB",
        "max_wal_size": "4GB",
        # With a million leads, compressing pages took a third of all that an event costs.
        "wal_compression": "off",
        # Before the first checkpoint every segment is a new one, and commits wait while it is
        # filled with zeros: the slowest of a hundred took 40 ms instead of 18. A full disk is
        # found out at a write instead, and ends the server in the same way.
        "wal_init_zero": "off",
        # A queue's table must be vacuumed within seconds, or claims slow down.
        "autovacuum_naptime": "5s",
        # When an event's commit happened is part of its pipeline times.
        "track_commit_timestamp": "on",
        # Before recovery everything is flushed once more: in one call instead of one a file.
        **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
        # Compiling plans costs more than these short statements take.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] %a ",
        "log_min_messages": "warning",
        # A refused duplicate or a lost race is answered to the caller; the values in
        # such statements are people's data and do not belong in a log.
        "log_min_error_statement": "panic",
        # The same goes for DETAIL and CONTEXT lines: they quote rows.
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "cluster_name": "leadpulse",
    }


def ensure_cluster(layout: Layout, *, durable: bool = True) -> None:
    """Create the cluster if there is none, and refuse one of another major version.

    Not durable is for servers that run without fsync themselves.
    A cluster appears with one rename, so one that was begun is never taken for one
    that was finished.
    """
    version = layout.cluster / "PG_VERSION"
    if version.exists():
        _check_version(layout, int(version.read_text(encoding="ascii").split(".")[0]))
        return
    for stale in layout.home.glob("data.new-*"):
        shutil.rmtree(stale, ignore_errors=True)
    fresh = layout.home / f"data.new-{os.getpid()}"
    done = subprocess.run(  # noqa: S603 - our own program with our own arguments
        as_user(_initdb(layout, fresh, durable=durable), layout.user, signal.SIGKILL),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        env=clean_environment(),
        cwd="/",
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise start_error(layout, f"{done.stdout}\n{done.stderr}")
    fresh.rename(layout.cluster)


def write_configuration(layout: Layout, settings: Mapping[str, str]) -> None:
    """Write the three configuration files anew.

    What an operator sets with ALTER SYSTEM is in a fourth, and wins.
    """
    lines = ["# Written at every start; ALTER SYSTEM is kept and wins."]
    everything = {**server_settings(), "unix_socket_directories": str(layout.sockets), **settings}
    lines += [
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in everything.items()
    ]
    names = {_account_name(os.geteuid()), SUPERUSER}
    if layout.user is not None:
        names.add(layout.user.name)
    accounts = "".join(f'leadpulse "{name}" {SUPERUSER}\n' for name in sorted(names))
    _write(layout, "postgresql.conf", "\n".join(lines) + "\n")
    _write(layout, "pg_hba.conf", _HBA)
    _write(layout, "pg_ident.conf", f"# Written at every start.\n{accounts}")


def clear_leftovers(layout: Layout) -> None:
    """End what a killed supervisor left running, and remove its lock files.

    Only called by the owner of the data directory, so nothing here can be
    another's. A process counts as ours by its name and its working directory,
    never by a number in a file: numbers are reused.
    """
    lock = layout.cluster / "postmaster.pid"
    if not lock.exists():
        return
    postmaster = read_pid(lock)
    orphans = _servers_of(layout)
    if orphans and postmaster not in [process.pid for process in orphans]:
        # Nobody is left to tell them to end in order, and what they could still do is undone
        # by recovery anyway; each second of patience here is a second without service.
        for process in orphans:
            _send(process, signal.SIGKILL)
        psutil.wait_procs(orphans, timeout=_IMMEDIATE_STOP)
    for number, patience in (
        (signal.SIGINT, _FAST_STOP),
        (signal.SIGQUIT, _IMMEDIATE_STOP),
        (signal.SIGKILL, _IMMEDIATE_STOP),
    ):
        left = _servers_of(layout)
        # Asked politely, only the first process may be asked: it tells the others.
        # Without it they end by themselves, unless they are busy.
        asked = [p for p in left if p.pid == postmaster] or left
        for process in asked:
            _send(process, number)
        psutil.wait_procs(left, timeout=patience)
        if not _servers_of(layout):
            break
    else:
        raise EmbeddedError(
            f"An old PostgreSQL (process {postmaster}) still runs in {layout.cluster} and does "
            "not end. Restart the machine, or stop it by hand."
        )
    lock.unlink(missing_ok=True)
    (layout.sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    (layout.sockets / f".s.PGSQL.{PORT}").unlink(missing_ok=True)


def read_pid(lock: Path) -> int | None:
    """Return the process id in the first line of a lock file."""
    try:
        return int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_ready(layout: Layout, pid: int) -> bool:
    """Tell whether the server with this process id takes connections.

    PostgreSQL writes its state into the eighth line of its own lock file, which
    is cheaper to ask than a connection.
    """
    try:
        lines = (layout.cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def as_user(argv: list[str], user: User | None, death_signal: signal.Signals) -> list[str]:
    """Wrap a command so that it runs as `user` and ends with this process."""
    return command(argv, parent=os.getpid(), death_signal=death_signal, user=user)


def clean_environment() -> dict[str, str]:
    """Return an environment in which no PG* or locale variable can change the outcome."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def start_error(layout: Layout, said: str) -> StartError:
    """Turn what PostgreSQL wrote into a sentence that says what to do."""
    tail = said.strip()[-_TAIL_BYTES:]
    for mark, sentence in _HINTS.items():
        if mark in tail:
            return StartError(sentence.format(home=layout.home), tail)
    return StartError(f"PostgreSQL does not run. Its log is {layout.log} and ends:", tail)


def _check_version(layout: Layout, found: int) -> None:
    if found == layout.binaries.major:
        return
    raise EmbeddedError(
        f"The data in {layout.home} was written by PostgreSQL {found}, and this LeadPulse brings "
        f"{layout.binaries.major}. Take a backup with the LeadPulse that wrote it "
        "(leadpulse backup FILE), then upgrade with: leadpulse restore FILE --data-dir NEW"
    )


def _initdb(layout: Layout, target: Path, *, durable: bool) -> list[str]:
    argv = [
        str(layout.binaries.path("initdb")),
        *("--pgdata", str(target), "--username", SUPERUSER, "--encoding", "UTF8"),
        *("--auth", "peer", "--data-checksums", "--no-instructions"),
        # Commits wait while a new segment begins: with 16 MB the slowest of a hundred took twice
        # as long.
        "--wal-segsize=4",
        *(() if durable else ("--no-sync",)),
    ]
    if layout.binaries.major >= 17:
        # The builtin provider sorts by code point and knows Unicode's cases, the same
        # on every machine; no upgrade of the system's library can corrupt an index.
        return [*argv, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return [*argv, "--locale=C.UTF-8"]


def _write(layout: Layout, name: str, text: str) -> None:
    target = layout.cluster / name
    fresh = target.with_suffix(".new")
    try:
        fresh.unlink(missing_ok=True)
        # Root writes into a directory of an unprivileged user here: O_EXCL sees to it
        # that no link of his leads elsewhere.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            if layout.user is not None:
                os.fchown(file.fileno(), layout.user.uid, layout.user.gid)
            file.write(text)
        fresh.replace(target)
    except OSError as error:
        raise start_error(layout, str(error)) from error


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _servers_of(layout: Layout) -> list[psutil.Process]:
    """Find the server processes whose working directory is this cluster."""
    cluster = str(layout.cluster.resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == cluster:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def _send(process: psutil.Process, number: signal.Signals) -> None:
    # psutil refuses when the number was taken over by another process meanwhile.
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
