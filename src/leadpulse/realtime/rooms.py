"""Who has a page of which project open, and how much of what happens there they are told.

Each project has a room. What comes too fast is told as counts, four times a second.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from leadpulse.domain.timestamps import place_in_time
from leadpulse.logging import get_logger
from leadpulse.realtime import messages
from leadpulse.usecases.hints import SINGLES, TROUBLE, Budget, EventHint, Hints, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadpulse.usecases.grouping import Item
    from leadpulse.usecases.hints import EventStatus, Inlet

_log = get_logger("leadpulse.live")

# Seconds between two messages that tell how much more there was.
FLOOD_EVERY: Final = 0.25
# Of each kind, to all sockets of a room together a second: beyond it each is told less singly.
_SENT: Final = 500
_LEAST: Final = 5
# Hints that wait to be sent on; of what is more, only the number is kept.
_WAITING: Final = 1_000
# Events of which it is known when they were told.
_REMEMBERED: Final = 4_096


class Emit(Protocol):
    """Sends a message to all sockets of a room, without waiting for any of them."""

    def __call__(self, room: str, event: str, body: dict[str, Any]) -> None: ...


@dataclass(slots=True)
class Figures:
    """What was told since the start: messages by name, and hints that became counts."""

    messages: Counter[str] = field(default_factory=Counter)
    coalesced: int = 0


@dataclass(slots=True)
class _Room:
    """The pages of a project, and what may be told to them."""

    sockets: set[str] = field(default_factory=set)
    leads: Budget = field(default_factory=Budget)
    mutations: Budget = field(default_factory=Budget)
    events: Budget = field(default_factory=Budget)
    more_leads: int = 0
    more_events: int = 0
    overflowed: bool = False
    flood_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> int:
        return max(_LEAST, min(SINGLES, _SENT // max(1, len(self.sockets))))


class Rooms:
    """Rooms of an API process. Hints come from its own intake and through the inlet."""

    def __init__(
        self, inlet: Inlet, emit: Emit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.figures = Figures()
        # What to add to this machine's clock (µs) for the database's.
        self.ahead = 0
        self._inlet = inlet
        self._emit = emit
        self._clock = clock
        self._rooms: dict[str, _Room] = {}
        self._watching: set[str] = set()
        self._changing = asyncio.Lock()
        self._queue: asyncio.Queue[Hints] = asyncio.Queue(_WAITING)
        self._delivered: OrderedDict[str, int] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # Who is there ---------------------------------------------------------------------

    def size(self, project_id: str) -> int:
        """How many sockets a room has."""
        room = self._rooms.get(project_id)
        return 0 if room is None else len(room.sockets)

    async def join(self, project_id: str, socket: str) -> None:
        """Lets a socket hear everything that is told from now on."""
        self._rooms.setdefault(project_id, _Room()).sockets.add(socket)
        await self._watch(project_id)

    def leave(self, project_id: str, socket: str) -> None:
        """The socket is gone."""
        room = self._rooms.get(project_id)
        if room is None:
            return
        room.sockets.discard(socket)
        if not room.sockets:
            if room.timer is not None:
                room.timer.cancel()
            del self._rooms[project_id]
            self._beside(self._watch(project_id))

    async def _watch(self, project_id: str) -> None:
        """Watches a project if and only if somebody is there."""
        async with self._changing:
            wanted = project_id in self._rooms
            if wanted == (project_id in self._watching):
                return
            try:
                if wanted:
                    self._watching.add(project_id)
                    await self._inlet.watch(project_id)
                else:
                    self._watching.discard(project_id)
                    await self._inlet.unwatch(project_id)
            except TROUBLE as error:
                # The inlet begins anew, and whoever is there is told to ask again.
                _log.debug("not_watched_yet", error=error)

    # What comes -----------------------------------------------------------------------

    async def run(self) -> None:
        """Sends on what comes, for ever."""
        listening = asyncio.create_task(self._inlet.run(self._heard, self._missed))
        try:
            while True:
                hints = await self._queue.get()
                try:
                    self._tell(hints)
                except Exception:  # noqa: BLE001 - one that can't be told keeps no other
                    _log.exception("a hint could not be told")
        finally:
            for task in (listening, *self._tasks):
                task.cancel()
            await asyncio.gather(listening, *self._tasks, return_exceptions=True)

    def stored(self, items: Sequence[Item]) -> None:
        """Events were committed by this process's intake."""
        if not self._rooms:
            return
        found: dict[str, list[EventHint]] = {}
        for item in items:
            if item.status == "queued" and item.caller.project_id in self._rooms:
                found.setdefault(item.caller.project_id, []).append(_queued(item))
        for project_id, events in found.items():
            self._offer(Hints(project_id, events=events))

    def delivered_at(self, event_id: str) -> int | None:
        """When it was told that an event was scored (µs); None if it wasn't told singly."""
        return self._delivered.get(event_id)

    def _heard(self, message: bytes | str) -> None:
        hints = decoded(message)
        if hints is not None and hints.project_id in self._rooms:
            self._offer(hints)

    def _missed(self) -> None:
        """Nobody knows what was sent meanwhile: everybody asks again."""
        for project_id, room in self._rooms.items():
            room.overflowed = True
            self._flood_soon(project_id, room)

    def _offer(self, hints: Hints) -> None:
        try:
            self._queue.put_nowait(hints)
        except asyncio.QueueFull:
            room = self._rooms[hints.project_id]
            self._count(
                room, hints.more_leads + len(hints.leads), hints.more_events + len(hints.events)
            )
            self._flood_soon(hints.project_id, room)

    # What is told ---------------------------------------------------------------------

    def _tell(self, hints: Hints) -> None:
        project_id = hints.project_id
        room = self._rooms.get(project_id)
        if room is None:
            return
        now, rate = self._clock(), room.rate
        events = room.events.take(len(hints.events), now, rate)
        moved = room.mutations.take(len(hints.mutations), now, rate)
        leads = room.leads.take(len(hints.leads), now, rate)
        for event in hints.events[:events]:
            self._send(project_id, "newEvent", messages.new_event(event))
            if event.status == "scored":
                self._remember(event.id)
        for mutation in hints.mutations[:moved]:
            self._send(project_id, "scoreMutation", messages.score_mutation(mutation))
        for lead in hints.leads[:leads]:
            self._send(project_id, "leadUpdated", messages.lead_updated(lead))
        more_events = max(len(hints.events) - events, len(hints.mutations) - moved)
        self._count(
            room, hints.more_leads + len(hints.leads) - leads, hints.more_events + more_events
        )
        if room.overflowed:
            self._flood_soon(project_id, room)

    def _send(self, project_id: str, event: str, body: dict[str, Any]) -> None:
        self.figures.messages[event] += 1
        self._emit(project_id, event, body)

    def _remember(self, event_id: str) -> None:
        self._delivered[event_id] = self.ahead + time.time_ns() // 1_000
        while len(self._delivered) > _REMEMBERED:
            self._delivered.popitem(last=False)

    def _count(self, room: _Room, leads: int, events: int) -> None:
        room.more_leads += leads
        room.more_events += events
        room.overflowed = room.overflowed or bool(leads or events)
        self.figures.coalesced += leads + events

    def _flood_soon(self, project_id: str, room: _Room) -> None:
        """At once if it is long ago that the room was told, else when it is time."""
        if room.timer is None:
            wait = max(0.0, room.flood_at + FLOOD_EVERY - self._clock())
            loop = asyncio.get_running_loop()
            room.timer = loop.call_later(wait, self._flood, project_id, room)

    def _flood(self, project_id: str, room: _Room) -> None:
        body = messages.flood(room.more_leads, room.more_events)
        room.more_leads = room.more_events = 0
        room.overflowed, room.timer, room.flood_at = False, None, self._clock()
        self._send(project_id, "flood", body)

    def _beside(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _queued(item: Item) -> EventHint:
    event = item.event
    when, _ = place_in_time(event.sent, event.sent_at, item.received, item.index)
    status: EventStatus = "held" if item.held else "queued"
    return EventHint(
        item.id, event.type, item.lead_id, event.anonymous_id, when, status
    )  # fmt: skip
