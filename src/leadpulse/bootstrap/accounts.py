"""Accounts with what they need of the world outside, which is loaded only where it is set up."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from leadpulse.usecases.accounts import Accounts
from leadpulse.usecases.guard import Guard
from leadpulse.usecases.outside import NoMail
from leadpulse.usecases.passwords import COST, Cost, Passwords
from leadpulse.usecases.sessions import SessionRing
from leadpulse.usecases.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.session import Pool
    from leadpulse.settings import Settings
    from leadpulse.usecases.outside import Identities, Mailer
    from leadpulse.usecases.throttle import Throttle


@asynccontextmanager
async def accounts(
    settings: Settings, pool: Pool, throttle: Throttle, cost: Cost = COST
) -> AsyncIterator[Accounts]:
    """For as long as an API process lives; mail that is being sent is waited for at the end."""
    async with _mail(settings.smtp_url) as mailer:
        tokens = Tokens.of(settings)
        made = Accounts(
            pool=pool,
            tokens=tokens,
            sessions=SessionRing(pool, tokens),
            passwords=Passwords(cost),
            guard=Guard(throttle, tokens),
            mailer=mailer,
            public_url=settings.public_url,
            signup=settings.signup,
            google=_google(settings.google_client_id),
        )
        try:
            yield made
        finally:
            await made.close()


@asynccontextmanager
async def _mail(url: str | None) -> AsyncIterator[Mailer]:
    if url is None:
        yield NoMail()
        return
    from leadpulse.channels.mail import MailQueue, server_of  # noqa: PLC0415

    queue = MailQueue(server_of(url))
    try:
        yield queue
    finally:
        await queue.close()


def _google(client_id: str | None) -> Identities | None:
    if client_id is None:
        return None
    from leadpulse.channels.google import GoogleIdentities  # noqa: PLC0415

    return GoogleIdentities(client_id)
