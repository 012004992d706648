"""Accounts: made, logged in to, verified, their passwords changed.

Whoever asks from outside learns nothing about which addresses have an account: what is answered
and how long it takes is the same. Only who may register at all can find out, slowly, that an
address is taken, and its owner is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from leadpulse.domain import names
from leadpulse.domain.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    LeadPulseError,
    Unauthorized,
)
from leadpulse.domain.model import is_clean
from leadpulse.ids import uuid7
from leadpulse.postgres import accounts as store
from leadpulse.postgres import sessions as session_store
from leadpulse.postgres.accounts import NewUser, User
from leadpulse.postgres.session import snapshot, unit
from leadpulse.postgres.trouble import DATABASE_ERRORS
from leadpulse.usecases import audit
from leadpulse.usecases.guard import Guard
from leadpulse.usecases.links import mail_link
from leadpulse.usecases.projects import (
    FIRST_PROJECT,
    Shown,
    Wish,
    adopt_projects,
    found_project,
    projects_of,
)
from leadpulse.usecases.sessions import begin_session
from leadpulse.usecases.tokens import hash_token

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool
    from leadpulse.postgres.sessions import FoundSession
    from leadpulse.settings import Signup
    from leadpulse.usecases.outside import Identities, Mailer
    from leadpulse.usecases.passwords import Passwords
    from leadpulse.usecases.sessions import Begun, Origin, SessionRing
    from leadpulse.usecases.tokens import Tokens

_log = structlog.get_logger("leadpulse.accounts")

LONGEST_NAME: Final = 200
LONGEST_EMAIL: Final = 254
# What may wait to be done beside the answers, and how much is done at a time: each takes a
# connection for a moment, and those who wait for an answer need some as well.
_MOST_BESIDE: Final = 5_000
_BESIDE_AT_ONCE: Final = 4
# Seconds for what is left of it at the end.
_FAREWELL: Final = 5.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everything that accounts need, for as long as a process lives."""

    pool: Pool
    tokens: Tokens
    sessions: SessionRing
    passwords: Passwords
    guard: Guard
    mailer: Mailer
    public_url: str
    signup: Signup = "first"
    google: Identities | None = None
    _beside: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_BESIDE_AT_ONCE))

    def beside(self, work: Coroutine[None, None, None]) -> None:
        """Does something after the answer, so that its time tells nothing; in turn."""
        if len(self._beside) >= _MOST_BESIDE:
            work.close()
            _log.warning("too much to do beside the answers; something was left out")
            return
        task = asyncio.create_task(_quietly(work, self._slots))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def settle(self) -> None:
        """Waits until nothing is being done beside."""
        while self._beside:
            await asyncio.wait([*self._beside])

    async def close(self) -> None:
        """Lets what is being done beside end, but not for ever."""
        if self._beside:
            await asyncio.wait([*self._beside], timeout=_FAREWELL)
        left = [*self._beside]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            _log.warning(
                "not everything beside the answers was done before the end", count=len(left)
            )
        self.passwords.close()


async def _quietly(work: Coroutine[None, None, None], slots: asyncio.Semaphore) -> None:
    try:
        async with slots:
            await work
    except (LeadPulseError, *DATABASE_ERRORS):
        _log.exception("what was to be done after an answer failed")
    finally:
        work.close()  # it may be told to end before its turn


class Registration(NamedTuple):
    """What somebody says who wants an account."""

    email: str
    password: str
    name: str
    company: str | None = None


# ── Making accounts ──────────────────────────────────────────────────────────────────


