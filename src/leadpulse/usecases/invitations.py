"""Invitations: somebody is asked by mail to become a member of a project.

The link in the mail is a secret that works once and for a week. Whoever follows it either is
logged in with the address that was invited, or has no account yet and gets one; that he reads
this mail shows that the address is his.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from leadpulse.domain.permissions import ROLES, Permission, Role
from leadpulse.ids import uuid7
from leadpulse.postgres import accounts as store_of_accounts
from leadpulse.postgres import invitations as store
from leadpulse.postgres import keeper, members, projects
from leadpulse.postgres.accounts import NewUser, User
from leadpulse.postgres.invitations import Held, InvitationRow
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.accounts import bad_link, checked_person
from leadpulse.usecases.links import link_url
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.sessions import begin_session, switch_project
from leadpulse.usecases.standing import Asker, person, standing
from leadpulse.usecases.tokens import hash_token, new_link_token

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool
    from leadpulse.postgres.sessions import FoundSession
    from leadpulse.usecases.accounts import Accounts
    from leadpulse.usecases.sessions import Begun, Origin

SECONDS: Final = 7 * 86_400
# Of one project, waiting at the same time.
MOST_OPEN: Final = 200
_LONGEST_TOKEN: Final = 200


class Invited(NamedTuple):
    """An invitation that was just made. The token is told here, once; only its hash is stored."""

    row: InvitationRow
    project: str
    token: str


class Newcomer(NamedTuple):
    """Who somebody without an account says that he is."""

    name: str
    password: str


async def list_invitations(pool: Pool, project_id: str) -> list[InvitationRow]:
    """Invitations that were neither accepted nor revoked, the oldest first."""
    async with snapshot(pool, project_id) as (conn, _):
        return await store.list_open(conn, project_id)


async def invite(pool: Pool, project_id: str, whom: tuple[str, Role], by: Asker) -> Invited:
    """Invites an address to a role; an earlier invitation to it is void then.

    Raises Invalid, Forbidden, NotFound, and Conflict for a member, or when too many are waiting.
    """
    address, role = whom
    email, _ = checked_person(address, "anybody")
    if role == "owner":
        raise Invalid([FieldError("role", "must be one of " + ", ".join(ROLES[:-1]))])
    token = new_link_token()
    inviter = person(by)
    async with unit(pool, project_id, user=inviter) as (conn, _):
        if not await projects.hold(conn, project_id):
            raise NotFound("project", project_id)
        (await standing(conn, project_id, by))(Permission.MEMBERS_INVITE)
        if await members.has_address(conn, project_id, email):
            raise Conflict("Somebody with this address is a member.", "already_member")
        for void in await store.revoke_for(conn, project_id, email):
            await _note(conn, project_id, "invitation.revoked", void)
        waiting = await store.list_open(conn, project_id)
        if len(waiting) >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} invitations are waiting already.", "too_many_invitations")
        new = store.NewInvitation(
            project_id, uuid7(), email, role, hash_token(token), inviter, SECONDS
        )
        await store.insert(conn, new)
        said = {"email": email, "role": role}
        await audit.record(conn, project_id, "invitation.made", f"invitation:{new.id}", said)
        row = next(r for r in await store.list_open(conn, project_id) if r.id == new.id)
        (project,) = await projects.settings(conn, [project_id])
    return Invited(row, project.name, token)


def invitation_url(public_url: str, invited: Invited) -> str:
    """The link that somebody follows to accept."""
    return link_url(public_url, "accept-invitation", invited.token)


async def invite_by_mail(
    accounts: Accounts, project_id: str, whom: tuple[str, Role], by: Asker
) -> tuple[Invited, bool]:
    """The same, and mails it; False where no mail can be sent. Also raises TooMany."""
    email, _ = checked_person(whom[0], "anybody")
    await accounts.guard.inviting(project_id, email)
    invited = await invite(accounts.pool, project_id, whom, by)
    return invited, accounts.mailer.ready and _mail(accounts, invited)


def _mail(accounts: Accounts, invited: Invited) -> bool:
    values = {
        "project": invited.project,
        "inviter": invited.row.inviter or "",
        "role": invited.row.role,
        "link": invitation_url(accounts.public_url, invited),
        "good_for": "seven days",
    }
    return accounts.mailer.send("invitation", invited.row.email, values)


async def revoke(pool: Pool, project_id: str, invitation_id: str) -> None:
    """Makes an invitation void. Raises NotFound for one that doesn't wait."""
    async with unit(pool, project_id) as (conn, _):
        if not is_id(invitation_id) or not await store.revoke(conn, project_id, invitation_id):
            raise NotFound("invitation", invitation_id[:100])
        await _note(conn, project_id, "invitation.revoked", invitation_id)


