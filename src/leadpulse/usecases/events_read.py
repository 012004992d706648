"""Reading events: lists, and one with its way through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from leadpulse.domain.errors import NotFound
from leadpulse.domain.intelligence import stage_of
from leadpulse.postgres import events_read
from leadpulse.postgres.events_read import Beside, EventFilter, EventRow, Scored
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import paging
from leadpulse.usecases.reading import labels

if TYPE_CHECKING:
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events; it may be short and still have a next one."""

    events: list[EventRow]
    next_cursor: str | None
    beside: dict[str, Beside]


@dataclass(frozen=True, slots=True)
class EventView:
    """One event: when it was committed (µs; None if PostgreSQL doesn't tell), what it scored."""

    event: EventRow
    committed_at: int | None
    scored: Scored | None
    stage: str | None
    beside: Beside | None


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """Which events a client asks for."""

    wanted: EventFilter
    lead_id: str | None = None
    limit: int = 50
    cursor: str | None = None


async def list_events(pool: Pool, project_id: str, question: EventQuestion) -> EventPage:
    """Newest first: in the order of arrival, or of one lead by timestamp.

    Raises NotFound for an unknown lead, Invalid for a bad cursor.
    """
    limit = paging.page_size(question.limit)
    if question.lead_id is not None:
        return await _of_lead(pool, project_id, question, limit)
    before = None
    if question.cursor is not None:
        before = str(paging.decode(question.cursor, "events", (UUID,))[0])
    async with snapshot(pool, project_id) as (connection, _):
        found, scanned = await events_read.arrivals(
            connection, project_id, question.wanted, before, limit + 1
        )
        shown = found[:limit]
        beside = await events_read.beside(connection, project_id, shown)
    if len(found) > limit:
        return EventPage(shown, paging.encode("events", shown[-1].id), beside)
    further = None if scanned is None else paging.encode("events", scanned)
    return EventPage(shown, further, beside)


async def _of_lead(pool: Pool, project_id: str, question: EventQuestion, limit: int) -> EventPage:
    before = None
    if question.cursor is not None:
        at, event_id = paging.decode(question.cursor, "events.lead", (int, UUID))
        before = (int(str(at)), str(event_id))
    lead_id = question.lead_id or ""
    async with snapshot(pool, project_id) as (connection, _):
        lead = None
        if paging.is_id(lead_id):
            lead = await events_read.survivor(connection, project_id, lead_id)
        if lead is None:
            raise NotFound("lead", lead_id)
        found = await events_read.of_lead(
            connection, (project_id, lead), question.wanted, before, limit + 1
        )
        shown = found[:limit]
        beside = await events_read.beside(connection, project_id, shown)
    if len(found) <= limit:
        return EventPage(shown, None, beside)
    return EventPage(shown, paging.encode("events.lead", shown[-1].ts, shown[-1].id), beside)


async def get_event(pool: Pool, cache: ModelCache, project_id: str, event_id: str) -> EventView:
    """An event by the server's id. Raises NotFound."""
    async with snapshot(pool, project_id) as (connection, _):
        found = None
        if paging.is_id(event_id):
            found = await events_read.one_event(connection, project_id, event_id)
        if found is None:
            raise NotFound("event", event_id)
        model = (await labels(connection, cache, project_id)).labels.source
        event, committed_at, scored = found
        beside = await events_read.beside(connection, project_id, [event])
    if scored is not None and committed_at is not None and committed_at > scored.claimed_at:
        # The row was written again later (released, restored): that commit is another one.
        committed_at = None
    stage = None if scored is None else stage_of(model, scored.new)
    return EventView(event, committed_at, scored, stage, beside.get(event.id))
