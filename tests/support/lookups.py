"""How statements find their rows: by which conditions of an index, behind the wall and without.

Row security lets an index serve only conditions that can tell nothing of other rows. A statement
whose condition is none of these reads all rows of its project instead, and nothing else tells.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from leadpulse.ids import uuid7
from support.twins import SPECIAL, copy_project, key_of, tables

if TYPE_CHECKING:
    import psycopg

_PROJECTS: Final = 8
_ROWS: Final = 2_000

# Different in every row, as far as that matters to an index.
_VARIED: Final = {
    "uuid": "gen_random_uuid()", "text": "md5(n::text)", "int2": "1", "int4": "n", "int8": "n",
    "float8": "n", "timestamptz": "now() - n * interval '1 minute'", "date": "current_date - n",
    "bool": "false", "bytea": "substring(sha256(convert_to(n::text, 'UTF8')), 1, 16)",
    "json": "'{}'", "jsonb": "'{}'", "_uuid": "'{}'", "_text": "'{}'",
}  # fmt: skip
_SPECIAL: Final = SPECIAL | {("invitations", "email"): "n || '@y.example'"}
# What is there once for each project.
_SINGLE: Final = frozenset(("models", "projects", "retention_walks"))

# Plans that join row by row, by indexes: what differs between two of them is what an index serves.
_ROW_BY_ROW: Final = (
    "seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize", "indexonlyscan",
)  # fmt: skip
_NEEDED: Final = """
select a.attname::text, t.typname::text from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    and a.attidentity = '' and not a.atthasdef
    and (a.attnotnull or exists (select from pg_index i
                                 where i.indrelid = a.attrelid and a.attnum = any (i.indkey)
                                     and i.indpred is null))
"""


def fill(connection: psycopg.Connection[Any], project: str) -> None:
    """Fills every table with rows of many projects, and lets the planner know."""
    projects = [project, *(uuid7() for _ in range(_PROJECTS - 1))]
    for twin in projects[1:]:
        copy_project(connection, project, twin)
    whose = f"('{{{','.join(projects)}}}'::uuid[])[1 + n %% {_PROJECTS}]"
    for table in tables(connection):
        if table in _SINGLE:
            continue
        needed = connection.execute(_NEEDED, [table]).fetchall()
        values = {name: _VARIED[kind] for name, kind in needed}
        values |= {name: value for (of, name), value in _SPECIAL.items() if of == table}
        values[key_of(table)] = whose
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute(
                f"insert into {table} ({', '.join(values)}) select {', '.join(values.values())}"
                f" from generate_series(1, %s) n on conflict do nothing".encode(),
                [_ROWS],
            )
    connection.execute("vacuum analyze")


def plan_row_by_row(connection: psycopg.Connection[Any]) -> None:
    """From now on this connection plans look-ups by index wherever one serves."""
    for kind in _ROW_BY_ROW:
        connection.execute(f"set enable_{kind} = off".encode())


def conditions(connection: psycopg.Connection[Any], text: str) -> dict[str, int]:
    """How many conditions an index serves in a statement of psycopg's, by table."""
    row = connection.execute(f"explain (generic_plan, format json) {_numbered(text)}".encode())
    ((plan,),) = row.fetchall()
    document = plan if isinstance(plan, list) else json.loads(plan)
    found: dict[str, int] = {}
    _gather(document[0]["Plan"], found)
    return found


def _gather(node: dict[str, Any], found: dict[str, int]) -> None:
    table = node.get("Relation Name")
    if table is not None and "Operation" not in node:
        served = node.get("Index Cond") or node.get("TID Cond")
        found[table] = found.get(table, 0) + (served.count(" AND ") + 1 if served else 0)
    for inner in node.get("Plans", ()):
        _gather(inner, found)


def _numbered(text: str) -> str:
    """A statement with $1, $2 … in the place of %s and %(name)s."""
    places: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${places.setdefault(match[1] or f'%{match.start()}', len(places) + 1)}"

    return re.sub(r"%%|%s|%\((\w+)\)s", number, text)
