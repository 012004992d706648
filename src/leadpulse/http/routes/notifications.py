"""The bell: leads that became hot or qualified since I looked."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from leadpulse.http import answers_leads as told
from leadpulse.http import render, render_leads
from leadpulse.http.deps import Cursor, Given, Instant, Limit, Reader
from leadpulse.http.documented import answers
from leadpulse.http.schemas import Sent
from leadpulse.usecases import notifications

router = APIRouter(tags=["leads"])


class Looked(Sent):
    """Up to when I have seen what rose."""

    seen_until: Instant = Field(
        description="The `at` of the newest that I saw. Earlier than before changes nothing."
    )


@router.get("/api/notifications", responses=answers(told.Notifications, "invalid"))
async def list_notifications(
    services: Given, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Leads that became hot or qualified in the last 30 days and still are, each once.

    Looks at the newest 1,000 rises of the project. What a new model or a rebuild changed does not
    ring, and neither do test leads.
    """
    bell = await notifications.notifications(services.pool, caller, limit, cursor)
    return render.answer(render_leads.notifications(bell))


@router.post("/api/notifications", responses=answers(told.Unseen, body=True))
async def see(services: Given, caller: Reader, looked: Looked) -> Response:
    """Notes that I have seen what rose up to an instant; for nobody else."""
    unseen = await notifications.see(services.pool, caller, looked.seen_until)
    return render.answer({"unseen": unseen})