async def register(accounts: Accounts, wanted: Registration, origin: Origin) -> Begun:
    """Makes an account with a project of its own and logs in.

    Raises Forbidden where nobody may, Invalid, Conflict for an address that is taken, TooMany.
    """
    await accounts.guard.registering(origin)
    await require_open(accounts)
    email, name = checked_person(wanted.email, wanted.name)
    about = (email, name, wanted.company or "")
    await accounts.passwords.require_good(wanted.password, about, "password")
    hashed = await accounts.passwords.hash(wanted.password)
    user = NewUser(uuid7(), email, name, hashed)
    try:
        begun = await make_account(accounts, user, wanted.company, origin)
    except Conflict:
        accounts.beside(_warn_owner(accounts, email))
        raise
    accounts.beside(mail_link(accounts.pool, accounts.mailer, accounts.public_url, user.id))
    return begun


async def _warn_owner(accounts: Accounts, address: str) -> None:
    if await accounts.guard.may_warn(address):
        link = f"{accounts.public_url}/login"
        accounts.mailer.send("address_taken", address, {"link": link})


async def make_account(
    accounts: Accounts, user: NewUser, company: str | None, origin: Origin
) -> Begun:
    """Stores an account and its project, and logs in. Raises Forbidden and Conflict."""
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        if accounts.signup == "first" and not await store.is_first(conn):
            raise _closed(accounts)
        if not await store.insert_user(conn, user):
            raise Conflict("This address has an account already; log in.", "email_taken")
        name = (company or "").strip() or FIRST_PROJECT
        # Nobody was known before.
        before = audit.actor()
        who = audit.Actor(f"user:{user.id}", user.email, before.address, before.request_id)
        with audit.acting(who):
            project_id = None
            if accounts.signup == "first":
                # Whoever set the installation up; its first project was made at its start.
                project_id = await adopt_projects(conn, user.id, name)
            project_id = project_id or await found_project(conn, user.id, Wish(name))
        made = User(*user[:5], user.verified, operator=False, disabled=False)
        return await begin_session(conn, accounts.tokens, made, project_id, origin)


async def registration_open(accounts: Accounts) -> bool:
    """Whether somebody could register now, as far as can be told before."""
    if accounts.signup != "first":
        return accounts.signup == "open"
    async with snapshot(accounts.pool, None) as (conn, _):
        return await store.is_empty(conn)


async def require_open(accounts: Accounts) -> None:
    """Raises Forbidden where nobody can register, before anything is said about an address."""
    if accounts.signup == "open":
        return
    if accounts.signup == "first":
        async with unit(accounts.pool, None) as (conn, _):
            if await store.is_first(conn):
                return
    raise _closed(accounts)


def _closed(accounts: Accounts) -> Forbidden:
    how = "by invitation" if accounts.signup == "first" else "by whoever runs this installation"
    return Forbidden(f"New accounts are made {how} only.", "signup_closed")


def checked_person(email: str, name: str) -> tuple[str, str]:
    """Address and name as they are stored. Raises Invalid."""
    errors: list[FieldError] = []
    address = names.email(email)
    if address is None or len(address) > LONGEST_EMAIL or not names.is_mailable(address):
        errors.append(FieldError("email", "must be an email address"))
    trimmed = _checked_name(name, errors)
    if errors or address is None:
        raise Invalid(errors)
    return address, trimmed


def _checked_name(name: str, errors: list[FieldError]) -> str:
    trimmed = " ".join(name.split())
    if not 1 <= len(trimmed) <= LONGEST_NAME or not is_clean(trimmed):
        errors.append(FieldError("name", f"must be 1 to {LONGEST_NAME} characters"))
    return trimmed


async def rename(accounts: Accounts, session: FoundSession, name: str) -> None:
    """Gives who is logged in another name. Raises Invalid."""
    errors: list[FieldError] = []
    trimmed = _checked_name(name, errors)
    if errors:
        raise Invalid(errors)
    async with unit(accounts.pool, None, user=session.user_id) as (conn, _):
        await store.set_name(conn, session.user_id, trimmed)
    accounts.sessions.forget()


# ── Logging in ───────────────────────────────────────────────────────────────────────


