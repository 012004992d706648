"""Files of leads that are imported: where each stands, and its rows until they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from leadpulse.domain.lead_file import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leadpulse.postgres.connect import Connection

Status = Literal["waiting", "running", "done", "failed"]

_INSERT: Final = """
insert into imports (project_id, id, name, columns, made_by, rows)
values (%(project)s, %(id)s, %(name)s, %(columns)s::jsonb, %(by)s, %(rows)s)
"""
_INSERT_ROWS: Final = """
insert into import_rows (project_id, import_id, id, line, cells, problem)
select %(project)s, %(import)s, r.id, r.line, r.cells, r.problem
from jsonb_to_recordset(%(rows)s::jsonb) r (id uuid, line int, cells jsonb, problem text)
"""
_OPEN: Final = """
select count(*)::int from imports i where i.project_id = %s and i.finished_at is null
"""

_FIELDS: Final = """
select i.project_id::text, i.id::text, i.name, i.columns, i.made_by, i.status, i.rows, i.done,
    i.created, i.updated, i.rejected, i.cursor::text, i.careful, i.stumbles, i.error,
    i.created_at, i.finished_at
from imports i
"""
_ONE: Final = f"{_FIELDS} where i.project_id = %s and i.id = %s"
_NEWEST: Final = f"""
{_FIELDS} where i.project_id = %s and i.id < %s::uuid order by i.id desc limit %s
"""
# Whoever goes on with another one doesn't wait for this.
_NEXT: Final = f"""
{_FIELDS} where i.project_id = %s and i.finished_at is null
order by i.turn_at, i.id limit 1 for update skip locked
"""
_STANDS: Final = """
select from imports i
where i.project_id = %s and i.id = %s and i.cursor = %s::uuid and i.finished_at is null
for update
"""
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_ROWS: Final = """
select r.id::text, r.line, r.cells, r.problem from import_rows r
where r.project_id = %s and r.import_id = %s and r.id > %s::uuid
order by r.id limit %s for update
"""
_REJECTED: Final = """
select r.id::text, r.line, r.cells, r.problem from import_rows r
where r.project_id = %(project)s and r.import_id = %(import)s and r.id > %(after)s::uuid
    and r.id <= %(upto)s::uuid and r.problem is not null
order by r.id limit %(limit)s
"""

_FIRST_PROBLEMS: Final = """
select w.i::text, r.line, r.problem
from jsonb_to_recordset(%(imports)s::jsonb) w (i uuid, upto uuid)
cross join lateral (
    select r.id, r.line, r.problem from import_rows r
    where r.project_id = %(project)s and r.import_id = w.i and r.id <= w.upto
        and r.problem is not null
    order by r.id limit %(limit)s
) r
order by w.i, r.id
"""

_REJECT: Final = """
update import_rows r set problem = w.problem, cells = case when w.keep then r.cells else '[]' end
from jsonb_to_recordset(%(rows)s::jsonb) w (id uuid, problem text, keep bool)
where r.project_id = %(project)s and r.import_id = %(import)s and r.id = w.id
"""
_COLUMNS: Final = """
select i.id::text, i.columns from imports i where i.project_id = %s and i.id = any (%s::uuid[])
"""
_BLANK: Final = """
update import_rows r set problem = %(problem)s, cells = '[]'
where r.project_id = %(project)s and r.id = any (%(rows)s::uuid[])
"""
_DROP: Final = """
delete from import_rows r
where r.project_id = %(project)s and r.import_id = %(import)s and r.id = any (%(rows)s::uuid[])
"""
_GO_ON: Final = """
update imports set cursor = %(cursor)s::uuid, done = done + %(done)s,
    created = created + %(created)s, updated = updated + %(updated)s,
    rejected = rejected + %(rejected)s, careful = greatest(careful - %(done)s, 0),
    status = 'running', turn_at = clock_timestamp()
