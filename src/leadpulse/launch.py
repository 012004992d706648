"""Run a program that ends when its parent ends, under another user if asked.

Started as a script of its own, isolated from every installed package, because
what it does between fork and exec is not safe to do in a process with threads.
It costs about 20 ms and is gone after the exec.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1
_USAGE = "usage: launch.py SIGNAL PARENT_PID USER PROGRAM [ARGUMENT…]"


class User(NamedTuple):
    """An account to run under."""

    uid: int
    gid: int
    name: str


def command(
    argv: list[str], *, parent: int, death_signal: signal.Signals, user: User | None
) -> list[str]:
    """Wrap argv so that it gets `death_signal` when the thread that starts it ends.

    Elsewhere than on Linux a child learns nothing of its parent's death; whoever
    starts next has to look for survivors, and does so on Linux too.
    """
    if user is None and not sys.platform.startswith("linux"):
        return argv
    account = "-" if user is None else f"{user.uid}:{user.gid}:{user.name}"
    here = str(Path(__file__).resolve())
    return [sys.executable, "-I", "-S", here, str(int(death_signal)), str(parent), account, *argv]


def _become(account: str) -> None:
    uid, gid, name = account.split(":", 2)
    os.initgroups(name, int(gid))
    os.setgid(int(gid))
    os.setuid(int(uid))


def _die_with_parent(number: int, parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended before the request; then no signal will ever come.
    if os.getppid() != parent:
        sys.exit(0)


def main(arguments: list[str]) -> None:
    """Become the user, ask for the signal, become the program."""
    if len(arguments) < 4:
        sys.exit(_USAGE)
    number, parent, account, *argv = arguments
    if account != "-":
        _become(account)
    # After the change of user: changing it withdraws the request.
    _die_with_parent(int(number), int(parent))
    os.execv(argv[0], argv)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
