"""What a person may ask for, and how long a project keeps what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_privacy as told
from leadpulse.http import render
from leadpulse.http.deps import Cursor, Given, LeadId, Limit, Remover, Text, allowed, an_id
from leadpulse.http.documented import answers, of_people
from leadpulse.http.render import when
from leadpulse.http.schemas import Sent, Whole
from leadpulse.http.signed_in import SignedIn
from leadpulse.http.within import within
from leadpulse.usecases import erase, person_export, project_removal, retention
from leadpulse.usecases.principals import Principal, who

router = APIRouter(tags=["privacy"])
# Below one project; whose it is, `within` looks at.
one = APIRouter(prefix="/api/projects/{project_id}", tags=["privacy"])

PersonExporter = Annotated[Principal, Depends(allowed(Permission.PERSON_EXPORT))]
Suppressor = Annotated[Principal, Depends(within(Permission.SUPPRESSIONS))]
Retainer = Annotated[Principal, Depends(within(Permission.RETENTION))]
Deleter = Annotated[Principal, Depends(within(Permission.PROJECT_DELETE))]


class RetentionSetting(Sent):
    """How long events keep their content."""

    days: Annotated[int, Field(ge=1, le=retention.LONGEST), Whole] | None = Field(
        description="So many days after they happened; null: for ever."
    )


# ── A person ─────────────────────────────────────────────────────────────────────────


@router.get("/api/leads/{lead_id}/export", responses=answers(told.Person, "not_found"))
async def export_person(services: Given, caller: PersonExporter, lead_id: LeadId) -> Response:
    """Everything about a person, as one JSON document that comes in pieces.

    It is no single instant: what changes while it is made may be in it or not.
    """
    pieces = person_export.export_person(services.pool, caller.project_id, lead_id)
    # Whatever goes wrong at the beginning is still answered as an error.
    head = await anext(pieces)

    async def body() -> Any:
        yield head
        async for piece in pieces:
            yield piece

    name = {"Content-Disposition": f'attachment; filename="person-{lead_id}.json"'}
    return StreamingResponse(body(), media_type="application/json", headers=name)


@router.post("/api/leads/{lead_id}/erase", responses=answers(told.ErasedPerson, "not_found"))
async def erase_person(services: Given, caller: Remover, lead_id: LeadId) -> Response:
    """Erases a person everywhere, with all leads that merged, and keeps nothing more of him.

    Events that name his userId, his email or the lead are answered as ever from then on, and not
    kept. Counts stay. Nobody can undo it; an owner can lift the suppression.
    """
    done = await erase.erase(services.pool, caller.project_id, lead_id, who(caller))
    return render.answer(
        {
            "leadId": done.root_id,
            "leads": done.leads,
            "erasedAt": when(done.made_at),
            "status": "done" if done.done else "running",
        }
    )


# ── Suppressions ─────────────────────────────────────────────────────────────────────


@one.get(
    "/suppressions",
    responses=answers(told.Suppressions, "not_found", "people_only", "invalid"),
)
async def list_suppressions(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the call
    services: Given,
    caller: Suppressor,
    userId: Annotated[  # noqa: N803
        Text | None, Query(min_length=1, max_length=255, description="Only of this userId.")
    ] = None,
    email: Annotated[Text | None, Query(max_length=510, description="Only of this email.")] = None,
    leadId: Annotated[  # noqa: N803
        Text | None, Query(max_length=36, description="Only of this lead.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Of whom nothing is kept. Identifiers can be asked for, and are told by nobody."""
    name = erase.a_name(userId, email, leadId)
    found, following = await erase.list_suppressions(
        services.pool, caller.project_id, name, (cursor, limit)
    )
    listed = [
        {
            "id": one.id,
            "kinds": [erase.KINDS[kind] for kind in one.kinds],
            "leads": one.leads,
            "createdAt": when(one.created_at),
            "createdBy": one.created_by,
        }
        for one in found
    ]
    return render.answer({"suppressions": listed, "nextCursor": following})


@one.delete(
    "/suppressions/{suppression_id}",
    status_code=204,
    responses={
        **answers(None, "not_found", "people_only"),
        204: {"description": "Events of the person are kept again."},
    },
)
async def lift_suppression(
    services: Given,
    caller: Suppressor,
    suppression_id: Annotated[str, Path(description="The id of a suppression.")],
) -> Response:
    """Keeps events of an erased person again; what was erased stays so."""
    which = an_id(suppression_id, "suppression")
    await erase.lift(services.pool, caller.project_id, which)
    return Response(status_code=204)


# ── Retention ────────────────────────────────────────────────────────────────────────


@one.get(
    "/retention",
    responses=answers(told.Retention, "not_found", "people_only"),
)
async def get_retention(services: Given, caller: Retainer) -> Response:
    """After how many days events lose their content."""
    return render.answer({"days": await retention.get_days(services.pool, caller.project_id)})


@one.put(
    "/retention",
    responses=answers(told.Retention, "not_found", "people_only", body=True),
)
async def set_retention(services: Given, caller: Retainer, setting: RetentionSetting) -> Response:
    """Sets after how many days events lose properties, traits and session.

    Scores stay exactly what they are. Under a later model an event without content matches
    rules without conditions, and a rule with conditions only if it did before and they are still
    the same. What is gone doesn't come back.
    """
    await retention.set_days(services.pool, caller.project_id, setting.days)
    return render.answer({"days": setting.days})


# ── Deleting a project ───────────────────────────────────────────────────────────────


@one.delete(
    "",
    responses=answers(told.DeletedProject, "not_found", "people_only"),
)
async def delete_project(services: Given, caller: Deleter) -> Response:
    """Shuts a project: no key and no session opens it any more.

    An owner can restore it for seven days; then its rows are removed.
    """
    deleted_at = await project_removal.delete_project(services.pool, caller.project_id, caller)
    services.keys.forget()
    services.accounts.sessions.forget()
    return render.answer(
        {
            "id": caller.project_id,
            "deletedAt": when(deleted_at),
            "removedAt": when(deleted_at + project_removal.KEPT),
        }
    )


@router.post(
    "/api/projects/{project_id}/restore",
    status_code=204,
    responses={
        **of_people(None, "not_found", "missing_role", "too_late"),
        204: {"description": "It is as it was."},
    },
)
async def restore_project(
    services: Given,
    session: SignedIn,
    project_id: Annotated[str, Path(description="The id of the project.")],
) -> Response:
    """Undoes the deletion of a project; for its owners, whichever project they work in."""
    which = an_id(project_id, "project")
    await project_removal.restore_project(services.pool, session.user_id, which)
    services.keys.forget()
    services.accounts.sessions.forget()
    return Response(status_code=204)
