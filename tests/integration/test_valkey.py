"""Rates that several processes share, with a real Valkey that comes and goes."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from redis.asyncio import Redis

from leadpulse.domain.rates import Rate
from leadpulse.usecases.tally import Count
from leadpulse.usecases.throttle import Throttle
from leadpulse.valkey import Valkey
from support.fleet import Fleet
from support.intake import until
from support.server import wait_until
from support.valkey import Counter, a_valkey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

RATE = Rate(10, 600)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with a_valkey(tmp_path / "valkey") as running:
        yield running


@asynccontextmanager
async def processes(url: str, number: int) -> AsyncIterator[list[tuple[Throttle, Valkey]]]:
    """What so many processes would have."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(number):
            valkey = Valkey(url, "key")
            stack.push_async_callback(valkey.close)
            made.append((Throttle(valkey), valkey))
        yield made


async def test_a_rate_holds_over_all_processes(counter: Counter) -> None:
    """Exactly, however they race; peeking and forgetting are shared as well."""
    async with processes(counter.url, 3) as made:
        throttles = [throttle for throttle, _ in made]
        waits = await asyncio.gather(
            *(throttle.hit("login", "ann", RATE) for _ in range(10) for throttle in throttles)
        )
        assert waits.count(None) == 10
        assert all(wait is None or 1 <= wait <= 1_200 for wait in waits)
        for throttle in throttles:
            assert await throttle.peek("login", "ann", RATE) is not None
            assert await throttle.peek("login", "bob", RATE) is None
            assert await throttle.hit("login", "bob", RATE, 11) == 600
        await throttles[0].forget("login", "ann", RATE)
        assert await throttles[0].hit("login", "ann", RATE) is None


async def test_what_is_told_to_wait_for_is_enough(counter: Counter) -> None:
    """With a rate of seconds, so that it can be waited for."""
    rate = Rate(3, 2)
    async with processes(counter.url, 2) as made:
        (one, _), (two, _) = made
        for _ in range(3):
            assert await one.hit("login", "ann", rate) is None
        wait = await two.hit("login", "ann", rate)
        assert wait is not None
        assert wait <= 4
        await asyncio.sleep(wait)
        assert await two.hit("login", "ann", rate) is None


async def test_nothing_in_it_tells_a_person(counter: Counter) -> None:
    """Keys are digests, and every one of them ends by itself."""
    async with processes(counter.url, 1) as made, Redis.from_url(counter.url) as client:
        throttle, valkey = made[0]
        await throttle.hit("login", "ann@example.com", RATE)
        assert await valkey.add([Count("r key 198.51.100.1", 7, 3, 60)]) == [(3, 0)]
        assert await valkey.add([Count("r key 198.51.100.1", 8, 1, 60)]) == [(1, 3)]
        names = [name.decode() async for name in client.scan_iter()]
        assert len(names) == 3
        for name in names:
            assert name.startswith("leadpulse:rate")
            assert "ann" not in name
            assert "198" not in name
            assert 0 < await client.pttl(name) <= 1_200_000


async def test_limits_go_on_when_it_is_killed_and_come_back(counter: Counter) -> None:
    """Each process goes on from what it has counted itself; nobody waits, nobody is locked out."""
    async with processes(counter.url, 2) as made:
        (one, first), (two, second) = made
        for _ in range(4):
            assert await one.hit("login", "ann", RATE) is None
        assert await two.hit("login", "ann", RATE) is None
        counter.kill()
        began = time.monotonic()
        assert [await one.hit("login", "ann", RATE) for _ in range(6)] == [None] * 6
        assert await one.hit("login", "ann", RATE) is not None
        assert await one.peek("login", "ann", RATE) is not None
        assert [await two.hit("login", "ann", RATE) for _ in range(9)] == [None] * 9
        assert await two.hit("login", "ann", RATE) is not None
        assert time.monotonic() - began < 2
        assert not first.available
        counter.start()
        for valkey in (first, second):
            await until(valkey.answers)
        waits = [await t.hit("login", "carl", RATE) for _ in range(10) for t in (one, two)]
        assert waits.count(None) == 10


# ── Two API processes ────────────────────────────────────────────────────────────────


class Pair:
    """Two API processes behind one address, so to speak."""

    def __init__(self, fleet: Fleet, write_key: str, secret_key: str) -> None:
        self._urls = fleet.urls
        self._key = write_key
        self._secret = secret_key
        self._client = httpx.Client(timeout=10)

    def send(self, turn: int, size: int = 1) -> int:
        """Sends events to one of them in turn; the status of the answer."""
        body = {"events": [{"event": "x", "userId": f"u-{n}"} for n in range(size)]}
        answer = self._client.post(
            f"{self._urls[turn % 2]}/api/ingest/batch", json=body, headers={"X-API-Key": self._key}
        )
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status_code

    def accepted(self, turns: int) -> int:
        """Of so many requests in turn, a little apart."""
        taken = 0
        for turn in range(turns):
            taken += self.send(turn) == 202
            time.sleep(0.06)
        return taken

    def health(self, turn: int) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(
            f"{self._urls[turn]}/api/health", headers={"X-API-Key": self._secret}
        ).json()
        return found

    def close(self) -> None:
        self._client.close()


def test_two_servers_share_the_rates_of_events(
    database: str, tmp_path: Path, counter: Counter
) -> None:
    """Killed, they go on by themselves and lose no event; back, they share again."""
    settings = {
        "REDIS_URL": counter.url, "LEADPULSE_CLIENT_RATE": "0,0,20", "LEADPULSE_SERVER_RATE": "0",
    }  # fmt: skip
    fleet = Fleet(tmp_path, database, settings)
    try:
        fleet.start(2, [])
        one, two, three = (fleet.project(name) for name in ("One", "Two", "Three"))
        pair = Pair(fleet, one.write_key, one.secret_key)
        began = time.time()
        # Each hears of the other's a moment later: one request may be too many.
        assert 20 <= pair.accepted(30) <= 22 or time.time() // 60 != began // 60
        assert [pair.health(n)["redis"] for n in (0, 1)] == ["up", "up"]
        counter.kill()
        pair.close()
        pair = Pair(fleet, two.write_key, two.secret_key)
        began = time.time()
        taken = pair.accepted(60)
        assert 40 <= taken <= 42 or time.time() // 60 != began // 60
        assert [pair.health(n)["redis"] for n in (0, 1)] == ["down", "down"]
        assert pair.health(0)["status"] in ("ok", "degraded")
        counter.start()
        wait_until("both to count together again", lambda: _up(pair), 20)
        pair.close()
        pair = Pair(fleet, three.write_key, three.secret_key)
        began = time.time()
        assert 20 <= pair.accepted(30) <= 22 or time.time() // 60 != began // 60
        pair.close()
    finally:
        fleet.stop()


def _up(pair: Pair) -> bool:
    return [pair.health(n)["redis"] for n in (0, 1)] == ["up", "up"]