async def login(accounts: Accounts, email: str, password: str, origin: Origin) -> Begun:
    """Logs in. Raises Unauthorized, in the same way and time for unknown addresses; TooMany."""
    address = _plain(email)
    user, known = await _looked_up(accounts, address, origin)
    user_id, stored = (None, None) if user is None else (user.id, user.password_hash)
    attempt = accounts.guard.attempt(address, user_id, origin, known=known)
    await accounts.guard.admit(attempt)
    checked = await accounts.passwords.verify(password, stored)
    if user is None or not checked.right or user.disabled:
        raise _wrong()
    await accounts.guard.succeeded(attempt)
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        begun = await log_in(conn, accounts, user, origin)
        if checked.fresh is not None:
            await store.set_password(conn, user.id, checked.fresh)
        return begun


async def log_in(conn: Connection, accounts: Accounts, user: User, origin: Origin) -> Begun:
    """Begins a session where the person was last, in the caller's transaction.

    It must reach what is the user's, and reaches the user's projects then. Raises Unauthorized
    when the account was switched off or got another password since it was looked at.
    """
    held = await store.hold_user(conn, user.id)
    if held is None or held.disabled or held.password_hash != user.password_hash:
        raise _wrong()
    projects = await projects_of(conn, user.id)
    alive = [shown.settings.id for shown in projects if shown.settings.deleted_at is None]
    last = await session_store.last_projects(conn, user.id)
    home = next((project_id for project_id in [*last, *alive] if project_id in alive), None)
    return await begin_session(conn, accounts.tokens, user, home, origin)


def _wrong() -> Unauthorized:
    return Unauthorized("Email or password is wrong.", "wrong_credentials")


async def _looked_up(accounts: Accounts, address: str, origin: Origin) -> tuple[User | None, bool]:
    """The account of an address, and whether it was used from where this comes from."""
    async with snapshot(accounts.pool, None) as (conn, _):
        user = await store.user_by_email(conn, address)
    # Of nobody, too: it is asked for as long.
    user_id = user.id if user is not None else uuid7()
    async with snapshot(accounts.pool, None, user=user_id) as (conn, _):
        known = await session_store.known_address(conn, user_id, origin.address, origin.network)
    return user, known


def _plain(email: str) -> str:
    """The address as one is stored; of what is none, something that nobody has."""
    return names.email(email) or email.strip().lower()[:LONGEST_EMAIL]


class Overview(NamedTuple):
    """What a person sees of himself: his account, the session's project, all of his."""

    user: User
    project: Shown | None
    projects: list[Shown]


async def overview(accounts: Accounts, user_id: str, project_id: str | None) -> Overview:
    """The account of somebody who is logged in. Raises Unauthorized if it is gone."""
    async with snapshot(accounts.pool, None, user=user_id) as (conn, _):
        user = await store.user_by_id(conn, user_id)
        projects = await projects_of(conn, user_id)
    if user is None:
        raise Unauthorized("This account is gone.", "expired_session")
    here = next(
        (
            shown
            for shown in projects
            if shown.settings.id == project_id and shown.settings.deleted_at is None
        ),
        None,
    )
    return Overview(user, here, projects)


# ── Links ────────────────────────────────────────────────────────────────────────────


async def send_verification(accounts: Accounts, session: FoundSession) -> None:
    """Mails another link to an address that is not verified yet. Raises TooMany."""
    await accounts.guard.mailing(session.email)
    if not session.verified:
        accounts.beside(
            mail_link(accounts.pool, accounts.mailer, accounts.public_url, session.user_id)
        )


async def verify_email(
    accounts: Accounts, session: FoundSession, token: str, origin: Origin
) -> None:
    """Notes that the address is that of who is logged in, by a link to it.

    The link alone shows who reads the mail, and not that he made the account: anybody can with
    anybody's address, and would be let in for good by a kind person who follows it. Raises
    Invalid, and Forbidden for a link to another account, which stays good.
    """
    await accounts.guard.linking(origin)
    hashed = hash_token(token)
    async with unit(accounts.pool, None, user=session.user_id) as (conn, _):
        await store.hold_user(conn, session.user_id)
        user = await store.find_link(conn, hashed, "verify")
        if user is None:
            raise bad_link()
        if user.id != session.user_id:
            raise Forbidden("This link is for another account: log in there.", "other_address")
        if not await store.use_link(conn, hashed, user.id):
            raise bad_link()
        await store.set_verified(conn, user.id)
    # What it may do now it may do at once.
    accounts.sessions.forget()


