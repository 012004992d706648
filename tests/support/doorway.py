"""What stands around the browser script in its tests: websites, and a proxy before the server.

Both listen on this machine. Browsers take every name below `localhost` for this machine, so one
port serves any number of websites that are strangers to each other.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

_KEPT_BACK = frozenset({
    "accept-encoding", "connection", "content-encoding", "content-length", "host", "keep-alive",
    "transfer-encoding",
})  # fmt: skip


class _Threads(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers that go away are part of these tests."""


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called
        """What was asked is looked at in tests."""

    def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def _listening(handler: type[_Quiet]) -> Iterator[int]:
    server = _Threads(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ── Websites ─────────────────────────────────────────────────────────────────────────


@dataclass
class Websites:
    """Pages by their path, the same on every website, with headers of their own if wanted."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def at(self, path: str = "/", name: str = "shop") -> str:
        """The address of a page on the website of this name, below `localhost` unless said."""
        host = name if "." in name else f"{name}.localhost"
        return f"http://{host}:{self.port}{path}"


@contextlib.contextmanager
def websites() -> Iterator[Websites]:
    """Websites for the length of a block."""
    here = Websites()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            page = here.pages.get(urlsplit(self.path).path)
            kind = {"Content-Type": "text/html; charset=utf-8", **here.headers}
            self.send(404 if page is None else 200, kind, (page or "").encode())

        do_POST = do_GET  # noqa: N815 - its name in the library; where forms go

    with _listening(Handler) as here.port:
        yield here


# ── The proxy ────────────────────────────────────────────────────────────────────────


@dataclass
class Sent:
    """A request with events as it came, and what was answered; 0: nothing was."""

    beacon: bool
    origin: str
    body: dict[str, Any]
    status: int = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["events"]
        return found


@dataclass
class Doorway:
    """A proxy in front of a server: keeps what passes, and fails as proxies do.

    `failures` are the next answers that it gives of its own: a status with the seconds of
    Retry-After, or None for a connection that breaks. `delay`: seconds until it passes on.
    """

    server: str
    port: int = 0
    delay: float = 0.0
    failures: deque[tuple[int, int] | None] = field(default_factory=deque)
    sent: list[Sent] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every event that came, as often as it came; only those of this name."""
        came = [event for sent in list(self.sent) for event in sent.events]
        return [event for event in came if name in (None, event["event"])]

    def taken(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every event that the server took, once each, by their time."""
        took = [sent for sent in list(self.sent) if sent.status == 202]
        found = {event["eventId"]: event for sent in took for event in sent.events}
        events = sorted(found.values(), key=lambda e: (e["timestamp"], e["eventId"]))
        return [event for event in events if name in (None, event["event"])]


@contextlib.contextmanager
def doorway(server: str) -> Iterator[Doorway]:
    """A proxy before this address for the length of a block."""
    here = Doorway(server)

    class Handler(_Quiet):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if self.path.startswith("/api/ingest/"):
                here.methods.append(self.command)
            if self.command != "POST":
                self._pass(body)
                return
            beacon = self.headers.get("Sec-Fetch-Mode") == "no-cors"
            sent = Sent(beacon, self.headers.get("Origin", ""), json.loads(body))
            here.sent.append(sent)
            time.sleep(here.delay)
            failure = here.failures.popleft() if here.failures else (0, 0)
            if failure is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            elif failure[0]:
                sent.status = failure[0]
                exposed = {
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Expose-Headers": "Retry-After",
                }
                self.send(failure[0], exposed | {"Retry-After": str(failure[1])}, b"")
            else:
                sent.status = self._pass(body)

        def _pass(self, body: bytes) -> int:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _KEPT_BACK}
            answer = httpx.request(
                self.command, here.server + self.path, content=body, headers=headers, timeout=30
            )
            back = {k: v for k, v in answer.headers.items() if k not in _KEPT_BACK}
            self.send(answer.status_code, back, answer.content)
            return answer.status_code

        do_POST = do_OPTIONS = do_GET  # noqa: N815 - likewise

    with _listening(Handler) as here.port:
        yield here
