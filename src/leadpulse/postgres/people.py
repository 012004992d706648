"""Accounts as whoever runs the installation looks after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_LIST: Final = """
select id, email, name, password_hash is not null, google_subject is not null,
       email_verified_at is not null, operator, disabled_at is not null, created_at
from users order by created_at, id
"""

_DISABLE: Final = """
update users set disabled_at = case when %s then coalesce(disabled_at, clock_timestamp()) end
where id = %s
"""


class Person(NamedTuple):
    """An account as lists show it; the instant in µs."""

    id: str
    email: str
    name: str
    password: bool
    google: bool
    verified: bool
    operator: bool
    disabled: bool
    created_at: int


async def list_people(conn: Connection) -> list[Person]:
    """All accounts, the oldest first."""
    cursor = await conn.execute(_LIST)
    return [Person(*row) for row in await cursor.fetchall()]


async def set_disabled(conn: Connection, user_id: str, *, disabled: bool) -> None:
    """Lets nobody log in to an account any more, or lets its owner again."""
    await conn.execute(_DISABLE, (disabled, user_id))


async def set_operator(conn: Connection, user_id: str, *, operator: bool) -> None:
    """Shows somebody the figures of the whole installation, or no longer."""
    await conn.execute("update users set operator = %s where id = %s", (operator, user_id))
