"""Two kinds of transactions for use cases that answer a request, each with the one clock.

`snapshot` reads, `unit` changes. Both are bounded: a statement that runs away is cut off
and told as Overloaded, so that one heavy question doesn't hold a connection for ever.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from leadpulse.domain.errors import Overloaded
from leadpulse.postgres.connect import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Pool = AsyncConnectionPool[Connection]

_READ_LIMIT: Final = 15_000
_WRITE_LIMIT: Final = 30_000


@asynccontextmanager
async def snapshot(
    pool: Pool, limit_ms: int = _READ_LIMIT
) -> AsyncIterator[tuple[Connection, int]]:
    """A read-only transaction that sees one instant, and that instant (µs).

    Raises Overloaded when no connection is free or a statement takes too long.
    """
    async with _connection(pool) as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read read only")
        yield connection, await _begin(connection, limit_ms)


@asynccontextmanager
async def unit(pool: Pool, limit_ms: int = _WRITE_LIMIT) -> AsyncIterator[tuple[Connection, int]]:
    """A transaction that commits as a whole, and the instant (µs) at which it began."""
    async with _connection(pool) as connection, connection.transaction():
        yield connection, await _begin(connection, limit_ms)


@asynccontextmanager
async def _connection(pool: Pool) -> AsyncIterator[Connection]:
    try:
        async with pool.connection() as connection:
            yield connection
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
