"""Invitations into a project; of the token that is mailed only the hash is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from leadpulse.domain.permissions import Role

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_INSERT: Final = """
insert into invitations (project_id, id, email, role, token_hash, invited_by, expires_at)
values (%(project_id)s, %(id)s, %(email)s, %(role)s, %(token_hash)s, %(invited_by)s,
        clock_timestamp() + %(seconds)s * interval '1 second')
returning created_at, expires_at
"""

_OPEN: Final = """
select i.id, i.email, i.role, i.invited_by, u.email, i.created_at, i.expires_at
from invitations i left join users u on u.id = i.invited_by
where i.project_id = %s and i.accepted_at is null and i.revoked_at is null
order by i.created_at, i.id
"""

_REVOKE: Final = """
update invitations set revoked_at = clock_timestamp()
where project_id = %(project)s and accepted_at is null and revoked_at is null
    and (id = %(id)s::uuid or email = %(email)s or invited_by = %(by)s::uuid)
returning id
"""

# Whoever comes second with the same token waits here, and finds it used.
_HOLD: Final = """
select i.project_id, i.id, i.email, i.role, p.name
from invitations i join projects p on p.id = i.project_id
where i.token_hash = %s and i.accepted_at is null and i.revoked_at is null
    and i.expires_at > clock_timestamp() and p.deleted_at is null
for no key update of i
"""

_ACCEPTED: Final = """
update invitations set accepted_at = clock_timestamp() where project_id = %s and id = %s
"""


class NewInvitation(NamedTuple):
    """An invitation to be stored, good for so many seconds; the address in lower case."""

    project_id: str
    id: str
    email: str
    role: Role
    token_hash: bytes
    invited_by: str | None
    seconds: int


class InvitationRow(NamedTuple):
    """An invitation that nobody has accepted or revoked; instants in µs."""

    id: str
    email: str
    role: Role
    invited_by: str | None
    inviter: str | None
    created_at: int
    expires_at: int


class Held(NamedTuple):
    """An invitation that can be accepted, and the name of its project."""

    project_id: str
    id: str
    email: str
    role: Role
    project: str


async def insert(conn: Connection, invitation: NewInvitation) -> tuple[int, int]:
    """Stores an invitation; returns when it was made and when it ends."""
    cursor = await conn.execute(_INSERT, invitation._asdict())
    return cast("tuple[int, int]", await cursor.fetchone())


async def list_open(conn: Connection, project_id: str) -> list[InvitationRow]:
    """Invitations that wait to be accepted, or have expired; the oldest first."""
    cursor = await conn.execute(_OPEN, (project_id,))
    return [InvitationRow(*row) for row in await cursor.fetchall()]


async def revoke(conn: Connection, project_id: str, invitation_id: str) -> bool:
    """Makes an invitation void; False if there is none that waits."""
    return bool(await _revoke(conn, project_id, {"id": invitation_id}))


async def revoke_for(conn: Connection, project_id: str, email: str) -> list[str]:
    """The same for one to this address; returns ids."""
    return await _revoke(conn, project_id, {"email": email})


async def revoke_of(conn: Connection, project_id: str, user_id: str) -> list[str]:
    """The same for all that a user made."""
    return await _revoke(conn, project_id, {"by": user_id})


async def _revoke(conn: Connection, project_id: str, which: dict[str, str]) -> list[str]:
    values = {"id": None, "email": None, "by": None, "project": project_id, **which}
    cursor = await conn.execute(_REVOKE, values)
    return [row[0] for row in await cursor.fetchall()]


async def hold(conn: Connection, token_hash: bytes) -> Held | None:
    """The invitation of a token if it can be accepted, held until the transaction ends."""
    cursor = await conn.execute(_HOLD, (token_hash,))
    row = await cursor.fetchone()
    return None if row is None else Held(*row)


async def accepted(conn: Connection, project_id: str, invitation_id: str) -> None:
    """Notes that an invitation was accepted: it can't be again."""
    await conn.execute(_ACCEPTED, (project_id, invitation_id))
