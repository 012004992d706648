"""Every statement of the store is tried without its project condition, beside a twin project.

What the tests make the store say is recorded. At the end of a test each statement that is new is
run again behind the wall of one project, with its conditions on the project cut out: once while
the project is alone, once while another one with the very same ids, names and events stands
beside it. Both must give the same rows, and the twin must be as it was. The same without a wall
shows that the cut mattered: there the twin is met.

All of it happens in transactions that are rolled back, in the database of a test that is over.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

from leadpulse.ids import uuid7
from leadpulse.postgres.connect import BinaryCursor, adapt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Beyond this a test's database is too large to be tried without conditions.
_LARGEST: Final = 3_000
_TRIES: Final = 5
_SQL: Final = re.compile(r"\s*(select|insert|update|delete|with)\b", re.IGNORECASE)
# They look across projects on purpose, or at no table of ours.
_LEFT_OUT: Final = re.compile(
    r"keeper\.(?!profiles)|pg_sleep|pg_terminate|pg_export|^\s*select set_config|advisory|pg_class",
    re.IGNORECASE,
)
_VALUE: Final = (
    r"(?:any \([^()]*\)|%\(\w+\)s(?:::uuid)?|%s(?:::uuid)?|\w+\.\w+(?:::uuid)?|(?!any\b)\w+)"
)
_CUTS: Final = (
    re.compile(rf"(?<!set )(?<![\w.])((?:\w+\.)?project_id = {_VALUE})"),
    re.compile(r"(?<![\w.])(\w+\.id = (?:\w+\.p|p|\w+\.project_id)\b(?:::uuid)?)"),
)
_IDS: Final = re.compile(
    r"(?<!set )(?<![\w.])"
    r"((?:\w+\.)?(?:lead_id|root_id|child_id|parent_id|id|event|generation|digest)"
    rf" = {_VALUE})"
)
_OF_PROJECTS: Final = re.compile(r"(?<![\w.])((?:p\.)?id = (?:%s|%\(\w+\)s)(?:::uuid)?)")

# It grows with the twin, and belongs to no project.
_SIZE: Final = re.compile(r"pg_database_size\(current_database\(\)\)")

# At its end a limit without an order: which of its rows is the planner's choice.
_CHOICE: Final = re.compile(r"\)(?:(?!order by)[^)])*\blimit \S+\s*$", re.IGNORECASE)

# Where something must differ from row to row in the whole database.
_UNIQUE: Final = {"api_keys": "key_hash", "invitations": "token_hash"}


@dataclass(slots=True)
class Statement:
    """A statement as the store said it, and how the trials of it went."""

    text: str
    parameters: list[Any] = field(default_factory=list)
    tries: int = 0
    # Without a wall the cut statement met the twin.
    mattered: bool = False


@dataclass(slots=True)
class Seen:
    """All statements of a test run."""

    statements: dict[str, Statement] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)

    def note(self, text: str, parameters: Any) -> None:
        statement = self.statements.get(text)
        if statement is None:
            statement = self.statements[text] = Statement(text)
        if statement.mattered or statement.tries >= _TRIES:
            return
        if not statement.parameters:
            self.fresh.append(text)
        # The first and the latest: the first may have found nothing yet.
        statement.parameters[1:] = [parameters]


SEEN: Final = Seen()


def record() -> Callable[[], None]:
    """Begins to record what the store says; returns what ends it."""
    plain = BinaryCursor.execute

    async def execute(self: BinaryCursor, query: Any, params: Any = None, **options: Any) -> Any:
        if _from_the_store():
            text = query.decode() if isinstance(query, bytes) else query
            if isinstance(text, str) and _SQL.match(text) and not _LEFT_OUT.search(text):
                SEEN.note(text, params)
        return await plain(self, query, params, **options)

    BinaryCursor.execute = execute  # type: ignore[assignment, method-assign]

    def end() -> None:
        BinaryCursor.execute = plain  # type: ignore[method-assign]

    return end


def _from_the_store() -> bool:
    frame = sys._getframe(2)
    while _passes_on(frame.f_globals.get("__name__", "")):
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).startswith("leadpulse.postgres.")


def _passes_on(module: str) -> bool:
    return module.startswith("psycopg") or module == "leadpulse.postgres.session"


def cut(text: str) -> str:
    """A statement whose conditions on the project hold for every row."""
    for pattern in _CUTS:
        text = pattern.sub(r"(\1 or true)", text)
    if re.search(r"\b(from|update) projects\b", text):
        text = _OF_PROJECTS.sub(r"(\1 or true)", text)
    return _SIZE.sub("0", text)


def wide(text: str) -> str:
    """The same, and its conditions on leads, events and the like hold for every row too.

    For statements whose rows are gone when a test is over: they meet some others then.
    """
    return _IDS.sub(r"(\1 or true)", cut(text))


# ── Projects with the same rows ──────────────────────────────────────────────────────


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Every table whose rows belong to a project."""
    found = connection.execute(
        "select c.relname::text from pg_class c where c.relnamespace = 'public'::regnamespace"
        " and c.relkind in ('r', 'p') and c.relname <> 'sessions' and (c.relname = 'projects'"
        " or exists (select from pg_attribute a where a.attrelid = c.oid"
        " and a.attname = 'project_id' and not a.attisdropped)) order by 1"
    )
    return [name for (name,) in found]


