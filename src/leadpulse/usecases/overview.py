"""What the command line asks of a whole installation; nobody who calls the API may ask this."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from leadpulse.postgres import keeper
from leadpulse.postgres import overview as store
from leadpulse.postgres import projects as projects_store
from leadpulse.postgres.session import snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.overview import OpenLetter
    from leadpulse.postgres.projects import ProjectRow
    from leadpulse.postgres.session import Pool

# Counting everything takes its time.
_LIMIT: Final = 600_000


async def all_projects(pool: Pool) -> list[ProjectRow]:
    """All projects, oldest first."""
    async with _reaching(pool, None) as conn:
        return await projects_store.list_projects(conn)


async def project_ids(pool: Pool) -> list[str]:
    """The ids of all projects, oldest first."""
    async with snapshot(pool, None) as (conn, _):
        return await keeper.reach_everything(conn)


async def count_leads(pool: Pool, project_id: str | None) -> int:
    """How many leads there are, in one project or in all, merged ones included."""
    async with _reaching(pool, project_id) as conn:
        return await store.count_leads(conn, project_id)


async def open_letters(pool: Pool, project_id: str | None) -> list[OpenLetter]:
    """Open dead letters of one project or of all, oldest first."""
    async with _reaching(pool, project_id) as conn:
        return await store.open_letters(conn, project_id)


@asynccontextmanager
async def _reaching(pool: Pool, project_id: str | None) -> AsyncIterator[Connection]:
    """A transaction that reaches one project, or every one."""
    async with snapshot(pool, project_id, _LIMIT) as (conn, _):
        if project_id is None:
            await keeper.reach_everything(conn)
        yield conn
