from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from leadpulse.bootstrap.database import pool
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import (
    AsJson,
    DataDir,
    ProjectOption,
    checked_id,
    quiet_logs,
    settings_for,
)
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.cli.running import run
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.ids import uuid7
from leadpulse.postgres.keys import KeyRow, NewKey, insert_key, list_keys, revoke_key
from leadpulse.postgres.projects import list_projects
from leadpulse.settings import Settings
from leadpulse.usecases.keys import (
    DEFAULT_SCOPES,
    SCOPES,
    hash_key,
    new_secret_key,
    new_write_key,
)

app = new_app("Keys: write keys stand in web pages, secret keys belong to servers.")


class Kind(StrEnum):
    """What a key is for."""

    WRITE = "write"
    SECRET = "secret"  # noqa: S105 - a word, not one


@app.command()
def create(
    *,
    project: ProjectOption,
    kind: Annotated[Kind, typer.Option(help="Which kind of key.")] = Kind.WRITE,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What a secret key may do, repeatable: {', '.join(SCOPES)}."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="The only websites that may use a write key, repeatable."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it. A secret key is shown this once only."""
    settings = settings_for(data_dir)
    quiet_logs(settings)
    wrong = sorted(set(scope or ()) - set(SCOPES))
    if wrong:
        raise CommandError(f"No such scope: {', '.join(wrong)}. There are {', '.join(SCOPES)}.")
    if kind is Kind.WRITE and scope:
        raise CommandError("A write key has no scopes: it only sends events.")
    if kind is Kind.SECRET and origin:
        raise CommandError("A secret key has no origins: it never stands in a page.")
    key = new_write_key() if kind is Kind.WRITE else new_secret_key()
    made = NewKey(
        project_id=checked_id(project),
        id=uuid7(),
        kind=kind.value,
        name=name or f"{kind.value.capitalize()} key",
        shown=key if kind is Kind.WRITE else None,
        key_hash=hash_key(key),
        scopes=tuple(scope or DEFAULT_SCOPES) if kind is Kind.SECRET else (),
        origins=tuple(origin or ()),
    )
    run(_create(settings, made))
    if as_json:
        print_json({"id": made.id, "kind": made.kind, "name": made.name, "key": key})
    else:
        say(key)


@app.command(name="list")
def list_(*, project: ProjectOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the keys of a project. Secret keys are not shown: only their hashes are stored."""
    settings = settings_for(data_dir)
    quiet_logs(settings)
    rows = run(_list(settings, checked_id(project)))
    if as_json:
        print_json({"keys": [_document(row) for row in rows]})
        return
    print_table(
        ("id", "kind", "name", "key", "scopes", "state", "created"),
        [
            (
                r.id, r.kind, r.name, r.shown or "sk_…", " ".join(r.scopes),
                "revoked" if r.revoked_at is not None else "active", to_rfc3339(r.created_at),
            )
            for r in rows
        ],
    )  # fmt: skip


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="Id of the key.")],
    *,
    project: ProjectOption,
    data_dir: DataDir = None,
) -> None:
    """Take a key out of use for good. Servers know within five seconds."""
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if not run(_revoke(settings, checked_id(project), checked_id(key_id, "key"))):
        raise CommandError(f"The project has no key {key_id} in use. See `leadpulse keys list`.")
    say("Revoked.")


async def _create(settings: Settings, key: NewKey) -> None:
    async with pool(settings) as pools, pools.connection() as connection:
        if key.project_id not in [row.id for row in await list_projects(connection)]:
            raise CommandError(f"There is no project {key.project_id}.")
        await insert_key(connection, key)


async def _list(settings: Settings, project_id: str) -> list[KeyRow]:
    async with pool(settings) as pools, pools.connection() as connection:
        if project_id not in [row.id for row in await list_projects(connection)]:
            raise CommandError(f"There is no project {project_id}.")
        return await list_keys(connection, project_id)


async def _revoke(settings: Settings, project_id: str, key_id: str) -> bool:
    async with pool(settings) as pools, pools.connection() as connection:
        return await revoke_key(connection, project_id, key_id)


def _document(row: KeyRow) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "key": row.shown,
        "scopes": row.scopes,
        "origins": row.origins,
        "createdAt": to_rfc3339(row.created_at),
        "expiresAt": row.expires_at and to_rfc3339(row.expires_at),
        "revokedAt": row.revoked_at and to_rfc3339(row.revoked_at),
        "lastUsedAt": row.last_used_at and to_rfc3339(row.last_used_at),
    }
