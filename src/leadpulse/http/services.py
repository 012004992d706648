"""What the HTTP face is given when it is built: everything that lives as long as the process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from leadpulse.http.clients import Clients
from leadpulse.http.metrics import Metrics
from leadpulse.http.pages import Pages
from leadpulse.usecases.analytics import Dashboards
from leadpulse.usecases.simulator import Commits
from leadpulse.usecases.throttle import Throttle

if TYPE_CHECKING:
    from leadpulse.http.intake import IntakeRoute
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool
    from leadpulse.settings import Settings
    from leadpulse.usecases.accounts import Accounts
    from leadpulse.usecases.keys import KeyRing
    from leadpulse.usecases.rates import Rates
    from leadpulse.usecases.watchers import LiveFigures
    from leadpulse.valkey import Valkey

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Live(Protocol):
    """Live updates, as the HTTP face hands requests on to them and asks about them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    @property
    def up(self) -> bool: ...

    def figures(self) -> LiveFigures: ...

    def changed(self, project_id: str, lead_id: str) -> None: ...

    def delivered_at(self, event_id: str) -> int | None: ...

    async def close_sockets(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Opened and closed by whoever makes it; `intake` answers the event calls."""

    settings: Settings
    pool: Pool
    keys: KeyRing
    models: ModelCache
    intake: IntakeRoute
    accounts: Accounts
    pages: Pages = field(default_factory=Pages)
    metrics: Metrics = field(default_factory=Metrics)
    dashboards: Dashboards = field(default_factory=Dashboards)
    commits: Commits = field(default_factory=Commits)
    throttle: Throttle = field(default_factory=Throttle)
    rates: Rates | None = None
    clients: Clients = field(default_factory=Clients)
    valkey: Valkey | None = None
    live: Live | None = None
    # In µs, as everywhere.
    started_at: int = field(default_factory=lambda: time.time_ns() // 1_000)
