"""Projects: made, listed, set; signed identities; what was done in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_projects as told
from leadpulse.http import render
from leadpulse.http import render_projects as shown
from leadpulse.http.deps import Cursor, Given, Instant, Limit, Text, allowed
from leadpulse.http.documented import answers, of_people
from leadpulse.http.schemas_projects import IdentitySetting, NewProject, ProjectChanges
from leadpulse.http.signed_in import SignedIn
from leadpulse.http.within import within
from leadpulse.postgres.audit import Wanted
from leadpulse.usecases import audit, projects
from leadpulse.usecases.principals import Principal
from leadpulse.usecases.projects import Wish

router = APIRouter(tags=["projects"])
one = APIRouter(prefix="/api/projects/{project_id}", tags=["projects"])

Reader = Annotated[Principal, Depends(within(Permission.PROJECT_READ))]
Writer = Annotated[Principal, Depends(within(Permission.PROJECT_WRITE))]
Identifier = Annotated[Principal, Depends(within(Permission.IDENTITY))]
Auditor = Annotated[Principal, Depends(within(Permission.AUDIT))]


@router.get("/api/projects", responses=answers(told.Projects))
async def list_projects(
    services: Given, caller: Annotated[Principal, Depends(allowed(Permission.PROJECT_READ))]
) -> Response:
    """Every project of a person; of a key the one that it belongs to."""
    if caller.kind == "session":
        found = await projects.list_projects(services.pool, caller.id)
        listed = [shown.project(each.settings, each.role) for each in found]
    else:
        own = await projects.get_project(services.pool, caller.project_id)
        listed = [shown.project(own, None)]
    return render.answer({"projects": listed, "nextCursor": None})


@router.post(
    "/api/projects",
    status_code=201,
    responses=of_people(told.Project, "too_many_projects", status=201, body=True),
)
async def create_project(services: Given, session: SignedIn, wanted: NewProject) -> Response:
    """Makes one more project, owned by who is logged in, with a write key.

    The session goes on in its own project; switch to work in the new one.
    """
    wish = Wish(wanted.name, wanted.preset, wanted.domain, wanted.time_zone)
    made = await projects.open_project(services.pool, session.user_id, wish)
    return render.answer(shown.project(made.settings, made.role), 201)


@one.get("", responses=answers(told.Project, "not_found"))
async def get_project(services: Given, caller: Reader) -> Response:
    """The settings of a project."""
    found = await projects.get_project(services.pool, caller.project_id)
    return render.answer(shown.project(found, caller.role))


@one.patch("", responses=answers(told.Project, "not_found", body=True))
async def change_project(services: Given, caller: Writer, changes: ProjectChanges) -> Response:
    """Changes name, domain and time zone, or pauses the project; what isn't given stays."""
    document = changes.model_dump(by_alias=True, exclude_unset=True)
    changed = await projects.change_project(services.pool, caller.project_id, document)
    services.keys.forget()
    return render.answer(shown.project(changed, caller.role))


@one.get(
    "/identity-verification",
    responses=answers(told.IdentityVerification, "not_found", "people_only"),
)
async def get_identity_verification(services: Given, caller: Identifier) -> Response:
    """Whether claims of identity must be signed, and the secret to sign them with."""
    found = await projects.get_identity(services.pool, caller.project_id)
    return render.answer(shown.identity(found))


@one.put(
    "/identity-verification",
    responses=answers(told.IdentityVerification, "not_found", "people_only", body=True),
)
async def set_identity_verification(
    services: Given, caller: Identifier, setting: IdentitySetting
) -> Response:
    """Demands `userHash` with every userId or email that a write key sends, or doesn't.

    Without it anybody who reads the write key in a page can claim to be somebody; claims never
    change what is confirmed.
    """
    found = await projects.set_identity(
        services.pool,
        caller.project_id,
        demanded=setting.identity_verification == "on",
        new_secret=setting.new_secret,
    )
    services.keys.forget()
    return render.answer(shown.identity(found))


# ── The audit log ────────────────────────────────────────────────────────────────────


def _wanted(
    actor: Annotated[
        Text | None, Query(max_length=100, description="Only by user:<id>, key:<id> or cli.")
    ] = None,
    action: Annotated[
        Text | None, Query(max_length=100, description="Only this, or all of a kind like member.")
    ] = None,
    target: Annotated[
        Text | None, Query(max_length=300, description="Only to this, like member:<id>.")
    ] = None,
    from_: Annotated[Instant | None, Query(alias="from", description="From this time on.")] = None,
    to: Annotated[Instant | None, Query(description="Before this time.")] = None,
) -> Wanted:
    return Wanted(actor, action, target, from_, to)


@one.get(
    "/audit-log",
    responses={
        **answers(None, "not_found", "people_only", "invalid"),
        200: {
            "model": told.AuditLog,
            "description": "A page of the log; with `format` all of it as a file, oldest first.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/jsonl": {"schema": {"type": "string"}},
            },
        },
    },
)
async def audit_log(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the call
    services: Given,
    caller: Auditor,
    wanted: Annotated[Wanted, Depends(_wanted)],
    form: Annotated[
        Literal["csv", "jsonl"] | None,
        Query(alias="format", description="All of it as a file."),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Who did what to what, when and from where, newest first. Nobody can change it.

    As CSV a text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if form is not None:
        return await _file(services, caller.project_id, wanted, form)
    found, following = await audit.list_lines(
        services.pool, caller.project_id, wanted, cursor, limit
    )
    return render.answer(
        {"entries": [audit.document(line) for line in found], "nextCursor": following}
    )


async def _file(
    services: Given, project_id: str, wanted: Wanted, form: Literal["csv", "jsonl"]
) -> Response:
    parts = audit.export_lines(services.pool, project_id, wanted, form)
    # Whatever goes wrong at the beginning is still answered as an error.
    head = await anext(parts, b"")

    async def body() -> Any:
        yield head
        async for part in parts:
            yield part

    kind = "text/csv; charset=utf-8" if form == "csv" else "application/jsonl"
    name = {"Content-Disposition": f'attachment; filename="audit-log.{form}"'}
    return StreamingResponse(body(), media_type=kind, headers=name)
