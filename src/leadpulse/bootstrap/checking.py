"""Verify over one project or all of them, as one report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.usecases.overview import project_ids
from leadpulse.usecases.verify import VerifyReport, verify_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg_pool import AsyncConnectionPool

    from leadpulse.postgres.connect import Connection


async def verify_everything(
    pool: AsyncConnectionPool[Connection],
    project_id: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Checks one project, or each; raises NotFound for an unknown one."""
    if project_id is not None:
        return await verify_project(pool, project_id, progress)
    total = VerifyReport()
    for one in await project_ids(pool):
        report = await verify_project(pool, one, progress)
        total.leads_checked += report.leads_checked
        total.events_checked += report.events_checked
        total.pending += report.pending
        total.failed += report.failed
        total.differing_count += report.differing_count
        total.differing += report.differing[: 1_000 - len(total.differing)]
    return total
