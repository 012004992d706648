"""An API process as it runs, in this process but behind a socket, and bytes to send to it."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadpulse.bootstrap.api import run_api
from leadpulse.postgres.connect import connect
from leadpulse.settings import load_settings
from leadpulse.usecases.projects import CreatedProject, create_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

EVENT = b'{"event":"x","userId":"u"}'
SITE = "https://app.example.com"


@dataclass
class Reply:
    """An answer, as far as it came; `closed`: the server hung up after it."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool

    @property
    def problem(self) -> dict[str, Any]:
        """Its problem document, which must be one in every respect."""
        assert self.headers["content-type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        assert found["instance"] == self.headers["x-request-id"]
        return found


@dataclass
class Wire:
    """A running API process and the keys of its only project."""

    port: int
    project: CreatedProject

    def head(self, line: str, *headers: str) -> bytes:
        """A request's head, with the secret key."""
        key = f"X-API-Key: {self.project.secret_key}"
        return "\r\n".join([line, "Host: x", key, *headers, "", ""]).encode("latin-1")

    def sending(self, line: str, body: bytes, *headers: str) -> bytes:
        """A whole request with a body."""
        return self.head(line, *headers, f"Content-Length: {len(body)}") + body

    async def post(self, document: Any, *headers: str, key: str | None = None) -> Reply:
        """Sends one event or a batch, with the write key or another."""
        body = json.dumps(document).encode()
        path = "/api/ingest/batch" if "events" in document else "/api/ingest/event"
        lines = [
            f"POST {path} HTTP/1.1", "Host: x", f"X-API-Key: {key or self.project.write_key}",
            f"Content-Length: {len(body)}", *headers,
        ]  # fmt: skip
        return await self.ask("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def ask(self, sent: bytes, seconds: float = 5) -> Reply:
        """Sends bytes and reads one answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(seconds):
                writer.write(sent)
                return await read_reply(reader, bare=sent.startswith(b"HEAD "))
        finally:
            writer.close()


async def read_reply(reader: asyncio.StreamReader, *, bare: bool = False) -> Reply:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (item.partition(": ") for item in rest if item)
    headers = {name.lower(): value for name, _, value in pairs}
    length = 0 if bare else int(headers.get("content-length", "0"))
    body = await reader.readexactly(length)
    closed = headers.get("connection") == "close"
    if closed:
        assert await reader.read() == b""
    return Reply(int(line.split()[1]), headers, body, closed)


@asynccontextmanager
async def serving(
    dsn: str, folder: Path, *, web: Path | None = None, **settings: Any
) -> AsyncIterator[Wire]:
    """An API with one project; without the dashboard, or with the one in the folder `web`."""
    made = load_settings(data_dir=folder, **{"frontend_url": (SITE,), **settings})
    connection = await connect(dsn, "test")
    project = await create_project(connection, "Test", "leadpulse")
    await connection.close()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        bound.setblocking(False)  # noqa: FBT003 - the name says it
        task = asyncio.create_task(run_api(made, dsn, bound, web or folder / "no-web"))
        wire = Wire(bound.getsockname()[1], project)
        try:
            yield wire
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
