"""The worker's own health page: /health and /metrics, answered by the parent of the scorers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from prometheus_client.core import CounterMetricFamily

from leadpulse.exposition import exposed
from leadpulse.postgres.connect import connect
from leadpulse.postgres.failures import DatabaseError
from leadpulse.postgres.queue import QueueState, queue_metrics, queue_state
from leadpulse.worker.counters import Status, metrics_of, status_from_document
from leadpulse.worker.marks import read_mark, status_file

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from prometheus_client.core import Metric

    from leadpulse.postgres.connect import Connection

_LONGEST_REQUEST: Final = 8_192
_REQUEST_WITHIN: Final = 5.0
_DATABASE_WITHIN: Final = 5.0
_FRESH_FOR: Final = 1.0
# A scorer says how it does every second.
_SILENT_AFTER: Final = 30.0


class Watched(Protocol):
    """What the page is about."""

    marks: Path
    deaths: int


class HealthPage:
    """Answers GET /health (200 or 503) and GET /metrics; says nothing about anybody's data."""

    def __init__(self, dsn: str, crew: Watched, scorers: int) -> None:
        self._dsn = dsn
        self._crew = crew
        self._scorers = scorers
        self._server: asyncio.Server | None = None
        self._conn: Connection | None = None
        self._lock = asyncio.Lock()
        self._seen: tuple[float, QueueState | None] = (0.0, None)

    async def start(self, listening: socket.socket) -> None:
        self._server = await asyncio.start_server(
            self._answer, sock=listening, limit=_LONGEST_REQUEST
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._conn is not None:
            await self._conn.close()

    # Answers -----------------------------------------------------------------

    async def health(self) -> tuple[HTTPStatus, dict[str, Any]]:
        """The state of the scorers and of their queue."""
        queue = await self._queue()
        now = time.time()
        alive = [s for s in self._statuses().values() if s.at > now - _SILENT_AFTER]
        stopped = [s.counters.detail for s in alive if s.counters.state == "stopped"]
        problems = []
        if queue is None:
            problems.append("The database can't be reached.")
        if not alive:
            problems.append("No scorer is alive.")
        if stopped:
            problems.append(f"Scoring has stopped: {stopped[0]}")
        passed = max((s.counters.passed_at for s in alive), default=0.0)
        worked = max((s.counters.worked_at for s in alive), default=0.0)
        body = {
            "status": "unhealthy" if problems else "healthy",
            "problems": problems,
            "database": "up" if queue is not None else "down",
            "scorers": {"alive": len(alive), "wanted": self._scorers, "stopped": len(stopped)},
            "deaths": self._crew.deaths,
            "last_pass_seconds": round(now - passed, 3) if passed else None,
            "last_work_seconds": round(now - worked, 3) if worked else None,
            "queue": None if queue is None else queue._asdict(),
        }
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        return status, body

    async def metrics(self) -> bytes:
        """The same in the format of Prometheus, with counters."""
        return text(await self._queue(), self._statuses(), self._crew.deaths)

    def _statuses(self) -> dict[int, Status]:
        """What each scorer said last, the dead ones included."""
        told = {
            index: status_from_document(read_mark(status_file(self._crew.marks, index)))
            for index in range(self._scorers)
        }
        return {index: status for index, status in told.items() if status is not None}

    async def _queue(self) -> QueueState | None:
        """The queue as it was at most a second ago; None while the database is away."""
        async with self._lock:
            at, seen = self._seen
            if time.monotonic() - at < _FRESH_FOR:
                return seen
            try:
                async with asyncio.timeout(_DATABASE_WITHIN):
                    if self._conn is None or self._conn.closed:
                        self._conn = await connect(self._dsn, "health")
                    seen = await queue_state(self._conn)
            except (DatabaseError, OSError, TimeoutError):
                if self._conn is not None:
                    await self._conn.close()
                self._conn, seen = None, None
            self._seen = (time.monotonic(), seen)
            return seen

    # HTTP --------------------------------------------------------------------

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_REQUEST_WITHIN + _DATABASE_WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._respond(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        writer.close()

    async def _respond(self, line: bytes) -> bytes:
        method, _, rest = line.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"", method)
        if path == b"/health":
            status, body = await self.health()
            return _response(status, "application/json", json.dumps(body).encode(), method)
        if path == b"/metrics":
            text = await self.metrics()
            return _response(HTTPStatus.OK, "text/plain; version=0.0.4", text, method)
        return _response(HTTPStatus.NOT_FOUND, "text/plain", b"", method)


def _response(status: HTTPStatus, kind: str, body: bytes, method: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if method == b"HEAD" else body)


def text(queue: QueueState | None, statuses: dict[int, Status], deaths: int) -> bytes:
    """The page of figures: what scorers (by number) counted, and the queue if it is known."""
    return exposed(_metrics(queue, statuses, deaths))


def _metrics(
    queue: QueueState | None, statuses: dict[int, Status], deaths: int
) -> Iterator[Metric]:
    yield from metrics_of(statuses)
    yield CounterMetricFamily("leadpulse_scorer_deaths", "Scorers that died.", value=deaths)
    yield from queue_metrics(queue)
