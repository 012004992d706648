"""One kept-open HTTP/1.1 connection that posts.

Little more than a socket, so that a load generator costs less than what it loads.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools


class Answer(NamedTuple):
    """What came back; `retry_after` in seconds, if the server named it."""

    status: int
    retry_after: float | None
    body: bytes


class Origin(NamedTuple):
    """Where to send: scheme, host and port of an address."""

    secure: bool
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Reads an address such as http://localhost:4000; raises ValueError otherwise."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address such as http://localhost:4000.")
        secure = parts.scheme == "https"
        return cls(secure, parts.hostname, parts.port or (443 if secure else 80))


class Connection(asyncio.Protocol):
    """Posts one body after the other. Any failure is an OSError; then make a new one."""

    def __init__(self, origin: Origin, path: str, headers: Mapping[str, str]) -> None:
        self._origin = origin
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {origin.host}:{origin.port}\r\n"
            f"{lines}Content-Type: application/json\r\nContent-Length: "
        ).encode("ascii")
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._retry_after: float | None = None

    async def open(self) -> None:
        """Connects; raises OSError when nobody answers."""
        context = ssl.create_default_context() if self._origin.secure else None
        await asyncio.get_running_loop().create_connection(
            lambda: self, self._origin.host, self._origin.port, ssl=context
        )

    async def post(self, body: bytes, patience: float = 60.0) -> Answer:
        """Sends one body and waits for its answer, at most `patience` seconds."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the connection is closed")
        self._parser = httptools.HttpResponseParser(self)
        self._body = []
        self._retry_after = None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.writelines((self._head, b"%d\r\n\r\n" % len(body), body))
        # A timer of our own: wait_for makes a task for each call, which costs more.
        timer = asyncio.get_running_loop().call_later(
            patience, self._fail, TimeoutError(f"no answer within {patience:.0f} s")
        )
        try:
            return await self._waiting
        finally:
            timer.cancel()
            self._waiting = None

    def close(self) -> None:
        """Closes the connection. Idempotent."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError("closed by server"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"no HTTP answer: {error}"))
            self.close()

    # httptools calls these ---------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and value.isdigit():
            self._retry_after = float(value)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            status = self._parser.get_status_code()
            self._waiting.set_result(Answer(status, self._retry_after, b"".join(self._body)))

    def _fail(self, error: OSError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
