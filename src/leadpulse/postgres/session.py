"""Two kinds of transactions for use cases that answer a request, each with the one clock.

`snapshot` reads, `unit` changes. Both are bounded: a statement that runs away is cut off
and told as Overloaded, so that one heavy question doesn't hold a connection for ever. Both are
timed, under the name of the use case that they are for.
"""

from __future__ import annotations

import inspect
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from leadpulse.domain.errors import Overloaded
from leadpulse.histogram import Histogram
from leadpulse.postgres.connect import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from types import FrameType

Pool = AsyncConnectionPool[Connection]

_READ_LIMIT: Final = 15_000
_WRITE_LIMIT: Final = 30_000


@dataclass(slots=True)
class Timings:
    """Transactions of this process: how long each use case held a connection, waited for one."""

    use_cases: dict[str, Histogram] = field(default_factory=dict)
    waits: Histogram = field(default_factory=Histogram)

    def note(self, use_case: str, seconds: float) -> None:
        found = self.use_cases.get(use_case)
        if found is None:
            found = self.use_cases[use_case] = Histogram()
        found.note(seconds)


TIMINGS: Final = Timings()


def snapshot(
    pool: Pool, limit_ms: int = _READ_LIMIT, wait: float | None = None
) -> AbstractAsyncContextManager[tuple[Connection, int]]:
    """A read-only transaction that sees one instant, and that instant (µs).

    Raises Overloaded when no connection is free within `wait` seconds (10 without) or a
    statement takes too long.
    """
    return _snapshot(pool, limit_ms, wait, _use_case(inspect.currentframe()))


def unit(
    pool: Pool, limit_ms: int = _WRITE_LIMIT
) -> AbstractAsyncContextManager[tuple[Connection, int]]:
    """A transaction that commits as a whole, and the instant (µs) at which it began."""
    return _unit(pool, limit_ms, _use_case(inspect.currentframe()))


def _use_case(here: FrameType | None) -> str:
    """Module and function that asked for a transaction: a few dozen names, none forgotten."""
    asked = None if here is None else here.f_back
    if asked is None:
        return "unknown"
    module = str(asked.f_globals.get("__name__", "")).rpartition(".")[2]
    return f"{module}.{asked.f_code.co_name}"


@asynccontextmanager
async def _snapshot(
    pool: Pool, limit_ms: int, wait: float | None, use_case: str
) -> AsyncIterator[tuple[Connection, int]]:
    async with _connection(pool, wait, use_case) as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read read only")
        yield connection, await _begin(connection, limit_ms)


@asynccontextmanager
async def _unit(pool: Pool, limit_ms: int, use_case: str) -> AsyncIterator[tuple[Connection, int]]:
    async with _connection(pool, None, use_case) as connection, connection.transaction():
        yield connection, await _begin(connection, limit_ms)


@asynccontextmanager
async def _connection(pool: Pool, wait: float | None, use_case: str) -> AsyncIterator[Connection]:
    asked = time.perf_counter()
    try:
        async with pool.connection(wait) as connection:
            began = time.perf_counter()
            TIMINGS.waits.note(began - asked)
            try:
                yield connection
            finally:
                TIMINGS.note(use_case, time.perf_counter() - began)
    except PoolTimeout:
        raise Overloaded("Too many requests are waiting for the database.", 2) from None
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        raise Overloaded("The database needs too long for this; ask for less.", 5) from None


async def _begin(connection: Connection, limit_ms: int) -> int:
    cursor = await connection.execute(
        "select clock_timestamp(), set_config('statement_timeout', %s, true)", [str(limit_ms)]
    )
    row = await cursor.fetchone()
    now: int = 0 if row is None else row[0]
    return now


def is_outage(error: BaseException) -> bool:
    """True if the database can't be reached or gave up; False if a statement was wrong."""
    return isinstance(error, psycopg.OperationalError | PoolTimeout | psycopg.InterfaceError)


async def fetch_all(
    connection: Connection, query: str, parameters: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Runs a statement whose best plan depends on its values: it is planned every time."""
    cursor = await connection.execute(query, parameters, prepare=False)
    return await cursor.fetchall()


async def fetch_one(
    connection: Connection, query: str, parameters: dict[str, Any] | None = None
) -> tuple[Any, ...] | None:
    """The first row of the same."""
    cursor = await connection.execute(query, parameters, prepare=False)
    return await cursor.fetchone()
