"""API keys: found by their hash, with all that a call needs to know of their project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leadpulse.postgres.connect import Connection

_FIND: Final = """
select k.project_id, k.id, k.kind, k.key_hash, k.scopes, k.origins,
       k.revoked_at is not null or k.disabled_at is not null or p.deleted_at is not null
           or coalesce(k.expires_at <= clock_timestamp(), false),
       k.expires_at, p.paused, p.digest_key, p.identity_verification, p.identity_secret,
       coalesce(k.last_used_at < clock_timestamp() - interval '1 minute', true)
from unnest(%s::bytea[]) w (h)
cross join lateral (select * from api_keys k where k.key_hash = w.h) k
join projects p on p.id = k.project_id
"""

_PROJECT: Final = """
select paused, digest_key, identity_verification, identity_secret from projects where id = %s
"""

# Whoever else notes the same key just now notes the same time.
_USED: Final = """
with u as materialized (
    select k.project_id, k.id
    from jsonb_to_recordset(%s::jsonb) w (p uuid, id uuid)
    join api_keys k on k.project_id = w.p and k.id = w.id
    order by k.project_id, k.id for no key update of k skip locked
)
update api_keys k set last_used_at = clock_timestamp()
from u where k.project_id = u.project_id and k.id = u.id
"""

_INSERT: Final = """
insert into api_keys
    (project_id, id, kind, name, shown, key_hash, scopes, origins, expires_at, created_by)
values (%(project_id)s, %(id)s, %(kind)s, %(name)s, %(shown)s, %(key_hash)s, %(scopes)s,
        %(origins)s,
        timestamptz 'epoch' + %(expires_at)s::bigint * interval '1 microsecond', %(created_by)s)
"""


class FoundKey(NamedTuple):
    """A key and its project; `idle`: not used for a minute.

    `over`: revoked, expired or switched off, or its project is deleted.
    """

    project_id: str
    id: str
    kind: str
    key_hash: bytes
    scopes: list[str]
    origins: list[str]
    over: bool
    expires_at: int | None
    paused: bool
    digest_key: bytes
    identity_verification: bool
    identity_secret: bytes
    idle: bool


class ProjectSecrets(NamedTuple):
    """What intake needs of a project that a caller reaches without a key."""

    paused: bool
    digest_key: bytes
    identity_verification: bool
    identity_secret: bytes


class NewKey(NamedTuple):
    """A key to be stored: of a secret one only the hash, a write key (`shown`) can be shown."""

    project_id: str
    id: str
    kind: str
    name: str
    shown: str | None
    key_hash: bytes
    scopes: Sequence[str] = ()
    origins: Sequence[str] = ()
    expires_at: int | None = None
    created_by: str | None = None


async def find_keys(conn: Connection, hashes: Sequence[bytes]) -> list[FoundKey]:
    """The keys with these hashes, whatever their state."""
    cursor = await conn.execute(_FIND, (list(hashes),))
    return [FoundKey(*row) for row in await cursor.fetchall()]


async def note_used(conn: Connection, keys: Iterable[tuple[str, str]]) -> None:
    """Notes that keys, given as (project, id), were used just now."""
    document = [{"p": project_id, "id": key_id} for project_id, key_id in keys]
    await conn.execute(_USED, (msgspec.json.encode(document).decode(),))


async def find_project(conn: Connection, project_id: str) -> ProjectSecrets | None:
    """What intake needs of a project; None if there is none with this id."""
    cursor = await conn.execute(_PROJECT, (project_id,))
    row = await cursor.fetchone()
    return None if row is None else ProjectSecrets(*row)


async def insert_key(conn: Connection, key: NewKey) -> None:
    """Stores a key, in the caller's transaction."""
    values = key._asdict() | {"scopes": list(key.scopes), "origins": list(key.origins)}
    await conn.execute(_INSERT, values)
