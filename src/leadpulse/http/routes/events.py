"""Reading events."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from leadpulse.http import answers as told
from leadpulse.http import render
from leadpulse.http.deps import Cursor, Given, Instant, Limit, Reader, Text, an_id
from leadpulse.http.documented import answers
from leadpulse.postgres.events_read import EventFilter
from leadpulse.usecases import events_read, models
from leadpulse.usecases.events_read import EventQuestion

router = APIRouter(tags=["events"])


def _which(
    type: Annotated[  # noqa: A002 - the parameter's public name
        Text | None, Query(max_length=128, description="Only this type.")
    ] = None,
    sessionId: Annotated[  # noqa: N803
        Text | None, Query(max_length=255, description="Only this visit.")
    ] = None,
    from_: Annotated[
        Instant | None, Query(alias="from", description="Only with a timestamp from this on.")
    ] = None,
    to: Annotated[Instant | None, Query(description="Only with a timestamp up to this.")] = None,
) -> EventFilter:
    return EventFilter(event_type=type, session_id=sessionId, since=from_, until=to)


@router.get("/api/events", responses=answers(told.EventList, "not_found", "invalid"))
async def list_events(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the call
    services: Given,
    caller: Reader,
    which: Annotated[EventFilter, Depends(_which)],
    leadId: Annotated[Text | None, Query(max_length=64, description="Only of this lead.")] = None,  # noqa: N803
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Events, newest first: in the order in which they came in, of one lead by timestamp.

    A page may be short and still have a `nextCursor`, when few of many events match.
    """
    question = EventQuestion(which, leadId, limit, cursor)
    found = await events_read.list_events(services.pool, caller.project_id, question)
    return render.answer(
        {
            "events": [render.event(row, found.beside.get(row.id)) for row in found.events],
            "nextCursor": found.next_cursor,
        }
    )


@router.get("/api/events/{event_id}", responses=answers(told.EventDetail, "not_found"))
async def get_event(
    services: Given,
    caller: Reader,
    event_id: Annotated[str, Path(description="Our id of the event (not its eventId).")],
) -> Response:
    """An event, its way through the pipeline, and what it scored."""
    found = await events_read.get_event(
        services.pool, services.models, caller.project_id, an_id(event_id, "event")
    )
    if found.committed_at is None:
        known = services.commits.of(caller.project_id, found.event.id)
        found = replace(found, committed_at=known)
    current = await models.current_model(services.pool, services.models, caller.project_id)
    names = {rule.id: rule.name for rule in current.model.rules}
    delivered = None if services.live is None else services.live.delivered_at(found.event.id)
    return render.answer(render.event_with_pipeline(found, names, delivered))
