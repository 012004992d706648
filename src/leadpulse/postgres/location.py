"""Which user the server runs as, and where its files can be.

PostgreSQL refuses to run as root. Under root it therefore runs as an existing
unprivileged user, who may be unable to reach the data directory or the virtual
environment, for example below a /root of mode 0700. Then files live under
/var/lib/leadpulse and the data directory points there: the mode of a directory
that is not ours is never changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from leadpulse.files import make_data_dir
from leadpulse.launch import User
from leadpulse.postgres.binaries import Binaries, copy_for_everybody, wheel_version
from leadpulse.postgres.errors import EmbeddedError

SHARED_ROOT = Path("/var/lib/leadpulse")
PORT = 5432  # names the socket file; nothing listens on TCP
# sockaddr_un.sun_path, less its closing zero byte.
_SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
_ACCOUNTS = ("leadpulse", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of one embedded server are, and who it runs as.

    `user` is None when it runs as the caller, which is always so but for root.
    """

    home: Path
    sockets: Path
    binaries: Binaries
    user: User | None

    @property
    def cluster(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


def prepare(data_dir: Path, binaries: Binaries) -> Layout:
    """Make the directories of a server and tell where they are. Idempotent."""
    make_data_dir(data_dir)
    if os.geteuid() != 0:
        _require_account()
        home = data_dir / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        return Layout(home, _sockets(home, None), binaries, None)
    return _prepare_as_root(data_dir, binaries)


def _prepare_as_root(data_dir: Path, binaries: Binaries) -> Layout:
    pointer = data_dir / "postgres.location"
    home = _pointed_to(pointer) if pointer.exists() else data_dir / "postgres"
    user = _account_for(home, data_dir)
    if home.parent == data_dir and not _reaches(user, data_dir):
        digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
        home = SHARED_ROOT / digest
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        pointer.write_text(f"{home}\n", encoding="utf-8")
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, user.uid, user.gid)
    if not _reaches(user, binaries.directory / "postgres"):
        binaries = copy_for_everybody(binaries, SHARED_ROOT / f"postgresql-{wheel_version()}")
    return Layout(home, _sockets(home, user), binaries, user)


def _pointed_to(pointer: Path) -> Path:
    home = Path(pointer.read_text(encoding="utf-8").strip())
    # Beginning anew without a word would look like lost data, and be it.
    if not home.is_dir():
        raise EmbeddedError(
            f"The data of {pointer.parent} was kept in {home}, which is gone. Bring it back or "
            f"restore a backup; to begin with nothing, remove {pointer}."
        )
    return home


def _require_account() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedError(
            f"User {os.geteuid()} has no entry in the password file, which PostgreSQL needs. "
            "Run as a named user, or set DATABASE_URL to a PostgreSQL of your own."
        ) from None


def _account_for(home: Path, data_dir: Path) -> User:
    """Choose whom to be instead of root; what already belongs to somebody decides."""
    for existing in (home, data_dir):
        if existing.exists() and (owner := existing.stat().st_uid) != 0:
            try:
                entry = pwd.getpwuid(owner)
            except KeyError:
                continue
            return User(entry.pw_uid, entry.pw_gid, entry.pw_name)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and no unprivileged account was found "
        f"({', '.join(_ACCOUNTS)}). Create one with `useradd --system leadpulse`."
    )


def _reaches(user: User, path: Path) -> bool:
    # Asked of the kernel as that user, so that groups, ACLs and mounts count too.
    done = subprocess.run(  # noqa: S603 - fixed program, the path is one argument
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        check=False,
        user=user.uid,
        group=user.gid,
        extra_groups=os.getgrouplist(user.name, user.gid),
        cwd="/",
    )
    return done.returncode == 0


def _sockets(home: Path, user: User | None) -> Path:
    """Return a private directory whose socket path is short enough for the kernel."""
    wanted = home / "run"
    if len(os.fsencode(wanted / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if user is None and 0 < len(os.fsencode(runtime)) < 60 and Path(runtime).is_dir():
            wanted = Path(runtime, f"leadpulse-{digest}")
        else:
            wanted = Path("/tmp", f"leadpulse-{digest}")  # noqa: S108 - ownership is checked below
    try:
        wanted.mkdir(mode=0o700)
        if user is not None:
            os.chown(wanted, user.uid, user.gid)
    except FileExistsError:
        pass
    expected = os.geteuid() if user is None else user.uid
    found = wanted.lstat()
    # In /tmp anybody can make a directory first. Access to the socket is access
    # to the data, so somebody else's directory is never used.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{wanted} should be a directory of mode 0700 that belongs to user {expected}, "
            "and is not. Remove it, then start again."
        )
    return wanted
