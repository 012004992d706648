"""The walls between projects, put up again where a restore brought tables without grants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.rows import scalar_row

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

KEEPER: Final = "leadpulse_keeper"
_FILE: Final = Path(__file__).parent / "migrations" / "sql" / "walls.sql"
# The first part makes the roles, the second begins with the schema of the keeper.
_SECOND: Final = "-- ── The keeper's own schema"

# Whoever neither owns all rows nor may pass the policies sees nothing of these.
_UNSEEN: Final = """
select c.relname::text from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
    and not exists (
        select from pg_policy p
        where p.polrelid = c.oid and p.polcmd in ('r', '*')
            and 'leadpulse_keeper'::regrole = any (p.polroles)
            and pg_get_expr(p.polqual, p.polrelid) = 'true')
order by 1
"""


def make_roles(dsn: str) -> None:
    """Makes the roles that policies name, if they are not there. For an empty database."""
    _run(dsn, _FILE.read_text(encoding="utf-8").split(_SECOND, 1)[0])


def build(dsn: str) -> None:
    """Brings roles, policies, functions and grants to what walls.sql says. Idempotent.

    For a database that has the schema of this code.
    """
    _run(dsn, _FILE.read_text(encoding="utf-8"))


def _run(dsn: str, text: str) -> None:
    with psycopg.connect(
        dsn, application_name="leadpulse-migrate", options="-c client_min_messages=warning"
    ) as connection:
        connection.execute(text.encode())


def passes_policies(dsn: str) -> bool:
    """True for a superuser and the like, whom row security doesn't bind."""
    with psycopg.connect(dsn, application_name="leadpulse-start") as connection:
        cursor = connection.cursor(row_factory=scalar_row)
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        return bool(cursor.fetchone())


async def keep(conn: Connection) -> list[str]:
    """Reads as the keeper from here on, who sees all rows; tells tables of which he sees none."""
    await conn.execute("set role leadpulse_keeper")
    cursor = await conn.execute(_UNSEEN)
    return [row[0] for row in await cursor.fetchall()]