async def forgot_password(accounts: Accounts, email: str, origin: Origin) -> None:
    """Mails a link to set a new password, if there is such an account. Raises TooMany.

    All of it happens after the answer.
    """
    await accounts.guard.forgetting(origin)
    accounts.beside(_mail_reset(accounts, _plain(email)))


async def _mail_reset(accounts: Accounts, address: str) -> None:
    if not await accounts.guard.may_reset(address):
        return  # whoever floods somebody's mailbox is not told that he does
    async with snapshot(accounts.pool, None) as (conn, _):
        user = await store.user_by_email(conn, address)
    if user is not None and not user.disabled:
        await mail_link(accounts.pool, accounts.mailer, accounts.public_url, user.id, "reset")


async def reset_password(accounts: Accounts, token: str, password: str, origin: Origin) -> Begun:
    """Sets a password by a link, which also proves the address; logs in, and others out.

    Raises Invalid for a bad password, which leaves the link good, and for a bad link.
    """
    await accounts.guard.linking(origin)
    hashed = hash_token(token)
    async with snapshot(accounts.pool, None) as (conn, _):
        user = await store.find_link(conn, hashed, "reset")
    if user is None:
        raise bad_link()
    await accounts.passwords.require_good(password, (user.email, user.name), "password")
    stored = await accounts.passwords.hash(password)
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        # The account before its links, as everywhere: who comes second waits here.
        await store.hold_user(conn, user.id)
        if not await store.use_link(conn, hashed, user.id):
            raise bad_link()
        await store.set_password(conn, user.id, stored)
        await store.set_verified(conn, user.id)
        await store.drop_links(conn, user.id, every=True)
        await session_store.end_sessions(conn, user.id)
        begun = await log_in(conn, accounts, user._replace(password_hash=stored), origin)
    accounts.sessions.forget()
    accounts.mailer.send("password_changed", user.email, {})
    return begun


async def change_password(accounts: Accounts, session: FoundSession, old: str, new: str) -> None:
    """Changes the password of who is logged in, and ends the person's other sessions.

    Raises Invalid, Conflict where there is none yet, TooMany.
    """
    await accounts.guard.changing(session.user_id)
    async with snapshot(accounts.pool, None) as (conn, _):
        user = await store.user_by_id(conn, session.user_id)
    if user is None or user.password_hash is None:
        raise Conflict(
            "This account has no password yet; ask for a link to set one.", "no_password"
        )
    checked = await accounts.passwords.verify(old, user.password_hash)
    if not checked.right:
        raise Invalid([FieldError("currentPassword", "is not the password of this account")])
    await accounts.passwords.require_good(new, (user.email, user.name), "newPassword")
    hashed = await accounts.passwords.hash(new)
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        held = await store.hold_user(conn, user.id)
        asking = await session_store.find_session(conn, session.id, user.id)
        # Whoever set another password meanwhile has ended this session, and knows why.
        changed = held is None or held.disabled or held.password_hash != user.password_hash
        if asking is None or asking.over or changed:
            raise Unauthorized("This session has ended; log in again.", "expired_session")
        await store.set_password(conn, user.id, hashed)
        await store.drop_links(conn, user.id, every=True)
        await session_store.end_sessions(conn, user.id, but=session.id)
    accounts.sessions.forget()
    accounts.mailer.send("password_changed", user.email, {})


def bad_link() -> Invalid:
    """What is answered to a link that is unknown, over or used."""
    return Invalid(
        [FieldError("token", "is not good any more; ask for a new link")],
        "This link was used before or is too old; ask for a new one.",
    )
