"""Signing in with an identity that Google vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.domain import names
from leadpulse.domain.errors import Conflict, Forbidden, Unauthorized
from leadpulse.ids import uuid7
from leadpulse.postgres import accounts as store
from leadpulse.postgres import sessions as session_store
from leadpulse.postgres.accounts import NewUser, User
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases.accounts import (
    LONGEST_NAME,
    Accounts,
    checked_person,
    log_in,
    make_account,
    require_open,
)

if TYPE_CHECKING:
    from leadpulse.usecases.outside import Identity
    from leadpulse.usecases.sessions import Begun, Origin


async def google_login(
    accounts: Accounts, token: str, origin: Origin, company: str | None = None
) -> tuple[Begun, bool]:
    """Logs in by an ID token; makes an account where one may register, and tells whether it did.

    Raises Unauthorized for a bad token or a disabled account, Forbidden for an address that
    Google has not verified, Conflict when the account belongs to another Google account.
    """
    if accounts.google is None:
        raise Forbidden("Signing in with Google is not set up here.", "google_off")
    await accounts.guard.identifying(origin)
    identity = await accounts.google.verify(token)
    try:
        return await _enter(accounts, identity, company, origin)
    except (Conflict, Forbidden):
        # Another sign-in of the same person may have been faster by a moment: then he is in.
        async with snapshot(accounts.pool, None) as (conn, _):
            if await store.user_by_google(conn, identity.subject) is None:
                raise
        return await _enter(accounts, identity, company, origin)


async def _enter(
    accounts: Accounts, identity: Identity, company: str | None, origin: Origin
) -> tuple[Begun, bool]:
    email = names.email(identity.email) or ""
    async with snapshot(accounts.pool, None) as (conn, _):
        user = await store.user_by_google(conn, identity.subject)
        joined = user is not None
        if user is None and identity.verified and email:
            user = await store.user_by_email(conn, email)
    if user is None:
        return await _register(accounts, identity, email, company, origin), True
    if user.disabled:
        raise Unauthorized("This account is switched off.", "wrong_credentials")
    if not joined:
        user = await _join(accounts, user, identity)
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        return await log_in(conn, accounts, user, origin), False


async def _register(
    accounts: Accounts, identity: Identity, email: str, company: str | None, origin: Origin
) -> Begun:
    if not identity.verified:
        raise Forbidden("Google has not verified this address.", "unverified_email")
    await require_open(accounts)
    name = (identity.name.strip() or email.partition("@")[0])[:LONGEST_NAME]
    address, name = checked_person(email, name)
    user = NewUser(uuid7(), address, name, None, identity.subject, verified=True)
    return await make_account(accounts, user, company, origin)


async def _join(accounts: Accounts, user: User, identity: Identity) -> User:
    """Joins a Google account with the same verified address; returns what the account is then.

    Whoever made the account without ever proving that the address is his may be anybody: what
    he knows and where he is logged in counts no longer.
    """
    if user.google_subject is not None:
        raise Conflict("This account belongs to another Google account.", "other_identity")
    async with unit(accounts.pool, None, user=user.id) as (conn, _):
        held = await store.hold_user(conn, user.id)
        if held is None or held.google_subject is not None or held.email != user.email:
            raise Conflict("This account was changed just now; try again.", "other_identity")
        if not held.verified:
            await store.set_password(conn, user.id, None)
            await store.drop_links(conn, user.id, every=True)
            await session_store.end_sessions(conn, user.id)
            held = held._replace(password_hash=None)
        if not await store.join_google(conn, user.id, identity.subject):
            raise Conflict("This account was changed just now; try again.", "other_identity")
    accounts.sessions.forget()
    accounts.mailer.send("google_joined", user.email, {})
    return held
