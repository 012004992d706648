"""Looking after one project, and the health of the installation."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from leadpulse.domain.errors import NotFound
from leadpulse.postgres import admin_read, publishing
from leadpulse.postgres.admin_read import (
    FailedJob,
    HeldLead,
    JobState,
    StoredConflict,
    System,
    Worker,
)
from leadpulse.postgres.queue import queue_state
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import paging

if TYPE_CHECKING:
    from leadpulse.postgres.publishing import Rescore
    from leadpulse.postgres.queue import QueueState
    from leadpulse.postgres.session import Pool

# A scorer that gave no sign of life for so long (µs) is taken for gone.
ALIVE: Final = 30_000_000
# Whoever asks for health asks again soon: better an answer than the right one a minute later.
_HEALTH_WAIT: Final = 2.0
_HEALTH_LIMIT: Final = 3_000
_HEALTH_WITHIN: Final = 4.0


class Contact(NamedTuple):
    """Since when the database runs (µs), and the seconds in which it answers."""

    started_at: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SystemHealth:
    """What an administrator sees first."""

    system: System
    workers: list[Worker]
    rescore: Rescore | None
    oldest_seconds: float
    contact: Contact


async def system_health(pool: Pool, project_id: str) -> SystemHealth:
    """The state of a project and of what serves it. Raises NotFound."""
    async with snapshot(pool, project_id) as (connection, now):
        found = await admin_read.system(connection, project_id)
        if found is None:
            raise NotFound("project", project_id)
        # A question that costs the database nothing: what it takes is the way there and back.
        asked = time.perf_counter()
        started_at = await admin_read.database_start(connection)
        contact = Contact(started_at, time.perf_counter() - asked)
        workers = await admin_read.workers(connection, now - ALIVE)
        rescore = await publishing.rescore_under_way(connection, project_id)
    return SystemHealth(found, workers, rescore, _age(found.oldest, now), contact)


async def installation_health(pool: Pool) -> QueueState:
    """How much work waits; raises soon if the database doesn't answer."""
    async with asyncio.timeout(_HEALTH_WITHIN):
        async with snapshot(pool, None, _HEALTH_LIMIT, wait=_HEALTH_WAIT) as (conn, _):
            return await queue_state(conn)


def _age(oldest: int | None, now: int) -> float:
    return 0.0 if oldest is None else max(0, now - oldest) / 1_000_000


async def count_leads(pool: Pool, project_id: str) -> int:
    """How many leads a project has."""
    async with snapshot(pool, project_id) as (connection, _):
        return await admin_read.count_leads(connection, project_id)


async def list_failed_jobs(
    pool: Pool, project_id: str, state: JobState, cursor: str | None, limit: int
) -> tuple[list[FailedJob], str | None]:
    """Work that failed for good, newest first."""
    limit = paging.page_size(limit)
    before = _behind(cursor, f"failed.{state}")
    async with snapshot(pool, project_id) as (connection, _):
        found = await admin_read.failed_jobs(connection, project_id, state, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return shown, paging.encode(f"failed.{state}", shown[-1].id) if more else None


async def list_conflicts(
    pool: Pool, project_id: str, cursor: str | None, limit: int
) -> tuple[list[StoredConflict], str | None]:
    """Calls of the last week that used an eventId again for something else, newest first."""
    limit = paging.page_size(limit)
    before = _behind(cursor, "conflicts")
    async with snapshot(pool, project_id) as (connection, _):
        found = await admin_read.conflicts(connection, project_id, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return shown, paging.encode("conflicts", shown[-1].id) if more else None


async def list_quarantine(
    pool: Pool, project_id: str, cursor: str | None, limit: int
) -> tuple[list[HeldLead], str | None]:
    """Leads with held events."""
    limit = paging.page_size(limit)
    after = _behind(cursor, "quarantine")
    async with snapshot(pool, project_id) as (connection, _):
        found = await admin_read.held_leads(connection, project_id, after, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return shown, paging.encode("quarantine", shown[-1].lead_id) if more else None


def _behind(cursor: str | None, kind: str) -> str | None:
    return None if cursor is None else str(paging.decode(cursor, kind, (UUID,))[0])
