"""What the reads of leads share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadpulse.domain.errors import NotFound
from leadpulse.domain.fold import at
from leadpulse.domain.intelligence import next_action, risk_of, stage_of, velocity_score
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres import leads_read, publishing
from leadpulse.usecases import paging

if TYPE_CHECKING:
    from leadpulse.domain.compiled import CompiledModel, Models
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.leads_read import LeadRow, Touch
    from leadpulse.postgres.models import ModelCache


@dataclass(frozen=True, slots=True)
class LeadView:
    """A lead as readers see it at `as_of` (µs)."""

    row: LeadRow
    score: float
    stage: str
    velocity: float
    velocity_score: int
    risk: str | None
    next_action: str
    next_action_text: str
    as_of: int
    first_touch: Touch | None = None
    last_touch: Touch | None = None


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


def stored_view(row: LeadRow, label: CompiledModel, now: int) -> LeadView:
    """A lead of a list: its stored score, and what costs no more than that."""
    return _view(row, row.score, label.source, (row.as_of, now))


def present_view(
    row: LeadRow,
    label: CompiledModel,
    now: int,
    touched: tuple[Touch | None, Touch | None] = (None, None),
) -> LeadView:
    """A lead with its score decayed to now."""
    state = state_of(row)
    t = instant_for(state, now)
    return _view(row, at(state, t).score, label.source, (t, t), touched)


def _view(
    row: LeadRow,
    score: float,
    model: ScoringModel,
    instants: tuple[int, int],
    touched: tuple[Touch | None, Touch | None] = (None, None),
) -> LeadView:
    as_of, now = instants
    stage, risk = stage_of(model, score), risk_of(model, row.last_act, now)
    velocity = row.acts_24h * model.velocity_factor
    action, text = next_action(model, stage, risk, velocity)
    return LeadView(
        row=row,
        score=score,
        stage=stage,
        velocity=velocity,
        velocity_score=velocity_score(row.acts_24h),
        risk=risk,
        next_action=action,
        next_action_text=text,
        as_of=as_of,
        first_touch=touched[0],
        last_touch=touched[1],
    )
