"""Child processes that are kept running: named, restarted when they die, stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from leadpulse.launch import command
from leadpulse.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
_STEADY_AFTER: Final = 10.0
_COULD_NOT_START: Final = 127
_LISTEN_EVERY: Final = 1.0
_SILENT_AFTER: Final = 30

_log = get_logger("leadpulse.processes")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run under which name.

    `environment` is the child's whole one, None inherits; `sockets` are open files that the
    child gets under the same numbers. `heartbeat` is a file that the child writes again at
    least every few seconds.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] | None = None
    sockets: Sequence[int] = ()
    heartbeat: Path | None = None


class Supervisor:
    """Keeps programs running until `stop`.

    A program that dies is started again after 0.1 s, then after twice as long
    each time, 1 s at most; one that lived 10 s begins at 0.1 s again. `on_death`
    hears the name, process id and exit status (negative: the signal) of each that
    ended without being asked to. One whose heartbeat is not heard for `silent_after`
    seconds (it is halted, or turns in circles) is killed, and so begins anew. On
    Linux the children get SIGTERM when the supervisor is killed.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        on_death: Callable[[str, int, int], None] | None = None,
        patience: float = 20.0,
        silent_after: int = _SILENT_AFTER,
    ) -> None:
        self._programs = list(programs)
        self._on_death = on_death
        self._patience = patience
        self._silent_after = silent_after
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._kill = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of those that run now, by name."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self) -> None:
        """Start every program; returns when each was started once."""
        self._stopping.clear()
        self._kill.clear()
        for program in self._programs:
            first = await self._spawn(program)
            self._tasks.append(asyncio.create_task(self._keep(program, first)))

    async def run(self) -> None:
        """Start, stay until SIGTERM, SIGINT or `stop`, then stop. A second signal kills."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        try:
            await self.start()
            await self._stopping.wait()
        finally:
            await self.stop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def stop(self) -> None:
        """Ask every child to end, wait, then kill by process id. Idempotent."""
        self._stopping.set()
        for process in list(self._running.values()):
            _signal(process, signal.SIGTERM)
        ends = asyncio.gather(*self._tasks, return_exceptions=True)
        impatience = asyncio.create_task(self._kill.wait())
        ends.add_done_callback(lambda _: self._kill.set())
        await asyncio.wait({impatience}, timeout=self._patience)
        impatience.cancel()
        for name, process in list(self._running.items()):
            _log.warning("process_killed", name=name, pid=process.pid, after=self._patience)
            _signal(process, signal.SIGKILL)
        for problem in await ends:
            if isinstance(problem, BaseException):
                raise problem
        self._tasks.clear()

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

    def _asked_to_stop(self) -> None:
        if self._stopping.is_set():
            self._kill.set()
        self._stopping.set()

    async def _keep(self, program: Program, process: asyncio.subprocess.Process | None) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            started = loop.time()
            code = _COULD_NOT_START if process is None else await self._end_of(program, process)
            self._running.pop(program.name, None)
            if self._stopping.is_set():
                return
            self._report(program.name, 0 if process is None else process.pid, code)
            if loop.time() - started >= _STEADY_AFTER:
                pause = _FIRST_PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            if self._stopping.is_set():
                return
            pause = min(pause * 2, _LONGEST_PAUSE)
            process = await self._spawn(program)

    async def _end_of(self, program: Program, process: asyncio.subprocess.Process) -> int:
        if program.heartbeat is None:
            return await process.wait()
        listening = asyncio.create_task(self._listen(program.name, program.heartbeat, process))
        try:
            return await process.wait()
        finally:
            listening.cancel()

    async def _listen(self, name: str, file: Path, process: asyncio.subprocess.Process) -> None:
        """Kill a process that falls silent.

        Looks are counted, not seconds: when the whole machine slept, nobody was silent.
        """
        heard, looks = _written_at(file), 0
        while looks < self._silent_after:
            await asyncio.sleep(_LISTEN_EVERY)
            looks += 1
            if (last := _written_at(file)) != heard:
                heard, looks = last, 0
        _log.error("process_silent", name=name, pid=process.pid, seconds=looks * _LISTEN_EVERY)
        _signal(process, signal.SIGKILL)

    def _report(self, name: str, pid: int, code: int) -> None:
        _log.error("process_died", name=name, pid=pid, status=code)
        if self._on_death is not None:
            self._on_death(name, pid, code)

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process | None:
        argv = command(
            list(program.argv), parent=os.getpid(), death_signal=signal.SIGTERM, user=None
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                env=None if program.environment is None else dict(program.environment),
                pass_fds=tuple(program.sockets),
                # Ctrl-C reaches the supervisor alone, which then stops things in order.
                start_new_session=True,
            )
        except OSError as error:
            _log.error("process_not_started", name=program.name, error=error)
            return None
        self._running[program.name] = process
        if self._stopping.is_set():
            # `stop` looked before this one existed.
            _signal(process, signal.SIGTERM)
        return process


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _written_at(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # Between its end and our noticing, the process is there no more.
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
