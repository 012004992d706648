"""Events and leads for a file, in portions: memory doesn't grow, no snapshot stays open."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.errors import NotFound
from leadpulse.domain.spreadsheet import harmless
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres import exporting, leads_read
from leadpulse.postgres.leads_read import PageOrder, Place
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import audit
from leadpulse.usecases.leads_read import Question, lead_filter
from leadpulse.usecases.reading import LeadView, labels, stored_view

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.exporting import StoredEvent
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

_PORTION: Final = 1_000
_COLUMNS: Final = (
    "event", "eventId", "timestamp", "userId", "email", "anonymousId", "sessionId", "properties",
    "traits", "test", "receivedAt",
)  # fmt: skip
_encode = msgspec.json.encode


class Piece(NamedTuple):
    """A part of the file, and how many rows are in it."""

    data: bytes
    rows: int


async def require_project(pool: Pool, project_id: str) -> int:
    """How many events a project has; raises NotFound if there is none with this id."""
    async with snapshot(pool, project_id) as (connection, _):
        if not await exporting.project_exists(connection, project_id):
            raise NotFound("project", project_id)
        return await exporting.count_events(connection, project_id)


async def events_as_jsonl(pool: Pool, project_id: str) -> AsyncIterator[Piece]:
    """Events in the wire form, which `import` takes back; oldest arrival first."""
    async for events in _events(pool, project_id):
        data = b"".join(_encode(_wire(event)) + b"\n" for event in events)
        yield Piece(data, len(events))


async def events_as_csv(pool: Pool, project_id: str) -> AsyncIterator[Piece]:
    """The same as a table; properties and traits are JSON in one cell each."""
    yield Piece(_table([_COLUMNS]), 0)
    async for events in _events(pool, project_id):
        documents = [_wire(event) for event in events]
        rows = [tuple(_cell(document.get(name)) for name in _COLUMNS) for document in documents]
        yield Piece(_table(rows), len(rows))


async def leads_as_jsonl(pool: Pool, cache: ModelCache, project_id: str) -> AsyncIterator[Piece]:
    """Leads as they stand, one a line, oldest first."""
    await audit.record_alone(pool, project_id, "leads.exported")
    after: Place | None = None
    while True:
        async with snapshot(pool, project_id) as (connection, now):
            label = (await labels(connection, cache, project_id)).labels
            wanted = lead_filter(Question(), label.source, now)
            page = PageOrder("createdAt", "asc", _PORTION, now, after)
            found = await leads_read.lead_page(connection, project_id, wanted, page)
        if not found:
            return
        views = [stored_view(item.row, label, now) for item in found]
        yield Piece(b"".join(_encode(_lead(view)) + b"\n" for view in views), len(views))
        if len(found) < _PORTION:
            return
        after = found[-1].place


async def _events(pool: Pool, project_id: str) -> AsyncIterator[list[StoredEvent]]:
    await audit.record_alone(pool, project_id, "events.exported")
    after = exporting.FIRST
    while True:
        async with snapshot(pool, project_id) as (connection, _):
            events = await exporting.events_after(connection, project_id, after, _PORTION)
        if events:
            yield events
        if len(events) < _PORTION:
            return
        after = events[-1].id


def _wire(event: StoredEvent) -> dict[str, Any]:
    known = event.user_id is not None or event.email is not None
    document = {
        "event": event.event_type,
        "eventId": event.event_id,
        "timestamp": to_rfc3339(event.ts),
        "userId": event.user_id,
        "email": event.email,
        "anonymousId": None if known else event.anonymous_id,
        "leadId": None if known or event.anonymous_id else event.lead_id,
        "sessionId": event.session_id,
        "properties": event.properties or None,
        "traits": event.traits or None,
        "test": event.test or None,
        "receivedAt": to_rfc3339(event.received_at),
    }
    return {name: value for name, value in document.items() if value is not None}


def _lead(view: LeadView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "userId": row.user_id,
        "email": row.email,
        "anonymousIds": row.anonymous_ids,
        "name": row.name,
        "company": row.company,
        "traits": row.traits,
        "owner": row.owner,
        "status": row.status,
        "currentScore": view.score,
        "leadStage": view.stage,
        "velocity": view.velocity,
        "risk": view.risk,
        "lastEventAt": None if row.last_act is None else to_rfc3339(row.last_act),
        "createdAt": to_rfc3339(row.created_at),
        "mergedLeads": row.merged,
        "asOf": to_rfc3339(view.as_of),
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return _encode(value).decode()


def _table(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
