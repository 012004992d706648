"""Connections that break, readers that don't read, several processes: pages are right again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from leadpulse.http import sockets
from leadpulse.realtime import server as limits
from support.fleet import Fleet
from support.live import Page, Person, a_page, answering, register, running, scoring, until
from support.server import free_port
from support.server import running as serving
from support.valkey import a_valkey

ADA = "ada@example.com"


def event(person: str) -> dict[str, Any]:
    return {"event": "signup", "anonymousId": person}


async def hears(page: Page, person: Person, browser: str, seconds: float = 20.0) -> None:
    """What happens to somebody new from now on is told to the page."""
    before = len(page.of("leadUpdated"))
    await person.send(event(browser))
    await page.wait("leadUpdated", before + 1, seconds)


async def test_after_its_server_was_away_a_page_is_told_to_begin_anew(
    database: str, tmp_path: Path
) -> None:
    """It comes back by itself, is told `ready` again, and then asks for what it missed."""
    port = free_port()
    async with (
        scoring(database, tmp_path / "marks"),
        answering(database, tmp_path / "other") as other,
        contextlib.AsyncExitStack() as stack,
    ):
        async with answering(database, tmp_path / "api", port) as first:
            ada = await register(first.url, ADA)
            page = await stack.enter_async_context(a_page(first.url, ada.token, comes_back=True))
            await hears(page, ada, "b1")
        await until("the connection is gone", lambda: not page.client.connected)
        elsewhere = replace(ada, url=other.url)
        await elsewhere.send(event("b1"), event("b2"))
        async with answering(database, tmp_path / "api", port):
            await page.wait("ready", 2)
            shown = await ada.call("GET", "/api/leads")
            assert len(shown["leads"]) == 2
            await hears(page, ada, "b3")
            await page.client.shutdown()


async def test_when_the_database_drops_its_connections_pages_ask_again(
    database: str, tmp_path: Path
) -> None:
    """Whatever was missed meanwhile: one `flood`, and what comes then is told as before."""
    async with running(database, tmp_path) as api:
        ada = await register(api.url, ADA)
        async with a_page(api.url, ada.token) as page:
            await hears(page, ada, "b1")
            with psycopg.connect(database, autocommit=True) as conn:
                conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name in ('leadpulse-live', 'leadpulse-hints', "
                    "'leadpulse-scorer') and datname = current_database()"
                )
            await page.wait("flood")
            await until("it listens again", lambda: api.live.up)
            await hears(page, ada, "b2")
            assert page.client.connected
            assert page.counts()["ready"] == 1


async def test_one_connection_alone_that_dies_is_noticed(database: str, tmp_path: Path) -> None:
    """Without the locks that say who watches, nothing would be told."""
    async with running(database, tmp_path) as api:
        ada = await register(api.url, ADA)
        async with a_page(api.url, ada.token) as page:
            await hears(page, ada, "b1")
            with psycopg.connect(database, autocommit=True) as conn:
                ended = conn.execute(
                    "select pg_terminate_backend(pid) from pg_locks "
                    "where locktype = 'advisory' and mode = 'ShareLock' and database = "
                    "(select oid from pg_database where datname = current_database())"
                ).fetchall()
            assert len(ended) == 1
            await page.wait("flood")
            await hears(page, ada, "b2")


async def test_nobody_there_costs_no_message(database: str, tmp_path: Path) -> None:
    """Scores are made, and neither sent nor read again for a page that isn't open."""
    async with answering(database, tmp_path / "api") as api:
        ada = await register(api.url, ADA)
        async with scoring(database, tmp_path / "marks") as scorer:
            await ada.send(*[event(f"b{n}") for n in range(50)])
            await until("scored", lambda: scorer.counters.events >= 50)
            assert scorer.teller is not None
            await until("looked after", lambda: not scorer.teller._waiting)  # type: ignore[union-attr]
            assert scorer.teller.told == 0
            assert not api.live.figures().messages


