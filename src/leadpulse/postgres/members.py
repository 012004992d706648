"""Who belongs to a project, and in which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from leadpulse.domain.permissions import Role

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_INSERT: Final = """
insert into members (project_id, user_id, role) values (%s, %s, %s)
on conflict (project_id, user_id) do nothing
"""

_LIST: Final = """
select u.id, u.email, u.name, m.role, u.email_verified_at is not null,
       u.disabled_at is not null, m.created_at
from members m join users u on u.id = m.user_id
where m.project_id = %s order by m.created_at, u.id
"""

# In one order for everybody. Whoever waited sees what the one before has left.
_HOLD: Final = """
select m.user_id, m.role, u.disabled_at is not null
from members m join users u on u.id = m.user_id
where m.project_id = %(project)s and (m.role = 'owner' or m.user_id = any (%(users)s::uuid[]))
order by m.user_id for update of m
"""

# Who only has to stay what he is keeps nobody else out but those who would change it.
_HOLD_OWN: Final = "select role from members where project_id = %s and user_id = %s for share"

_HAS_ADDRESS: Final = """
select exists (select from members m join users u on u.id = m.user_id
               where m.project_id = %s and u.email = %s)
"""


class HeldMember(NamedTuple):
    """A member whose role stays until the end of the transaction; `disabled`: can't log in."""

    role: Role
    disabled: bool


class MemberRow(NamedTuple):
    """A member as lists show one; the instant in µs."""

    user_id: str
    email: str
    name: str
    role: Role
    verified: bool
    disabled: bool
    created_at: int


async def insert_member(conn: Connection, project_id: str, user_id: str, role: Role) -> bool:
    """Makes a user a member, in the caller's transaction; False if he is one already."""
    cursor = await conn.execute(_INSERT, (project_id, user_id, role))
    return cursor.rowcount == 1


async def list_members(conn: Connection, project_id: str) -> list[MemberRow]:
    """All members, the oldest first."""
    cursor = await conn.execute(_LIST, (project_id,))
    return [MemberRow(*row) for row in await cursor.fetchall()]


async def hold(conn: Connection, project_id: str, *user_ids: str) -> dict[str, HeldMember]:
    """These users, if they are members, and all owners, held until the transaction ends."""
    cursor = await conn.execute(_HOLD, {"project": project_id, "users": list(user_ids)})
    return {row[0]: HeldMember(row[1], row[2]) for row in await cursor.fetchall()}


async def hold_own(conn: Connection, project_id: str, user_id: str) -> Role | None:
    """The role of a user, who keeps it until the transaction ends; None for who is no member."""
    cursor = await conn.execute(_HOLD_OWN, (project_id, user_id))
    row = await cursor.fetchone()
    return None if row is None else cast("Role", row[0])


async def hold_everybody(conn: Connection, project_id: str) -> None:
    """All members of a project, held in the order in which everybody holds several."""
    await conn.execute(
        "select from members where project_id = %s order by user_id for update", (project_id,)
    )


async def set_role(conn: Connection, project_id: str, user_id: str, role: Role) -> None:
    """Gives a member another role."""
    await conn.execute(
        "update members set role = %s where project_id = %s and user_id = %s",
        (role, project_id, user_id),
    )


async def remove(conn: Connection, project_id: str, user_id: str) -> None:
    """Ends a membership."""
    await conn.execute(
        "delete from members where project_id = %s and user_id = %s", (project_id, user_id)
    )


async def is_member(conn: Connection, project_id: str, user_id: str) -> bool:
    """Tell whether a user is a member."""
    cursor = await conn.execute(
        "select exists (select from members where project_id = %s and user_id = %s)",
        (project_id, user_id),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def has_address(conn: Connection, project_id: str, email: str) -> bool:
    """Tell whether somebody with this address is a member."""
    cursor = await conn.execute(_HAS_ADDRESS, (project_id, email))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def owned(conn: Connection, user_id: str) -> int:
    """How many projects a user owns; the transaction must reach what is the user's."""
    cursor = await conn.execute(
        "select count(*) from members where user_id = %s and role = 'owner'", (user_id,)
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def memberships(conn: Connection, user_id: str) -> dict[str, Role]:
    """The projects of a user with the role in each; the transaction must reach the user's."""
    cursor = await conn.execute(
        "select project_id, role from members where user_id = %s", (user_id,)
    )
    return {row[0]: cast("Role", row[1]) for row in await cursor.fetchall()}
