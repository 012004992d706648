"""The event calls over a real database, without a socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from leadpulse.http.intake import IntakeRoute
from leadpulse.postgres.connect import Connection, connect, pool
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.intake import IntakeBuffer, Size
from leadpulse.usecases.keys import KeyRing
from leadpulse.usecases.projects import CreatedProject, create_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

NO_LIMITS = Limits(0, 0, 0)


@dataclass
class Door:
    """One API process's intake: its buffer and its route, and a connection to look behind."""

    project: CreatedProject
    buffer: IntakeBuffer
    route: IntakeRoute
    keys: KeyRing
    conn: Connection
    client: httpx.AsyncClient

    async def post(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None, key: str | None = ""
    ) -> httpx.Response:
        """Sends a body (bytes as they are) with the write key, another key, or none."""
        given = dict(headers or {})
        if key is not None:
            given["x-api-key"] = key or self.project.write_key
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, headers=given)

    async def event(self, **document: Any) -> httpx.Response:
        """Sends one event with the write key, about visitor-1 unless it says otherwise."""
        return await self.post("/api/ingest/event", _filled(document))

    async def trusted(self, **document: Any) -> httpx.Response:
        """The same with the secret key."""
        key = self.project.secret_key
        return await self.post("/api/ingest/event", _filled(document), key=key)

    async def batch(self, events: list[Any], key: str = "", **members: Any) -> dict[str, Any]:
        """Sends a batch and returns its answer."""
        answer = await self.post("/api/ingest/batch", {"events": events, **members}, key=key)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def one(self, query: str, *parameters: Any) -> Any:
        """The first value of a query."""
        cursor = await self.conn.execute(query, parameters)
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def rows(self, query: str, *parameters: Any) -> list[Any]:
        """All rows of a query."""
        cursor = await self.conn.execute(query, parameters)
        return await cursor.fetchall()


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    filled = {"event": "page_view", **document}
    if not {"userId", "email", "anonymousId", "leadId", "traits"} & filled.keys():
        filled["anonymousId"] = "visitor-1"
    return filled


async def until(holds: Callable[[], Awaitable[bool] | bool], seconds: float = 10.0) -> None:
    """Asks until the answer is yes; a TimeoutError if it never is."""
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def open_door(
    dsn: str,
    project: CreatedProject | None = None,
    limits: Limits = NO_LIMITS,
    size: Size | None = None,
) -> AsyncIterator[Door]:
    """A running intake, for a project of its own or for one that exists."""
    conn = await connect(dsn, "test")
    buffer = IntakeBuffer(dsn, limits, size)
    async with pool(dsn, "test") as connections:
        if project is None:
            project = await create_project(conn, "Test")
        await buffer.start()
        keys = KeyRing(connections)
        route = IntakeRoute(buffer, keys)
        transport = httpx.ASGITransport(app=route, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            try:
                yield Door(project, buffer, route, keys, conn, client)
            finally:
                await buffer.stop()
                await conn.close()
