"""One API process: pools and caches around the application, and the server that runs it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from leadpulse.http.app import build_app
from leadpulse.http.intake import IntakeRoute
from leadpulse.http.protocol import Protocol
from leadpulse.http.services import Services
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import KeyRing

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator

    from leadpulse.http.services import App
    from leadpulse.settings import Settings

# Connections of an idle client are closed after this; load balancers keep theirs for 60 s.
_KEEP_ALIVE: Final = 75
# What running requests may take at the end; event calls are done within milliseconds.
_GRACE: Final = 15
_LARGEST_POOL: Final = 12


@asynccontextmanager
async def services(settings: Settings, dsn: str) -> AsyncIterator[Services]:
    """Everything that an API process holds, open; closed in order at the end."""
    limits = Limits(*settings.ceilings)
    async with make_pool(dsn, "api", largest=_LARGEST_POOL) as pool:
        intake = IntakeBuffer(dsn, limits)
        await intake.start()
        keys = KeyRing(pool)
        try:
            yield Services(
                settings=settings,
                pool=pool,
                keys=keys,
                models=ModelCache(),
                intake=IntakeRoute(intake, keys),
            )
        finally:
            await intake.stop()
            await keys.close()


async def run_api(settings: Settings, dsn: str, bound: socket.socket) -> None:
    """Answers on a listening socket until SIGTERM or SIGINT; then lets requests end."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # What is loaded by now stays; looking through it again and again for cycles is waste.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    async with services(settings, dsn) as ready:
        await _Server(_config(settings, build_app(ready))).serve(sockets=[bound])


def _config(settings: Settings, app: App) -> uvicorn.Config:
    proxies = [str(network) for network in settings.trusted_proxies]
    return uvicorn.Config(
        app,
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever isn't trusted could forge the address that limits go by.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


class _Server(uvicorn.Server):
    """Ends with status 0 when it is asked to: uvicorn's own raises the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
