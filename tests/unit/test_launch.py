from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys

import pytest

from leadpulse.launch import User, command


def _run(argv: list[str], user: User | None, parent: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(argv, parent=parent, death_signal=signal.SIGTERM, user=user),
        check=False,
        capture_output=True,
        text=True,
    )


def test_becomes_the_program_with_its_arguments() -> None:
    """The program gets its arguments as they are, and its exit status is what is seen."""
    argv = ["/bin/sh", "-c", 'printf "%s" "$1"; exit 3', "sh", "a 'b' $c"]
    done = _run(argv, None, os.getpid())
    assert (done.returncode, done.stdout) == (3, "a 'b' $c")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_becomes_another_user_for_good() -> None:
    """The program runs with the account's user, group and further groups, and nothing of root."""
    nobody = pwd.getpwnam("nobody")
    user = User(nobody.pw_uid, nobody.pw_gid, nobody.pw_name)
    done = _run(["/bin/sh", "-c", "id -u; id -g; id -G"], user, os.getpid())
    uid, gid, groups = done.stdout.splitlines()
    assert (int(uid), int(gid)) == (nobody.pw_uid, nobody.pw_gid)
    assert "0" not in groups.split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has the signal")
def test_does_not_begin_when_the_parent_is_already_gone() -> None:
    """A program whose parent died before it began is not started at all."""
    done = _run(["/bin/sh", "-c", "echo began"], None, parent=1)
    assert (done.returncode, done.stdout) == (0, "")
