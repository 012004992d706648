"""One API process: pools and caches around the application, and the server that runs it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn

from leadpulse.bootstrap.accounts import accounts
from leadpulse.bootstrap.live import live_updates
from leadpulse.http import pages
from leadpulse.http.app import build_app
from leadpulse.http.clients import Clients, UnknownProxies
from leadpulse.http.intake import IntakeRoute
from leadpulse.http.protocol import Protocol
from leadpulse.http.quotas import Gate, pass_for
from leadpulse.http.services import Services
from leadpulse.http.sockets import SocketProtocol
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.models import ModelCache
from leadpulse.realtime.server import MOST_BYTES
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import KeyRing
from leadpulse.usecases.rates import Amounts, Rates
from leadpulse.usecases.tally import Tally
from leadpulse.usecases.throttle import Throttle

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from leadpulse.http.services import App, Live
    from leadpulse.settings import Settings
    from leadpulse.valkey import Valkey

_log = structlog.get_logger("leadpulse.api")

# Connections of an idle client are closed after this; load balancers keep theirs for 60 s.
_KEEP_ALIVE: Final = 75
# What running requests may take at the end; event calls are done within milliseconds.
_GRACE: Final = 15
_LARGEST_POOL: Final = 12


@asynccontextmanager
async def services(
    settings: Settings, dsn: str, web: Path = pages.FOLDER
) -> AsyncIterator[Services]:
    """Everything that an API process holds, open; closed in order at the end."""
    built = pages.load(web)
    if built.page is None:
        _log.warning("the dashboard is not served: it was not built", hint="make setup")
    limits = Limits(*settings.ceilings)
    clients = Clients(settings.trusted_proxies, UnknownProxies(settings.data_dir))
    async with (
        make_pool(dsn, "api", largest=_LARGEST_POOL) as pool,
        _counting(settings) as (valkey, rates),
        accounts(settings, pool, throttle := Throttle(valkey)) as people,
    ):
        intake = IntakeBuffer(dsn, limits)
        await intake.start()
        keys = KeyRing(pool)
        ready = Services(
            settings=settings,
            pool=pool,
            keys=keys,
            models=ModelCache(),
            intake=IntakeRoute(
                intake, keys, Gate(rates, clients, pass_for(settings.signing_secret()))
            ),
            accounts=people,
            pages=built,
            throttle=throttle,
            rates=rates,
            clients=clients,
            valkey=valkey,
        )
        try:
            async with live_updates(ready, dsn) as live:
                yield replace(ready, live=live)
        finally:
            await intake.stop()
            await keys.close()


@asynccontextmanager
async def _counting(settings: Settings) -> AsyncIterator[tuple[Valkey | None, Rates]]:
    """The rates, counted together with other processes if there is a Valkey."""
    valkey = None
    if settings.redis_url is not None:
        # Loaded only where it is used.
        from leadpulse.valkey import Valkey  # noqa: PLC0415

        # Processes that count together need one key; in development none may be set.
        key = settings.signing_key
        valkey = Valkey(settings.redis_url, "" if key is None else key.get_secret_value())
    tally = Tally(valkey)
    try:
        yield valkey, Rates(amounts_of(settings), tally)
    finally:
        await tally.close()
        if valkey is not None:
            await valkey.close()


def amounts_of(settings: Settings) -> Amounts:
    """The rates that are set."""
    return Amounts(*settings.client_rate, settings.server_rate, settings.api_rate)


async def run_api(
    settings: Settings, dsn: str, bound: socket.socket, web: Path = pages.FOLDER
) -> None:
    """Answers on a listening socket until SIGTERM or SIGINT; then lets requests end."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # What is loaded by now stays; looking through it again and again for cycles is waste.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    async with services(settings, dsn, web) as ready:
        server = Server(config(build_app(ready)), ready.live)
        await server.serve(sockets=[bound])


def config(app: App) -> uvicorn.Config:
    """How the server runs."""
    return uvicorn.Config(
        app,
        loop="none",
        http=Protocol,
        ws=SocketProtocol,
        ws_max_size=MOST_BYTES,
        # Messages are small, and a compressor for each socket is not.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Read by http/clients.py, for both faces in one way.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


class Server(uvicorn.Server):
    """Ends with status 0 when it is asked to: uvicorn's own raises the signal again.

    Live connections end first: they would go on for ever.
    """

    def __init__(self, given: uvicorn.Config, live: Live | None) -> None:
        super().__init__(given)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets requests end, and nothing new begin."""
        if self._live is not None:
            await self._live.close_sockets()
        await super().shutdown(sockets)

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
