"""Changing leads: made, completed, corrected, adjusted, merged, removed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from leadpulse.http import answers_changes as told
from leadpulse.http import render, render_changes, render_leads
from leadpulse.http.answers import Lead
from leadpulse.http.answers_leads import WorkChanges
from leadpulse.http.deps import Cursor, Given, LeadId, Limit, Reader, Remover, Writer, an_id
from leadpulse.http.documented import answers
from leadpulse.http.schemas import LeadChanges, MergeInto, NewAdjustment, NewLead
from leadpulse.usecases import lead_work, leads, leads_read, merges
from leadpulse.usecases.principals import who

router = APIRouter(tags=["leads"])


async def _lead(services: Given, project_id: str, lead_id: str, status: int = 200) -> Response:
    found = await leads_read.get_lead(services.pool, services.models, project_id, lead_id)
    return render.answer(render.lead(found), status)


@router.post(
    "/api/leads",
    status_code=201,
    responses={
        **answers(Lead, "identifier_taken", status=201, body=True),
        200: {"model": Lead, "description": "The lead that has the identifier, completed."},
    },
)
async def create_lead(services: Given, caller: Writer, lead: NewLead) -> Response:
    """Makes a lead; or completes the one that has the email or userId (then 200)."""
    document = lead.model_dump(by_alias=True, exclude_unset=True)
    saved = await leads.create_or_update(services.pool, caller.project_id, document, who(caller))
    return await _lead(services, caller.project_id, saved.lead_id, 201 if saved.created else 200)


@router.patch(
    "/api/leads/{lead_id}",
    responses=answers(Lead, "not_found", "identifier_taken", body=True),
)
async def change_lead(
    services: Given, caller: Writer, lead_id: LeadId, changes: LeadChanges
) -> Response:
    """Changes a lead; what isn't given stays, null removes.

    Somebody who is logged in gives a lead to a member, by the user's id; a key may say any text.
    """
    document = changes.model_dump(by_alias=True, exclude_unset=True)
    root = await leads.patch(services.pool, caller.project_id, lead_id, document, who(caller))
    return await _lead(services, caller.project_id, root)


@router.get("/api/leads/{lead_id}/changes", responses=answers(WorkChanges, "not_found", "invalid"))
async def work_changes(
    services: Given, caller: Reader, lead_id: LeadId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Who changed owner and status of a lead and of those that merged into it, newest first."""
    lead = (caller.project_id, lead_id)
    found, following = await lead_work.lead_changes(services.pool, lead, cursor, limit)
    return render.answer(
        {"changes": [render_leads.work_change(c) for c in found], "nextCursor": following}
    )


@router.delete(
    "/api/leads/{lead_id}",
    status_code=204,
    responses={**answers(None, "not_found"), 204: {"description": "It is gone."}},
)
async def delete_lead(services: Given, caller: Remover, lead_id: LeadId) -> Response:
    """Removes a lead with its events. It comes back when the person is seen again."""
    await leads.delete(services.pool, caller.project_id, lead_id)
    return Response(status_code=204)


@router.post(
    "/api/leads/{lead_id}/adjustments",
    status_code=202,
    responses=answers(told.Adjusted, "not_found", "conflict", status=202, body=True),
)
async def adjust(
    services: Given, caller: Writer, lead_id: LeadId, adjustment: NewAdjustment
) -> Response:
    """Adds signed points by hand. They are never scored again by a later model."""
    document = adjustment.model_dump(by_alias=True, exclude_unset=True)
    made = await leads.adjust(services.pool, caller.project_id, lead_id, document, who(caller))
    return render.answer(render_changes.adjusted(made), 202)


@router.post(
    "/api/leads/{lead_id}/merge",
    responses={
        **answers(None, "not_found", body=True),
        200: {"model": told.Merged | told.MergePreview},
    },
)
async def merge(services: Given, caller: Writer, lead_id: LeadId, into: MergeInto) -> Response:
    """Merges this lead into another one; `preview` only tells what would come of it.

    Ids of both keep answering. It can be undone.
    """
    if into.preview:
        seen = await merges.preview(
            services.pool, services.models, caller.project_id, (lead_id, into.into_id)
        )
        return render.answer(render_changes.preview(seen))
    made = await merges.merge(services.pool, caller.project_id, lead_id, into.into_id, who(caller))
    return render.answer(render_changes.merged(made))


@router.get("/api/leads/{lead_id}/merges", responses=answers(told.Merges, "not_found"))
async def list_merges(services: Given, caller: Reader, lead_id: LeadId) -> Response:
    """Every merge of a lead and of those that merged into it, undone ones included."""
    found = await merges.list_merges(services.pool, caller.project_id, lead_id)
    return render.answer(
        {"merges": [render_changes.merge(row) for row in found], "nextCursor": None}
    )


@router.post(
    "/api/merges/{merge_id}/undo", responses=answers(told.Merge, "not_found", "already_undone")
)
async def undo_merge(
    services: Given,
    caller: Writer,
    merge_id: Annotated[str, Path(description="The id of a merge.")],
) -> Response:
    """Takes a merge back: both are leads of their own, and no event joins them again."""
    undone = await merges.undo(
        services.pool, caller.project_id, an_id(merge_id, "merge"), who(caller)
    )
    return render.answer(render_changes.merge(undone))
