from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import psutil
import pytest

from leadpulse.processes import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
_IGNORE_SIGTERM = """
import signal, time, pathlib, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
_BEATING = """
import pathlib, sys, time
while True:
    pathlib.Path(sys.argv[1]).write_text(str(time.time()))
    time.sleep(0.2)
"""
_STUBBORN = [sys.executable, "-c", _IGNORE_SIGTERM]


async def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.01)


async def test_restarts_what_was_killed_and_says_so() -> None:
    """A child killed by SIGKILL is reported with its status and runs again soon."""
    deaths: list[tuple[str, int, int]] = []
    supervisor = Supervisor(
        [Program("a", _SLEEP), Program("b", _SLEEP)],
        on_death=lambda *death: deaths.append(death),
    )
    async with supervisor:
        first = dict(supervisor.pids)
        os.kill(first["a"], signal.SIGKILL)
        await _until(lambda: supervisor.pids.get("a") not in (None, first["a"]))
        assert deaths == [("a", first["a"], -signal.SIGKILL)]
        assert supervisor.pids["b"] == first["b"]
        last = list(supervisor.pids.values())
    assert not any(psutil.pid_exists(pid) for pid in last)


async def test_a_halted_process_is_replaced(tmp_path: Path) -> None:
    """One that stops writing its heartbeat is killed; one that goes on writing lives."""
    deaths: list[tuple[str, int, int]] = []
    programs = [
        Program(name, [sys.executable, "-c", _BEATING, str(tmp_path / name)],
                heartbeat=tmp_path / name)
        for name in ("halted", "well")
    ]  # fmt: skip
    supervisor = Supervisor(programs, on_death=lambda *death: deaths.append(death), silent_after=3)
    async with supervisor:
        first = dict(supervisor.pids)
        await _until(lambda: all((tmp_path / name).exists() for name in first))
        os.kill(first["halted"], signal.SIGSTOP)
        await _until(lambda: supervisor.pids.get("halted") not in (None, first["halted"]), 20)
        assert deaths == [("halted", first["halted"], -signal.SIGKILL)]
        assert supervisor.pids["well"] == first["well"]


async def test_waits_longer_each_time() -> None:
    """A program that dies at once is not started in a busy loop."""
    deaths: list[float] = []
    program = Program("a", [sys.executable, "-c", "raise SystemExit(3)"])
    supervisor = Supervisor([program], on_death=lambda *_: deaths.append(time.monotonic()))
    async with supervisor:
        await _until(lambda: len(deaths) == 4)
    gaps = [later - earlier for earlier, later in pairwise(deaths)]
    assert gaps[0] >= 0.1
    assert gaps[1] >= 0.2
    assert gaps[2] >= 0.4


async def test_kills_what_does_not_stop(tmp_path: Path) -> None:
    """A child that ignores SIGTERM is killed when the patience is over."""
    flag = tmp_path / "ready"
    supervisor = Supervisor([Program("a", [*_STUBBORN, str(flag)])], patience=0.3)
    await supervisor.start()
    await _until(flag.exists)
    pid = supervisor.pids["a"]
    began = time.monotonic()
    await supervisor.stop()
    assert 0.3 <= time.monotonic() - began < 5
    assert not psutil.pid_exists(pid)


async def test_a_missing_program_is_tried_again() -> None:
    """A program that cannot be started counts as one that died."""
    deaths: list[str] = []
    supervisor = Supervisor(
        [Program("a", ["/nowhere/program"])], on_death=lambda name, *_: deaths.append(name)
    )
    async with supervisor:
        await _until(lambda: len(deaths) >= 2)


_MAIN = """
import asyncio, pathlib, sys
from leadpulse.processes import Program, Supervisor

async def main():
    supervisor = Supervisor([Program("a", [sys.executable, "-c", "import time; time.sleep(600)"])])
    task = asyncio.create_task(supervisor.run())
    while not supervisor.pids:
        await asyncio.sleep(0.01)
    pathlib.Path(sys.argv[1]).write_text(str(supervisor.pids["a"]))
    await task

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_children_end_with_their_supervisor(number: signal.Signals, tmp_path: Path) -> None:
    """Asked to stop the supervisor stops its children; killed, the kernel does."""
    if number == signal.SIGKILL and not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child that its parent died")
    note = tmp_path / "pid"
    parent = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", _MAIN, str(note)])
    try:
        await _until(lambda: note.exists() and note.read_text() != "")
        child = int(note.read_text())
        # Until the launcher has become the program, it has not asked for the signal yet.
        await _until(lambda: "launch.py" not in " ".join(psutil.Process(child).cmdline()))
        parent.send_signal(number)
        status = await asyncio.to_thread(parent.wait, 10)
        assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        await _until(lambda: not psutil.pid_exists(child))
    finally:
        parent.kill()
        parent.wait()
