"""Members of a project: seen, raised and lowered, removed, leaving; and who owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.permissions import Permission, Role
from leadpulse.postgres import invitations, projects
from leadpulse.postgres import members as store
from leadpulse.postgres.members import HeldMember, MemberRow
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.principals import Principal
from leadpulse.usecases.standing import Asker, person, standing

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

_INVITING: Final = Permission.MEMBERS_INVITE


async def list_members(pool: Pool, project_id: str) -> list[MemberRow]:
    """Who is a member, the oldest first. Raises NotFound."""
    async with snapshot(pool, project_id) as (conn, _):
        found = await store.list_members(conn, project_id)
        if not found and not await projects.settings(conn, [project_id]):
            raise NotFound("project", project_id)
    return found


async def change_role(pool: Pool, member: tuple[str, str], role: Role, by: Asker) -> MemberRow:
    """Gives a member (project, user) another role.

    Who is or becomes an owner is for owners to say. Raises Forbidden, NotFound, and Conflict
    for the last owner.
    """
    project_id, user_id = member
    async with unit(pool, project_id, user=person(by)) as (conn, _):
        held = await _held(conn, project_id, user_id, by)
        require = await standing(conn, project_id, by)
        old = held[user_id].role
        require(Permission.OWNERSHIP if "owner" in (old, role) else Permission.MEMBERS_WRITE)
        if old != role:
            if old == "owner":
                _not_the_last(held, user_id)
            await _set(conn, project_id, user_id, (old, role))
        return await _row(conn, project_id, user_id)


async def transfer(pool: Pool, project_id: str, taker: str, giver: Principal) -> MemberRow:
    """Makes another member the owner in the place of the one who gives, who stays as an admin.

    Raises Forbidden, NotFound, Invalid, and Conflict if the other one can't log in.
    """
    giver.require(Permission.OWNERSHIP)
    if giver.id == taker:
        raise Invalid([FieldError("transfer", "must be to somebody else")])
    async with unit(pool, project_id, user=person(giver)) as (conn, _):
        held = await _held(conn, project_id, taker, giver)
        (await standing(conn, project_id, giver))(Permission.OWNERSHIP)
        if held[taker].disabled:
            raise Conflict("This account is closed; an owner must be able to log in.", "last_owner")
        if held[taker].role != "owner":
            await _set(conn, project_id, taker, (held[taker].role, "owner"))
        await _set(conn, project_id, giver.id, ("owner", "admin"))
        said = {"from": giver.id, "to": taker}
        await audit.record(conn, project_id, "project.transferred", f"project:{project_id}", said)
        return await _row(conn, project_id, taker)


async def remove(pool: Pool, member: tuple[str, str], by: Asker) -> None:
    """Ends a membership (project, user); anybody may leave by himself.

    Invitations that he made are void then. Raises Forbidden, NotFound, and Conflict for the
    last owner.
    """
    project_id, user_id = member
    leaves = user_id == person(by)
    async with unit(pool, project_id, user=person(by)) as (conn, _):
        held = await _held(conn, project_id, user_id, by)
        require = await standing(conn, project_id, by)
        old = held[user_id].role
        if not leaves:
            require(Permission.OWNERSHIP if old == "owner" else Permission.MEMBERS_WRITE)
        if old == "owner":
            _not_the_last(held, user_id)
        await store.remove(conn, project_id, user_id)
        await _void_invitations(conn, project_id, user_id)
        action = "member.left" if leaves else "member.removed"
        await audit.record(conn, project_id, action, f"member:{user_id}", {"role": old})


async def _set(conn: Connection, project_id: str, user_id: str, change: tuple[Role, Role]) -> None:
    await store.set_role(conn, project_id, user_id, change[1])
    if not _INVITING.held_by(change[1]):
        await _void_invitations(conn, project_id, user_id)
    await audit.record(
        conn, project_id, "member.role_changed", f"member:{user_id}", {"role": list(change)}
    )


async def _void_invitations(conn: Connection, project_id: str, user_id: str) -> None:
    """Whoever may invite no longer leaves no door open behind himself."""
    for invitation_id in await invitations.revoke_of(conn, project_id, user_id):
        await audit.record(conn, project_id, "invitation.revoked", f"invitation:{invitation_id}")


async def _held(
    conn: Connection, project_id: str, user_id: str, by: Asker
) -> dict[str, HeldMember]:
    """A member, whoever asks and all owners, held. Raises NotFound without the member."""
    asking = person(by)
    everybody = [user_id] if asking is None else [user_id, asking]
    held = await store.hold(conn, project_id, *everybody) if is_id(user_id) else {}
    if user_id not in held:
        raise NotFound("member", user_id[:100])
    return held


def _not_the_last(held: dict[str, HeldMember], leaving: str) -> None:
    """Somebody else who can log in has to own the project."""
    staying = [member for user_id, member in held.items() if user_id != leaving]
    if not any(member.role == "owner" and not member.disabled for member in staying):
        raise Conflict("A project has an owner: make somebody else one first.", "last_owner")


async def _row(conn: Connection, project_id: str, user_id: str) -> MemberRow:
    found = await store.list_members(conn, project_id)
    return next(member for member in found if member.user_id == user_id)
