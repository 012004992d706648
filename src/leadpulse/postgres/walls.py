"""The walls between projects, put up again where a restore brought tables without grants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

KEEPER: Final = "leadpulse_keeper"
_FILE: Final = Path(__file__).parent / "migrations" / "sql" / "walls.sql"
# The first part makes the roles, the second begins with the schema of the keeper.
_SECOND: Final = "-- ── The keeper's own schema"

_BOUND: Final = """
select not (r.rolsuper or r.rolbypassrls)
    and exists (select from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relforcerowsecurity)
from pg_roles r where r.rolname = current_user
"""

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

_FORCED: Final = """
select c.oid::regclass::text from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relforcerowsecurity
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


async def reader(conn: Connection) -> str | None:
    """The role that reads everything: the keeper, which the connection takes then.

    None if row security doesn't bind whoever logged in, or no table has any yet.
    """
    cursor = await conn.execute(_BOUND)
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return None
    await conn.execute("set role leadpulse_keeper")
    return KEEPER


async def unseen(conn: Connection) -> list[str]:
    """Tables of which the keeper doesn't see all rows: none, unless somebody took that away."""
    cursor = await conn.execute(_UNSEEN)
    return [row[0] for row in await cursor.fetchall()]


async def lift(conn: Connection) -> None:
    """Lets the owner see all rows. For a transaction that is rolled back, in nobody's way."""
    cursor = await conn.execute(_FORCED)
    for (table,) in await cursor.fetchall():
        await conn.execute(f"alter table {table} no force row level security".encode())
