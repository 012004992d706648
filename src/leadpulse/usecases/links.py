"""Links to accounts: made, mailed, or shown once by the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from leadpulse.domain import names
from leadpulse.domain.errors import NotFound
from leadpulse.postgres import accounts as store
from leadpulse.postgres.session import unit
from leadpulse.usecases.tokens import hash_token, new_link_token

if TYPE_CHECKING:
    from leadpulse.postgres.accounts import User
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.outside import Mailer

Purpose = Literal["verify", "reset"]

_HOUR: Final = 3_600
_GOOD_FOR: Final[dict[Purpose, int]] = {"verify": 72 * _HOUR, "reset": _HOUR}
_TOLD: Final[dict[Purpose, str]] = {"verify": "three days", "reset": "one hour"}
_PAGES: Final[dict[Purpose, str]] = {"verify": "verify-email", "reset": "reset-password"}


class Link(NamedTuple):
    """A link of which nothing but a hash is stored: show it once, and log it never."""

    purpose: Purpose
    url: str
    good_for: str


def link_url(public_url: str, page: str, token: str) -> str:
    """The address of a page with a token, which stands where no server logs it."""
    return f"{public_url}/{page}#token={token}"


async def make_link(
    pool: Pool, public_url: str, email: str, purpose: Purpose | None = None
) -> Link:
    """A link for an account, for an operator to hand on.

    Without a purpose it verifies the address, or, where that was done, sets a new password.
    Raises NotFound.
    """
    async with unit(pool, None) as (conn, _):
        user = await store.user_by_email(conn, names.email(email) or "")
        if user is None:
            raise NotFound("account", email)
        await store.hold_user(conn, user.id)
        return await _made(conn, public_url, user, purpose)


async def mail_link(
    pool: Pool, mailer: Mailer, public_url: str, user_id: str, purpose: Purpose = "verify"
) -> None:
    """Mails a link to the owner of an account; without a way to do so none is made."""
    if not mailer.ready:
        return
    async with unit(pool, None) as (conn, _):
        user = await store.hold_user(conn, user_id)
        if user is None:
            return
        link = await _made(conn, public_url, user, purpose)
    mailer.send(purpose, user.email, {"link": link.url, "good_for": link.good_for})


async def _made(conn: Connection, public_url: str, user: User, purpose: Purpose | None) -> Link:
    wanted: Purpose = purpose or ("reset" if user.verified else "verify")
    # The account is held: before its links, as everywhere.
    token = new_link_token()
    await store.insert_link(conn, hash_token(token), user, wanted, _GOOD_FOR[wanted])
    return Link(wanted, link_url(public_url, _PAGES[wanted], token), _TOLD[wanted])
