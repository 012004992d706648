"""Walls between projects in the database, whatever a statement says."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

import leadpulse
from leadpulse.ids import uuid7
from leadpulse.postgres import connect as connecting
from leadpulse.postgres import session, walls
from leadpulse.postgres.connect import APP, WORKER, Connection, connect
from leadpulse.usecases.projects import create_project
from support.twins import columns_of, copy_project, fill_every_table, key_of, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCOUNTS = ("users", "sessions", "members", "invitations", "account_links", "api_keys")
_OF_WORKERS = {
    "waiting_projects", "refolding_projects", "due_projects", "project_to_relabel",
    "counting_projects", "projects_with_old_conflicts", "projects_with_old_generations",
    "rescoring_projects", "projects_to_count", "queue",
}  # fmt: skip


@contextmanager
def acting(dsn: str, role: str, *projects: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of a process in this role, which reaches these projects; rolled back."""
    options = f"-c role={role} -c TimeZone=UTC"
    with (
        psycopg.connect(dsn, options=options, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        if projects:
            value = "{" + ",".join(sorted(projects)) + "}"
            connection.execute("select set_config('leadpulse.projects', %s, true)", [value])
        yield connection


def one(connection: psycopg.Connection[Any], query: str, *parameters: Any) -> Any:
    row = connection.execute(query.encode(), parameters).fetchone()
    return None if row is None else row[0]


def may(connection: psycopg.Connection[Any], table: str, what: str) -> bool:
    return bool(one(connection, "select has_table_privilege(%s, %s)", table, what))


def refused(connection: psycopg.Connection[Any], query: str, *parameters: Any) -> None:
    with pytest.raises(InsufficientPrivilege), connection.transaction():
        connection.execute(query.encode(), parameters)


def insertion(connection: psycopg.Connection[Any], table: str) -> str:
    """An insert of one row, given as JSON."""
    columns = ", ".join(f'"{name}"' for name in columns_of(connection, table))
    return (
        f"insert into {table} ({columns}) overriding system value"
        f" select {columns} from jsonb_populate_record(null::{table}, %s::jsonb)"
    )


@pytest.fixture
async def projects(pg: Connection, database: str) -> tuple[str, str]:
    """Two projects with the same ids and a row in every table."""
    first, second = (await create_project(pg, "First")).id, uuid7()
    with psycopg.connect(database, autocommit=True) as owner:
        fill_every_table(owner, first)
        copy_project(owner, first, second)
        for table in tables(owner):
            query = f"select count(*) from {table} where {key_of(table)} = %s"
            assert one(owner, query, first) == one(owner, query, second) > 0, table
    return first, second


def rows_of(dsn: str, project: str) -> dict[str, list[str]]:
    """Every row of a project, as whoever passes the walls sees it."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        return {
            table: [
                row
                for (row,) in owner.execute(
                    f"select to_jsonb(t)::text from {table} t"
                    f" where {key_of(table)} = %s order by 1".encode(),
                    [project],
                )
            ]
            for table in tables(owner)
        }


@pytest.mark.both_postgres
@pytest.mark.parametrize("role", [APP, WORKER])
def test_a_transaction_that_names_no_project_meets_none(
    database: str, projects: tuple[str, str], role: str
) -> None:
    """Without the setting no table shows a row, lets one be changed, or takes one."""
    rows = rows_of(database, projects[0])
    with acting(database, role) as connection:
        for table, (row, *_) in rows.items():
            key = key_of(table)
            if may(connection, table, "select"):
                assert one(connection, f"select count(*) from {table}") == 0, table
            if may(connection, table, "update"):
                changed = connection.execute(f"update {table} set {key} = {key}".encode())
                assert changed.rowcount == 0, table
            if may(connection, table, "delete"):
                assert connection.execute(f"delete from {table}".encode()).rowcount == 0, table
            refused(connection, insertion(connection, table), row)


@pytest.mark.both_postgres
@pytest.mark.parametrize("role", [APP, WORKER])
def test_a_transaction_meets_the_project_that_it_names_and_no_other(
    database: str, projects: tuple[str, str], role: str
) -> None:
    """With the setting at one project its twin is not read, changed, removed or added to."""
    first, second = projects
    others = rows_of(database, second)
    with acting(database, role, first) as connection:
        for table, (row, *more) in others.items():
            key = key_of(table)
            if may(connection, table, "select"):
                found = connection.execute(f"select {key}::text from {table}".encode())
                assert [each for (each,) in found] == [first] * (1 + len(more)), table
            if may(connection, table, "update"):
                changed = connection.execute(f"update {table} set {key} = {key}".encode())
                assert changed.rowcount == 1 + len(more), table
                refused(connection, f"update {table} set {key} = %s", second)
            refused(connection, insertion(connection, table), row)
            if may(connection, table, "delete"):
                with connection.transaction(force_rollback=True):
                    # Rows of its own may be held by foreign keys; those of others not even that.
                    connection.execute(
                        f"delete from {table} where {key} <> %s".encode(),
                        [first],
                    )
    assert rows_of(database, second) == others


def test_a_person_sees_where_he_is_a_member_and_his_own_sessions(
    database: str, projects: tuple[str, str]
) -> None:
    """Before it is known which project he means, his memberships are all there is to see."""
    with psycopg.connect(database, autocommit=True) as owner:
        user = one(owner, "select user_id::text from members limit 1")
        owner.execute("set session_replication_role = replica")
        for who in (user, uuid7()):
            owner.execute(
                "insert into sessions (id, user_id, expires_at) values (%s, %s, now())",
                [uuid7(), who],
            )
    with acting(database, APP) as connection:
        assert one(connection, "select count(*) from sessions") == 0
        connection.execute("select set_config('leadpulse.user', %s, true)", [user])
        assert one(connection, "select count(*) from members") == 2
        assert one(connection, "select string_agg(user_id::text, '') from sessions") == user
        assert one(connection, "select count(*) from projects") == 0
        assert connection.execute("update members set role = 'owner'").rowcount == 0
        refused(
            connection,
            "insert into members (project_id, user_id, role) values (%s, %s, 'owner')",
            projects[0],
            user,
        )


@pytest.mark.both_postgres
def test_every_table_of_a_project_has_a_wall(database: str) -> None:
    """A table with a project_id has row security, forced, and the policy that names it."""
    with psycopg.connect(database, autocommit=True) as owner:
        found: dict[str, list[bool]] = dict(
            owner.execute(
                """
                select c.relname::text, array[c.relrowsecurity, c.relforcerowsecurity,
                    exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd = '*'
                        and p.polpermissive and p.polroles = '{0}' and p.polname = 'wall'
                        and pg_get_expr(p.polqual, c.oid) like '%leadpulse.%')]
                from pg_class c where c.relnamespace = 'public'::regnamespace
                    and c.relkind in ('r', 'p')
                """
            ).fetchall()
        )
        others = {
            "account_links", "alembic_version", "users", "workers",
        }  # fmt: skip
        assert {name for name, walled in found.items() if not all(walled)} == others
        assert not others & {*tables(owner)}
        more = owner.execute(
            "select tablename || ' ' || policyname from pg_policies"
            " where policyname not in ('wall', 'keeper')"
        ).fetchall()
        assert more == [("members own",)]


@pytest.mark.both_postgres
def test_the_roles_can_neither_log_in_nor_pass_the_walls(database: str) -> None:
    """No superuser, no bypassing, no login; and none of them owns a table."""
    with psycopg.connect(database, autocommit=True) as owner:
        rows = owner.execute(
            """
            select rolname::text, rolsuper or rolbypassrls or rolcanlogin or rolcreaterole
                or rolcreatedb or rolreplication
            from pg_roles where rolname like 'leadpulse\\_%' order by 1
            """
        ).fetchall()
        assert rows == [("leadpulse_app", False), ("leadpulse_keeper", False),
                        ("leadpulse_worker", False)]  # fmt: skip
        owned = (
            "select count(*) from pg_class"
            " where relkind in ('r', 'S') and relowner = any (%s::regrole[])"
        )
        assert one(owner, owned, [APP, WORKER, walls.KEEPER]) == 0


def test_a_worker_knows_nothing_of_accounts(database: str, projects: tuple[str, str]) -> None:
    """Its role reads no account, no membership, no key, and no secret of a project."""
    with acting(database, WORKER, projects[0]) as connection:
        for table in (*_ACCOUNTS, "audit_log", "suppressions"):
            for what in ("select", "insert", "update", "delete"):
                assert not may(connection, table, what), (table, what)
            refused(connection, f"select count(*) from {table}")
        for column in ("digest_key", "identity_secret", "name"):
            refused(connection, f"select {column} from projects")
        refused(connection, "update projects set paused = true")


def test_what_was_done_is_only_added_to(database: str, projects: tuple[str, str]) -> None:
    """The application writes the audit log and can neither change nor remove a line."""
    with acting(database, APP, projects[0]) as connection:
        refused(connection, "update audit_log set actor = 'somebody else'")
        refused(connection, "delete from audit_log")
        refused(connection, "truncate audit_log")


@pytest.mark.both_postgres
def test_functions_that_look_across_are_for_those_who_need_them(database: str) -> None:
    """They belong to the keeper, pin their search path, and the public can call none."""
    with psycopg.connect(database, autocommit=True) as owner:
        functions = owner.execute(
            """
            select p.proname::text, p.prosecdef, p.proconfig, r.rolname::text,
                has_function_privilege('public', p.oid, 'execute'),
                has_function_privilege('leadpulse_worker', p.oid, 'execute')
            from pg_proc p join pg_roles r on r.oid = p.proowner
            where p.pronamespace = 'keeper'::regnamespace
            """
        ).fetchall()
        assert {name for name, *_, worker in functions if worker} == _OF_WORKERS
        for name, definer, config, whose, public, _ in functions:
            assert (definer, config, whose, public) == (
                True, ['search_path=""'], walls.KEEPER, False,
            ), name  # fmt: skip
        for role in (APP, WORKER, "public"):
            assert not one(owner, "select has_schema_privilege(%s, 'keeper', 'create')", role)
        assert not one(owner, "select has_table_privilege('public', 'keeper.profiles', 'select')")


async def test_each_kind_of_process_has_its_role(database: str) -> None:
    """A connection works in the role of its name from its first statement, and comes back to it."""
    for name, role in connecting._ROLES.items():
        connection = await connect(database, name)
        try:
            for before in ("select 1", "reset role", "discard all"):
                await connection.execute(before.encode())
                cursor = await connection.execute(
                    "select current_user::text, row_security_active('leads')"
                )
                assert await cursor.fetchone() == (role, True), name
        finally:
            await connection.close()


async def test_the_intake_says_only_what_changes(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reaches the projects of its commit, and asks again only when they are others."""
    said: list[frozenset[str]] = []
    plain = session.reach

    async def counted(connection: Connection, projects: frozenset[str], *, lasting: bool) -> None:
        said.append(projects)
        await plain(connection, projects, lasting=lasting)

    monkeypatch.setattr(session, "reach", counted)
    first, second = uuid7(), uuid7()
    connection = await connect(database, "intake")
    reach = session.Reach()
    try:
        for projects in ({first}, {first}, {first, second}, {second, first}, {second}):
            await reach.set(connection, projects)
            cursor = await connection.execute(
                "select current_setting('leadpulse.projects')::uuid[]::text[]"
            )
            assert await cursor.fetchone() == (sorted(projects),)
        assert said == [{first}, {first, second}, {second}]
        other = await connect(database, "intake")
        try:
            await reach.set(other, {second})
            assert len(said) == 4
        finally:
            await other.close()
    finally:
        await connection.close()


async def test_a_pool_forgets_what_a_transaction_reached(
    database: str, projects: tuple[str, str]
) -> None:
    """What one transaction may reach, the next on the same connection may not."""
    async with connecting.pool(database, "api", smallest=1, largest=1) as pool:
        async with session.snapshot(pool, projects[0], user=uuid7()) as (connection, _):
            cursor = await connection.execute("select count(*) > 0 from leads")
            assert await cursor.fetchone() == (True,)
        for nobody in (session.snapshot(pool, None), session.unit(pool, ())):
            async with nobody as (connection, _):
                cursor = await connection.execute(
                    "select count(*), current_setting('leadpulse.user') from leads"
                )
                assert await cursor.fetchone() == (0, "")
        async with pool.connection() as connection:
            cursor = await connection.execute("select count(*) from leads")
            assert await cursor.fetchone() == (0,)


def test_no_process_forgets_its_role() -> None:
    """Every name under which the program connects is said to have a role, or to have none."""
    folder = Path(leadpulse.__file__).parent
    used: set[str] = set()
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"\([\w.]*dsn, \"(\w+)\"", text))
    assert used == {*connecting._ROLES, *connecting.AS_LOGIN}


