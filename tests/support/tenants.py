"""People with roles in projects, logged in, for tests of who may do what."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from leadpulse.ids import uuid7
from leadpulse.postgres import accounts
from leadpulse.postgres.accounts import NewUser, User
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.postgres.members import insert_member
from leadpulse.usecases.keys import hash_key, new_secret_key
from leadpulse.usecases.sessions import Origin, begin_session

if TYPE_CHECKING:
    from leadpulse.domain.permissions import Role
    from support.api import Api

_numbers = count(1)


class Someone(NamedTuple):
    """A person and the token of a session."""

    id: str
    email: str
    token: str


async def someone(
    api: Api,
    role: Role | None = None,
    project_id: str | None = None,
    *,
    verified: bool = True,
    email: str | None = None,
) -> Someone:
    """A person in a role of a project (the API's own), logged in there; without a role nowhere."""
    home = project_id or api.project.id
    address = email or f"person{next(_numbers)}@example.com"
    new = NewUser(uuid7(), address, "Somebody", None, verified=verified)
    await accounts.insert_user(api.conn, new)
    if role is not None:
        await insert_member(api.conn, home, new.id, role)
    user = User(*new[:5], verified, operator=False, disabled=False)
    return Someone(new.id, address, await token_of(api, user, home if role else None))


async def token_of(api: Api, user: User, project_id: str | None) -> str:
    """The token of a new session."""
    begun = await begin_session(api.conn, api.services.accounts.tokens, user, project_id, Origin())
    return begun.token


async def secret_key(api: Api, *scopes: str, project_id: str | None = None) -> str:
    """A secret key with these scopes only."""
    key = new_secret_key()
    home = project_id or api.project.id
    await insert_key(api.conn, NewKey(home, uuid7(), "secret", "k", None, hash_key(key), scopes))
    return key


async def audit_lines(api: Api, project_id: str | None = None) -> list[dict[str, Any]]:
    """What stands in the audit log, the oldest first."""
    cursor = await api.conn.execute(
        "select actor, action, target, details, actor_name, address, request_id "
        "from audit_log where project_id = %s order by id",
        (project_id or api.project.id,),
    )
    names = ("actor", "action", "target", "details", "actor_name", "address", "request_id")
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