async def silent_page(url: str, token: str) -> asyncio.StreamWriter:
    """A client that opens a page, and then reads nothing any more."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.read(1)
    said = b'40{"token":"%s"}' % token.encode()
    length = len(said).to_bytes(2, "big")
    # Masked with zeros, which changes nothing.
    writer.write(b"\x81" + bytes([0x80 | 126]) + length + bytes(4) + said)
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    return writer


async def test_who_does_not_read_is_dropped_and_keeps_no_memory(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it another page of the same project is told everything."""
    monkeypatch.setattr(limits, "MOST_WAITING", 100)
    monkeypatch.setattr(sockets, "PATIENCE", 1.0)
    async with running(database, tmp_path) as api:
        ada = await register(api.url, ADA)
        writer = await silent_page(api.url, ada.token)
        await until("both are there", lambda: api.live.figures().sockets == 1)
        async with a_page(api.url, ada.token) as page:
            sent = 0
            while not api.live.figures().dropped["slow"]:
                # Larger than any hint, so that the network's own buffers are soon full.
                api.live._emit(ada.project_id, "flood", {"fill": "x" * 50_000})
                sent += 1
                assert sent < 5_000
                await asyncio.sleep(0.002)
            await until("one is left", lambda: api.live.figures().sockets == 1)
            await until("it is cut off", lambda: len(api.live._sio.eio.sockets) == 1)
            await page.wait("flood", sent)
            await hears(page, ada, "b1")
        writer.close()


async def test_pages_outlive_a_killed_postgresql(tmp_path: Path) -> None:
    """A whole installation, its database killed: the page stays, asks again, and is told on."""
    with serving(tmp_path / "serve", workers=1, settings={"LEADPULSE_SIGNUP": "open"}) as server:
        ada = await register(server.url, ADA)
        async with a_page(server.url, ada.token) as page:
            await hears(page, ada, "b1")
            (postmaster,) = server.postmaster()
            os.kill(postmaster.pid, signal.SIGKILL)
            await page.wait("flood", 1, 60)
            await asyncio.to_thread(server.wait_healthy)
            await hears(page, ada, "b2", 60)
            assert page.counts()["ready"] == 1


async def test_two_apis_and_two_workers_serve_one_page_over_valkey(
    database: str, tmp_path: Path
) -> None:
    """A page hears of what any process did; without Valkey scores go on, and pages ask again."""
    with a_valkey(tmp_path / "valkey") as valkey:
        settings = {"REDIS_URL": valkey.url, "LEADPULSE_SIGNUP": "open"}
        settings["LEADPULSE_SIGNING_KEY"] = "0123456789abcdef" * 4
        fleet = Fleet(tmp_path / "fleet", database, settings)
        try:
            await asyncio.to_thread(fleet.start, 2, [1, 1])
            ada = await register(fleet.urls[0], ADA)
            await _over_valkey(fleet, valkey, ada)
        finally:
            await asyncio.to_thread(fleet.stop)


async def _over_valkey(fleet: Fleet, valkey: Any, ada: Person) -> None:
    async with a_page(fleet.urls[0], ada.token) as one, a_page(fleet.urls[1], ada.token) as two:
        for n in range(20):
            await ada.send(event(f"b{n}"))
        for page in (one, two):
            await page.wait("leadUpdated", 20)
            assert {e["id"] for e in page.of("newEvent") if e["status"] == "scored"} == {
                e["id"] for e in one.of("newEvent") if e["status"] == "queued"
            }
        health = await ada.call("GET", "/api/health")
        assert (health["live"], health["redis"]) == ("up", "up")
        valkey.kill()
        await ada.send(event("alone"))

        async def shown() -> bool:
            found = await ada.call("GET", "/api/leads?q=alone")
            return bool(found["leads"] and found["leads"][0]["currentScore"])

        for _ in range(100):
            if await shown():
                break
            await asyncio.sleep(0.1)
        assert await shown()
        valkey.start()
        await one.wait("flood")
        await two.wait("flood")
        before = len(two.of("leadUpdated"))
        await ada.send(event("again"))
        await two.wait("leadUpdated", before + 1)
        assert one.client.connected
        assert two.client.connected