def key_of(table: str) -> str:
    """The column that says whose a row is."""
    return "id" if table == "projects" else "project_id"


def columns_of(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """The columns that can be written."""
    found = connection.execute(
        "select attname::text from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
        [table],
    )
    return [name for (name,) in found]


def copy_project(connection: psycopg.Connection[Any], project: str, twin: str) -> None:
    """Makes a twin: every row of a project once more, with the same ids and names."""
    for table in tables(connection):
        columns = columns_of(connection, table)
        key = key_of(table)
        values = [
            "%(twin)s::uuid" if name == key
            else f"sha256({name} || uuid_send(%(twin)s::uuid))" if name == _UNIQUE.get(table)
            else f'"{name}"'
            for name in columns
        ]  # fmt: skip
        listed = ", ".join(f'"{name}"' for name in columns)
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute(
                f"insert into {table} ({listed}) overriding system value"
                f" select {', '.join(values)} from {table} where {key} = %(project)s".encode(),
                {"twin": twin, "project": project},
            )


def remove_project(connection: psycopg.Connection[Any], project: str) -> None:
    """Removes every row of a project."""
    for table in tables(connection):
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute(
                f"delete from {table} where {key_of(table)} = %s".encode(), [project]
            )


# By type, and where a constraint wants something else.
_VALUES: Final = {
    "uuid": "gen_random_uuid()", "text": "'x'", "int2": "1", "int4": "1", "int8": "1",
    "float8": "1", "timestamptz": "now()", "date": "current_date", "bool": "false",
    "bytea": "substring(sha256('x'), 1, 16)", "json": "'{}'", "jsonb": "'{}'",
    "_uuid": "'{}'", "_text": "'{}'",
}  # fmt: skip
_LEADS: Final = "from leads where project_id = %(project)s)"
_REFERENCES: Final = {
    "lead_id": f"(select min(id::text)::uuid {_LEADS}",
    "child_id": f"(select min(id::text)::uuid {_LEADS}",
    "parent_id": f"(select max(id::text)::uuid {_LEADS}",
    "user_id": "(select min(id::text)::uuid from users)",
}
_BEGIN: Final = """
with made as (
    insert into leads (project_id, id, as_of, epoch, created_at, updated_at)
    select %(project)s, gen_random_uuid(), now(), 1, now(), now() from generate_series(1, 2)
)
insert into users (id, email, name) select gen_random_uuid(), 'x@y.example', 'x'
where not exists (select from users)
"""
SPECIAL: Final = {
    ("api_keys", "kind"): "'secret'",
    ("api_keys", "key_hash"): "sha256(uuid_send(gen_random_uuid()))",
    ("audit_log", "action"): "'some.thing'",
    ("dead_letters", "kind"): "'scoring'",
    ("inbox", "kind"): "1",
    ("invitations", "email"): "'x@y.example'",
    ("invitations", "role"): "'viewer'",
    ("invitations", "token_hash"): "sha256(uuid_send(gen_random_uuid()))",
    ("lead_changes", "field"): "'status'",
    ("lead_changes", "to_value"): "'won'",
    ("lead_merges", "cause"): "'event'",
    ("ledger", "kind"): "0",
    ("members", "role"): "'viewer'",
    ("score_revisions", "cause"): "'late'",
    ("stage_changes", "cause"): "'event'",
    ("stage_changes", "to_stage"): "2",
}


def fill_every_table(connection: psycopg.Connection[Any], project: str) -> None:
    """Puts a row into each table in which a project has none; the project has no leads yet."""
    connection.execute(_BEGIN, {"project": project})
    for table in tables(connection):
        found = connection.execute(
            f"select exists (select from {table} where {key_of(table)} = %s)".encode(),
            [project],
        ).fetchone()
        if found is not None and found[0]:
            continue
        needed = connection.execute(
            "select a.attname::text, t.typname::text from pg_attribute a"
            " join pg_type t on t.oid = a.atttypid where a.attrelid = %s::regclass"
            " and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''"
            " and a.attidentity = '' and a.attnotnull and not a.atthasdef",
            [table],
        ).fetchall()
        values = {name: _REFERENCES.get(name, _VALUES[kind]) for name, kind in needed}
        values |= {name: value for (of, name), value in SPECIAL.items() if of == table}
        values["project_id"] = "%(project)s::uuid"
        connection.execute(
            f"insert into {table} ({', '.join(values)})"
            f" values ({', '.join(values.values())})".encode(),
            {"project": project},
        )


# ── The trial ────────────────────────────────────────────────────────────────────────


def try_all(dsn: str) -> list[str]:
    """Tries what a test said first, in its database; returns what went through the wall."""
    statements = [SEEN.statements[text] for text in SEEN.fresh]
    SEEN.fresh.clear()
    if not statements:
        return []
    with psycopg.connect(
        dsn, autocommit=True, application_name="twins", options="-c TimeZone=UTC -c jit=off"
    ) as connection:
        adapt(connection)
        project = _largest_project(connection)
        if project is None:
            for statement in statements:
                statement.parameters.clear()
            return []
        try:
            return list(_Trial(connection, project).run(statements))
        except psycopg.OperationalError:
            return []  # a test that ended its server, or left a lock behind: another one will do


def _largest_project(connection: psycopg.Connection[Any]) -> str | None:
    row = connection.execute(
        """
        select p.id::text, (select count(*) from leads l where l.project_id = p.id)
            + (select count(*) from events e where e.project_id = p.id) as n
        from projects p order by n desc limit 1
        """
    ).fetchone()
    return None if row is None or row[1] > _LARGEST else row[0]


class Asked(NamedTuple):
    """One trial of a statement: the words that are tried, and their values."""

    statement: Statement
    text: str
    parameters: Any


class _Trial:
    def __init__(self, connection: psycopg.Connection[Any], project: str) -> None:
        self._connection = connection
        self._project = project
        self._twin = uuid7()
        self._tables = tables(connection)

    def run(self, statements: list[Statement]) -> Iterator[str]:
        asked = [
            Asked(statement, text, parameters)
            for statement in statements
            for text in dict.fromkeys((cut(statement.text), wide(statement.text)))
            for parameters in statement.parameters
        ]
        fill_every_table(self._connection, self._project)
        try:
            yield from self._beside(asked)
            yield from self._instead(asked)
        finally:
            for statement in statements:
                statement.tries += 1
                statement.parameters.clear()

    def _beside(self, asked: list[Asked]) -> Iterator[str]:
        """The project alone, and with a twin beside it."""
        alone = [self._said(each, walled=True) for each in asked]
        open_ = [self._said(each, walled=False) for each in asked]
        copy_project(self._connection, self._project, self._twin)
        was = self._fingerprint()
        suspects = []
        for each, before, before_open in zip(asked, alone, open_, strict=True):
            now = self._said(each, walled=True)
            if now != before:
                suspects.append((each, now))
            if self._touched(each, was, walled=True):
                yield f"{each.text}\nchanged the twin"
            if not each.statement.mattered:
                each.statement.mattered = self._said(
                    each, walled=False
                ) != before_open or self._touched(each, was, walled=False)
        remove_project(self._connection, self._twin)
        for each, now in suspects:
            # What differs from moment to moment by itself tells nothing.
            again = self._said(each, walled=True)
            if "QueryCanceled" in (again, now):
                continue  # without its conditions it takes too long to tell anything
            if again != now and again == self._said(each, walled=True):
                yield f"{each.text}\nalone: {again}\nbeside a twin: {now}"
        copy_project(self._connection, self._project, self._twin)

    def _instead(self, asked: list[Asked]) -> Iterator[str]:
        """The twin instead of the project, and neither of them.

        Shows what looks at one row only, whosever it is.
        """
        remove_project(self._connection, self._project)
        twin = [(self._said(each, walled=True), self._said(each, walled=False)) for each in asked]
        again = [self._said(each, walled=True) for each in asked]
        remove_project(self._connection, self._twin)
        for each, (behind, open_), same in zip(asked, twin, again, strict=True):
            nothing = self._said(each, walled=True)
            if behind == same != nothing == self._said(each, walled=True):
                yield f"{each.text}\nwithout any: {nothing}\nwith a twin: {behind}"
            if not each.statement.mattered:
                each.statement.mattered = self._said(each, walled=False) != open_

    def _said(self, asked: Asked, *, walled: bool) -> Any:
        with self._connection.transaction(force_rollback=True):
            return self._run(asked, walled=walled)
        raise AssertionError

    def _touched(self, asked: Asked, was: Any, *, walled: bool) -> bool:
        if not re.search(r"\b(insert|update|delete)\b", asked.text):
            return False
        with self._connection.transaction(force_rollback=True):
            self._run(asked, walled=walled)
            if self._connection.info.transaction_status == TransactionStatus.INERROR:
                return False
            self._connection.execute("reset role")
            return bool(self._fingerprint() != was)
        raise AssertionError

    def _run(self, asked: Asked, *, walled: bool) -> Any:
        """Rows and how many, or the kind of error; the same whoever runs it when."""
        connection = self._connection
        connection.execute(
            "select set_config('leadpulse.projects', %s, true),"
            " set_config('statement_timeout', '2s', true), set_config('lock_timeout', '1s', true)",
            ["{" + self._project + "}"],
        )
        if walled:
            connection.execute("set local role leadpulse_app")
        cursor = connection.cursor(binary=True)
        try:
            cursor.execute(asked.text.encode(), asked.parameters)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            return type(error).__name__
        if _CHOICE.search(asked.text):
            return cursor.rowcount, [self._twin in repr(row) for row in rows]
        return cursor.rowcount, sorted(repr(_plain(row)) for row in rows)

    def _fingerprint(self) -> Any:
        parts = [
            f"(select coalesce(sum(hashtextextended(t::text, 0)), 0) from {table} t"
            f" where {key_of(table)} = %(twin)s)::text"
            for table in self._tables
        ]
        return self._connection.execute(
            f"select {', '.join(parts)}".encode(), {"twin": self._twin}
        ).fetchone()


def _plain(value: Any) -> Any:
    """A value without what differs from one moment to the next."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, int) and value > 1_000_000_000_000_000:
        return "an instant"
    return value
