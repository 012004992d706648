"""Pages that get live updates: a server at a real port, a scorer, and Socket.IO's own client."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import socketio

from leadpulse.bootstrap.api import Server, config, services
from leadpulse.bootstrap.network import listen, url_of
from leadpulse.files import make_data_dir
from leadpulse.http.app import build_app
from leadpulse.http.services import Services
from leadpulse.realtime.server import Live
from leadpulse.settings import ClientRate, load_settings
from leadpulse.usecases.hints import teller_through
from leadpulse.worker.scorer import Scorer, ScorerOptions
from support.visitors import PASSWORD

NAMES = ("ready", "newEvent", "leadUpdated", "scoreMutation", "flood")


async def until(what: str, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Waits for a condition; fails with `what` when it never holds."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := holds()):
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.01)
    return found


@dataclass
class Person:
    """Somebody with an account and a project of their own."""

    url: str
    token: str
    project_id: str
    write_key: str
    user_id: str
    cookie: str

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def send(self, *events: dict[str, Any]) -> None:
        """Sends events with the write key."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            answer = await client.post(
                "/api/ingest/batch",
                json={"events": list(events)},
                headers={"X-API-Key": self.write_key},
            )
        assert answer.status_code == 202, answer.text


async def register(url: str, email: str) -> Person:
    """A new account, with its project."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        body = {"email": email, "password": PASSWORD, "name": "Ada Lovelace"}
        answer = await client.post("/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    said = answer.json()
    project = said["project"]
    return Person(
        url, said["token"], project["id"], project["writeKey"], said["user"]["id"], cookie
    )


@dataclass
class Page:
    """An open page: what it was told, in order."""

    client: socketio.AsyncClient
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for told, body in self.told if told == name]

    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.told)

    async def wait(self, name: str, number: int = 1, seconds: float = 20.0) -> dict[str, Any]:
        """The newest of so many messages of a name."""
        await until(
            f"{number} × {name}, got {self.counts()}",
            lambda: len(self.of(name)) >= number,
            seconds,
        )
        return self.of(name)[-1]

    async def wait_closed(self, seconds: float = 20.0) -> None:
        await until("the socket is closed", lambda: not self.client.connected, seconds)


@asynccontextmanager
async def a_page(
    url: str,
    token: str | None = None,
    *,
    headers: dict[str, str] | None = None,
    transport: str = "websocket",
    comes_back: bool = False,
) -> AsyncIterator[Page]:
    """A page of whoever has the token (or what the headers say), connected or refused."""
    client = socketio.AsyncClient(
        reconnection=comes_back, reconnection_delay=0.1, reconnection_delay_max=0.5
    )
    page = Page(client)
    for name in NAMES:
        client.on(name, lambda body, name=name: page.told.append((name, body)))
    client.on("connect_error", page.refused.append)
    try:
        with contextlib.suppress(socketio.exceptions.ConnectionError):
            await client.connect(
                url,
                headers=headers or {},
                auth=None if token is None else {"token": token},
                transports=[transport],
                wait_timeout=10,
            )
        if client.connected:
            await page.wait("ready")
        yield page
    finally:
        if comes_back:
            await client.shutdown()
        else:
            await client.disconnect()


@dataclass
class Running:
    """An API process with scorers, all in this process."""

    url: str
    services: Services
    live: Live


@asynccontextmanager
async def scoring(dsn: str, marks: Path, redis_url: str | None = None) -> AsyncIterator[Scorer]:
    """A scorer at work, which tells of it."""
    make_data_dir(marks)
    teller = teller_through(redis_url, dsn)
    scorer = Scorer(ScorerOptions(dsn, marks, ("false",)), teller=teller)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(scorer.run(stop)), asyncio.create_task(teller.run())]
    try:
        yield scorer
    finally:
        stop.set()
        await tasks[0]
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answering(
    dsn: str, folder: Path, port: int = 0, **settings: Any
) -> AsyncIterator[Running]:
    """An API at a port of its own, or at this one."""
    make_data_dir(folder)
    made = load_settings(
        data_dir=folder, signup="open", client_rate=ClientRate(0, 0, 0), server_rate=0,
        api_rate=0, **settings,
    )  # fmt: skip
    with listen("127.0.0.1", port) as bound:
        async with services(made, dsn) as ready:
            live = ready.live
            assert isinstance(live, Live)
            server = Server(config(build_app(ready)), live)
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            try:
                await until("a server", lambda: server.started)
                await until("it hears of others", lambda: live.up)
                url = url_of(bound).replace("localhost", "127.0.0.1")
                yield Running(url, ready, live)
            finally:
                server.should_exit = True
                await serving


@asynccontextmanager
async def running(
    dsn: str, folder: Path, redis_url: str | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """An API and a scorer."""
    async with (
        answering(dsn, folder / "api", redis_url=redis_url, **settings) as api,
        scoring(dsn, folder / "marks", redis_url),
    ):
        yield api
