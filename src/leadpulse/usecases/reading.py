"""What the reads of leads share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.domain.errors import NotFound
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres import leads_read, publishing
from leadpulse.usecases import paging

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.leads_read import LeadRow
    from leadpulse.postgres.models import ModelCache


async def labels(connection: Connection, cache: ModelCache, project_id: str) -> Models:
    """The newest model of a project, by which stages, risk and actions are told."""
    newest, history = await publishing.in_force(connection, project_id)
    return await cache.get(connection, project_id, newest, history, versions_needed=())


async def found_lead(connection: Connection, project_id: str, lead_id: str, now: int) -> LeadRow:
    """A lead or its survivor; raises NotFound."""
    row = None
    if paging.is_id(lead_id):
        row = await leads_read.one_lead(connection, project_id, lead_id, now)
    if row is None:
        raise NotFound("lead", lead_id)
    return row


def state_of(row: LeadRow) -> State:
    """The fold's state of a lead."""
    return state_from_document(row.state)


def instant_for(state: State, now: int) -> int:
    """The instant a lead is read at: a host's clock may be behind its newest event."""
    return now if state.last is None else max(now, state.last[0])
