"""From settings to a database that is there and has the schema of this code."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from leadpulse.postgres import outages, revisions
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.embedded import EmbeddedPostgres, running_dsn
from leadpulse.postgres.errors import DataDirectoryInUseError, EmbeddedError, MigrationError
from leadpulse.postgres.trouble import DATABASE_ERRORS
from leadpulse.usecases.audit import Actor, acting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from psycopg_pool import AsyncConnectionPool

    from leadpulse.postgres.connect import Connection
    from leadpulse.settings import Settings

# How long an owner of the data directory may be about to announce its server.
_STARTING: Final = 15.0
_LOOK_EVERY: Final = 0.03


@asynccontextmanager
async def server(settings: Settings, *, create: bool = False) -> AsyncIterator[str]:
    """The address of the database, whatever its schema.

    It is DATABASE_URL, else the server of a running `serve` on the data directory, else one
    that runs for the length of the block. Without `create` a data directory that isn't
    there is an error, not a new one.
    """
    if settings.database_url is not None:
        await asyncio.to_thread(outages.reach, settings.database_url)
        yield settings.database_url
        return
    dsn = running_dsn(settings.data_dir)
    if dsn is not None:
        # After a crash it is being started again.
        await asyncio.to_thread(outages.reach, dsn, _STARTING)
        yield dsn
        return
    if not create and not holds_data(settings.data_dir):
        raise EmbeddedError(
            f"There is no LeadPulse in {settings.data_dir}. Name its directory with --data-dir, "
            "or start one with `leadpulse serve`."
        )
    embedded = EmbeddedPostgres(settings.data_dir)
    try:
        await embedded.start()
    except DataDirectoryInUseError:
        yield await _announced(settings.data_dir)
        return
    try:
        yield embedded.dsn
    finally:
        await embedded.stop()


@asynccontextmanager
async def database(settings: Settings, *, create: bool = False) -> AsyncIterator[str]:
    """The same, with the schema of this code: an embedded one is migrated, another checked."""
    async with server(settings, create=create) as dsn:
        if settings.database_url is None:
            await asyncio.to_thread(bring_up_to_date, dsn)
        else:
            await asyncio.to_thread(require_up_to_date, dsn)
        yield dsn


@asynccontextmanager
async def pool(
    settings: Settings, *, create: bool = False, largest: int = 4
) -> AsyncIterator[AsyncConnectionPool[Connection]]:
    """Connections to that database, for the length of a command.

    What it does stands in audit logs as done by `cli`.
    """
    async with (
        database(settings, create=create) as dsn,
        make_pool(dsn, "command", largest=largest) as connections,
    ):
        with acting(Actor("cli")):
            yield connections


def for_processes(settings: Settings, dsn: str) -> str:
    """Where API and scorers log in: as a role of less power, if there is one for them."""
    return settings.app_database_url or dsn


async def awaited(settings: Settings) -> str:
    """The address of a database that the parent process is just starting and migrating."""
    wanted = revisions.newest()
    while True:
        dsn = settings.database_url or running_dsn(settings.data_dir)
        if dsn is not None and await asyncio.to_thread(_revision, dsn) == wanted:
            return dsn
        await asyncio.sleep(_LOOK_EVERY)


def _revision(dsn: str) -> str | None:
    try:
        return revisions.applied(dsn)
    except DATABASE_ERRORS:
        return None


def bring_up_to_date(dsn: str) -> list[str]:
    """Applies missing migrations and returns them. Idempotent."""
    if revisions.applied(dsn) == revisions.newest():
        return []
    # Takes half a second to load, which a start with nothing to do should not pay.
    from leadpulse.postgres.migrate import migrate  # noqa: PLC0415

    return migrate(dsn)


def require_up_to_date(dsn: str) -> None:
    """Raises MigrationError if the schema is not that of this code."""
    found, wanted = revisions.applied(dsn), revisions.newest()
    if found == wanted:
        return
    if found is not None and found > wanted:
        raise MigrationError(
            f"The database is at revision {found}, which this version of LeadPulse does not know "
            f"(it ends at {wanted}). Install the newer LeadPulse that wrote it."
        )
    state = "has no schema yet" if found is None else f"is at revision {found} of {wanted}"
    raise MigrationError(f"The database {state}. Run `leadpulse migrate` first.")


def holds_data(data_dir: Path) -> bool:
    """True if an embedded server was ever started on this data directory."""
    return (data_dir / "postgres").exists() or (data_dir / "postgres.location").exists()


async def _announced(data_dir: Path) -> str:
    """The address of a server whose owner is just starting it."""
    deadline = time.monotonic() + _STARTING
    while time.monotonic() < deadline:
        dsn = running_dsn(data_dir)
        if dsn is not None:
            return dsn
        await asyncio.sleep(0.05)
    raise DataDirectoryInUseError(data_dir, None)
