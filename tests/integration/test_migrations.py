from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from leadpulse.postgres import migrate as migrations
from leadpulse.postgres.errors import MigrationError
from leadpulse.postgres.migrate import current, head, migrate, offline_sql, pending
from leadpulse.postgres.schema import SCHEMA_FILE, dump_schema

if TYPE_CHECKING:
    from support.postgres import Cluster


@pytest.mark.both_postgres
def test_applies_everything_once(empty_database: str) -> None:
    """A fresh database gets every revision, and a second run finds nothing to do."""
    expected = pending(empty_database)
    assert current(empty_database) is None
    assert migrate(empty_database) == expected
    assert migrate(empty_database) == []
    assert pending(empty_database) == []
    assert current(empty_database) == head() == expected[-1]


async def test_two_processes_migrate_at_once(empty_database: str) -> None:
    """Of several that migrate at the same time one does the work and none fails."""
    results = await asyncio.gather(*(asyncio.to_thread(migrate, empty_database) for _ in range(4)))
    assert sorted(len(applied) for applied in results) == [0, 0, 0, len(max(results, key=len))]


def test_schema_has_not_drifted(cluster: Cluster) -> None:
    """The schema after all migrations is the one in schema.sql; `make gen` rewrites that file."""
    name = cluster.create()
    try:
        assert dump_schema(cluster.dsn(name)) == SCHEMA_FILE.read_text(encoding="utf-8")
    finally:
        cluster.drop(name)


def test_database_of_a_newer_version_is_refused(database: str) -> None:
    """A revision that this code does not know stops the migration with a sentence."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MigrationError, match="revision 9999, which this version"):
        migrate(database)


@pytest.mark.both_postgres
def test_offline_sql_is_the_whole_migration(empty_database: str) -> None:
    """What a database administrator runs by hand brings a database to the same revision."""
    text = offline_sql()
    assert text.startswith("SET lock_timeout = '5s';")
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(text.encode())
    assert pending(empty_database) == []


def test_a_held_lock_makes_the_migration_give_way(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that cannot get a lock soon says so and leaves nothing half done."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "50ms")
    with psycopg.connect(empty_database) as holder:
        # Alembic's own table, created and not committed: the migration has to wait for it.
        holder.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        with pytest.raises(MigrationError, match="run `leadpulse migrate` again"):
            migrate(empty_database)
        holder.rollback()
    assert migrate(empty_database) == pending_of_nothing()


def pending_of_nothing() -> list[str]:
    """Return every revision there is."""
    return migrations._missing(None)
