"""Looking after one's own project."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from leadpulse.http import answers_admin as told
from leadpulse.http import render
from leadpulse.http.deps import Cursor, Given, LeadId, Limit, Operating, an_id
from leadpulse.http.documented import answers
from leadpulse.http.services import Services
from leadpulse.http.version import VERSION
from leadpulse.usecases import admin, repair, verify

router = APIRouter(prefix="/api/admin", tags=["admin"])

# Seconds; proxies give up on an answer not much later.
_LONGEST_CHECK = 55.0


@router.get("/system-health", responses=answers(told.SystemHealth))
async def system_health(services: Given, caller: Operating) -> Response:
    """The state of the project and of what serves it."""
    found = await admin.system_health(services.pool, caller.project_id)
    api = {"version": VERSION, "startedAt": render.when(services.started_at)}
    return render.answer(render.system_health(found, api, await _valkey(services)))


async def _valkey(services: Services) -> dict[str, Any]:
    if services.valkey is None:
        return {"state": "none", "latencyMs": None}
    asked = time.perf_counter()
    if not await services.valkey.answers():
        return {"state": "down", "latencyMs": None}
    return {"state": "up", "latencyMs": render.milliseconds(time.perf_counter() - asked)}


@router.get("/failed-jobs", responses=answers(told.FailedJobs, "invalid"))
async def failed_jobs(
    services: Given,
    caller: Operating,
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
    services: Given, caller: Operating, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Calls of the last week that used an eventId again for something else, newest first."""
    found, following = await admin.list_conflicts(services.pool, caller.project_id, cursor, limit)
    return render.answer(
        {"conflicts": [render.conflict(item) for item in found], "nextCursor": following}
    )


@router.get("/quarantine", responses=answers(told.Quarantine, "invalid"))
async def quarantine(
    services: Given, caller: Operating, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Leads with events beyond the daily ceiling, which are stored but not scored."""
    found, following = await admin.list_quarantine(services.pool, caller.project_id, cursor, limit)
    leads = [{"leadId": lead.lead_id, "events": lead.events} for lead in found]
    return render.answer({"leads": leads, "nextCursor": following})


def _job_id(job_id: Annotated[str, Path(description="The id of failed work.")]) -> str:
    return an_id(job_id, "dead letter")


JobId = Annotated[str, Depends(_job_id)]


def _done(message: str, leads: int) -> Response:
    return render.answer({"success": True, "message": message, "leads": leads}, 202)


@router.post(
    "/retry-failed/{job_id}",
    status_code=202,
    responses=answers(told.Done, "not_found", "already_settled", status=202),
)
async def retry_failed(services: Given, caller: Operating, job_id: JobId) -> Response:
    """Tries failed work again: its lead is folded from all its events."""
    await repair.retry_dead_letter(services.pool, caller.project_id, job_id)
    return _done("The lead will be scored again.", 1)


@router.post(
    "/discard-failed/{job_id}",
    status_code=202,
    responses=answers(told.Done, "not_found", "already_settled", status=202),
)
async def discard_failed(services: Given, caller: Operating, job_id: JobId) -> Response:
    """Gives failed work up; the event at fault, if it is known, no longer counts.

    `restore-event` takes that back.
    """
    letter = await repair.discard_dead_letter(services.pool, caller.project_id, job_id)
    if letter.event is None:
        return _done("The work was discarded; no single event is at fault.", 0)
    return _done(f"The event {letter.event} no longer counts.", 1)


@router.post(
    "/restore-event/{event_id}",
    status_code=202,
    responses=answers(told.Done, "not_found", status=202),
)
async def restore_event(
    services: Given,
    caller: Operating,
    event_id: Annotated[str, Path(description="Our id of the event (not its eventId).")],
) -> Response:
    """Lets a discarded event count again."""
    await repair.restore_event(services.pool, caller.project_id, an_id(event_id, "event"))
    return _done("The event counts again.", 1)


@router.post(
    "/release/{lead_id}",
    status_code=202,
    responses=answers(told.Done, "not_found", status=202),
)
async def release(services: Given, caller: Operating, lead_id: LeadId) -> Response:
    """Scores the events of a lead that a ceiling held back."""
    events = await repair.release_lead(services.pool, caller.project_id, lead_id)
    return _done(f"Released events: {events}.", 1 if events else 0)


@router.post(
    "/rebuild/{lead_id}",
    status_code=202,
    responses=answers(told.Done, "not_found", status=202),
)
async def rebuild(services: Given, caller: Operating, lead_id: LeadId) -> Response:
    """Folds a lead again from its first event, in the background."""
    await repair.rebuild_lead(services.pool, caller.project_id, lead_id)
    return _done("The lead will be folded from its first event.", 1)


@router.post("/rebuild-project", status_code=202, responses=answers(told.Done, status=202))
async def rebuild_project(services: Given, caller: Operating) -> Response:
    """Folds every lead of the project again from its first event, in the background."""
    leads = await admin.count_leads(services.pool, caller.project_id)
    await repair.rebuild_project(services.pool, caller.project_id)
    return _done("Every lead will be folded from its first event.", leads)


@router.post("/verify", responses=answers(told.VerifyReport))
async def verify_scores(services: Given, caller: Operating) -> Response:
    """Holds every score and ledger of the project against its raw events.

    Takes about a minute for each million events. What would take longer than a minute ends
    with 503; `leadpulse verify` has no such end, and shows how far it is.
    """
    report = await verify.verify_within(services.pool, caller.project_id, _LONGEST_CHECK)
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
