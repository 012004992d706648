"""What whoever asks may do at the very moment of the deed.

Who calls is remembered for a few seconds, which is good enough for what a request does at once.
What outlives them (a role, an invitation, a key, a deleted project) is decided by what is held in
the transaction that does it: whoever was lowered, removed or logged out meanwhile, or waited for
that change, can't use the seconds that are left to let himself in again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from leadpulse.domain.errors import Unauthorized
from leadpulse.domain.permissions import Permission
from leadpulse.postgres import members, sessions
from leadpulse.usecases.principals import Principal

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Whoever has the command line may do everything.
Asker: TypeAlias = Principal | Literal["cli"]
# Raises Forbidden unless whoever asks has the permission.
Require = Callable[[Permission], None]


def person(asker: Asker) -> str | None:
    """Whose things the transaction must reach so that it can be looked how he stands."""
    return asker.id if isinstance(asker, Principal) and asker.kind == "session" else None


async def standing(conn: Connection, project_id: str, asker: Asker) -> Require:
    """What tells whether he may, by a role that stays until the transaction ends.

    Keys keep their scopes. Who holds the project as well does that first. Raises Unauthorized
    when the session has ended.
    """
    if not isinstance(asker, Principal):
        return _anything
    if asker.kind == "key":
        return asker.require
    role = await members.hold_own(conn, project_id, asker.id)
    session = await sessions.find_session(conn, asker.session_id or "", asker.id)
    if session is None or session.over:
        raise Unauthorized("This session has ended; log in again.", "expired_session")
    return replace(asker, role=role, verified=session.verified).require


def _anything(_: Permission) -> None:
    return
