"""The table of permissions for people: `python -m leadpulse.http.permissions_page` writes it.

It is made from the table that the code reads and from the routes, and a test compares it with
the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from leadpulse.domain.permissions import DEFAULT_SCOPES, ROLES, SCOPES, Permission
from leadpulse.http.openapi import document

FILE: Final = Path("docs/reference/permissions.md")
_ABOUT: Final = """# Permissions

Who may do what in a project. This page is written from the table that the code reads
(`make gen`), and a test calls every route with every role, scope and key to hold the answers
against it.

A person has a role in each project that he belongs to: **viewer**, **member**, **admin** or
**owner**; each may do what the one before may. A session works in one project at a time; its role
is looked up again every few seconds, so a lower role or the end of a membership counts within five
seconds, for running sessions too. **Operator** is no role: it shows somebody figures of the whole
installation, and only the command line gives it (`leadpulse users operator`).

A **write key** makes the event calls of its own project, as claims, and does nothing else. A
**secret key** may do what its scopes say; where the column is empty, no key may, and only a person
can. Every permission is within the one project of the credential: what belongs to another one
answers 404.
"""
_BY_HAND: Final = """
Beside these: everybody may leave a project, but not its last owner. A change of a key takes the
permission for its kind. To make somebody an owner, or to lower or remove one, takes the permission
for ownership. Making a project, and everything about one's own account, takes nothing but being
logged in.
"""


def text() -> str:
    """The page."""
    return "\n".join((_ABOUT, *_table(), _BY_HAND, *_scopes(), *_calls()))


def _table() -> list[str]:
    lines = [
        "## Roles and scopes",
        "",
        f"| permission | {' | '.join(ROLES)} | scope of a secret key | verified address |",
        f"|---|{':-:|' * len(ROLES)}---|:-:|",
    ]
    for permission in Permission:
        need = permission.need
        roles = " | ".join("✓" if permission.held_by(role) else "" for role in ROLES)
        scope = "" if need.scope is None else f"`{need.scope}`"
        needed = "needed" if need.verified else ""
        lines.append(f"| {need.text} | {roles} | {scope} | {needed} |")
    return lines


def _scopes() -> list[str]:
    lines = [
        "## Scopes",
        "",
        "A secret key that is made without saying has "
        + ", ".join(f"`{scope}`" for scope in DEFAULT_SCOPES)
        + ".",
        "",
        "| scope | allows |",
        "|---|---|",
    ]
    for scope in SCOPES:
        allowed = [p.need.text for p in Permission if p.need.scope == scope]
        lines.append(f"| `{scope}` | {'; '.join(allowed)} |")
    return [*lines, ""]


def _calls() -> list[str]:
    """The calls of each permission."""
    by_permission: dict[str, list[str]] = {}
    for path, methods in document()["paths"].items():
        for method, call in methods.items():
            needed = call.get("x-permission")
            if "events" in call["tags"] and needed is None:
                needed = Permission.EVENTS_SEND.name
            if needed is not None:
                by_permission.setdefault(needed, []).append(f"`{method.upper()} {path}`")
    lines = ["## Calls", "", "The least that each call takes.", ""]
    for permission in Permission:
        calls = by_permission.get(permission.name)
        if calls:
            lines += [f"**{permission.need.text}**", "", *(f"- {call}" for call in calls), ""]
    return lines


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