# ── Accepting ────────────────────────────────────────────────────────────────────────


async def accept(accounts: Accounts, token: str, session: FoundSession) -> Begun:
    """Makes whoever is logged in a member; the session works in that project then.

    Raises Invalid, Forbidden, Conflict.
    """
    async with unit(accounts.pool, None, user=session.user_id) as (conn, _):
        await store_of_accounts.hold_user(conn, session.user_id)
        held = await _held(conn, token)
        if session.email != held.email:
            raise Forbidden("This invitation is for another address.", "other_address")
        # He has what was mailed to the address and is logged in to its account: as by a link.
        await store_of_accounts.set_verified(conn, session.user_id)
        await _join(conn, held, session.user_id)
    accounts.sessions.forget()
    return await switch_project(
        accounts.pool, accounts.sessions, accounts.tokens, session, held.project_id
    )


async def accept_as_new(
    accounts: Accounts, token: str, newcomer: Newcomer, origin: Origin
) -> Begun:
    """Makes an account for the invited address, makes its owner a member, and logs in.

    Raises Invalid, TooMany, and Conflict if the address has an account: its owner has to log in.
    """
    await accounts.guard.linking(origin)
    async with unit(accounts.pool, None) as (conn, _):
        email = (await _held(conn, token)).email
        if await store_of_accounts.user_by_email(conn, email) is not None:
            raise _has_account()
    email, name = checked_person(email, newcomer.name)
    await accounts.passwords.require_good(newcomer.password, (name, email), "password")
    hashed = await accounts.passwords.hash(newcomer.password)
    new = NewUser(uuid7(), email, name, hashed, verified=True)
    user = User(*new[:5], verified=True, operator=False, disabled=False)
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        # Nobody registers as the first one meanwhile; before any project is held, as there.
        await store_of_accounts.is_first(conn)
        held = await _held(conn, token)
        if not await store_of_accounts.insert_user(conn, new):
            raise _has_account()
        await _join(conn, held, user.id)
        return await begin_session(conn, accounts.tokens, user, held.project_id, origin)


async def _held(conn: Connection, token: str) -> Held:
    """The invitation of a token, whose project alone can be reached from now on."""
    held = None
    if len(token) <= _LONGEST_TOKEN:
        project_ids = await keeper.reach_invitation(conn, hash_token(token))
        # As whoever deletes the project does: that first, then what belongs to it.
        if project_ids and await projects.hold_open(conn, project_ids[0]):
            held = await store.hold(conn, hash_token(token))
    if held is None:
        raise bad_link()
    return held


async def _join(conn: Connection, held: Held, user_id: str) -> None:
    # No other member is held: whoever lowers one voids invitations while he holds him.
    if not await members.insert_member(conn, held.project_id, user_id, held.role):
        raise Conflict("You are a member already.", "already_member")
    await store.accepted(conn, held.project_id, held.id)
    # Nobody was known before the token was read.
    before = audit.actor()
    who = audit.Actor(f"user:{user_id}", held.email, before.address, before.request_id)
    with audit.acting(who):
        said = {"role": held.role, "invitation": held.id}
        await audit.record(conn, held.project_id, "member.joined", f"member:{user_id}", said)


def _has_account() -> Conflict:
    return Conflict("There is an account with this address: log in, then accept.", "has_account")


async def _note(conn: Connection, project_id: str, action: str, invitation_id: str) -> None:
    await audit.record(conn, project_id, action, f"invitation:{invitation_id}")
