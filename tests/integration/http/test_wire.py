"""What no client library sends: bytes on a socket, against the server as it runs."""

from __future__ import annotations

import asyncio
import gc
import gzip
from typing import TYPE_CHECKING

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from leadpulse.http import bodies, protocol
from support.wire import EVENT, SITE, Wire, read_reply, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def wire(database: str, tmp_path: Path) -> AsyncIterator[Wire]:
    async with serving(database, tmp_path) as running:
        yield running


async def test_what_is_no_request_is_told_as_a_problem(wire: Wire) -> None:
    """Garbage, unknown methods, contradicting lengths: 400 in words, and the end."""
    post = "POST /api/ingest/event HTTP/1.1"
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        wire.head("FOO /api/leads HTTP/1.1"),
        wire.head("get /api/leads HTTP/1.1"),
        wire.head("GET /api/leads/\xff HTTP/1.1"),
        wire.head("GET /api/leads?q=\xff HTTP/1.1"),
        wire.head("GET /api/leads HTTP/1.1", "X-A: a\0b"),
        wire.head(post, "Content-Length: -5") + EVENT,
        wire.head(post, "Content-Length: 5", "Content-Length: 6") + EVENT,
        wire.head(post, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        wire.head(post, "Transfer-Encoding: chunked") + b"zz\r\n",
    ):
        answer = await wire.ask(sent)
        assert (answer.status, answer.problem["code"]) == (400, "malformed"), sent
        assert answer.closed


async def test_addresses_and_headers_have_an_end(wire: Wire) -> None:
    """Also a header that is still coming; what is within the bounds is read."""
    address = "GET /api/leads?q=" + "a" * protocol.MAX_ADDRESS + " HTTP/1.1"
    many = [f"X-{number}: {'a' * 50}" for number in range(1_500)]
    cases = [
        (wire.head(address), 414, "address_too_long"),
        (wire.head("GET / HTTP/1.1", *many), 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nX-A: " + b"a" * (protocol.MAX_HEAD + 1), 431, "headers_too_large"),
        (b"GET /" + b"a" * (protocol.MAX_HEAD + 1), 431, "headers_too_large"),
    ]
    for sent, status, code in cases:
        answer = await wire.ask(sent)
        assert (answer.status, answer.problem["code"]) == (status, code)
        assert answer.closed
    fits = wire.head("GET /api/leads?limit=1 HTTP/1.1", "X-A: " + "a" * 60_000)
    assert (await wire.ask(fits)).status == 200


async def test_a_head_that_never_ends_is_given_up(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever began to ask is told; whoever says nothing is left without a word."""
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    for sent in (b"GET /api/health HTTP/1.1\r\nX-A:", wire.head("GET /api/health HTTP/1.1")[:-2]):
        answer = await wire.ask(sent)
        assert (answer.status, answer.problem["code"]) == (408, "too_slow")
        assert answer.closed
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
        writer.close()
        # The second request of a connection has no more time than the first.
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(wire.head("GET /api/health/live HTTP/1.1") + b"GET /")
        assert (await read_reply(reader)).status == 200
        assert (await read_reply(reader)).status == 408
        writer.close()


async def test_requests_in_a_row_are_answered_in_order(wire: Wire) -> None:
    """Pipelined, with bodies in chunks, and after a wait for `100 Continue`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    async with asyncio.timeout(10):
        writer.write(wire.sending("POST /api/ingest/event HTTP/1.1", EVENT) * 3)
        writer.write(wire.head("GET /api/health/live HTTP/1.1"))
        assert [(await read_reply(reader)).status for _ in range(4)] == [202, 202, 202, 200]
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT)
        post = "POST /api/ingest/event HTTP/1.1"
        writer.write(wire.head(post, "Transfer-Encoding: chunked") + chunked)
        assert (await read_reply(reader)).status == 202
        writer.write(wire.head(post, "Expect: 100-continue", f"Content-Length: {len(EVENT)}"))
        assert (await read_reply(reader)).status == 100
        writer.write(EVENT)
        assert (await read_reply(reader)).status == 202
        writer.close()


async def test_what_was_answered_is_forgotten_at_once(wire: Wire) -> None:
    """Nothing is left for the collector, which would keep all others waiting for it.

    The connection may keep the last of them.
    """
    gc.collect()
    gc.disable()
    try:
        for sent, status in (
            (wire.sending("POST /api/ingest/event HTTP/1.1", EVENT), 202),
            (wire.sending("POST /api/ingest/event HTTP/1.1", b"{}"), 422),
            (wire.head("GET /api/leads HTTP/1.1"), 200),
            (wire.head("GET /api/leads/nobody HTTP/1.1"), 404),
        ):
            before = _kept()
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            async with asyncio.timeout(10):
                for _ in range(20):
                    writer.write(sent)
                    assert (await read_reply(reader)).status == status
            assert _kept() <= before + 2, sent
            writer.close()
    finally:
        gc.enable()


def _kept() -> int:
    return sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects())


