"""Who may do what: the one table that code, documentation and tests read.

A permission is held by every role from a least one upwards, and by a secret key that has a
scope. Without a scope it is for people only.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, NamedTuple

Role = Literal["viewer", "member", "admin", "owner"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "member", "admin", "owner")

SCOPES: Final = (
    "events:write", "leads:read", "leads:write", "leads:erase", "rules:write", "exports:read",
    "admin",
)  # fmt: skip
# What a secret key may do when it is made without saying.
DEFAULT_SCOPES: Final = ("events:write", "leads:read", "leads:write")


class Need(NamedTuple):
    """The least role, the scope of a secret key (None: no key may), and what it is about.

    `verified`: an account whose address is not verified yet may not.
    """

    role: Role
    scope: str | None
    text: str
    verified: bool = False


class Permission(Enum):
    """Everything that can be allowed within one project."""

    EVENTS_SEND = Need("member", "events:write", "Send events as a trusted caller")
    LEADS_READ = Need("viewer", "leads:read", "Read leads, events, figures, rules and the model")
    LEADS_WRITE = Need("member", "leads:write", "Change, adjust, merge and import leads")
    LEADS_REMOVE = Need("admin", "leads:erase", "Remove or erase a person")
    PERSON_EXPORT = Need("admin", "exports:read", "Export everything about a person")
    LEADS_EXPORT = Need("member", "exports:read", "Export leads")
    RULES_WRITE = Need("admin", "rules:write", "Change rules and the model, rescore")
    OPERATE = Need("admin", "admin", "Rebuild, verify, retry failed work, see queue and conflicts")
    PROJECT_READ = Need("viewer", "admin", "See the project's settings")
    PROJECT_WRITE = Need("admin", "admin", "Change the project's settings, pause it")
    PROJECT_DELETE = Need("owner", None, "Delete the project, and undo that")
    MEMBERS_READ = Need("viewer", None, "See who is a member")
    MEMBERS_WRITE = Need("admin", None, "Change roles below owner, remove members")
    MEMBERS_INVITE = Need("admin", None, "Invite people", verified=True)
    OWNERSHIP = Need("owner", None, "Make somebody an owner, or an owner something else")
    WRITE_KEYS = Need("admin", "admin", "Make, change and revoke write keys")
    SECRET_KEYS = Need("admin", None, "Make, change and revoke secret keys", verified=True)
    IDENTITY = Need("admin", None, "See the identity secret, demand signed identities")
    FIRST_STEPS = Need("viewer", None, "Put the first steps away, for oneself")
    SUPPRESSIONS = Need("owner", None, "See and lift suppressions of erased people")
    RETENTION = Need("owner", None, "Set how long events keep their content")
    AUDIT = Need("owner", None, "Read and export the audit log")

    @property
    def need(self) -> Need:
        return self.value

    def held_by(self, role: Role) -> bool:
        """Tell whether members of this role may."""
        return ROLES.index(role) >= ROLES.index(self.need.role)

    def in_scopes(self, scopes: frozenset[str]) -> bool:
        """Tell whether a secret key with these scopes may."""
        return self.need.scope in scopes
