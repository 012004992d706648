"""Two kinds of transactions for use cases that answer a request, each with the one clock.

`snapshot` reads, `unit` changes. Both name the projects that they may reach (None: what belongs
to no project): the policies of the tables let nothing else be seen or changed, whatever a
statement says. Both are bounded: a statement that runs away is cut off and told as Overloaded,
so that one heavy question doesn't hold a connection for ever. Both are timed, under the name of
the use case that they are for.
"""

from __future__ import annotations

import inspect
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from leadpulse.domain.errors import Overloaded
from leadpulse.histogram import Histogram
from leadpulse.postgres.connect import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager
    from types import FrameType

Pool = AsyncConnectionPool[Connection]

# One project, several, or none.
Projects: TypeAlias = "str | Iterable[str] | None"

_READ_LIMIT: Final = 15_000
_WRITE_LIMIT: Final = 30_000


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a transaction may reach and how long (ms) each of its statements may take."""

    projects: str
    user: str
    limit_ms: int


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

# The walls go up in the statement that asks for the time: no round trip more.
_BEGIN: Final = """
select clock_timestamp(), set_config('statement_timeout', %s, true),
       set_config('leadpulse.projects', %s, true), set_config('leadpulse.user', %s, true)
"""


def snapshot(
    pool: Pool,
    projects: Projects,
    limit_ms: int = _READ_LIMIT,
    *,
    user: str | None = None,
    wait: float | None = None,
) -> AbstractAsyncContextManager[tuple[Connection, int]]:
    """A read-only transaction that sees one instant, and that instant (µs).

    With `user`, it also reaches what belongs to that person: sessions and memberships. Raises
    Overloaded when no connection is free within `wait` seconds (10 without) or a statement takes
    too long.
    """
    bounds = _Bounds(projects_setting(projects), user or "", limit_ms)
    return _snapshot(pool, bounds, wait, _use_case(inspect.currentframe()))


def unit(
    pool: Pool, projects: Projects, limit_ms: int = _WRITE_LIMIT, *, user: str | None = None
) -> AbstractAsyncContextManager[tuple[Connection, int]]:
    """A transaction that commits as a whole, and the instant (µs) at which it began.

    `user` as for `snapshot`.
    """
    bounds = _Bounds(projects_setting(projects), user or "", limit_ms)
    return _unit(pool, bounds, _use_case(inspect.currentframe()))


def projects_setting(projects: Projects) -> str:
    """The value of `leadpulse.projects` for these projects, in the order that walls look through.

    Raises ValueError for a bad id.
    """
    ids = () if projects is None else (projects,) if isinstance(projects, str) else projects
    return "{" + ",".join(sorted({str(UUID(each)) for each in ids})) + "}"


async def reach(connection: Connection, projects: Projects, *, lasting: bool = False) -> None:
    """Lets the open transaction reach these projects, and no others, from now on.

    For what learns only inside of a transaction which projects it is about. With `lasting` the
    connection itself does, until it is told otherwise; never one that goes back to a pool.
    """
    await connection.execute(
        "select set_config('leadpulse.projects', %s, %s)",
        [projects_setting(projects), not lasting],
    )


class Reach:
    """What one connection after another reaches, told to the server only when it changes."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._projects = frozenset[str]()

    async def set(self, connection: Connection, projects: Iterable[str]) -> None:
        """Lets a connection outside of any transaction reach exactly these projects."""
        wanted = frozenset(projects)
        if connection is self._connection and wanted == self._projects:
            return
        self._connection = None
        await reach(connection, wanted, lasting=True)
        self._connection, self._projects = connection, wanted


def _use_case(here: FrameType | None) -> str:
    """Module and function that asked for a transaction: a few dozen names, none forgotten."""
    asked = None if here is None else here.f_back
    if asked is None:
        return "unknown"
    module = str(asked.f_globals.get("__name__", "")).rpartition(".")[2]
    return f"{module}.{asked.f_code.co_name}"


@asynccontextmanager
async def _snapshot(
    pool: Pool, bounds: _Bounds, wait: float | None, use_case: str
) -> AsyncIterator[tuple[Connection, int]]:
    async with _connection(pool, wait, use_case) as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read read only")
        yield connection, await _begin(connection, bounds)


@asynccontextmanager
async def _unit(
    pool: Pool, bounds: _Bounds, use_case: str
) -> AsyncIterator[tuple[Connection, int]]:
    async with _connection(pool, None, use_case) as connection, connection.transaction():
        yield connection, await _begin(connection, bounds)


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


async def _begin(connection: Connection, bounds: _Bounds) -> int:
    cursor = await connection.execute(_BEGIN, (str(bounds.limit_ms), bounds.projects, bounds.user))
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