async def test_older_and_newer_versions_are_answered(wire: Wire) -> None:
    """HTTP/1.0 closes; a wish for another protocol is passed over."""
    answer = await wire.ask(b"GET /api/health/live HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.closed) == (200, True)
    upgrade = ("Connection: Upgrade", "Upgrade: h2c")
    for sent in (
        wire.head("GET /api/leads HTTP/1.1", *upgrade),
        wire.sending("POST /api/leads HTTP/1.1", b'{"name":"Ann"}', *upgrade),
    ):
        assert (await wire.ask(sent)).status in (200, 201)


async def test_too_much_is_refused_before_it_is_sent(wire: Wire) -> None:
    """By its announced length, with CORS, without `100 Continue`, and the connection closed."""
    for path in ("/api/leads", "/api/ingest/event"):
        for more in ([], ["Expect: 100-continue"]):
            sent = wire.head(
                f"POST {path} HTTP/1.1", f"Origin: {SITE}", "Content-Length: 99999999", *more
            )
            answer = await wire.ask(sent)
            assert (answer.status, answer.problem["code"]) == (413, "too_large")
            assert answer.closed
            assert answer.headers["access-control-allow-origin"] in (SITE, "*")


async def test_every_address_tells_its_methods(wire: Wire) -> None:
    """OPTIONS and 405 name all of them, HEAD is GET without a body."""
    for path, methods in (
        ("/api/leads", "GET, HEAD, POST, OPTIONS"),
        ("/api/rules/x", "PUT, DELETE, OPTIONS"),
        ("/api/events", "GET, HEAD, POST, OPTIONS"),
        ("/api/ingest/event", "POST, OPTIONS"),
        ("/api/leads/export", "GET, HEAD, OPTIONS"),
        ("/api/openapi.json", "GET, HEAD, OPTIONS"),
    ):
        answer = await wire.ask(wire.head(f"OPTIONS {path} HTTP/1.1"))
        assert (answer.status, answer.headers["allow"]) == (204, methods), path
    for method in ("TRACE", "PROPFIND", "DELETE"):
        answer = await wire.ask(wire.head(f"{method} /api/leads HTTP/1.1"))
        assert (answer.status, answer.problem["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    whole = await wire.ask(wire.head("GET /api/health HTTP/1.1"))
    bare = await wire.ask(wire.head("HEAD /api/health HTTP/1.1"))
    assert (bare.status, bare.headers["content-length"]) == (200, str(len(whole.body)))
    assert (await wire.ask(wire.head("HEAD /api/leads/export HTTP/1.1"))).status == 200
    for method, status in (("GET", 404), ("HEAD", 404), ("POST", 405), ("OPTIONS", 204)):
        page = await wire.ask(wire.head(f"{method} / HTTP/1.1"))
        assert page.status == status, method
        assert method in ("GET", "HEAD") or page.headers["allow"] == "GET, HEAD, OPTIONS"
        assert method != "GET" or b"make setup" in page.body
    for method in ("GET", "HEAD", "POST", "OPTIONS", "TRACE"):
        for path in ("/nowhere", "/api/leads/", "//api/leads", "/nowhere/%ff%00", "*"):
            if method != "OPTIONS" and path == "*":
                continue
            answer = await wire.ask(wire.head(f"{method} {path} HTTP/1.1"))
            assert answer.status == 404, (method, path)
            assert method == "HEAD" or answer.problem["code"] == "not_found"


async def test_preflights_and_errors_have_their_cors(wire: Wire) -> None:
    """The configured site reads every error, broken bodies too; others are refused in words."""
    ask = ("Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")
    good = await wire.ask(wire.head("OPTIONS /api/leads HTTP/1.1", f"Origin: {SITE}", *ask))
    assert (good.status, good.headers["access-control-allow-origin"]) == (204, SITE)
    evil = "Origin: https://evil.example"
    for path in ("/api/leads", "/api/events", "/nowhere"):
        bad = await wire.ask(wire.head(f"OPTIONS {path} HTTP/1.1", evil, *ask))
        assert (bad.status, bad.problem["code"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in bad.headers
    for body, more in ((b"{", []), (b"{}", ["Content-Encoding: br"]), (b"[" * 9_999, [])):
        sent = wire.sending("POST /api/leads HTTP/1.1", body, f"Origin: {SITE}", *more)
        answer = await wire.ask(sent)
        assert answer.status in (400, 415)
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.problem["detail"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /api/leads/%00", 404),
        ("GET /api/leads/%ED%A0%80", 404),
        ("GET /api/leads/%ff", 404),
        ("GET /api/leads/%zz", 404),
        ("GET /api/events/%00", 404),
        ("DELETE /api/rules/%00", 422),
        ("DELETE /api/rules/%ff", 404),
        ("GET /api/leads?q=%00", 422),
        ("GET /api/leads?q=%ff%ED%A0%80", 200),
        ("GET /api/leads?limit=1&limit=x", 422),
        ("GET /api/leads?limit=" + "9" * 5_000, 422),
        ("GET /api/leads?minScore=nan", 422),
        ("GET /api/leads?minScore=1e999", 422),
        ("GET /api/leads?seenAfter=%C2%B2", 422),
        ("GET /api/leads?seenAfter=--1", 422),
        ("GET /api/leads?seenAfter=0", 200),
        ("GET /api/leads?seenAfter=2026-01-31T10:30:00+01:00", 200),
        ("GET /api/leads?cursor=" + "WzE" * 300, 422),
        ("GET /api/leads?writeKey=%ff", 200),
    ],
)
async def test_strange_addresses_have_their_status(wire: Wire, line: str, status: int) -> None:
    """NUL, surrogates, bytes that are no UTF-8, numbers without end: told, never a 500."""
    answer = await wire.ask(wire.head(f"{line} HTTP/1.1"))
    assert answer.status == status, answer.body
    if status >= 400:
        assert "invalid literal" not in answer.problem["detail"]


@pytest.mark.parametrize("key", ["\xff\xfe", "sk_" + "0" * 10_000, "Basic", "pk_\u0660", "x y"])
async def test_strange_keys_are_unknown(wire: Wire, key: str) -> None:
    """In whatever place they stand: 401."""
    for name in ("X-API-Key", "Authorization", "X-Write-Key"):
        sent = f"GET /api/leads HTTP/1.1\r\n{name}: {key}\r\n\r\n".encode("utf-8", "replace")
        answer = await wire.ask(sent)
        assert answer.status == 401
        assert answer.problem["code"] in ("unknown_key", "missing_key")


@pytest.mark.parametrize(
    "operand",
    [
        ("eq", '"\\u0000"'), ("in", '["\\u0000"]'), ("in", '["\\ud800"]'), ("eq", "1e999"),
        ("in", "[1e999]"), ("in", "[" + "9" * 400 + "]"), ("eq", "9" * 400), ("in", "[[1]]"),
        ("in", '["' + "a" * 1_001 + '"]'), ("gt", "true"), ("in", "5"), ("eq", "{}"),
    ],
)  # fmt: skip
async def test_operands_that_nothing_can_hold(wire: Wire, operand: tuple[str, str]) -> None:
    """A rule's condition is refused where it could never be stored or hold."""
    condition = '{"field":"a","op":"%s","value":%s}' % operand  # noqa: UP031 - full of braces
    body = f'{{"eventType":"x","points":1,"conditions":[{condition}]}}'.encode()
    answer = await wire.ask(wire.sending("POST /api/rules HTTP/1.1", body))
    assert (answer.status, answer.problem["code"]) == (422, "invalid")


async def test_a_body_of_many_gzip_files_costs_nothing(wire: Wire) -> None:
    """A few in a row are one body; thousands of empty ones held up a core for a minute."""
    packed = {"Content-Encoding: gzip"}
    some = gzip.compress(EVENT[:9]) + gzip.compress(EVENT[9:])
    post = "POST /api/ingest/event HTTP/1.1"
    assert (await wire.ask(wire.sending(post, some, *packed))).status == 202
    bomb = gzip.compress(b"") * (bodies.MAX_WIRE // 20)
    answer = await wire.ask(wire.sending(post, bomb, *packed), seconds=5)
    assert (answer.status, answer.problem["code"]) == (400, "malformed")
