"""Figures of a project."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from leadpulse.http import answers_admin as told
from leadpulse.http import render
from leadpulse.http.deps import Given, Limit, Reader
from leadpulse.http.documented import answers
from leadpulse.usecases import analytics

router = APIRouter(prefix="/api/analytics", tags=["analytics"])


@router.get("/dashboard", responses=answers(told.Dashboard))
async def dashboard(services: Given, caller: Reader) -> Response:
    """The figures of a project; `previous` holds those of a day before.

    Beyond 10,000 leads these are counted beside the scorers, and told as of the last count.
    """
    found = await services.dashboards.get(services.pool, services.models, caller.project_id)
    return render.answer(render.dashboard(found))


@router.get("/throughput", responses=answers(told.Throughput, "invalid"))
async def throughput(
    services: Given,
    caller: Reader,
    hours: Annotated[
        int, Query(ge=1, le=8784, description="How many hours; by the hour at most 744.")
    ] = 24,
    by: Annotated[analytics.By, Query(description="What a point stands for.")] = "hour",
) -> Response:
    """Events received and scored, by the hour or day; those without any are there too.

    Days are those of the project's time zone, and whole: the first is the one in which the hours
    begin.
    """
    found = await analytics.throughput(services.pool, caller.project_id, hours, by)
    points = [
        {"from": render.when(h.begins), "events": h.events, "mutations": h.mutations} for h in found
    ]
    return render.answer({"hours": hours, "by": by, "points": points})


@router.get("/queue-health", responses=answers(told.QueueHealth))
async def queue_health(services: Given, caller: Reader) -> Response:
    """What waits in this project, and who works on it."""
    found, oldest = await analytics.queue_health(services.pool, caller.project_id)
    return render.answer(
        {
            "waiting": found.waiting,
            "active": found.active,
            "completed": found.scored,
            "failed": found.failed,
            "workers": found.workers,
            "maxWorkers": max(found.workers, services.settings.workers),
            "oldestSeconds": oldest,
            "retrying": found.retrying,
        }
    )


@router.get("/score-mutations", responses=answers(told.ScoreMutations, "invalid"))
async def score_mutations(services: Given, caller: Reader, limit: Limit = 50) -> Response:
    """The newest scored events with their lead."""
    found = await analytics.score_mutations(services.pool, caller.project_id, limit)
    return render.answer(
        {"mutations": [render.mutation(item) for item in found], "nextCursor": None}
    )
