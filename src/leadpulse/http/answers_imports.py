"""What calls about imports answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Listed, Time


class RowProblem(Answer):
    """Why a row is rejected."""

    line: int = Field(description="The line of the file on which the row begins.")
    problem: str = Field(description="What is wrong with it.")


class SeenColumn(Answer):
    """A column of the file."""

    header: str = Field(description="Its header.")
    field: str | None = Field(
        description="What it is taken for: email, userId, name, company, owner, status, "
        "`traits.X`, or `traits` for all of them as JSON; null: it is left out."
    )
    samples: list[str] = Field(description="Its first different values, three at most.")


class ImportPreview(Answer):
    """What an import would do, as things stand; nothing was changed."""

    columns: list[SeenColumn] = Field(description="The columns, in their order.")
    rows: int = Field(description="Rows below the headers.")
    creates: int = Field(description="Leads that it would make.")
    updates: int = Field(description="Rows about leads that are there, or are made by it.")
    rejected: int = Field(description="Rows that it would reject.")
    problems: list[RowProblem] = Field(description="Why, of the first twenty.")


class ImportStarted(Answer):
    """A file is stored; a worker takes it in."""

    id: str = Field(description="The id of the import.")


class LeadImport(Answer):
    """An import and how far it is."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What the file is called.")
    status: Literal["waiting", "running", "done", "failed"] = Field(
        description="failed: given up after errors of ours; rows that were done stay done."
    )
    rows: int = Field(description="Rows of the file.")
    done: int = Field(description="Rows that were looked at, rejected ones included.")
    created: int = Field(description="Leads that were made.")
    updated: int = Field(description="Rows that completed a lead.")
    rejected: int = Field(description="Rows that were rejected.")
    problems: list[RowProblem] = Field(description="Why, of the first twenty.")
    created_at: Time = Field(description="When the file came.")
    finished_at: Time | None = Field(description="When it was over.")
    error: str | None = Field(description="Why it failed.")


class LeadImports(Listed):
    """Imports of the last weeks, the newest first."""

    imports: list[LeadImport] = Field(description="Those of this page.")
