"""Projects: tenants, each with its keys and its published models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.connect import Connection

_INSERT: Final = """
insert into projects (id, name, preset, digest_key, identity_secret)
values (%(id)s, %(name)s, %(preset)s, %(digest_key)s, %(identity_secret)s)
"""

_INSERT_MODEL: Final = """
insert into models (project_id, version, scope, document, note)
values (%s, 1, 'all-history', %s::jsonb, %s)
"""

_LIST: Final = "select id, name, preset, paused, created_at from projects order by created_at, id"


class NewProject(NamedTuple):
    """A project to be stored; both secrets are 32 random bytes."""

    id: str
    name: str
    preset: str
    digest_key: bytes
    identity_secret: bytes


class ProjectRow(NamedTuple):
    """A project as lists show it."""

    id: str
    name: str
    preset: str
    paused: bool
    created_at: int


async def insert_project(
    conn: Connection, project: NewProject, document: Mapping[str, object]
) -> None:
    """Stores a project with its first model, in the caller's transaction."""
    await conn.execute(_INSERT, project._asdict())
    model = msgspec.json.encode(document).decode()
    await conn.execute(_INSERT_MODEL, (project.id, model, f"The preset {project.preset}."))


async def list_projects(conn: Connection) -> list[ProjectRow]:
    """All projects, oldest first."""
    cursor = await conn.execute(_LIST)
    return [ProjectRow(*row) for row in await cursor.fetchall()]


async def set_paused(conn: Connection, project_id: str, *, paused: bool) -> bool:
    """Pauses a project or lets it go on; False if there is none with this id."""
    cursor = await conn.execute(
        "update projects set paused = %s where id = %s", (paused, project_id)
    )
    return cursor.rowcount == 1
