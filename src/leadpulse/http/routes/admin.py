"""Looking after one's own project."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from leadpulse.http import answers_admin as told
from leadpulse.http import render
from leadpulse.http.deps import Admin, Cursor, Given, Limit
from leadpulse.http.documented import answers
from leadpulse.usecases import admin, verify

router = APIRouter(prefix="/api/admin", tags=["admin"])


@router.get("/system-health", responses=answers(told.SystemHealth))
async def system_health(services: Given, caller: Admin) -> Response:
    """The state of the project and of what serves it."""
    found = await admin.system_health(services.pool, caller.project_id)
    return render.answer(render.system_health(found))


@router.get("/failed-jobs", responses=answers(told.FailedJobs, "invalid"))
async def failed_jobs(
    services: Given,
    caller: Admin,
    state: Annotated[
        Literal["open", "replayed", "discarded"], Query(description="What became of them.")
    ] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Work that failed for good, newest first."""
    jobs, following = await admin.list_failed_jobs(
        services.pool, caller.project_id, state, cursor, limit
    )
    return render.answer(
        {"jobs": [render.failed_job(job) for job in jobs], "nextCursor": following}
    )


@router.get("/conflicts", responses=answers(told.Conflicts, "invalid"))
async def conflicts(
    services: Given, caller: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Calls of the last week that used an eventId again for something else, newest first."""
    found, following = await admin.list_conflicts(services.pool, caller.project_id, cursor, limit)
    return render.answer(
        {"conflicts": [render.conflict(item) for item in found], "nextCursor": following}
    )


@router.get("/quarantine", responses=answers(told.Quarantine, "invalid"))
async def quarantine(
    services: Given, caller: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Leads with events beyond the daily ceiling, which are stored but not scored."""
    found, following = await admin.list_quarantine(services.pool, caller.project_id, cursor, limit)
    leads = [{"leadId": lead.lead_id, "events": lead.events} for lead in found]
    return render.answer({"leads": leads, "nextCursor": following})


@router.post("/verify", responses=answers(told.VerifyReport))
async def verify_scores(services: Given, caller: Admin) -> Response:
    """Holds every score and ledger of the project against its raw events.

    Takes about a minute for each million events; `leadpulse verify` shows how far it is.
    """
    report = await verify.verify_project(services.pool, caller.project_id)
    return render.answer(
        {
            "leadsChecked": report.leads_checked,
            "pending": report.pending,
            "failed": report.failed,
            "differingCount": report.differing_count,
            "differing": [{"leadId": item.lead_id, "what": item.what} for item in report.differing],
            "ok": report.ok,
        }
    )
