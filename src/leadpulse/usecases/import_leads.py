"""Leads out of a CSV file: looked at before, taken in as a job, and what became of it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from leadpulse.domain import lead_file
from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.spreadsheet import harmless
from leadpulse.ids import uuid7, uuid7s
from leadpulse.postgres import lead_imports as store
from leadpulse.postgres import projects
from leadpulse.postgres.lead_imports import Import, NewImport, StoredRow
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit, lead_rows, paging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from leadpulse.domain.identity import Name
    from leadpulse.domain.lead_change import LeadChange
    from leadpulse.domain.lead_file import LeadFile
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

LONGEST_NAME: Final = 200
# Of one project, at a time: each holds a file.
MOST_OPEN: Final = 5
PROBLEMS_SHOWN: Final = 20
_PORTION: Final = 1_000
_LOOKING_LIMIT_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as somebody sends it; `columns` say of some headers which field they hold."""

    name: str
    csv: str
    columns: Mapping[str, str | None] | None = None


class Problem(NamedTuple):
    """Why the row on a line is rejected."""

    line: int
    problem: str


class SeenColumn(NamedTuple):
    """A column, what it is taken for, and some of its values."""

    header: str
    field: str | None
    samples: list[str]


class Preview(NamedTuple):
    """What an import would do."""

    columns: list[SeenColumn]
    rows: int
    creates: int
    updates: int
    rejected: int
    problems: list[Problem]


# ── Before ───────────────────────────────────────────────────────────────────────────


async def preview(pool: Pool, project_id: str, sent: Sent) -> Preview:
    """What an import would do, as things stand; changes nothing. Raises Invalid."""
    file, names = await asyncio.to_thread(_read, sent)
    async with snapshot(pool, project_id, _LOOKING_LIMIT_MS) as (conn, now):
        around = await lead_rows.circumstances(conn, project_id)
        said = await asyncio.to_thread(_read_all, file, around)
        gone = await lead_rows.erased(conn, project_id, around.digest_key, names)
        said |= dict.fromkeys(gone, lead_rows.ERASED)
        good = [n for n, one in said.items() if not isinstance(one, str)]
        changes = [one for one in said.values() if not isinstance(one, str)]
        items = await asyncio.to_thread(lead_rows.all_named, project_id, changes, now)
        graph = await lead_rows.known(conn, project_id, items)
    foreseen = await asyncio.to_thread(lead_rows.foresee, graph, items)
    said |= {
        n: lead_rows.DIFFERENT for n, one in zip(good, foreseen, strict=True) if not one.agrees
    }
    wrong = [Problem(file.rows[n].line, one) for n, one in said.items() if isinstance(one, str)]
    counts = Counter(one.creates for one in foreseen if one.agrees)
    return Preview(
        [
            SeenColumn(column.header, column.field, lead_file.samples(file, n))
            for n, column in enumerate(file.columns)
        ],
        len(file.rows), counts[True], counts[False], len(wrong), wrong[:PROBLEMS_SHOWN],
    )  # fmt: skip


def _read(sent: Sent) -> tuple[LeadFile, list[list[Name]]]:
    """The file, and the names in each of its rows."""
    file = lead_file.read(sent.csv, sent.columns)
    return file, [lead_file.names_in(file.columns, row.cells) for row in file.rows]


def _read_all(file: LeadFile, around: lead_rows.Circumstances) -> dict[int, LeadChange | str]:
    """What each row says, or what is wrong with it, by its place."""
    return {
        n: row.problem or lead_rows.read(file.columns, row.cells, around.owners)
        for n, row in enumerate(file.rows)
    }


# ── Taking it in ─────────────────────────────────────────────────────────────────────


