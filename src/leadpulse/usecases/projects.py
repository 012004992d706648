"""Making projects, and pausing them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from leadpulse.domain.errors import FieldError, Invalid, NotFound
from leadpulse.domain.model import is_clean, model_document
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.ids import uuid7
from leadpulse.postgres import projects as store
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.usecases.keys import SCOPES, hash_key, new_secret_key, new_write_key

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_LONGEST_NAME = 200


class CreatedProject(NamedTuple):
    """A new project. The secret key is told here, once, and nowhere else."""

    id: str
    name: str
    preset: str
    write_key: str
    secret_key: str

    def document(self) -> dict[str, str]:
        """As clients see it."""
        return {
            "id": self.id,
            "name": self.name,
            "preset": self.preset,
            "writeKey": self.write_key,
            "secretKey": self.secret_key,
        }


async def create_project(
    conn: Connection, name: str, preset_name: str = "leadpulse"
) -> CreatedProject:
    """Makes a project with a model of its own and one key of each kind, in one transaction.

    Raises Invalid for a bad name or an unknown preset.
    """
    _check(name, preset_name)
    made = CreatedProject(uuid7(), name.strip(), preset_name, new_write_key(), new_secret_key())
    start = preset(preset_name)
    model = replace(start, version=1, rules=tuple(replace(r, id=uuid7()) for r in start.rules))
    project = store.NewProject(
        made.id, made.name, preset_name, secrets.token_bytes(32), secrets.token_bytes(32)
    )
    async with conn.transaction():
        await store.insert_project(conn, project, model_document(model))
        write = hash_key(made.write_key)
        await insert_key(
            conn, NewKey(made.id, uuid7(), "write", "Write key", made.write_key, write)
        )
        # All scopes: whoever can make a project can do everything in it.
        secret = hash_key(made.secret_key)
        await insert_key(
            conn, NewKey(made.id, uuid7(), "secret", "Secret key", None, secret, SCOPES)
        )
    return made


async def pause_project(conn: Connection, project_id: str, *, paused: bool) -> None:
    """Stops a project from taking events, or lets it go on. Raises NotFound."""
    if not await store.set_paused(conn, project_id, paused=paused):
        raise NotFound("project", project_id)


def _check(name: str, preset_name: str) -> None:
    errors = []
    if not 1 <= len(name.strip()) <= _LONGEST_NAME or not is_clean(name):
        errors.append(FieldError("name", f"must be 1 to {_LONGEST_NAME} characters"))
    if preset_name not in PRESETS:
        errors.append(FieldError("preset", "must be one of " + ", ".join(PRESETS)))
    if errors:
        raise Invalid(errors)
