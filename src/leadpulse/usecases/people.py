"""Accounts, for whoever runs the installation: the command line only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from leadpulse.domain import names
from leadpulse.domain.errors import Conflict, NotFound
from leadpulse.domain.permissions import Role
from leadpulse.ids import uuid7
from leadpulse.postgres import accounts, members, projects, sessions
from leadpulse.postgres import people as store
from leadpulse.postgres.accounts import NewUser, User
from leadpulse.postgres.people import Person
from leadpulse.postgres.session import reach, snapshot, unit
from leadpulse.postgres.sessions import SessionRow
from leadpulse.usecases import audit
from leadpulse.usecases.accounts import checked_person
from leadpulse.usecases.projects import FIRST_PROJECT, Wish, adopt_projects, found_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.passwords import Passwords


class NewPerson(NamedTuple):
    """An account to make; it gets a project of its own, or joins one in a role."""

    email: str
    name: str
    password: str
    company: str = FIRST_PROJECT
    join: tuple[str, Role] | None = None


async def list_people(pool: Pool) -> list[Person]:
    """All accounts, the oldest first."""
    async with snapshot(pool, None) as (conn, _):
        return await store.list_people(conn)


async def create_person(pool: Pool, passwords: Passwords, wanted: NewPerson) -> tuple[str, str]:
    """Makes an account whose address somebody vouches for; returns ids of user and project.

    The first account of all owns every project that nobody is in, unless it is made for one.
    Raises Invalid, NotFound, and Conflict for an address that has one.
    """
    email, name = checked_person(wanted.email, wanted.name)
    await passwords.require_good(wanted.password, (email, name), "password")
    hashed = await passwords.hash(wanted.password)
    user = NewUser(uuid7(), email, name, hashed, verified=True)
    async with unit(pool, None, user=user.id) as (conn, _):
        first = await accounts.is_first(conn)
        if not await accounts.insert_user(conn, user):
            raise Conflict("This address has an account already.", "email_taken")
        if wanted.join is None:
            # Who has the command line runs the installation, whoever else may register.
            own = await adopt_projects(conn, user.id, wanted.company) if first else None
            return user.id, own or await found_project(conn, user.id, Wish(wanted.company))
        project_id, role = wanted.join
        await _join(conn, project_id, user.id, role)
    return user.id, project_id


async def add_member(pool: Pool, project_id: str, email: str, role: Role) -> str:
    """Makes the owner of an account a member; returns the user's id.

    Raises NotFound, and Conflict for one who is a member already.
    """
    async with unit(pool, project_id) as (conn, _):
        user = await _user(conn, email)
        if not await _join(conn, project_id, user.id, role):
            raise Conflict(f"{user.email} is a member already.", "already_member")
    return user.id


async def user_id_of(pool: Pool, email: str) -> str:
    """The id of the account with an address. Raises NotFound."""
    async with snapshot(pool, None) as (conn, _):
        return (await _user(conn, email)).id


async def set_disabled(pool: Pool, email: str, *, disabled: bool) -> int:
    """Closes an account and ends its sessions, or opens it; returns how many sessions ran.

    It stands in the audit log of every project of the person. Raises NotFound.
    """
    user_id = await user_id_of(pool, email)
    async with unit(pool, None, user=user_id) as (conn, _):
        await store.set_disabled(conn, user_id, disabled=disabled)
        ended: Sequence[str] = ()
        if disabled:
            ended = await sessions.end_sessions(conn, user_id)
        of = await members.memberships(conn, user_id)
        await reach(conn, of)
        action = "user.disabled" if disabled else "user.enabled"
        for project_id in of:
            await audit.record(conn, project_id, action, f"user:{user_id}")
    return len(ended)


async def set_operator(pool: Pool, email: str, *, operator: bool) -> None:
    """Shows somebody the figures of the whole installation, or no longer. Raises NotFound."""
    async with unit(pool, None) as (conn, _):
        user = await _user(conn, email)
        await store.set_operator(conn, user.id, operator=operator)


async def list_sessions(pool: Pool, email: str) -> list[SessionRow]:
    """The sessions of a person that run, the one seen last first. Raises NotFound."""
    user_id = await user_id_of(pool, email)
    async with snapshot(pool, None, user=user_id) as (conn, _):
        return await sessions.list_sessions(conn, user_id)


async def end_sessions(pool: Pool, email: str, session_id: str | None) -> int:
    """Ends one session of a person or all; returns how many ran. Raises NotFound."""
    user_id = await user_id_of(pool, email)
    async with unit(pool, None, user=user_id) as (conn, _):
        if session_id is None:
            await accounts.hold_user(conn, user_id)
            return len(await sessions.end_sessions(conn, user_id))
        if not await sessions.end_session(conn, user_id, session_id):
            raise NotFound("session", session_id)
    return 1


async def _user(conn: Connection, email: str) -> User:
    user = await accounts.user_by_email(conn, names.email(email) or "")
    if user is None:
        raise NotFound("account", email)
    return user


async def _join(conn: Connection, project_id: str, user_id: str, role: Role) -> bool:
    """False if he is a member already."""
    await reach(conn, project_id)
    if not await projects.hold_open(conn, project_id):
        raise NotFound("project", project_id)
    if not await members.insert_member(conn, project_id, user_id, role):
        return False
    await audit.record(conn, project_id, "member.joined", f"member:{user_id}", {"role": role})
    return True
