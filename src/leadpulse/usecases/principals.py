"""Who calls, by whatever credential, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leadpulse.domain.errors import Forbidden

if TYPE_CHECKING:
    from leadpulse.domain.permissions import Permission, Role
    from leadpulse.usecases.keys import Caller


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody within one project: a person with a role, or a key with scopes.

    `id` is the user's or the key's. `public` is a write key, which may send events and nothing
    else. `verified` tells whether a person's address is known to be his; of keys it is true.
    """

    project_id: str
    kind: Literal["key", "session"]
    id: str
    name: str = ""
    role: Role | None = None
    scopes: frozenset[str] = frozenset()
    verified: bool = True
    operator: bool = False
    session_id: str | None = None
    public: bool = False

    def may(self, permission: Permission) -> bool:
        """Tell whether the table of permissions allows it."""
        if self.public:
            return False
        if self.kind == "key":
            return permission.in_scopes(self.scopes)
        held = self.role is not None and permission.held_by(self.role)
        return held and (self.verified or not permission.need.verified)

    def require(self, permission: Permission) -> None:
        """Raises Forbidden, and says why, unless the table allows it."""
        if not self.may(permission):
            raise self._refusal(permission)

    def _refusal(self, permission: Permission) -> Forbidden:
        need = permission.need
        if self.public:
            return Forbidden("A write key can only send events.", "write_key_cannot_read")
        if self.kind == "key":
            if need.scope is None:
                return Forbidden("Only a person who is logged in may do this.", "people_only")
            return Forbidden(f"This key lacks the scope {need.scope}.", "missing_scope")
        if self.role is None or not permission.held_by(self.role):
            return Forbidden(f"This needs the role {need.role}.", "missing_role")
        return Forbidden("Verify your email address first.", "unverified_email")


def key_principal(caller: Caller) -> Principal:
    """The same for the caller whom a key names."""
    return Principal(
        project_id=caller.project_id,
        kind="key",
        id=caller.key_id,
        scopes=caller.scopes if caller.trusted else frozenset(),
        public=not caller.trusted,
    )


def who(principal: Principal) -> str:
    """How a change is signed in records: `key:<id>` or `user:<id>`."""
    return f"{'user' if principal.kind == 'session' else 'key'}:{principal.id}"
