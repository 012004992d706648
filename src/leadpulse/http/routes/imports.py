"""Leads out of a CSV file: looked at before, taken in by a worker, and what was rejected."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field, WithJsonSchema

from leadpulse.domain.lead_file import FIELDS
from leadpulse.domain.profile import NAME_CHARACTERS
from leadpulse.http import answers_imports as told
from leadpulse.http import render
from leadpulse.http.deps import Cursor, Given, Limit, Text, Writer, an_id
from leadpulse.http.documented import answers
from leadpulse.http.schemas import Sent
from leadpulse.usecases import import_leads
from leadpulse.usecases.principals import who

router = APIRouter(tags=["leads"])

ImportId = Annotated[str, Path(description="The id of an import.")]


# What is no field is told with its column, by whoever reads the file.
LeadField = Annotated[
    Text,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({'|'.join(FIELDS)}|traits\\.[^$][\\s\\S]{{0,{NAME_CHARACTERS - 1}}})$",
        }
    ),
]


class LeadsFile(Sent):
    """A CSV file of leads, as text."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "fair.csv",
                    "csv": "E-mail,First name,Last name,City\nada@example.com,Ada,Lovelace,London",
                    "columns": {"City": "traits.city"},
                }
            ]
        }
    )

    name: Annotated[Text, Field(min_length=1, max_length=import_leads.LONGEST_NAME)] = Field(
        description="What people call the file."
    )
    csv: Text = Field(
        description="The file: columns by comma, semicolon or tab, the first row names them; at "
        "most 20,000 rows, and with the rest of the body 5 MB."
    )
    columns: dict[Text, LeadField | None] = Field(
        {},
        description="What columns hold, by their headers: email, userId, name, company, owner, "
        "status, `traits.X`, `traits`; null: leave it out. Others by what their headers mean.",
    )


@router.post(
    "/api/leads/import",
    status_code=202,
    responses={
        **answers(told.ImportStarted, "too_many_imports", status=202, body=True),
        200: {"model": told.ImportPreview, "description": "With `preview`: what it would do."},
    },
)
async def import_csv(
    services: Given,
    caller: Writer,
    file: LeadsFile,
    *,
    preview: Annotated[
        bool, Query(description="Only tell what would come of it; nothing is changed.")
    ] = False,
) -> Response:
    """Makes and completes leads out of a CSV file, by email or userId, as confirmed facts.

    A worker does it; an empty cell says nothing. Rows that can't be taken are rejected and the
    others done. What an owner is called by is the address or the id of a member.
    """
    sent = import_leads.Sent(file.name, file.csv, file.columns)
    if preview:
        seen = await import_leads.preview(services.pool, caller.project_id, sent)
        return render.answer(_preview(seen))
    started = await import_leads.start(services.pool, caller.project_id, sent, who(caller))
    return render.answer({"id": started}, 202)


def _preview(seen: import_leads.Preview) -> dict[str, Any]:
    return {
        **seen._asdict(),
        "columns": [column._asdict() for column in seen.columns],
        "problems": [problem._asdict() for problem in seen.problems],
    }


@router.get("/api/imports", responses=answers(told.LeadImports, "invalid"))
async def list_imports(
    services: Given, caller: Writer, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Imports, the newest first. Each is forgotten 30 days after it was over."""
    found, following = await import_leads.list_imports(
        services.pool, caller.project_id, cursor, limit
    )
    return render.answer({"imports": [_import(one) for one in found], "nextCursor": following})


@router.get("/api/imports/{import_id}", responses=answers(told.LeadImport, "not_found"))
async def get_import(services: Given, caller: Writer, import_id: ImportId) -> Response:
    """An import and how far it is."""
    which = an_id(import_id, "import")
    found = await import_leads.get_import(services.pool, caller.project_id, which)
    return render.answer(_import(found))


@router.get(
    "/api/imports/{import_id}/rejected",
    responses={
        **answers(None, "not_found"),
        200: {
            "description": "The rejected rows as they came, `problem` in front.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
async def rejected_rows(services: Given, caller: Writer, import_id: ImportId) -> Response:
    """The rejected rows as CSV, to be mended and imported again.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which an
    import takes off again.
    """
    which = an_id(import_id, "import")
    lines = import_leads.rejected_rows(services.pool, caller.project_id, which)
    # Whatever goes wrong at the beginning is still answered as an error.
    head = await anext(lines)

    async def body() -> Any:
        yield head
        async for part in lines:
            yield part

    return StreamingResponse(
        body(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="rejected-rows.csv"'},
    )


def _import(found: import_leads.Told) -> dict[str, Any]:
    job = found.job
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "rows": job.rows,
        "done": job.done,
        "created": job.created,
        "updated": job.updated,
        "rejected": job.rejected,
        "problems": [problem._asdict() for problem in found.problems],
        "createdAt": render.when(job.created_at),
        "finishedAt": None if job.finished_at is None else render.when(job.finished_at),
        "error": job.error,
    }
