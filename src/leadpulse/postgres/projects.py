"""Projects: tenants, each with its keys and its published models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.postgres.connect import Connection

_INSERT: Final = """
with p as (
    insert into projects (id, name, preset, digest_key, identity_secret, domain, time_zone)
    values (%(id)s, %(name)s, %(preset)s, %(digest_key)s, %(identity_secret)s, %(domain)s,
            %(time_zone)s)
    returning id
)
insert into figures (project_id) select id from p
"""

_INSERT_MODEL: Final = """
insert into models (project_id, version, scope, document, note)
values (%s, 1, 'all-history', %s::jsonb, %s)
"""

_LIST: Final = "select id, name, preset, paused, created_at from projects order by created_at, id"

# Of its write keys the one that is to be used: not the one that a rotation will end.
_SETTINGS: Final = """
select p.id, p.name, p.domain, p.time_zone, p.paused, p.preset, p.created_at, p.deleted_at,
       (select k.shown from api_keys k
        where k.project_id = p.id and k.kind = 'write' and k.revoked_at is null
            and k.disabled_at is null and coalesce(k.expires_at > clock_timestamp(), true)
        order by k.expires_at desc nulls first, k.created_at, k.id limit 1)
from projects p where p.id = any (%s::uuid[]) order by p.created_at, p.id
"""

_CHANGE: Final = """
update projects set name = %(name)s, domain = %(domain)s, time_zone = %(time_zone)s,
    paused = %(paused)s
where id = %(id)s
"""

_TIME_ZONE: Final = """
select name from pg_timezone_names where lower(name) = lower(%s) order by name limit 1
"""


class NewProject(NamedTuple):
    """A project to be stored; both secrets are 32 random bytes."""

    id: str
    name: str
    preset: str
    digest_key: bytes
    identity_secret: bytes
    domain: str | None = None
    time_zone: str = "UTC"


class ProjectRow(NamedTuple):
    """A project as lists show it."""

    id: str
    name: str
    preset: str
    paused: bool
    created_at: int


class ProjectSettings(NamedTuple):
    """What people set about a project, and the write key to use; instants in µs."""

    id: str
    name: str
    domain: str | None
    time_zone: str
    paused: bool
    preset: str
    created_at: int
    deleted_at: int | None
    write_key: str | None


class Identity(NamedTuple):
    """Whether claims of identity must be signed, and with what."""

    demanded: bool
    secret: bytes


async def insert_project(
    conn: Connection, project: NewProject, document: Mapping[str, object]
) -> None:
    """Stores a project with its first model, in the caller's transaction."""
    await conn.execute(_INSERT, project._asdict())
    model = msgspec.json.encode(document).decode()
    await conn.execute(_INSERT_MODEL, (project.id, model, f"The preset {project.preset}."))


async def list_projects(conn: Connection) -> list[ProjectRow]:
    """All projects within reach, oldest first."""
    cursor = await conn.execute(_LIST)
    return [ProjectRow(*row) for row in await cursor.fetchall()]


async def settings(conn: Connection, project_ids: Sequence[str]) -> list[ProjectSettings]:
    """The settings of projects, the oldest first."""
    cursor = await conn.execute(_SETTINGS, (list(project_ids),))
    return [ProjectSettings(*row) for row in await cursor.fetchall()]


async def hold(conn: Connection, project_id: str) -> bool:
    """Lets others who change the settings wait until the end; False if there is none."""
    cursor = await conn.execute(
        "select from projects where id = %s for no key update", (project_id,)
    )
    return cursor.rowcount == 1


async def hold_open(conn: Connection, project_id: str) -> bool:
    """The same for a project that nobody deleted; and nobody does until the end."""
    cursor = await conn.execute(
        "select from projects where id = %s and deleted_at is null for no key update",
        (project_id,),
    )
    return cursor.rowcount == 1


async def change(conn: Connection, project: ProjectSettings) -> None:
    """Stores name, domain, time zone and pause."""
    await conn.execute(_CHANGE, project._asdict())


async def time_zone(conn: Connection, name: str) -> str | None:
    """The name of a time zone as PostgreSQL writes it; None for one that it doesn't know."""
    cursor = await conn.execute(_TIME_ZONE, (name,))
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def set_paused(conn: Connection, project_id: str, *, paused: bool) -> bool:
    """Pauses a project or lets it go on; False if there is none with this id."""
    cursor = await conn.execute(
        "update projects set paused = %s where id = %s", (paused, project_id)
    )
    return cursor.rowcount == 1


async def identity(conn: Connection, project_id: str) -> Identity | None:
    """Whether claims of identity must be signed; None without such a project."""
    cursor = await conn.execute(
        "select identity_verification, identity_secret from projects where id = %s", (project_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else Identity(*row)


async def set_identity(conn: Connection, project_id: str, wanted: Identity) -> None:
    """Demands signed claims or not, and with which secret."""
    await conn.execute(
        "update projects set identity_verification = %s, identity_secret = %s where id = %s",
        (wanted.demanded, wanted.secret, project_id),
    )
