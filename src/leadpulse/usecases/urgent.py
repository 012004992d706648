"""Whom to call now: open leads, the most urgent next action first, then the highest score.

An action depends on the clock and on the acts of the last day, which no index knows. So the best
of each stage are judged one by one: bounded, and as quick with a million leads.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from leadpulse.domain.intelligence import action_place, risk_of, stage_of
from leadpulse.postgres import urgent as store
from leadpulse.usecases import paging

if TYPE_CHECKING:
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.leads_filter import LeadFilter
    from leadpulse.postgres.leads_read import LeadRow

# So many leads of each stage are judged.
OF_EACH_STAGE: Final = 500
_KIND: Final = "leads.urgency"

# The place of the action, the score and the id, so that the smallest is called first.
Rank = tuple[int, float, int]


class UrgentPage(NamedTuple):
    """Leads in the order in which they are to be called.

    `total` is how many were judged; it is capped where a stage has more.
    """

    rows: list[LeadRow]
    total: int
    total_is_capped: bool
    next_cursor: str | None


class Window(NamedTuple):
    """Which part of the list: behind a place or after some rows; from its end if `backwards`."""

    limit: int
    cursor: str | None
    skip: int
    backwards: bool


async def urgent_page(
    connection: Connection,
    project_id: str,
    wanted: list[LeadFilter],
    judge: tuple[ScoringModel, int],
    window: Window,
) -> UrgentPage:
    """A page of the leads that match any of these filters, by a model at an instant (µs)."""
    model, now = judge
    ranks: list[Rank] = []
    capped = False
    for one in wanted:
        found = await store.best_of(connection, project_id, one, OF_EACH_STAGE + 1, now)
        capped = capped or len(found) > OF_EACH_STAGE
        ranks += [_rank(candidate, model, now) for candidate in found[:OF_EACH_STAGE]]
    ranks.sort()
    if window.backwards:
        ranks = [_turned(rank) for rank in reversed(ranks)]
    begin = window.skip if window.cursor is None else bisect_right(ranks, _place(window))
    shown = ranks[begin : begin + window.limit]
    more = begin + window.limit < len(ranks)
    ids = [str(UUID(int=abs(rank[2]))) for rank in shown]
    rows = await store.rows_of(connection, project_id, ids, now) if ids else []
    return UrgentPage(rows, len(ranks), capped, _cursor(window, shown[-1]) if more else None)


def stages_to_call(wanted: LeadFilter, model: ScoringModel, stage: str | None) -> list[LeadFilter]:
    """The filters that the best leads are looked for with: of each stage, unless one is asked.

    Without a status only open leads are called, and cold ones only where they are asked for.
    """
    if wanted.status is None:
        cold = stage == "cold"
        wanted = replace(wanted, to_call=not cold, status="open" if cold else None)
    if stage is not None:
        return [wanted]
    warm, hot, qualified = model.stages[1:]
    return [
        replace(wanted, low=qualified),
        replace(wanted, low=hot, below=qualified),
        replace(wanted, low=warm, below=hot),
    ]


def _rank(candidate: store.Candidate, model: ScoringModel, now: int) -> Rank:
    velocity = candidate.acts_24h * model.velocity_factor
    risk = risk_of(model, candidate.last_act, now)
    place = action_place(model, stage_of(model, candidate.score), risk, velocity)
    return place, -candidate.score, -UUID(candidate.id).int


def _turned(rank: Rank) -> Rank:
    return -rank[0], -rank[1], -rank[2]


def _cursor(window: Window, rank: Rank) -> str:
    return paging.encode(_kind(window), rank[0], rank[1], str(UUID(int=abs(rank[2]))))


def _place(window: Window) -> Rank:
    place, score, lead = paging.decode(window.cursor or "", _kind(window), (int, float, UUID))
    if not isinstance(place, int) or not isinstance(score, int | float):
        raise paging.bad_cursor()
    number = UUID(str(lead)).int
    return place, float(score), number if window.backwards else -number


def _kind(window: Window) -> str:
    return f"{_KIND}.{'asc' if window.backwards else 'desc'}"
