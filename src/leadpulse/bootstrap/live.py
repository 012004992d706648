"""Live updates of an API process: what comes in from its intake, from scorers, from people."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from leadpulse.http.handshake import admit
from leadpulse.postgres.hints import Listening
from leadpulse.realtime.server import Live
from leadpulse.usecases.hints import teller_through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.http.services import Services
    from leadpulse.settings import Settings
    from leadpulse.usecases.hints import Inlet


@asynccontextmanager
async def live_updates(services: Services, dsn: str) -> AsyncIterator[Live]:
    """Open for the length of the block; without any page it costs two idle connections."""
    teller = teller_through(services.settings.redis_url, dsn)
    live = Live(
        services.pool, inlet_of(services.settings, dsn), partial(admit, services), teller.changed
    )
    live.start()
    telling = asyncio.create_task(teller.run(), name="hints")
    services.intake.buffer.stored = live.stored
    try:
        yield live
    finally:
        services.intake.buffer.stored = None
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await live.stop()


def inlet_of(settings: Settings, dsn: str) -> Inlet:
    """Where hints of all processes come from: Valkey if there is one, else the database."""
    if settings.redis_url is None:
        return Listening(dsn)
    # Loaded only where it is used.
    from leadpulse.broadcast import ValkeyInlet  # noqa: PLC0415

    return ValkeyInlet(settings.redis_url)
