"""Socket.IO at the API's port: who may open a socket, and what ends one.

Clients send nothing but the handshake; whatever else they send is not looked at. A socket is one
session's, in the room of one project; what ends the session ends the socket within seconds, and
one that doesn't read what it is sent is closed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import socketio
from engineio.packet import MESSAGE, Packet
from socketio.exceptions import ConnectionRefusedError as Refused

from leadpulse.domain.errors import LeadPulseError, Overloaded, TooMany
from leadpulse.logging import get_logger
from leadpulse.realtime.rooms import Rooms
from leadpulse.usecases.hints import TROUBLE
from leadpulse.usecases.watchers import LiveFigures, still_watching

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.grouping import Item
    from leadpulse.usecases.hints import Inlet, LeadKey
    from leadpulse.usecases.watchers import Admit, Watcher

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_log = get_logger("leadpulse.live")

PATH: Final = "/socket.io/"
NAMESPACE: Final = "/"
# An event of the namespace above, as Socket.IO writes it.
_EVENT: Final = "2"
_encode: Final = msgspec.json.Encoder().encode

# Bytes of a message from a client: its token is the longest that it has to say.
MOST_BYTES: Final = 16 * 1024
MOST_SOCKETS: Final = 2_000
MOST_OF_PROJECT: Final = 200
MOST_OF_SESSION: Final = 10
# Connections that have not said yet who they are, and how long (s) they may take for it.
MOST_STRANGERS: Final = 256
STRANGER_FOR: Final = 10.0
# Messages that wait for a client to read them.
MOST_WAITING: Final = 500
# Messages that a client may send at once, and a second.
_CHATTER: Final = 20
# Seconds between two looks at all sessions with a socket; after `_UNCHECKED` without an answer
# nobody is told anything any more.
CHECK_EVERY: Final = 2.0
_UNCHECKED: Final = 15.0
_ADMIT_WITHIN: Final = 10.0


class _Quiet(socketio.AsyncServer):  # type: ignore[misc]  # it ships no types
    """Reads what opens and closes a socket. Everything else is dropped before it is read."""

    async def _handle_eio_message(self, eio_sid: str, data: object) -> None:
        if isinstance(data, str) and data[:1] in {"0", "1"}:
            await super()._handle_eio_message(eio_sid, data)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: object) -> None:
        """Also answers the request in which a client that polls still waits."""
        await super()._handle_eio_disconnect(eio_sid, reason)
        found = self.eio.sockets.get(eio_sid)
        if found is not None:
            found.queue.put_nowait(None)


@dataclass(slots=True)
class _Socket:
    watcher: Watcher
    transport: str


@dataclass(slots=True)
class _Held:
    """Who holds how many sockets."""

    by_session: dict[str, int] = field(default_factory=dict)
    by_project: dict[str, int] = field(default_factory=dict)

    def full(self, watcher: Watcher) -> bool:
        return (
            self.by_session.get(watcher.session_id, 0) >= MOST_OF_SESSION
            or self.by_project.get(watcher.project_id, 0) >= MOST_OF_PROJECT
        )

    def add(self, watcher: Watcher, number: int) -> None:
        for held, key in (
            (self.by_session, watcher.session_id),
            (self.by_project, watcher.project_id),
        ):
            left = held.get(key, 0) + number
            if left > 0:
                held[key] = left
            else:
                held.pop(key, None)


class Live:
    """An ASGI application for the paths below PATH, and whoever tells it what to send."""

    def __init__(
        self,
        pool: Pool,
        inlet: Inlet,
        admit: Admit,
        tell: Callable[[Sequence[LeadKey]], None] = lambda _: None,
    ) -> None:
        self._pool = pool
        self._inlet = inlet
        self._admit = admit
        self._tell = tell
        self._dropped = LiveFigures()
        self._sockets: dict[str, _Socket] = {}
        self._held = _Held()
        self._strangers: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []
        self._sio = _Quiet(
            async_mode="asgi",
            cors_allowed_origins=[],  # whoever may not come is refused by `admit`
            max_http_buffer_size=MOST_BYTES,
            async_handlers=False,
            http_compression=False,
            # What its clients do wrong is no business of ours.
            logger=_silent(),
            engineio_logger=_silent(),
        )
        self._sio.on("connect", self._connect)
        self._sio.on("disconnect", self._disconnect)
        self.rooms = Rooms(inlet, self._emit)

    # The interface --------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether hints of other processes reach this one."""
        return self._inlet.up

    def figures(self) -> LiveFigures:
        """What there is, and what was."""
        told = self.rooms.figures
        return LiveFigures(len(self._sockets), told.messages, told.coalesced, self._dropped.dropped)

    def stored(self, items: Sequence[Item]) -> None:
        """The intake of this process has committed events; whatever is wrong here is not its."""
        try:
            self.rooms.stored(items)
        except Exception:  # noqa: BLE001 - logged, with its trace
            _log.exception("committed events could not be told")

    def changed(self, project_id: str, lead_id: str) -> None:
        """Somebody has changed a lead by hand."""
        self._tell([(project_id, lead_id)])

    def delivered_at(self, event_id: str) -> int | None:
        """When it left for the sockets of this process that an event was scored (µs)."""
        return self.rooms.delivered_at(event_id)

    def start(self) -> None:
        """Begins to listen."""
        self._running = [
            asyncio.create_task(self.rooms.run(), name="live"),
            asyncio.create_task(self._check(), name="live sessions"),
        ]

    async def close_sockets(self) -> None:
        """Ends all connections, so that their clients come back, to another process maybe."""
        for transport in list(self._sio.eio.sockets):
            await self._end(transport)

    async def stop(self) -> None:
        """Ends everything."""
        await self.close_sockets()
        for task in (*self._running, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._running, *self._tasks, return_exceptions=True)
        await self._sio.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request of Engine.IO. Raises Overloaded for a new one when there are too many."""
        query = scope.get("query_string", b"")
        transports = self._sio.eio.sockets
        if b"sid=" not in query and (
            len(transports) >= MOST_SOCKETS
            or len(transports) - len(self._sockets) >= MOST_STRANGERS
        ):
            self._dropped.dropped["full"] += 1
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1013})
                return
            raise Overloaded("Too many live connections are open.", 10)
        if scope["type"] == "websocket":
            receive = _Patient(receive)
        try:
            await self._sio.handle_request(scope, receive, send)
        except (LeadPulseError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - of what a client sent, or its end
            _log.debug("a live connection ended", error=error)

    # Sockets --------------------------------------------------------------------------

    async def _connect(self, socket: str, environ: dict[str, Any], auth: object = None) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        scope: Scope = environ["asgi.scope"]
        try:
            async with asyncio.timeout(_ADMIT_WITHIN):
                watcher = await self._admit(scope, token if isinstance(token, str) else None)
        except (Overloaded, TooMany, TimeoutError):
            raise Refused("unavailable") from None
        except LeadPulseError:
            raise Refused("unauthorized") from None
        except Exception:  # noqa: BLE001 - logged, and told as a fault of ours
            _log.exception("a live connection could not be looked at")
            raise Refused("unavailable") from None
        if self._held.full(watcher):
            self._dropped.dropped["full"] += 1
            raise Refused("too_many")
        transport = self._sio.manager.eio_sid_from_sid(socket, NAMESPACE)
        self._sockets[socket] = _Socket(watcher, transport)
        self._held.add(watcher, 1)
        # Before the answer to the handshake: from the answer on nothing is missed.
        await self.rooms.join(watcher.project_id, socket)
        await self._sio.enter_room(socket, watcher.project_id)
        self._beside(self._greet(socket, watcher))

    async def _greet(self, socket: str, watcher: Watcher) -> None:
        """After the answer to the handshake."""
        while socket in self._sockets:
            if self._sio.manager.is_connected(socket, NAMESPACE):
                await self._sio.emit("ready", {"projectId": watcher.project_id}, to=socket)
                return
            await asyncio.sleep(0.005)

    async def _disconnect(self, socket: str, _: object = None) -> None:
        self._gone(socket)

    def _gone(self, socket: str) -> None:
        found = self._sockets.pop(socket, None)
        if found is not None:
            self._held.add(found.watcher, -1)
            self.rooms.leave(found.watcher.project_id, socket)

    def _emit(self, room: str, event: str, body: dict[str, Any]) -> None:
        """Puts a message where the writers of a room's sockets find it.

        The library's own way makes a task for each socket and message, and wakes each writer for
        every single one: of a burst that costs four times as much.
        """
        told = Packet(MESSAGE, _EVENT + _encode([event, body]).decode())
        transports = self._sio.eio.sockets
        for socket, transport in self._sio.manager.get_participants(NAMESPACE, room):
            found = transports.get(transport)
            if found is None or found.closed:
                continue
            if found.queue.qsize() < MOST_WAITING:
                found.queue.put_nowait(told)
            elif socket in self._sockets:
                self._dropped.dropped["slow"] += 1
                self._gone(socket)
                self._beside(self._cut_off(socket, transport))

    async def _cut_off(self, socket: str, transport: str) -> None:
        """Ends a connection whose client doesn't read, and forgets what waits for it."""
        await self._sio.manager.disconnect(socket, NAMESPACE)
        found = self._sio.eio.sockets.get(transport)
        if found is not None:
            _forget_waiting(found.queue)
        await self._end(transport)

    async def _drop(self, socket: str, why: str) -> None:
        """Tells a client that it is over for it; it doesn't come back by itself."""
        found = self._sockets.get(socket)
        if found is None:
            return
        self._dropped.dropped[why] += 1
        await self._sio.disconnect(socket)
        await self._end(found.transport)

    async def _end(self, transport: str) -> None:
        """Ends a connection when what waits is sent; who doesn't read it is cut off later."""
        found = self._sio.eio.sockets.get(transport)
        if found is not None:
            await found.close(wait=False)
            found.queue.put_nowait(None)  # the end of what is written

    # Who may stay ---------------------------------------------------------------------

    async def _check(self) -> None:
        """Looks at all sessions that have a socket, again and again."""
        checked = time.monotonic()
        while True:
            await asyncio.sleep(CHECK_EVERY)
            try:
                await self._end_strangers()
                if await self._check_once():
                    checked = time.monotonic()
                elif time.monotonic() - checked > _UNCHECKED:
                    for socket in list(self._sockets):
                        await self._drop(socket, "unchecked")
            except Exception:  # noqa: BLE001 - a fault of one look is none of the next
                _log.exception("live sessions could not be looked at")

    async def _check_once(self) -> bool:
        """False if nobody could be asked."""
        looked_at = dict(self._sockets)
        if not looked_at:
            return True
        asked = time.time_ns() // 1_000
        try:
            running, now = await still_watching(
                self._pool, [found.watcher for found in looked_at.values()]
            )
        except (LeadPulseError, *TROUBLE):
            return False
        self.rooms.ahead = now - (asked + time.time_ns() // 1_000) // 2
        for socket, found in looked_at.items():
            if found.watcher.session_id not in running:
                await self._drop(socket, "session")
        return True

    async def _end_strangers(self) -> None:
        """Connections that never said who they are, and sockets whose connection is gone."""
        now = time.monotonic()
        for socket, found in list(self._sockets.items()):
            if found.transport not in self._sio.eio.sockets:
                await self._sio.manager.disconnect(socket, NAMESPACE)
                self._gone(socket)
        known = {found.transport for found in self._sockets.values()}
        strangers = [each for each in self._sio.eio.sockets if each not in known]
        self._strangers = {each: self._strangers.get(each, now) for each in strangers}
        for transport, since in self._strangers.items():
            if now - since > STRANGER_FOR:
                self._dropped.dropped["stranger"] += 1
                await self._end(transport)

    def _beside(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Patient:
    """Hands on what a client sends, until it sends too much."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = float(_CHATTER)
        self._seen = time.monotonic()

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive":
            now = time.monotonic()
            self._left = min(float(_CHATTER), self._left + now - self._seen) - 1
            self._seen = now
            if self._left < 0:
                return {"type": "websocket.disconnect", "code": 1008}
        return message


def _forget_waiting(queue: asyncio.Queue[Any]) -> None:
    with suppress(asyncio.QueueEmpty):
        while True:
            queue.get_nowait()
            queue.task_done()


def _silent() -> logging.Logger:
    logger = logging.getLogger("leadpulse.socketio")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
