from __future__ import annotations

from typing import Annotated, Any

import typer

from leadpulse.cli.commands import new_app
from leadpulse.cli.deeds import deed
from leadpulse.cli.options import (
    AsJson,
    DataDir,
    ProjectOption,
    checked_id,
    checked_instant,
)
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.domain.permissions import SCOPES
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres.project_keys import KeyRow, Kind
from leadpulse.usecases import project_keys
from leadpulse.usecases.project_keys import HOUR, State, Wish

app = new_app("Keys: write keys stand in web pages, secret keys belong to servers.")


KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="Id of the key.")]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", help="The only websites that may use a write key, repeatable."),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires", metavar="TIME", help="When it ends by itself, as 2030-01-31T12:00:00Z."
    ),
]
KNOWN = "Servers know within five seconds."


@app.command()
def create(
    *,
    project: ProjectOption,
    kind: Annotated[Kind, typer.Option(help="Which kind of key.")] = "write",
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What a secret key may do, repeatable: {', '.join(SCOPES)}."),
    ] = None,
    origin: Origins = None,
    expires: Expires = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it. A secret key is shown this once only."""
    wish = Wish(
        kind, name, scope or None, origin, None if expires is None else checked_instant(expires)
    )
    made = deed(
        data_dir,
        lambda connections: project_keys.make_key(connections, checked_id(project), wish, "cli"),
    )
    if as_json:
        print_json(made._asdict())
    else:
        say(made.key)


@app.command(name="list")
def list_(*, project: ProjectOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the keys of a project. Secret keys are not shown: only their hashes are stored."""
    rows = deed(
        data_dir, lambda connections: project_keys.list_keys(connections, checked_id(project))
    )
    if as_json:
        print_json({"keys": [_document(row, state) for row, state in rows]})
        return
    print_table(
        ("id", "kind", "name", "key", "scopes", "state", "last used", "created"),
        [
            (
                r.id, r.kind, r.name, r.shown or "sk_…", " ".join(r.scopes), state,
                r.last_used_at and to_rfc3339(r.last_used_at), to_rfc3339(r.created_at),
            )
            for r, state in rows
        ],
    )  # fmt: skip


@app.command()
def rotate(
    key_id: KeyId,
    *,
    project: ProjectOption,
    grace_hours: Annotated[
        float, typer.Option(help="How long the old key works beside the new one.")
    ] = project_keys.DEFAULT_GRACE / HOUR,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a new key in the place of another, which still works for a while. Print the new one."""
    grace = round(grace_hours * HOUR)
    done = deed(
        data_dir,
        lambda connections: project_keys.rotate_key(
            connections, checked_id(project), checked_id(key_id, "key"), grace, "cli"
        ),
    )
    if as_json:
        until = to_rfc3339(done.old_until)
        print_json({**done.made._asdict(), "oldId": done.old_id, "oldUntil": until})
        return
    say(done.made.key)
    say(f"The old one works until {to_rfc3339(done.old_until)}.")


@app.command()
def disable(key_id: KeyId, *, project: ProjectOption, data_dir: DataDir = None) -> None:
    """Switch a key off; it can be switched on again."""
    _change(data_dir, (project, key_id), {"active": False})
    say(f"Switched off. {KNOWN}")


@app.command()
def enable(key_id: KeyId, *, project: ProjectOption, data_dir: DataDir = None) -> None:
    """Switch a key on again."""
    _change(data_dir, (project, key_id), {"active": True})
    say(f"Switched on. {KNOWN}")


@app.command()
def change(
    key_id: KeyId,
    *,
    project: ProjectOption,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    origin: Origins = None,
    any_origin: Annotated[
        bool, typer.Option("--any-origin", help="Any website may use it.")
    ] = False,
    expires: Expires = None,
    data_dir: DataDir = None,
) -> None:
    """Give a key another name, other websites, or an end."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = name
    if origin or any_origin:
        changes["origins"] = [] if any_origin else origin
    if expires is not None:
        changes["expiresAt"] = checked_instant(expires)
    _change(data_dir, (project, key_id), changes)
    say(f"Changed. {KNOWN}")


@app.command()
def revoke(key_id: KeyId, *, project: ProjectOption, data_dir: DataDir = None) -> None:
    """Take a key out of use for good. Servers know within five seconds."""
    deed(
        data_dir,
        lambda connections: project_keys.revoke_key(
            connections, checked_id(project), checked_id(key_id, "key"), "cli"
        ),
    )
    say("Revoked.")


def _change(data_dir: DataDir, key: tuple[str, str], changes: dict[str, Any]) -> None:
    project, key_id = key
    found = (checked_id(project), checked_id(key_id, "key"))
    deed(
        data_dir,
        lambda connections: project_keys.change_key(connections, found, changes, "cli"),
    )


def _document(row: KeyRow, state: State) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "key": row.shown,
        "scopes": row.scopes,
        "origins": row.origins,
        "state": state,
        "createdAt": to_rfc3339(row.created_at),
        "createdBy": row.created_by,
        "expiresAt": row.expires_at and to_rfc3339(row.expires_at),
        "revokedAt": row.revoked_at and to_rfc3339(row.revoked_at),
        "lastUsedAt": row.last_used_at and to_rfc3339(row.last_used_at),
    }
