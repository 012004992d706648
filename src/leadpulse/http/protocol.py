"""What comes before a request is one: heads that are broken, too large or never complete.

The server's own protocol sets no bound to any of them, and answers in plain text.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from leadpulse.http.bodies import WHOLE
from leadpulse.http.problems import CONTENT_TYPE, new_request_id, problem_of_status
from leadpulse.http.security import BROKEN

# Bytes of an address, and of a request before its body.
MAX_ADDRESS: Final = 32 * 1024
MAX_HEAD: Final = 64 * 1024
# Seconds from a request's first byte, or from the connection on, until its head is complete.
PATIENCE: Final = 30.0
# Comes before an answer, and at once.
_CONTINUE: Final = b"HTTP/1.1 100 "


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 with bounds, and with problem documents for what can't be read."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._status = 400
        self._begun = False
        self._in_head = False
        self._head = 0
        self._passed_over = False
        self._method = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # an answer to what can't be read is on its way
        if self._timer is None and self._idle():
            self._wait()
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._status)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            elif self._passed_over:
                self._go_on_without_upgrade(data[upgrade.args[0] :])
        if self._in_head and not self.transport.is_closing():
            # The parser keeps a header until it is complete: this counts what it holds.
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        self._method = self.parser.get_method()
        other = self.parser.should_upgrade() and self._method != b"CONNECT"
        if other and not self._should_upgrade():
            self._passed_over = True  # the parser takes what follows for another protocol
            return
        self._in_head = False
        self._stop_waiting()
        if len(self.url) > MAX_ADDRESS:
            self._status = 414
        elif sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            self._status = 431
        if self._status != 400:
            raise ValueError("the parser stops here")  # it tells data_received
        before: RequestResponseCycle | None = vars(self).get("cycle")
        super().on_headers_complete()
        if self.cycle is not before:
            _Answer.of(self.cycle)

    def on_message_complete(self) -> None:
        if not self._passed_over:
            cast("dict[str, object]", self.scope)[WHOLE] = True
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._begun = self._in_head
        if self._in_head and self._timer is None:
            self._wait()

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Reads the request again as if it had not asked for another protocol.

        Some clients ask for HTTP/2 with every request, and send its body at once.
        """
        self._passed_over = False
        self.parser = httptools.HttpRequestParser(self)
        kept = [(name, value) for name, value in self.headers if name != b"upgrade"]
        lines = [self._method, b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in kept:
            lines += [name, b": ", value, b"\r\n"]
        self.data_received(b"".join([*lines, b"\r\n", rest]))

    def _idle(self) -> bool:
        running: RequestResponseCycle | None = vars(self).get("cycle")
        return running is None or running.response_complete

    def _wait(self) -> None:
        self._timer = self.loop.call_later(PATIENCE, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing() or not self._idle():
            return
        if self._begun:
            self._refuse(408)
        else:
            self.transport.close()  # nothing was asked, so nothing is answered

    def _refuse(self, status: int) -> None:
        instance = new_request_id()
        body = problem_of_status(status, _TOLD[status]).body(instance)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"content-type: {CONTENT_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {instance}\r\n"
            # Event calls answer any website; nothing of anybody's stands in this.
            "access-control-allow-origin: *\r\n"
            "access-control-expose-headers: X-Request-Id\r\n"
            f"{BROKEN}"
            "connection: close\r\n\r\n"
        )
        self._stop_waiting()
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()


class _Answer:
    """The transport of one answer: its head goes out together with the first of its body.

    A write is a system call, and the second of them was a fourteenth of what an event costs.
    It must not know its cycle, which knows it: freed by the collector alone, some thousand of
    such pairs keep everybody waiting for tens of milliseconds.
    """

    __slots__ = ("_done", "_head", "_held", "_transport")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._transport = cycle.transport
        self._done = cycle.on_response
        self._head = b""
        self._held = False

    @classmethod
    def of(cls, cycle: RequestResponseCycle) -> None:
        """Has a cycle write its answer in this way."""
        answer = cls(cycle)
        cycle.transport = cast("asyncio.Transport", answer)
        cycle.on_response = answer.end

    def write(self, data: bytes) -> None:
        if self._held:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.startswith(_CONTINUE):
            self._transport.write(data)
        else:
            self._head, self._held = data, True

    def end(self) -> None:
        self._flush()
        self._done()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            self.write(b"")


_TOLD: Final = {
    400: "This is not a request in HTTP/1.1.",
    408: f"The request was not complete after {PATIENCE:.0f} seconds.",
    414: f"The address has more than {MAX_ADDRESS} bytes.",
    431: f"The headers have more than {MAX_HEAD} bytes.",
}
