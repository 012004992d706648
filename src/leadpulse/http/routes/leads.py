"""Reading leads, and what happened to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from leadpulse.http import answers as told
from leadpulse.http import render, render_leads
from leadpulse.http.answers_leads import Explanation
from leadpulse.http.deps import Cursor, Exporter, Given, Instant, LeadId, Limit, Reader, Text
from leadpulse.http.documented import answers
from leadpulse.http.schemas import Risk, Stage, Status
from leadpulse.usecases import explanation, export_leads, lead_history, leads_read
from leadpulse.usecases.leads_read import LONGEST_SEARCH, Question

router = APIRouter(tags=["leads"])

Sort = Literal["score", "lastEventAt", "createdAt", "name", "urgency"]
_SCORE: dict[str, Any] = {"ge": -1e9, "le": 1e9, "allow_inf_nan": False}


def _which(  # noqa: PLR0913, PLR0917 - one parameter per filter of the call
    stage: Annotated[Stage | None, Query(description="Only this stage.")] = None,
    status: Annotated[Status | None, Query(description="Only this status.")] = None,
    owner: Annotated[Text | None, Query(max_length=255, description="Only this owner.")] = None,
    q: Annotated[
        Text | None,
        Query(
            max_length=LONGEST_SEARCH,
            description="Searches name, email, company and userId, and the start of "
            "anonymousId. One or two characters match beginnings of words.",
        ),
    ] = None,
    minScore: Annotated[float | None, Query(description="From this score on.", **_SCORE)] = None,  # noqa: N803
    maxScore: Annotated[float | None, Query(description="Up to this score.", **_SCORE)] = None,  # noqa: N803
    risk: Annotated[Risk | None, Query(description="Only this risk.")] = None,
    seenAfter: Annotated[  # noqa: N803
        Instant | None, Query(description="Only with an act after this time.")
    ] = None,
    test: Annotated[  # noqa: FBT002 - a parameter of the call
        bool, Query(description="The leads made by test events, which are left out otherwise.")
    ] = False,
) -> Question:
    return Question(
        stage=stage,
        status=status,
        owner=owner,
        q=q,
        min_score=minScore,
        max_score=maxScore,
        risk=risk,
        seen_after=seenAfter,
        test=test,
    )


Which = Annotated[Question, Depends(_which)]


@router.get("/api/leads", responses=answers(told.LeadList, "invalid"))
async def list_leads(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the call
    services: Given,
    caller: Reader,
    which: Which,
    sort: Annotated[Sort, Query(description="What to order by.")] = "score",
    order: Annotated[
        Literal["asc", "desc"] | None, Query(description="Default: names rise, the rest falls.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    page: Annotated[int | None, Query(ge=1, le=10_000, description="A page by number.")] = None,
    skip: Annotated[int | None, Query(ge=0, le=10_000, description="Rows to skip.")] = None,
) -> Response:
    """A page of leads.

    `page` or `skip` reach to row 10,000; beyond, go on with `cursor`. `total` is exact up to
    10,000, and to 1,000 in a search. Leads without a name, or without an act, come last.

    `sort=urgency` is whom to call now: open leads (unless a status is asked for) from `warm` on,
    the most urgent next action of the model first, then the highest score. It looks at the 500
    highest scores of each stage, which `total` counts.
    """
    question = Question(
        **{
            **{name: getattr(which, name) for name in Question.__dataclass_fields__},
            "sort": sort,
            "order": order,
            "limit": limit,
            "cursor": cursor,
            "page": page,
            "skip": skip,
        }
    )
    found = await leads_read.list_leads(services.pool, services.models, caller.project_id, question)
    return render.answer(
        {
            "leads": [render.lead(view) for view in found.leads],
            "total": found.total,
            "totalIsCapped": found.total_is_capped,
            "nextCursor": found.next_cursor,
        }
    )


@router.get(
    "/api/leads/export",
    responses={
        **answers(None, "invalid"),
        200: {
            "description": "The file: a line per lead, oldest first.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
async def export(services: Given, caller: Exporter, which: Which) -> Response:
    """All leads that match, as CSV (`leads-export.csv`).

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    lines = export_leads.export_leads(services.pool, services.models, caller.project_id, which)
    # Whatever goes wrong at the beginning is still answered as an error.
    head = [await anext(lines), await anext(lines, b"")]

    async def body() -> Any:
        for part in head:
            yield part
        async for part in lines:
            yield part

    return StreamingResponse(
        body(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="leads-export.csv"'},
    )


@router.get("/api/leads/leaderboard", responses=answers(told.TopLeads, "invalid"))
@router.get("/api/leaderboard", responses=answers(told.TopLeads, "invalid"))
async def leaderboard(services: Given, caller: Reader, limit: Limit = 10) -> Response:
    """The leads with the highest scores."""
    found = await leads_read.top_leads(services.pool, services.models, caller.project_id, limit)
    return render.answer({"leads": [render.lead(view) for view in found]})


@router.get("/api/leaderboard/by-stage", responses=answers(told.ByStage))
async def by_stage(services: Given, caller: Reader) -> Response:
    """How many leads each stage has."""
    return render.answer(
        await leads_read.leads_by_stage(services.pool, services.models, caller.project_id)
    )


@router.get("/api/leads/{lead_id}", responses=answers(told.Lead, "not_found"))
async def get_lead(services: Given, caller: Reader, lead_id: LeadId) -> Response:
    """A lead, its score decayed to now. The id of a merged one answers the survivor."""
    found = await leads_read.get_lead(services.pool, services.models, caller.project_id, lead_id)
    return render.answer(render.lead(found))


@router.get("/api/leads/{lead_id}/history", responses=answers(told.History, "not_found", "invalid"))
async def history(
    services: Given, caller: Reader, lead_id: LeadId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The ledger of a lead, oldest first.

    Decay that has begun since the last event is the last entry, `open`.
    """
    entries, following = await lead_history.lead_history(
        services.pool, services.models, (caller.project_id, lead_id), cursor, limit
    )
    return render.answer(
        {"entries": [render.history_entry(e) for e in entries], "nextCursor": following}
    )


@router.get(
    "/api/leads/{lead_id}/timeline",
    responses={
        **answers(None, "not_found", "invalid"),
        200: {"model": told.Timeline | told.Sessions},
    },
)
async def timeline(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the call
    services: Given,
    caller: Reader,
    lead_id: LeadId,
    groupBy: Annotated[  # noqa: N803
        Literal["session"] | None, Query(description="`session`: visits instead of events.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What a lead did, newest first, and what each event added to the score."""
    lead = (caller.project_id, lead_id)
    if groupBy == "session":
        sessions, following = await lead_history.lead_sessions(services.pool, lead, cursor, limit)
        return render.answer(
            {"sessions": [render.session(s) for s in sessions], "nextCursor": following}
        )
    lines, following = await lead_history.lead_timeline(services.pool, lead, cursor, limit)
    return render.answer(
        {"events": [render.timeline_event(e) for e in lines], "nextCursor": following}
    )


@router.get("/api/leads/{lead_id}/intelligence", responses=answers(told.Intelligence, "not_found"))
async def intelligence(services: Given, caller: Reader, lead_id: LeadId) -> Response:
    """What the score and the activity of a lead mean now."""
    meaning = await lead_history.lead_intelligence(
        services.pool, services.models, caller.project_id, lead_id
    )
    return render.answer(render.intelligence(meaning))


@router.get(
    "/api/leads/{lead_id}/explanation", responses=answers(Explanation, "not_found", "invalid")
)
async def explain(
    services: Given,
    caller: Reader,
    lead_id: LeadId,
    at: Annotated[
        Instant | None, Query(description="When; up to a year ahead, for what decay will do.")
    ] = None,
) -> Response:
    """Why a lead has its score: what rules gave, caps and bounds cut, and decay took.

    At any instant, by what is known now: a late event counts from when it happened. The points of
    rules, adjustments, decay and bounds add up to the score.
    """
    found = await explanation.lead_explanation(
        services.pool, services.models, (caller.project_id, lead_id), at
    )
    return render.answer(render_leads.explanation(found))
