"""Event in → scored and readable, over HTTP in batches, everything on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks.installation import Installation
from leadpulse.demo.http import Connection, Origin
from leadpulse.demo.sender import Target, send

CONNECTIONS = 4


@dataclass
class Flow:
    """What a flow of events cost: seconds from the first post to an empty inbox, CPU by part."""

    events: int
    accept_seconds: float
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Accepted and scored, a second."""
        return self.events / self.seconds

    @property
    def cost(self) -> float:
        """CPU microseconds per event, all processes."""
        return sum(self.cpu.values()) / self.events * 1e6


async def flow(server: Installation, bodies: list[bytes], key: str | None = None) -> Flow:
    """Sends all bodies and waits until everything is scored."""
    before = server.cpu_seconds()
    began = time.perf_counter()
    sent = await send(Target(server.url, key or server.secret_key, connections=CONNECTIONS), bodies)
    accepted = time.perf_counter()
    await server.drained()
    ended = time.perf_counter()
    after = server.cpu_seconds()
    if sent.rejected or sent.conflicts:
        raise SystemExit(f"{sent.rejected} rejected and {sent.conflicts} conflicts: no measurement")
    return Flow(
        sent.accepted, accepted - began, ended - began,
        {kind: after[kind] - before[kind] for kind in after},
    )  # fmt: skip


async def flow_of_projects(
    server: Installation, big: list[bytes], small: list[tuple[str, bytes]]
) -> Flow:
    """Half from one project in big batches, half from thousands in small ones, mixed."""
    before = server.cpu_seconds()
    began = time.perf_counter()
    origin, path = Origin.of(server.url), "/api/ingest/batch"
    queue = iter(small)

    async def pump() -> int:
        accepted = 0
        for key, body in queue:
            line = Connection(origin, path, {"X-API-Key": key})
            await line.open()
            answer = await line.post(body)
            line.close()
            if answer.status != 202:
                raise SystemExit(f"answered {answer.status}: {answer.body[:200]!r}")
            accepted += body.count(b'"eventId"')
        return accepted

    main = asyncio.create_task(send(Target(server.url, server.secret_key, connections=2), big))
    counts = await asyncio.gather(*(pump() for _ in range(8)))
    sent = await main
    accepted = time.perf_counter()
    await server.drained()
    ended = time.perf_counter()
    after = server.cpu_seconds()
    return Flow(
        sent.accepted + sum(counts), accepted - began, ended - began,
        {kind: after[kind] - before[kind] for kind in after},
    )  # fmt: skip
