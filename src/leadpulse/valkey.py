"""Counts that several processes share, in Valkey or Redis.

Two ways in: rates that have to be exact are asked for one by one (`hit`, `peek`, with the
scripts of the `limits` package), and counts of events are handed in together, many at once
(`add`). Nothing that tells a person stands there: keys are digests under a key of the
installation, and all of it is gone after two windows.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from leadpulse.broadcast import plain
from leadpulse.domain.rates import Rate, Seen
from leadpulse.usecases.tally import Count
from leadpulse.usecases.throttle import SharedAway

_log = structlog.get_logger("leadpulse.valkey")

# Seconds: what a call may take, and how long nobody asks after one that failed.
_PATIENCE: Final = 0.25
_REST: Final = 1.0
_CONNECTIONS: Final = 8
_PREFIX: Final = "leadpulse:rate"

_T = TypeVar("_T")


class Valkey:
    """A connection pool. Every call raises SharedAway when the server does not answer."""

    def __init__(self, url: str, secret: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = BlockingConnectionPool.from_url(
            plain(url),
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            # Whoever waits for a count is better served by his own.
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis(connection_pool=self._pool)
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # handed on as it is
        )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._digest_key = hashlib.sha256(f"leadpulse rate keys 1 {secret}".encode()).digest()
        self._clock = clock
        self._rest_until = 0.0
        self.available = True

    async def close(self) -> None:
        await self._client.aclose()
        await self._pool.aclose()

    async def answers(self) -> bool:
        """Whether it is there now."""
        try:
            await self._ask(self._client.ping)
        except SharedAway:
            return False
        return True

    async def version(self) -> str:
        """What answers: `Valkey 9.1.2`."""
        found = await self._ask(lambda: self._client.info("server"))
        name = str(found.get("server_name", "redis")).capitalize()
        return f"{name} {found.get('valkey_version') or found.get('redis_version')}"

    async def hit(self, key: str, rate: Rate, cost: int, /) -> int | None:
        """Counts `cost` more, if that fits; else the seconds until it does."""
        item, name = _item(rate), self._named(key)
        if await self._ask(lambda: self._limiter.hit(item, name, cost=cost)):
            return None
        return await self._wait(key, rate, cost) or 1

    async def peek(self, key: str, rate: Rate, cost: int, /) -> int | None:
        """What `hit` would answer, without counting."""
        return await self._wait(key, rate, cost)

    async def forget(self, key: str, rate: Rate, /) -> None:
        """Starts again from nothing."""
        item, name = _item(rate), self._named(key)
        await self._ask(lambda: self._limiter.clear(item, name))

    async def add(self, counts: Sequence[Count]) -> list[tuple[int, int]]:
        """Adds to many counts at once; returns each with the one of the window before."""

        async def run() -> list[int | None]:
            async with self._client.pipeline(transaction=False) as pipe:
                for count in counts:
                    name = f"{_PREFIX}:{self._named(count.key)}"
                    pipe.incrby(f"{name}:{count.window}", count.more)
                    pipe.expire(f"{name}:{count.window}", 2 * count.seconds)
                    pipe.get(f"{name}:{count.window - 1}")
                return await pipe.execute()

        answers = await self._ask(run)
        return [(int(answers[i] or 0), int(answers[i + 2] or 0)) for i in range(0, len(answers), 3)]

    async def _wait(self, key: str, rate: Rate, cost: int) -> int | None:
        item, name = _item(rate), self._named(key)
        before, fading, current, lasting = await self._ask(
            lambda: self._storage.get_sliding_window(item.key_for(name), rate.seconds)
        )
        # What is left of the two windows, in seconds, says how far the running one has come.
        into = rate.seconds - fading if before else 2 * rate.seconds - lasting
        return Seen(before, current, min(max(into, 0.0), rate.seconds)).wait(rate, cost)

    def _named(self, key: str) -> str:
        return hashlib.blake2b(key.encode(), digest_size=16, key=self._digest_key).hexdigest()

    async def _ask(self, what: Callable[[], Awaitable[_T]]) -> _T:
        """Asks, unless it was away a moment ago: callers do not wait for it one by one."""
        if self._clock() < self._rest_until:
            raise SharedAway
        try:
            async with asyncio.timeout(2 * _PATIENCE):
                answer = await what()
        except (RedisError, OSError) as error:
            self._rest_until = self._clock() + _REST
            if self.available:
                _log.warning("Valkey is away: each process counts by itself", error=error)
            self.available = False
            raise SharedAway from error
        if not self.available:
            self.available = True
            _log.info("Valkey is back")
        return answer


def _item(rate: Rate) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rate.amount, rate.seconds)
