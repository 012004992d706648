"""Bringing a database to the schema that this version of the code expects.

Forward only: a step back would have to throw away data that the step forward
made room for. Undoing a migration is restoring a backup.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from leadpulse.postgres.errors import MigrationError
from leadpulse.postgres.migrations.steps import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_SERVER: Final = 15
_FOLDER = Path(__file__).parent / "migrations"
# Any fixed number; it must only differ from other advisory locks of this product.
_ADVISORY_LOCK = 0x6C65_6164_0001


def migrate(dsn: str) -> list[str]:
    """Apply what is missing and return the revisions that were applied, oldest first.

    Idempotent. Two processes may do it at once: the second waits, and finds
    nothing left to do. Each revision is one transaction.
    """
    with psycopg.connect(dsn, autocommit=True, application_name="leadpulse-migrate") as guard:
        _require_server(guard)
        guard.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        missing = _missing(_applied(guard))
        if missing:
            _upgrade(dsn)
        return missing


def current(dsn: str) -> str | None:
    """Return the newest revision that was applied; None for an empty database."""
    with psycopg.connect(dsn, autocommit=True, application_name="leadpulse-migrate") as connection:
        return _applied(connection)


def pending(dsn: str) -> list[str]:
    """Return the revisions that `migrate` would apply, oldest first."""
    return _missing(current(dsn))


def head() -> str:
    """Return the newest revision that this code knows."""
    return _revisions()[-1]


def offline_sql(since: str | None = None) -> str:
    """Return the SQL of everything after `since`, for people who run it by hand."""
    output = io.StringIO()
    config = _config()
    config.output_buffer = output
    command.upgrade(config, f"{since or 'base'}:head", sql=True)
    return output.getvalue()


def _upgrade(dsn: str) -> None:
    with _alembic_connection(dsn) as config:
        try:
            command.upgrade(config, "head")
        # From a step's own file it comes bare, from Alembic's statements wrapped.
        except (psycopg.Error, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if not isinstance(cause, psycopg.errors.LockNotAvailable):
                # Not allowed, no room, gone away: there is a sentence for what it really is.
                raise (cause or error) from None
            raise MigrationError(
                f"Some other session held a lock for more than {LOCK_TIMEOUT}, so the migration "
                "gave way. Nothing was changed by this step; run `leadpulse migrate` again."
            ) from error


@contextmanager
def _alembic_connection(dsn: str) -> Iterator[Config]:
    def connect() -> psycopg.Connection:
        return psycopg.connect(
            dsn,
            application_name="leadpulse-migrate",
            options=f"-c lock_timeout={LOCK_TIMEOUT} -c client_min_messages=warning",
        )

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        yield config


def _config() -> Config:
    config = Config()
    # Alembic reads this through a format that knows %(name)s.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def _revisions() -> list[str]:
    script = ScriptDirectory.from_config(_config())
    return [step.revision for step in script.walk_revisions()][::-1]


def _missing(applied: str | None) -> list[str]:
    known = _revisions()
    if applied is None:
        return known
    if applied not in known:
        raise MigrationError(
            f"The database is at revision {applied}, which this version of LeadPulse does not "
            f"know (it ends at {known[-1]}). Install the newer LeadPulse that wrote it."
        )
    return known[known.index(applied) + 1 :]


def _applied(connection: psycopg.Connection) -> str | None:
    found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _require_server(connection: psycopg.Connection) -> None:
    major = connection.info.server_version // 10_000
    if major < OLDEST_SERVER:
        raise MigrationError(
            f"LeadPulse needs PostgreSQL {OLDEST_SERVER} or newer, and DATABASE_URL leads to "
            f"version {major}. Upgrade that server, or leave DATABASE_URL empty to use the "
            "embedded one."
        )
