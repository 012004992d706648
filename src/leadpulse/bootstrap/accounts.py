"""Accounts with what they need of the world outside."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from leadpulse.channels.google import GoogleIdentities
from leadpulse.channels.mail import MailQueue, server_of
from leadpulse.usecases.accounts import Accounts
from leadpulse.usecases.guard import Guard
from leadpulse.usecases.passwords import COST, Cost, Passwords
from leadpulse.usecases.sessions import SessionRing
from leadpulse.usecases.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.session import Pool
    from leadpulse.settings import Settings
    from leadpulse.usecases.throttle import Throttle


@asynccontextmanager
async def accounts(
    settings: Settings, pool: Pool, throttle: Throttle, cost: Cost = COST
) -> AsyncIterator[Accounts]:
    """For as long as an API process lives; mail that is being sent is waited for at the end."""
    mailer = MailQueue(None if settings.smtp_url is None else server_of(settings.smtp_url))
    tokens = Tokens.of(settings)
    client_id = settings.google_client_id
    made = Accounts(
        pool=pool,
        tokens=tokens,
        sessions=SessionRing(pool, tokens),
        passwords=Passwords(cost),
        guard=Guard(throttle, tokens),
        mailer=mailer,
        public_url=settings.public_url,
        signup=settings.signup,
        google=None if client_id is None else GoogleIdentities(client_id),
    )
    try:
        yield made
    finally:
        await made.close()
        await mailer.close()
