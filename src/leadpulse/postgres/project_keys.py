"""The keys of a project as its members look after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from leadpulse.postgres.connect import Instant

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

Kind = Literal["write", "secret"]

_COLUMNS: Final = """
select id, kind, name, shown, scopes, origins, created_at, created_by, expires_at, revoked_at,
       disabled_at, last_used_at
from api_keys
"""
_LIST: Final = _COLUMNS + "where project_id = %s order by created_at, id"
_HOLD: Final = _COLUMNS + "where project_id = %s and id = %s for no key update"
# The one that people are shown, and that a rotation without a name is about.
_CURRENT: Final = """
select id from api_keys
where project_id = %s and kind = 'write' and revoked_at is null and disabled_at is null
    and coalesce(expires_at > clock_timestamp(), true)
order by expires_at desc nulls first, created_at, id limit 1
"""

_CHANGE: Final = """
update api_keys set name = %(name)s, origins = %(origins)s, expires_at = %(expires_at)s,
    revoked_at = %(revoked_at)s, disabled_at = %(disabled_at)s
where project_id = %(project)s and id = %(id)s
"""

_COUNT: Final = """
select count(*) from api_keys
where project_id = %s and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)
"""


class KeyRow(NamedTuple):
    """A key as lists show it; instants in µs. Of a secret key nothing can be shown."""

    id: str
    kind: Kind
    name: str
    shown: str | None
    scopes: list[str]
    origins: list[str]
    created_at: int
    created_by: str | None
    expires_at: int | None
    revoked_at: int | None
    disabled_at: int | None
    last_used_at: int | None


async def list_keys(conn: Connection, project_id: str) -> list[KeyRow]:
    """All keys of a project, oldest first, also those no longer in use."""
    cursor = await conn.execute(_LIST, (project_id,))
    return [KeyRow(*row) for row in await cursor.fetchall()]


async def hold_key(conn: Connection, project_id: str, key_id: str) -> KeyRow | None:
    """A key that nobody else changes until the transaction ends; None without such a one."""
    cursor = await conn.execute(_HOLD, (project_id, key_id))
    row = await cursor.fetchone()
    return None if row is None else KeyRow(*row)


async def current_write_key(conn: Connection, project_id: str) -> str | None:
    """The id of the write key to use; None if no write key works."""
    cursor = await conn.execute(_CURRENT, (project_id,))
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def count_keys(conn: Connection, project_id: str) -> int:
    """How many keys were not revoked and have not expired."""
    cursor = await conn.execute(_COUNT, (project_id,))
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def change_key(conn: Connection, project_id: str, key: KeyRow) -> None:
    """Stores name, origins, and when it expires, was revoked and switched off."""
    await conn.execute(
        _CHANGE,
        {
            "project": project_id,
            "id": key.id,
            "name": key.name,
            "origins": key.origins,
            "expires_at": _instant(key.expires_at),
            "revoked_at": _instant(key.revoked_at),
            "disabled_at": _instant(key.disabled_at),
        },
    )


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)
