"""Data that isn't a customer's own: samples, tests, simulated events; and the first steps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_data as told
from leadpulse.http import render
from leadpulse.http.bodies import decode
from leadpulse.http.deps import Given, allowed
from leadpulse.http.documented import answers
from leadpulse.http.event_calls import SentEvent
from leadpulse.http.schemas_projects import StepsSetting
from leadpulse.http.within import within
from leadpulse.usecases import first_steps, marked, sample, simulator
from leadpulse.usecases.first_steps import FirstSteps
from leadpulse.usecases.principals import Principal, who

router = APIRouter(tags=["events"])
one = APIRouter(prefix="/api/projects/{project_id}", tags=["projects"])

Reader = Annotated[Principal, Depends(within(Permission.LEADS_READ))]
Writer = Annotated[Principal, Depends(within(Permission.PROJECT_WRITE))]
Remover = Annotated[Principal, Depends(within(Permission.LEADS_REMOVE))]
Person = Annotated[Principal, Depends(within(Permission.FIRST_STEPS))]
Sender = Annotated[Principal, Depends(allowed(Permission.EVENTS_SEND))]


@router.post(
    "/api/simulator/events",
    status_code=202,
    responses=answers(told.Simulated, "unknown_lead", "paused", status=202, body=True),
    # Only described here: it is read as it was sent, by the reader of all events.
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{SentEvent.__name__}"}
                }
            },
        }
    },
)
async def simulate(request: Request, services: Given, caller: Sender) -> Response:
    """Takes an event as from a trusted caller; answers after it is durable, with our id of it.

    `GET /api/events/{id}` tells its way through the pipeline.
    """
    document = decode(await request.body())
    made = await simulator.simulate(
        services.pool, services.intake.buffer, services.commits, caller.project_id, document
    )
    return render.answer(
        {
            "status": made.status,
            "eventId": made.event_id,
            "id": made.id,
            "leadId": made.lead_id,
        },
        202,
    )


# ── Sample data ──────────────────────────────────────────────────────────────────────


@one.get("/sample-data", responses=answers(told.SampleData, "not_found"))
async def get_sample_data(services: Given, caller: Reader) -> Response:
    """Whether the project has sample data."""
    found = await sample.look(services.pool, caller.project_id)
    return render.answer({"present": found.present, "leads": found.leads})


@one.post(
    "/sample-data",
    status_code=202,
    responses=answers(told.AddedSample, "not_found", "paused", "conflict", status=202),
)
async def add_sample_data(services: Given, caller: Writer) -> Response:
    """Fills the project with some sixty made-up people and their last thirty days.

    They are marked `sample` and count in figures. A second call while they are there adds nothing.
    """
    made = await sample.add(
        services.pool, services.models, services.intake.buffer, caller.project_id
    )
    return render.answer({"leads": made.leads, "events": made.events}, 202)


@one.delete("/sample-data", responses=answers(told.RemovedLeads, "not_found"))
async def remove_sample_data(services: Given, caller: Writer) -> Response:
    """Takes sample data away, with everything that hangs on it; figures are as before."""
    gone = await sample.remove(services.pool, caller.project_id, who(caller))
    return render.answer({"removed": gone.removed, "remaining": gone.remaining})


# ── Test leads ───────────────────────────────────────────────────────────────────────


@one.get("/test-leads", responses=answers(told.TestLeads, "not_found"))
async def count_test_leads(services: Given, caller: Reader) -> Response:
    """How many leads were made by test events, and are in no figure."""
    leads = await marked.count_marked(services.pool, caller.project_id, "test")
    return render.answer({"leads": leads})


@one.delete("/test-leads", responses=answers(told.RemovedLeads, "not_found"))
async def remove_test_leads(services: Given, caller: Remover) -> Response:
    """Removes all of them with their events. Who sent more than tests is no test lead."""
    gone = await marked.remove_marked(services.pool, caller.project_id, "test", who(caller))
    return render.answer({"removed": gone.removed, "remaining": gone.remaining})


# ── First steps ──────────────────────────────────────────────────────────────────────


def _shown(found: FirstSteps) -> Response:
    steps = found.steps
    return render.answer(
        {
            "firstEventAt": render.when(steps.event),
            "firstLeadAt": render.when(steps.lead),
            "firstIdentifiedAt": render.when(steps.identified),
            "firstQualifiedAt": render.when(steps.qualified),
            "dismissed": found.dismissed,
        }
    )


@one.get("/first-steps", responses=answers(told.FirstSteps, "not_found"))
async def get_first_steps(services: Given, caller: Reader) -> Response:
    """How far the project has come since it was made."""
    return _shown(await first_steps.first_steps(services.pool, caller))


@one.put("/first-steps", responses=answers(told.FirstSteps, "not_found", "people_only", body=True))
async def set_first_steps(services: Given, caller: Person, setting: StepsSetting) -> Response:
    """Puts the first steps away for who is logged in, or shows them again."""
    await first_steps.dismiss(services.pool, caller, dismissed=setting.dismissed)
    return _shown(await first_steps.first_steps(services.pool, caller))