async def start(pool: Pool, project_id: str, sent: Sent, by: str) -> str:
    """Stores a file to be imported by a worker, and returns the id of the import.

    Raises Invalid for a file that can't be read or names nobody, and Conflict when too many wait.
    """
    file, names = await asyncio.to_thread(_read, sent)
    if not file.names_anybody():
        told = "none holds an email or a userId, by which leads are found"
        raise Invalid([FieldError("columns", told)])
    new = NewImport(project_id, uuid7(), sent.name, file.columns, by, len(file.rows))
    async with unit(pool, project_id) as (conn, _):
        # One after the other, and none while somebody is being erased.
        await projects.hold(conn, project_id)
        if await store.open_imports(conn, project_id) >= MOST_OPEN:
            raise Conflict(
                f"{MOST_OPEN} imports of this project are not over yet.", "too_many_imports"
            )
        around = await lead_rows.circumstances(conn, project_id)
        gone = await lead_rows.erased(conn, project_id, around.digest_key, names)
        await store.add(conn, new)
        await _add_rows(conn, new, file, gone)
        said = {"rows": len(file.rows)}
        await audit.record(conn, project_id, "leads.imported", f"import:{new.id}", said)
    return new.id


async def _add_rows(conn: Connection, new: NewImport, file: LeadFile, gone: set[int]) -> None:
    """Stores the rows; of whom nothing is kept, only that there was one."""
    rows = [
        StoredRow(id_, row.line, [], lead_rows.ERASED) if n in gone
        else StoredRow(id_, row.line, row.cells, row.problem)
        for n, (id_, row) in enumerate(zip(uuid7s(len(file.rows)), file.rows, strict=True))
    ]  # fmt: skip
    for begin in range(0, len(rows), _PORTION):
        await store.add_rows(conn, new, rows[begin : begin + _PORTION])


# ── What became of it ────────────────────────────────────────────────────────────────


class Told(NamedTuple):
    """An import, and its first rejected rows."""

    job: Import
    problems: list[Problem]


async def get_import(pool: Pool, project_id: str, import_id: str) -> Told:
    """An import and how far it is. Raises NotFound."""
    async with snapshot(pool, project_id) as (conn, _):
        job = await _one(conn, project_id, import_id)
        return Told(job, await _problems(conn, job))


async def list_imports(
    pool: Pool, project_id: str, cursor: str | None, limit: int
) -> tuple[list[Told], str | None]:
    """Imports of the last weeks, the newest first."""
    limit = paging.page_size(limit)
    before = None if cursor is None else str(paging.decode(cursor, "imports", (UUID,))[0])
    async with snapshot(pool, project_id) as (conn, _):
        found = await store.newest(conn, project_id, before, limit + 1)
        shown = found[:limit]
        problems = await store.first_problems(conn, project_id, shown, PROBLEMS_SHOWN)
    told = [Told(job, [Problem(*one) for one in problems.get(job.id, ())]) for job in shown]
    return told, paging.encode("imports", shown[-1].id) if len(found) > limit else None


async def _one(conn: Connection, project_id: str, import_id: str) -> Import:
    job = await store.one(conn, project_id, import_id)
    if job is None:
        raise NotFound("import", import_id)
    return job


async def _problems(conn: Connection, job: Import) -> list[Problem]:
    found = await store.rejected(conn, job, None, PROBLEMS_SHOWN)
    return [Problem(row.line, row.problem or "") for row in found]


async def rejected_rows(pool: Pool, project_id: str, import_id: str) -> AsyncIterator[bytes]:
    """The rejected rows as CSV, in portions: `problem`, then the cells as they came.

    It can be mended and imported again. Raises NotFound before the first portion.
    """
    async with snapshot(pool, project_id) as (conn, _):
        job = await _one(conn, project_id, import_id)
    await audit.record_alone(pool, project_id, "import.rejected_exported", f"import:{job.id}")
    yield _lines([["problem", *(column.header for column in job.columns)]])
    after: str | None = None
    while True:
        async with snapshot(pool, project_id) as (conn, _):
            found = await store.rejected(conn, job, after, _PORTION)
        if found:
            yield _lines([[row.problem or "", *row.cells] for row in found])
        if len(found) < _PORTION:
            return
        after = found[-1].id


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