def test_walls_can_be_built_again(database: str) -> None:
    """Building them where they stand changes nothing, and puts back what was taken away."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("alter table leads no force row level security")
        owner.execute("drop policy wall on events")
        owner.execute("grant select on users to leadpulse_worker")
        owner.execute("create table later (project_id uuid, said text)")
        walls.build(database)
        walls.build(database)
        later = one(owner, "select relforcerowsecurity from pg_class where relname = 'later'")
        assert later
    test_every_table_of_a_project_has_a_wall(database)
    with acting(database, WORKER) as connection:
        refused(connection, "select count(*) from users")
        refused(connection, "select count(*) from later")
    with acting(database, APP) as connection:
        assert one(connection, "select count(*) from later") == 0


def test_a_search_follows_its_index_behind_the_wall(
    database: str, projects: tuple[str, str]
) -> None:
    """Through the view `like` finds its index, and still only what the project has."""
    first, second = projects
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        for project in projects:
            owner.execute(
                """
                insert into lead_profiles (project_id, lead_id, name, updated_at)
                select %s, gen_random_uuid(), 'Person ' || md5(n::text), now()
                from generate_series(1, 5000) n
                """,
                [project],
            )
        owner.execute("vacuum analyze lead_profiles")
    query = "select count(*) from {} where project_id = %s and search like '%%c4ca4238%%'"
    with acting(database, APP, first) as connection:
        connection.execute("set local enable_seqscan = off")
        plan = one(connection, f"explain (format json) {query.format('keeper.profiles')}", first)
        assert "lead_profiles_search" in json.dumps(plan)
        assert one(connection, query.format("keeper.profiles"), first) == 1
        assert one(connection, query.format("keeper.profiles"), second) == 0
        assert one(connection, "select count(distinct project_id) from keeper.profiles") == 1
        refused(connection, "update keeper.profiles set owner = 'me'")
    with acting(database, APP) as connection:
        assert one(connection, "select count(*) from keeper.profiles") == 0
