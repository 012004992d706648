"""Reading leads: one, a page of them, the best ones. Scores here are what `at` says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import STAGES, ScoringModel
from leadpulse.postgres import leads_read
from leadpulse.postgres.leads_filter import LeadFilter, Order, Sort
from leadpulse.postgres.leads_read import PageOrder, Place
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import figures, paging
from leadpulse.usecases.reading import (
    LeadView,
    found_lead,
    labels,
    present_view,
    stored_view,
)
from leadpulse.usecases.urgent import Window, stages_to_call, urgent_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

TOTAL_CAP: Final = 10_000
# So many matches are sorted in a moment; to find them along an index could take very long.
_FEW: Final = 2_000
SEARCH_CAP: Final = 1_000
DEEPEST_ROW: Final = 10_000
LONGEST_SEARCH: Final = 200


@dataclass(frozen=True, slots=True)
class Question:
    """Which page of which leads, as a client asks for it. Instants in µs."""

    stage: str | None = None
    status: str | None = None
    owner: str | None = None
    q: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    risk: str | None = None
    seen_after: int | None = None
    test: bool = False
    sort: Sort | Literal["urgency"] = "score"
    order: Order | None = None
    limit: int = 50
    cursor: str | None = None
    page: int | None = None
    skip: int | None = None


@dataclass(frozen=True, slots=True)
class LeadPage:
    """A page; `total` is exact unless it is capped."""

    leads: list[LeadView]
    total: int
    total_is_capped: bool
    next_cursor: str | None


async def list_leads(
    pool: Pool, cache: ModelCache, project_id: str, question: Question
) -> LeadPage:
    """A page of leads with their total. Raises Invalid for a question that makes no sense."""
    limit = paging.page_size(question.limit)
    if question.sort == "urgency":
        return await _urgent_leads(pool, cache, project_id, question)
    order: Order = question.order or ("asc" if question.sort == "name" else "desc")
    kind = f"leads.{question.sort}.{order}"
    after, skip = _place(question.cursor, kind), _rows_to_skip(question, limit)
    async with snapshot(pool, project_id) as (connection, now):
        await leads_read.follow_indexes(connection)
        label = (await labels(connection, cache, project_id)).labels
        wanted = lead_filter(question, label.source, now)
        cap = TOTAL_CAP if wanted.search is None else SEARCH_CAP
        which, by = (connection, project_id, wanted), (question.sort, order)
        total, met = await leads_read.common(*which, by, cap + 1)
        if total is None:
            total = await leads_read.lead_total(*which, cap + 1)
        few = total <= min(cap, _FEW) and wanted != LeadFilter()
        page = PageOrder(*by, limit + 1, now, after, skip, few=few, one_by_one=met)
        found = await leads_read.lead_page(connection, project_id, wanted, page)
    more = len(found) > limit
    shown = found[:limit]
    return LeadPage(
        leads=[stored_view(item.row, label, now) for item in shown],
        total=min(total, cap),
        total_is_capped=total > cap,
        next_cursor=_cursor(kind, shown[-1].place) if more else None,
    )


async def _urgent_leads(
    pool: Pool, cache: ModelCache, project_id: str, question: Question
) -> LeadPage:
    skip = _rows_to_skip(question, question.limit)
    window = Window(question.limit, question.cursor, skip, question.order == "asc")
    async with snapshot(pool, project_id) as (connection, now):
        await leads_read.follow_indexes(connection)
        label = (await labels(connection, cache, project_id)).labels
        wanted = lead_filter(question, label.source, now)
        stages = stages_to_call(wanted, label.source, question.stage)
        page = await urgent_page(connection, project_id, stages, (label.source, now), window)
    leads = [stored_view(row, label, now) for row in page.rows]
    return LeadPage(leads, page.total, page.total_is_capped, page.next_cursor)


def _rows_to_skip(question: Question, limit: int) -> int:
    if question.page is not None and question.skip is not None:
        raise Invalid([FieldError("skip", "can't be combined with page")])
    skip = question.skip or 0
    if question.page is not None:
        skip = (question.page - 1) * limit
    if skip and question.cursor is not None:
        raise Invalid([FieldError("cursor", "can't be combined with page or skip")])
    if skip and skip + limit > DEEPEST_ROW:
        name = "skip" if question.page is None else "page"
        raise Invalid([FieldError(name, f"ends at row {DEEPEST_ROW}; go on with the cursor")])
    return skip


def _cursor(kind: str, place: Place) -> str:
    return paging.encode(kind, place.segment, place.key, place.id)


def _place(cursor: str | None, kind: str) -> Place | None:
    if cursor is None:
        return None
    sort = kind.split(".")[1]
    shapes: dict[str, tuple[type, ...]] = {
        "score": (float,),
        "lastEventAt": (int, type(None)),
        "createdAt": (type(None),),
        "name": (str, type(None)),
    }
    for segment, key in enumerate(shapes[sort]):
        try:
            values = paging.decode(cursor, kind, (int, key, UUID))
        except Invalid:
            continue
        if values[0] == segment:
            return Place(segment, values[1], str(values[2]))  # type: ignore[arg-type]
    raise paging.bad_cursor()


def lead_filter(question: Question, model: ScoringModel, now: int) -> LeadFilter:
    """The question in terms of what is stored: stages are ranges of scores, risks of times."""
    low = below = None
    if question.stage is not None:
        index = STAGES.index(question.stage)
        low = model.stages[index] if index else None
        below = model.stages[index + 1] if index + 1 < len(STAGES) else None
    seen_from, seen_before = _silence(question.risk, model, now)
    return LeadFilter(
        low=low,
        below=below,
        min_score=question.min_score,
        max_score=question.max_score,
        status=question.status,
        owner=question.owner,
        seen_from=seen_from,
        seen_before=seen_before,
        seen_after=question.seen_after,
        search=_search(question.q),
        test=question.test,
    )


def _silence(risk: str | None, model: ScoringModel, now: int) -> tuple[int | None, int | None]:
    """The range of last acts that means a risk; "after N days" is strictly more."""
    medium = now - math.floor(model.medium_days * DAY)
    high = now - math.floor(model.high_days * DAY)
    if risk == "high":
        return None, high
    if risk == "medium":
        return high, medium
    return (medium, None) if risk == "low" else (None, None)


def _search(text: str | None) -> str | None:
    wanted = (text or "").strip().lower()
    if len(wanted) > LONGEST_SEARCH:
        raise Invalid([FieldError("q", f"must be at most {LONGEST_SEARCH} characters")])
    return wanted or None


async def top_leads(pool: Pool, cache: ModelCache, project_id: str, limit: int) -> list[LeadView]:
    """The leads with the highest scores."""
    limit = paging.page_size(limit)
    async with snapshot(pool, project_id) as (connection, now):
        label = (await labels(connection, cache, project_id)).labels
        page = PageOrder("score", "desc", limit, now)
        found = await leads_read.lead_page(connection, project_id, LeadFilter(), page)
    return [stored_view(item.row, label, now) for item in found]


async def leads_by_stage(pool: Pool, cache: ModelCache, project_id: str) -> Mapping[str, int]:
    """How many leads each stage has."""
    async with snapshot(pool, project_id) as (connection, _):
        label = (await labels(connection, cache, project_id)).labels
        counted = await figures.present(connection, project_id, label.source)
    return dict(zip(STAGES, counted.stages, strict=True))


async def get_lead(pool: Pool, cache: ModelCache, project_id: str, lead_id: str) -> LeadView:
    """A lead, folded forward to now; a merged one is its survivor. Raises NotFound."""
    async with snapshot(pool, project_id) as (connection, now):
        row = await found_lead(connection, project_id, lead_id, now)
        models = await labels(connection, cache, project_id)
        first, last = await leads_read.touches(connection, project_id, row)
    return present_view(row, models.labels, now, (first, last))
