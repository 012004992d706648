"""An owner of the database who is no superuser: as on a managed PostgreSQL."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from leadpulse.postgres.connect import APP, WORKER, connect
from leadpulse.postgres.embedded import EmbeddedPostgres
from leadpulse.postgres.migrate import migrate
from leadpulse.usecases.backup import BackupError, back_up, read_manifest, restore
from leadpulse.usecases.projects import create_project
from support.postgres import FAST, Cluster, binaries_of, reachable_folder
from support.twins import fill_every_table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def nothing(_: int) -> None:
    return


def login(server: EmbeddedPostgres, role: str, database: str) -> str:
    """The address for a role, whom the server takes whoever asks for him here to be."""
    sockets = quote(str(server.layout.sockets), safe="")
    return f"postgresql://{role}@/{database}?host={sockets}"


@contextmanager
def fresh(version: str, *roles: str) -> Iterator[EmbeddedPostgres]:
    """A server that nobody used, with logins for these roles."""
    folder = reachable_folder()
    server = EmbeddedPostgres(folder / "data", binaries=binaries_of(version), settings=FAST)
    try:
        server.start_blocking()
        with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
            for role in roles:
                admin.execute(f"create role {role} login createrole".encode())
            hba = server.layout.cluster / "pg_hba.conf"
            hba.write_text(f"local all {','.join(roles)} trust\n{hba.read_text()}")
            admin.execute("select pg_reload_conf()")
        yield server
    finally:
        server.stop_blocking()
        shutil.rmtree(folder, ignore_errors=True)


def owned(server: EmbeddedPostgres, owner: str, name: str) -> str:
    """A new database of this owner, and his address of it."""
    with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} owner {owner} template template0".encode())
    return login(server, owner, name)


def one(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]


def counts(dsn: str) -> dict[str, int]:
    """Rows of every table of projects, as a superuser counts them."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return {
            table: connection.execute(f"select count(*) from {table}".encode()).fetchall()[0][0]
            for table in tables(connection)
        }


def as_superuser(server: EmbeddedPostgres, dsn: str) -> str:
    return server.dsn_of(str(conninfo_to_dict(dsn)["dbname"]))


@pytest.mark.both_postgres
async def test_an_owner_who_is_no_superuser_has_the_same_walls(
    cluster: Cluster, tmp_path: Path
) -> None:
    """He migrates, processes take their roles from him, and his backup holds every row."""
    with fresh(cluster.version, "keeper_of_leads", "second") as server:
        dsn = owned(server, "keeper_of_leads", "one")
        assert migrate(dsn)
        assert migrate(dsn) == []
        connection = await connect(dsn, "api")
        made = await create_project(connection, "Managed")
        await connection.close()
        for name, role in (("api", APP), ("scorer", WORKER)):
            connection = await connect(dsn, name)
            try:
                cursor = await connection.execute(
                    "select current_user::text, session_user::text, (select count(*) from leads)"
                )
                assert await cursor.fetchone() == (role, "keeper_of_leads", 0)
            finally:
                await connection.close()
        with psycopg.connect(as_superuser(server, dsn), autocommit=True) as admin:
            fill_every_table(admin, made.id)
        there = counts(as_superuser(server, dsn))
        assert all(there.values())

        manifest = await back_up(dsn, tmp_path / "b", "test", nothing)
        assert {table: manifest.rows[table] for table in there} == there
        copy = owned(server, "keeper_of_leads", "two")
        await restore(copy, tmp_path / "b", read_manifest(tmp_path / "b"), nothing)
        assert counts(as_superuser(server, copy)) == there
        connection = await connect(copy, "api")
        try:
            cursor = await connection.execute(
                "select array(select keeper.every_project())::text[],"
                " (select count(*) from projects), row_security_active('events')"
            )
            assert await cursor.fetchone() == ([made.id], 0, True)
        finally:
            await connection.close()
        public = "select has_function_privilege('public', 'keeper.every_project()', 'execute')"
        assert one(copy, public) is False


async def test_a_backup_that_would_lack_rows_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Where the keeper may not see a table, its owner is told so instead of given half a backup."""
    with fresh(cluster.version, "owner") as server:
        dsn = owned(server, "owner", "one")
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("drop policy keeper on events")
        with pytest.raises(BackupError, match="rows of events"):
            await back_up(dsn, tmp_path / "b", "test", nothing)
        assert not (tmp_path / "b").exists()


@pytest.mark.both_postgres
def test_who_may_not_make_roles_is_told_what_to_run(cluster: Cluster) -> None:
    """The message is a statement for an administrator; after it the migration goes through."""
    with fresh(cluster.version, "owner") as server:
        dsn = owned(server, "owner", "one")
        with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
            admin.execute("alter role owner nocreaterole")
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
                migrate(dsn)
            said = str(refused.value)
            assert "three roles" in said
            admin.execute(
                said.split("let an administrator run: ")[1].split("\n", maxsplit=1)[0].encode()
            )
        assert migrate(dsn)
        assert one(dsn, "select pg_has_role('owner', 'leadpulse_app', 'member')")


@pytest.mark.both_postgres
async def test_processes_may_log_in_as_a_role_of_less_power(cluster: Cluster) -> None:
    """A login that is a member of the application's role alone runs API and scorers."""
    with fresh(cluster.version, "owner", "lean") as server:
        dsn = owned(server, "owner", "one")
        migrate(dsn)
        with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
            admin.execute("alter role lean nocreaterole; grant leadpulse_app to lean")
        lean = make_conninfo(dsn, user="lean")
        for name, role in (("api", APP), ("scorer", WORKER), ("upkeep", WORKER)):
            connection = await connect(lean, name)
            try:
                cursor = await connection.execute("select current_user::text")
                assert await cursor.fetchone() == (role,)
            finally:
                await connection.close()
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(lean) as direct:
            direct.execute("set role leadpulse_keeper")
        # The application's role itself may be the login.
        with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
            admin.execute("alter role leadpulse_app login")
            hba = server.layout.cluster / "pg_hba.conf"
            hba.write_text(f"local all leadpulse_app trust\n{hba.read_text()}")
            admin.execute("select pg_reload_conf()")
        for name in ("api", "scorer"):
            connection = await connect(make_conninfo(dsn, user="leadpulse_app"), name)
            await connection.close()
