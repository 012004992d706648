"""The page of leads: every filter and sort offered, while events keep coming."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

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


class Page(NamedTuple):
    """One query's latencies in ms."""

    query: str
    p50: float
    p99: float


async def measure(server: Installation, key: str, rounds: int = 60) -> list[Page]:
    """Asks each query some rounds while 1,000 events a second come in."""
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
            found = [await _query(client, query, rounds) for query in QUERIES]
    finally:
        stop.set()
        await load
    return found


async def _query(client: httpx.AsyncClient, query: dict[str, str | int], rounds: int) -> Page:
    times = []
    # The first one is not counted: it makes the connection and reads the model.
    await client.get("/api/leads", params=query)
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await client.get("/api/leads", params=query)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{query} answered {answer.status_code}: {answer.text[:200]}")
    times.sort()
    name = "&".join(f"{k}={v}" for k, v in query.items()) or "(plain)"
    return Page(name, statistics.median(times), times[max(0, round(len(times) * 0.99) - 1)])
