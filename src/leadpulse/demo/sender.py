"""Sends events over HTTP: in batches, over several connections, as patient as the server asks.

A body is repeated unchanged until it is answered, so that its eventIds make it count once.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from leadpulse.demo.http import Answer, Connection, Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

BATCH_PATH: Final = "/api/ingest/batch"
EVENT_PATH: Final = "/api/ingest/event"
_BUSY: Final = frozenset((429, 502, 503, 504))
_LONGEST_WAIT: Final = 60.0


class SendError(Exception):
    """The server refuses, or can't be reached; the message says what to do."""


class _Counts(msgspec.Struct):
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: list[msgspec.Raw] = []


class _One(msgspec.Struct):
    status: str = "queued"


@dataclass(slots=True)
class Sent:
    """What became of what was sent: events by outcome; requests; how often we had to wait."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    requests: int = 0
    retried: int = 0
    seconds: float = 0.0

    @property
    def events(self) -> int:
        """All that was answered, whatever the answer."""
        return self.accepted + self.duplicates + self.conflicts + self.rejected


@dataclass(frozen=True, slots=True)
class Target:
    """A running server and how to talk to it.

    `patience`: for how many seconds an unreachable server is tried again; of a busy one
    (429, 503) the Retry-After is honoured for as long as it says so. `headers` are sent too.
    """

    url: str
    key: str
    path: str = BATCH_PATH
    connections: int = 4
    patience: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict)


def bodies(events: Iterable[Mapping[str, object]], size: int = 500) -> Iterator[bytes]:
    """Encodes events into bodies of batches, lazily."""
    encode = msgspec.json.Encoder().encode
    source = iter(events)
    while chunk := list(islice(source, size)):
        yield encode({"events": chunk})


async def send(
    target: Target, batches: Iterable[bytes], on_answer: Callable[[Sent], None] | None = None
) -> Sent:
    """Sends every body; returns what became of the events.

    Raises SendError when the server refuses a body or stays away too long.
    """
    sent, started = Sent(), time.perf_counter()
    source = iter(batches)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(target.connections):
                group.create_task(_pump(target, source, sent, on_answer))
    except ExceptionGroup as failed:
        # Not `except*`: what is raised in it, some versions of Python put into a group again.
        refused = failed.subgroup(SendError)
        if refused is None:
            raise
        raise refused.exceptions[0] from None
    sent.seconds = time.perf_counter() - started
    return sent


async def send_paced(
    target: Target, batches: AsyncIterator[bytes], on_answer: Callable[[Sent], None] | None = None
) -> Sent:
    """Sends bodies one after the other as they come, on one connection.

    Raises SendError like `send`.
    """
    sent, started = Sent(), time.perf_counter()
    line = Line(target, sent)
    try:
        async for body in batches:
            await line.deliver(body)
            if on_answer is not None:
                on_answer(sent)
    finally:
        line.close()
    sent.seconds = time.perf_counter() - started
    return sent


async def _pump(
    target: Target, source: Iterator[bytes], sent: Sent, on_answer: Callable[[Sent], None] | None
) -> None:
    line = Line(target, sent)
    try:
        for body in source:
            await line.deliver(body)
            if on_answer is not None:
                on_answer(sent)
    finally:
        line.close()


class Line:
    """One connection that is made anew when it breaks; counts what it sends in `sent`."""

    def __init__(self, target: Target, sent: Sent) -> None:
        self._target = target
        self._sent = sent
        self._origin = Origin.of(target.url)
        self._connection: Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def deliver(self, body: bytes) -> None:
        """Repeats a body until it was answered for good."""
        away_since: float | None = None
        pause = 0.05
        while True:
            try:
                answer = await self._post(body)
            except OSError as error:
                self.close()
                now = time.monotonic()
                away_since = away_since or now
                if now - away_since > self._target.patience:
                    raise SendError(
                        f"{self._target.url} does not answer ({error}). Is the server running?"
                    ) from error
                pause = min(pause * 2, 2.0)
                await self._wait(pause)
                continue
            away_since = None
            if answer.status in _BUSY:
                await self._wait(min(answer.retry_after or 1.0, _LONGEST_WAIT))
                continue
            self._count(answer)
            return

    async def _post(self, body: bytes) -> Answer:
        if self._connection is None:
            headers = {"X-API-Key": self._target.key, **self._target.headers}
            connection = Connection(self._origin, self._target.path, headers)
            await connection.open()
            self._connection = connection
        self._sent.requests += 1
        return await self._connection.post(body)

    async def _wait(self, seconds: float) -> None:
        self._sent.retried += 1
        await asyncio.sleep(seconds)

    def _count(self, answer: Answer) -> None:
        if answer.status // 100 != 2:
            said = answer.body[:300].decode(errors="replace")
            raise SendError(f"{self._target.url} answered {answer.status}: {said}")
        sent = self._sent
        if self._target.path == EVENT_PATH:
            status = msgspec.json.decode(answer.body, type=_One).status
            sent.duplicates += status == "duplicate"
            sent.conflicts += status == "conflict"
            sent.accepted += status not in ("duplicate", "conflict")
            return
        counts = msgspec.json.decode(answer.body, type=_Counts)
        sent.accepted += counts.accepted
        sent.duplicates += counts.duplicates
        sent.conflicts += counts.conflicts
        sent.rejected += len(counts.rejected)
