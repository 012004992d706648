"""The page of leads, every filter and sort offered, and other reads, while events keep coming."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlencode

import httpx

from benchmarks.installation import Installation
from benchmarks.load import bodies
from leadpulse.demo.sender import Target, send_paced

QUERIES: tuple[dict[str, str | int], ...] = (
    {},
    {"sort": "lastEventAt"},
    {"sort": "createdAt"},
    {"sort": "name"},
    {"sort": "score", "order": "asc"},
    {"stage": "hot"},
    {"stage": "cold", "sort": "lastEventAt"},
    {"stage": "warm", "sort": "name"},
    {"minScore": 20, "maxScore": 25},
    {"risk": "low"},
    {"risk": "high"},
    {"status": "open", "sort": "createdAt"},
    {"seenAfter": "2026-01-01T00:00:00Z"},
    {"q": "an"},
    {"q": "browser-99"},
    {"q": "anna"},
    {"q": "no-such-person"},
    {"limit": 200},
)

# What other pages ask; {lead} is one that the plain list shows.
READS: tuple[str, ...] = (
    "/api/leads/{lead}",
    "/api/leads/{lead}/intelligence",
    "/api/leads/{lead}/history",
    "/api/leads/{lead}/timeline?groupBy=session",
    "/api/events",
    "/api/events?leadId={lead}",
    "/api/leaderboard",
    "/api/analytics/dashboard",
    "/api/analytics/throughput?hours=24",
    "/api/analytics/score-mutations",
)


class Page(NamedTuple):
    """One address's latencies in ms."""

    address: str
    p50: float
    p99: float


class Measured(NamedTuple):
    """Every filter and sort of the list of leads, and what other pages read."""

    lists: list[Page]
    reads: list[Page]


async def measure(server: Installation, key: str, rounds: int = 60) -> Measured:
    """Asks for each address some rounds while 1,000 events a second come in."""
    stop = asyncio.Event()

    async def trickle() -> None:
        async def paced() -> AsyncIterator[bytes]:
            for body in bodies(200_000, 20_000, seed=555, size=50):
                if stop.is_set():
                    return
                await asyncio.sleep(0.05)
                yield body

        await send_paced(Target(server.url, server.secret_key), paced())

    load = asyncio.create_task(trickle())
    try:
        async with httpx.AsyncClient(
            base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60
        ) as client:
            shown = (await client.get("/api/leads")).json()["leads"]
            lists = [
                await _ask(client, f"/api/leads?{urlencode(q)}".rstrip("?"), rounds)
                for q in QUERIES
            ]
            reads = [await _ask(client, path.format(lead=shown[0]["id"]), rounds) for path in READS]
    finally:
        stop.set()
        await load
    return Measured(lists, reads)


async def _ask(client: httpx.AsyncClient, address: str, rounds: int) -> Page:
    times = []
    # The first one is not counted: it makes the connection and reads the model.
    await client.get(address)
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await client.get(address)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}: {answer.text[:200]}")
    times.sort()
    return Page(address, statistics.median(times), times[max(0, round(len(times) * 0.99) - 1)])
