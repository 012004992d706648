"""Whether it works: for load balancers, for people, for Prometheus."""

from __future__ import annotations

import hmac
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from leadpulse.domain.errors import LeadPulseError, Unauthorized
from leadpulse.http import answers_admin as told
from leadpulse.http import metrics, render
from leadpulse.http.deps import Given, identify
from leadpulse.http.documented import problems, public
from leadpulse.http.services import Services
from leadpulse.http.version import VERSION
from leadpulse.postgres.session import is_outage
from leadpulse.usecases import admin, analytics

if TYPE_CHECKING:
    from leadpulse.postgres.queue import QueueState

router = APIRouter(tags=["health"])


@router.get(
    "/api/health",
    responses={
        **public(told.Health),
        503: {"model": told.Health, "description": "It doesn't work: the database is away."},
    },
)
async def health(request: Request, services: Given) -> Response:
    """200 or 503. Callers with a secret key or a session see the details."""
    found = await _installation(services)
    if found is None:
        return render.answer({"status": "down"}, 503)
    body: dict[str, Any] = {"status": "degraded" if found.stuck else "ok"}
    project_id = await _known(request, services)
    if project_id is not None:
        queue, oldest = await analytics.queue_health(services.pool, project_id)
        body |= {
            "database": "up",
            "redis": await _redis(services),
            "live": "up" if services.live is not None and services.live.up else "down",
            "queue": {
                "waiting": queue.waiting,
                "oldestSeconds": oldest,
                "workers": queue.workers,
            },
            "version": VERSION,
        }
    return render.answer(body)


async def _redis(services: Services) -> str:
    if services.valkey is None:
        return "none"
    return "up" if await services.valkey.answers() else "down"


async def _installation(services: Services) -> QueueState | None:
    try:
        return await admin.installation_health(services.pool)
    except (LeadPulseError, TimeoutError):
        return None
    except Exception as error:
        if is_outage(error):
            return None
        raise


async def _known(request: Request, services: Services) -> str | None:
    """The project of who may see details; None for strangers, who get no error here."""
    with suppress(LeadPulseError):
        caller = await identify(request, services)
        return None if caller.public else caller.project_id
    return None


@router.get("/api/health/live", responses=public(told.Alive))
async def live() -> Response:
    """The process answers; nothing else is looked at."""
    return render.answer({"status": "ok"})


@router.get(
    "/metrics",
    responses={
        **problems("unauthorized"),
        200: {
            "description": "Figures in Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
async def figures(request: Request, services: Given) -> Response:
    """Figures of this process and of the work that waits, with LEADPULSE_METRICS_TOKEN."""
    token = services.settings.metrics_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if (
        token is None
        or scheme.lower() != "bearer"
        or not hmac.compare_digest(
            given.strip().encode("utf-8", "replace"), token.get_secret_value().encode()
        )
    ):
        raise Unauthorized("Send LEADPULSE_METRICS_TOKEN as Authorization: Bearer.")
    live = None if services.live is None else services.live.figures()
    page = services.metrics.page(await _installation(services), services.intake, live)
    return Response(page, media_type=metrics.CONTENT_TYPE)