where project_id = %(project)s and id = %(import)s
"""
_FINISH: Final = """
update imports set status = %(status)s, error = %(error)s, finished_at = clock_timestamp()
where project_id = %(project)s and id = %(import)s
"""
_STUMBLE: Final = """
update imports set careful = %(careful)s, stumbles = stumbles + 1, turn_at = clock_timestamp()
where project_id = %(project)s and id = %(import)s
"""
_GIVE_UP: Final = """
with left_over as (
    update import_rows r set problem = coalesce(r.problem, %(problem)s)
    where r.project_id = %(project)s and r.import_id = %(import)s and r.id > %(cursor)s::uuid
    returning r.id
)
update imports set rejected = rejected + (select count(*) from left_over),
    done = done + (select count(*) from left_over), cursor = %(last)s::uuid
where project_id = %(project)s and id = %(import)s
"""

_EXPIRED: Final = """
select i.id::text from imports i
where i.project_id = %s and i.finished_at < clock_timestamp() - interval '30 days'
order by i.finished_at limit 1 for update skip locked
"""
_FORGET_ROWS: Final = """
delete from import_rows where ctid = any (array(
    select ctid from import_rows r where r.project_id = %s and r.import_id = %s limit %s))
"""
_FORGET: Final = "delete from imports where project_id = %s and id = %s"


class NewImport(NamedTuple):
    """A file to be imported."""

    project_id: str
    id: str
    name: str
    columns: Sequence[Column]
    made_by: str
    rows: int


class Import(NamedTuple):
    """An import and how far it is; times in µs."""

    project_id: str
    id: str
    name: str
    columns: list[Column]
    made_by: str
    status: Status
    rows: int
    done: int
    created: int
    updated: int
    rejected: int
    cursor: str
    careful: int
    stumbles: int
    error: str | None
    created_at: int
    finished_at: int | None


class StoredRow(NamedTuple):
    """A row that waits, or was rejected; without cells where its person was erased."""

    id: str
    line: int
    cells: list[str]
    problem: str | None


class Rejection(msgspec.Struct):
    """Why a row is rejected; `keep`: its cells stay for the file of rejected rows."""

    id: str
    problem: str
    keep: bool = True


class Step(NamedTuple):
    """What became of a portion: its last row, and how many were made, completed, rejected."""

    cursor: str
    created: int
    updated: int
    rejected: int


async def add(conn: Connection, new: NewImport) -> None:
    """Stores an import, without its rows."""
    values = {
        "project": new.project_id, "id": new.id, "name": new.name, "by": new.made_by,
        "rows": new.rows, "columns": _json([[*column] for column in new.columns]),
    }  # fmt: skip
    await conn.execute(_INSERT, values)


async def add_rows(conn: Connection, new: NewImport, rows: Sequence[StoredRow]) -> None:
    """Stores some of its rows, whose ids rise with their lines."""
    values = {
        "project": new.project_id, "import": new.id, "rows": _json([row._asdict() for row in rows])
    }  # fmt: skip
    await conn.execute(_INSERT_ROWS, values)


async def open_imports(conn: Connection, project_id: str) -> int:
    """How many imports of a project are not over."""
    row = await (await conn.execute(_OPEN, (project_id,))).fetchone()
    return 0 if row is None else int(row[0])


async def one(conn: Connection, project_id: str, import_id: str) -> Import | None:
    """An import by its id."""
    row = await (await conn.execute(_ONE.encode(), (project_id, import_id))).fetchone()
    return None if row is None else _import(row)


async def newest(conn: Connection, project_id: str, before: str | None, limit: int) -> list[Import]:
    """Imports, the newest first."""
    cursor = await conn.execute(_NEWEST.encode(), (project_id, before or _LAST, limit))
    return [_import(row) for row in await cursor.fetchall()]


async def hold_next(conn: Connection, project_id: str) -> Import | None:
    """The import whose turn it is, which nobody else goes on with until the commit."""
    row = await (await conn.execute(_NEXT.encode(), (project_id,))).fetchone()
    return None if row is None else _import(row)


async def stands(conn: Connection, job: Import) -> bool:
    """Holds an import until the commit; False if somebody has gone on with it."""
    return (await conn.execute(_STANDS, (job.project_id, job.id, job.cursor))).rowcount == 1


async def next_rows(conn: Connection, job: Import, limit: int) -> list[StoredRow]:
    """The rows behind the cursor, in the order of the file, held until the commit."""
    cursor = await conn.execute(_ROWS, (job.project_id, job.id, job.cursor, limit))
    return [StoredRow(*row) for row in await cursor.fetchall()]


async def rejected(conn: Connection, job: Import, after: str | None, limit: int) -> list[StoredRow]:
    """Rejected rows in the order of the file, behind one of them."""
    values = {
        "project": job.project_id, "import": job.id, "upto": job.cursor, "limit": limit,
        "after": after or _FIRST,
    }  # fmt: skip
    cursor = await conn.execute(_REJECTED, values)
    return [StoredRow(*row) for row in await cursor.fetchall()]


async def first_problems(
    conn: Connection, project_id: str, jobs: Sequence[Import], limit: int
) -> dict[str, list[tuple[int, str]]]:
    """Lines and problems of the first rejected rows of each of these imports."""
    found: dict[str, list[tuple[int, str]]] = {}
    asked = _json([{"i": job.id, "upto": job.cursor} for job in jobs])
    values = {"project": project_id, "imports": asked, "limit": limit}
    for import_id, line, problem in await (await conn.execute(_FIRST_PROBLEMS, values)).fetchall():
        found.setdefault(import_id, []).append((line, problem))
    return found


async def settle(
    conn: Connection, job: Import, step: Step, out: tuple[Sequence[Rejection], Sequence[str]]
) -> None:
    """Notes what became of a portion; `out`: rejections, and rows that are done well."""
    rejections, done = out
    which = {"project": job.project_id, "import": job.id}
    if rejections:
        await conn.execute(_REJECT, which | {"rows": _json(rejections)})
    if done:
        await conn.execute(_DROP, which | {"rows": _ids(done)})
    count = len(done) + step.rejected
    await conn.execute(_GO_ON, which | step._asdict() | {"done": count})


async def finish(conn: Connection, job: Import, status: Status, error: str | None = None) -> None:
    """An import is over."""
    values = {"project": job.project_id, "import": job.id, "status": status, "error": error}
    await conn.execute(_FINISH, values)


async def stumble(conn: Connection, job: Import, careful: int) -> None:
    """Notes that a portion failed; so many rows go one by one from here."""
    values = {"project": job.project_id, "import": job.id, "careful": careful}
    await conn.execute(_STUMBLE, values)


async def give_up(conn: Connection, job: Import, problem: str) -> None:
    """Rejects every row that is left."""
    values = {
        "project": job.project_id, "import": job.id, "cursor": job.cursor, "problem": problem,
        "last": _LAST,
    }  # fmt: skip
    await conn.execute(_GIVE_UP, values)


async def columns_of(
    conn: Connection, project_id: str, imports: Iterable[str]
) -> dict[str, list[Column]]:
    """What the columns of these imports hold."""
    cursor = await conn.execute(_COLUMNS, (project_id, _ids(imports)))
    return {id_: [Column(*one) for one in columns] for id_, columns in await cursor.fetchall()}


async def blank(conn: Connection, project_id: str, rows: Sequence[str], problem: str) -> None:
    """Takes the cells out of rows, which are rejected by that."""
    values = {"project": project_id, "rows": _ids(rows), "problem": problem}
    await conn.execute(_BLANK, values)


async def forget_some(conn: Connection, project_id: str, limit: int) -> int:
    """Removes up to so many rows of an import that is long over, then itself; returns how many."""
    row = await (await conn.execute(_EXPIRED, (project_id,))).fetchone()
    if row is None:
        return 0
    removed = (await conn.execute(_FORGET_ROWS, (project_id, row[0], limit))).rowcount
    if removed < limit:
        await conn.execute(_FORGET, (project_id, row[0]))
    return removed + 1


def _import(row: tuple[Any, ...]) -> Import:
    found = Import(*row)
    return found._replace(columns=[Column(*column) for column in row[3]])


def _ids(ids: Iterable[str]) -> str:
    return "{" + ",".join(ids) + "}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
