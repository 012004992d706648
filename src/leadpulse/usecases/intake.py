"""Group commit: what arrives while a commit is under way goes into the next one.

No timer: a single event is committed at once, and under load groups grow by themselves.
Nobody is answered before the commit of his events, and nothing is promised that the buffer
has no room for.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from leadpulse.domain.errors import FieldError, Invalid, LeadPulseError, Overloaded
from leadpulse.ids import uuid7s
from leadpulse.postgres.connect import connect
from leadpulse.postgres.intake import prepare
from leadpulse.postgres.plans import Plans
from leadpulse.postgres.trouble import DATABASE_ERRORS, trouble
from leadpulse.usecases.ceilings import Ceilings, Limits
from leadpulse.usecases.grouping import Group, Item, make_item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadpulse.domain.wire import WireEvent
    from leadpulse.postgres.connect import Connection
    from leadpulse.usecases.keys import Caller

_log = structlog.get_logger("leadpulse.intake")

_RECONNECT: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
_BUSY_TRIES: Final = 6
_GONE_TRIES: Final = 3
_STUCK: Final = 40.0
_AWAY: Final = "The database can't be reached; nothing was kept."


class Size(NamedTuple):
    """How much waits, and how much goes into one commit."""

    waiting: int = 20_000
    waiting_bytes: int = 64 * 1024 * 1024
    events: int = 1_000
    bytes: int = 4 * 1024 * 1024
    # Seconds that events wait for a database that is away, before they are refused.
    patience: float = 5.0


@dataclass(slots=True)
class IntakeFigures:
    """What happened since the start; events, but for the last four."""

    queued: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    overloaded: int = 0
    commits: int = 0
    commit_seconds: float = 0.0
    reconnects: int = 0
    splits: int = 0


@dataclass(slots=True, eq=False)
class _Request:
    """The events of one caller that wait together for their answer."""

    items: list[Item]
    size: int
    answer: asyncio.Future[None]
    left: int
    taken: int = 0
    closed: bool = False


@dataclass(slots=True)
class _Part:
    """Items tried together, and how often that went wrong."""

    items: list[Item]
    busy: int = 0
    gone: int = 0


class IntakeBuffer:
    """Takes events and answers when they are durable. One connection, one task."""

    def __init__(self, dsn: str, limits: Limits | None = None, size: Size | None = None) -> None:
        self.figures = IntakeFigures()
        # Hears of every commit, after who waits for it was answered; must not wait itself.
        self.stored: Callable[[Sequence[Item]], None] | None = None
        self._dsn = dsn
        self._size = size or Size()
        self._group = Group(Ceilings(limits or Limits()))
        self._requests: deque[_Request] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._conn: Connection | None = None
        self._plans = Plans()
        self._task: asyncio.Task[None] | None = None
        self._away = False
        self._stopping = False

    # The interface -------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Events that were taken and are not answered yet."""
        return self._waiting

    @property
    def available(self) -> bool:
        """False while the database is away."""
        return not self._away

    async def start(self) -> None:
        """Connects and begins; raises what connecting raises."""
        self._conn = await self._connected()
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self, grace: float = 15.0) -> None:
        """Takes nothing more, commits what waits, ends.

        What is left after `grace` seconds is told to come again.
        """
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=grace)
            if late:
                self._task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._task
        self._refuse_all("Going down; nothing was kept.")
        await self._disconnect()

    async def take(
        self, caller: Caller, events: Sequence[WireEvent | LeadPulseError]
    ) -> list[Item | LeadPulseError]:
        """Stores events of one caller and tells, in order, what became of each.

        An error in the place of an event comes back as it is. Returns after the commit; raises
        Overloaded, and then the caller must send all of them again.
        """
        answers: list[Item | LeadPulseError] = []
        items: list[Item] = []
        size = 0
        for index, (event, id_) in enumerate(zip(events, uuid7s(len(events)), strict=True)):
            if isinstance(event, LeadPulseError):
                answers.append(event)
                continue
            try:
                item = make_item(caller, event, index, id_)
            except Invalid as error:
                answers.append(error)
                continue
            size += len(event.properties) + len(event.traits or b"")
            items.append(item)
            answers.append(item)
        if items:
            await self._wait_for(items, size)
            for item in items:
                if item.error is not None and item.error.__cause__ is not None:
                    # Here and not where it happened, for the id of the request that it was in.
                    _log.error("an event was refused", error=item.error.__cause__, id=item.id)
        self.figures.rejected += len(answers) - len(items)
        return answers

    async def _wait_for(self, items: list[Item], size: int) -> None:
        limit = self._size
        full = (
            self._waiting + len(items) > limit.waiting
            or self._waiting_bytes + size > limit.waiting_bytes
        )
        if full or self._away or self._stopping or self._task is None or self._task.done():
            self.figures.overloaded += 1
            raise Overloaded(
                _AWAY if self._away else "Too much is waiting already; nothing was kept."
            )
        answer = asyncio.get_running_loop().create_future()
        self._requests.append(_Request(items, size, answer, len(items)))
        self._waiting += len(items)
        self._waiting_bytes += size
        self._wake.set()
        await answer

    # The loop ------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            if self._conn is None and not await self._reconnect():
                self._refuse_all(_AWAY)
                if self._stopping:
                    return
                continue
            if not self._requests:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            group = self._next_group()
            began = time.monotonic()
            try:
                await self._settle([item for _, items in group for item in items])
            except BaseException:
                for request, _ in group:
                    self._close(request, Overloaded("Going down; please send it again."))
                raise
            self.figures.commits += 1
            self.figures.commit_seconds += time.monotonic() - began
            for request, items in group:
                self._answer(request, items)
                if self.stored is not None:
                    self.stored(items)

    def _next_group(self) -> list[tuple[_Request, list[Item]]]:
        """Whole requests from the front, up to the size of one commit; large ones in parts."""
        group: list[tuple[_Request, list[Item]]] = []
        room, size = self._size.events, self._size.bytes
        while self._requests and room > 0 and size > 0:
            request = self._requests[0]
            part = request.items[request.taken : request.taken + room]
            request.taken += len(part)
            room -= len(part)
            size -= request.size * len(part) // len(request.items)
            group.append((request, part))
            if request.taken == len(request.items):
                self._requests.popleft()
        return group

    def _answer(self, request: _Request, items: list[Item]) -> None:
        figures = self.figures
        for item in items:
            if item.status == "queued":
                figures.queued += 1
            elif item.status == "duplicate":
                figures.duplicates += 1
            elif item.status == "conflict":
                figures.conflicts += 1
            else:
                figures.rejected += 1
        request.left -= len(items)
        if request.left == 0:
            self._close(request)

    def _close(self, request: _Request, error: LeadPulseError | None = None) -> None:
        if request.closed:
            return
        request.closed = True
        self._waiting -= len(request.items)
        self._waiting_bytes -= request.size
        if request.answer.done():
            return  # whoever waited is gone; the events are stored all the same
        error = error or next(
            (item.error for item in request.items if isinstance(item.error, Overloaded)), None
        )
        if error is None:
            request.answer.set_result(None)
        else:
            self.figures.overloaded += 1
            request.answer.set_exception(error)

    def _refuse_all(self, detail: str) -> None:
        while self._requests:
            self._close(self._requests.popleft(), Overloaded(detail, 2))

    # One group -----------------------------------------------------------------------

    async def _settle(self, items: list[Item]) -> None:
        """Gives every item a status. A group that fails is split until the one is found."""
        parts = [_Part(items)]
        while parts:
            part = parts.pop()
            if self._conn is None and not await self._reconnect():
                for each in (part, *parts):
                    _reject(each.items, Overloaded(_AWAY, 2))
                return
            try:
                await self._try(part.items)
            except Overloaded as error:
                _reject(part.items, error)
            except Exception as error:  # noqa: BLE001 - sorted below, and none is lost
                parts += await self._after(part, error)

    async def _try(self, items: list[Item]) -> None:
        if self._conn is None:
            raise ConnectionError(_AWAY)
        try:
            async with asyncio.timeout(_STUCK):
                await self._plans.renew(self._conn)
                await self._group.settle(self._conn, items)
        except TimeoutError as error:
            raise ConnectionError("The database does not answer.") from error

    async def _after(self, part: _Part, error: Exception) -> list[_Part]:
        """What to try next after an error."""
        kind = trouble(error) if isinstance(error, DATABASE_ERRORS) else "refused"
        if kind == "gone":
            _log.warning("intake lost the database", error=error, events=len(part.items))
            await self._disconnect()
            part.gone += 1
            if part.gone < _GONE_TRIES:
                return [part]
            _reject(part.items, Overloaded(_AWAY, 2))
        elif kind == "broken":
            _log.error("the database can't do what intake asks", error=error)
            _reject(part.items, Overloaded("The database is not ready; nothing was kept.", 5))
        elif kind == "busy" and part.busy < _BUSY_TRIES:
            part.busy += 1
            await asyncio.sleep(random.uniform(0, 0.01 * 2**part.busy))  # noqa: S311
            return [part]
        else:
            return self._split(part, error, busy=kind == "busy")
        return []

    def _split(self, part: _Part, error: Exception, *, busy: bool) -> list[_Part]:
        """Halves of what is left; of a single item, the end."""
        left = [item for item in part.items if item.status == "waiting"]
        if len(left) > 1:
            self.figures.splits += 1
            middle = len(left) // 2
            return [_Part(left[middle:]), _Part(left[:middle])]
        if busy:
            _reject(left, Overloaded("The database is busy; nothing was kept."))
        else:
            refusal = Invalid([FieldError("event", "can't be stored")])
            refusal.__cause__ = error
            _reject(left, refusal)
        return []

    # The connection ------------------------------------------------------------------

    async def _connected(self) -> Connection:
        conn = await connect(self._dsn, "intake")
        try:
            await prepare(conn)
        except BaseException:
            await conn.close()
            raise
        self._plans = Plans()
        return conn

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                await conn.close()

    async def _reconnect(self) -> bool:
        """Tries for as long as events may wait; False if there is still no database."""
        end = time.monotonic() + (self._size.patience if not self._away else 0.0)
        tries = 0
        while True:
            await asyncio.sleep(_RECONNECT[min(tries, len(_RECONNECT) - 1)])
            tries += 1
            try:
                self._conn = await self._connected()
            except DATABASE_ERRORS as error:
                if time.monotonic() >= end:
                    if not self._away:
                        _log.error("the database is away", error=error)
                    self._away = True
                    await asyncio.sleep(0.25)
                    return False
            else:
                self._away = False
                self.figures.reconnects += 1
                return True


def _reject(items: list[Item], error: LeadPulseError) -> None:
    for item in items:
        if item.status == "waiting":
            item.reject(error)
