"""What every answer tells browsers, what is believed of requests, and what logs keep of them."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from leadpulse.http.security import page_policy, script_hash
from leadpulse.logging import configure_logging
from support.web import PICTURE, SCRIPT, small_web
from support.wire import EVENT, SITE, Reply, Wire, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
async def wire(database: str, tmp_path: Path) -> AsyncIterator[Wire]:
    web = small_web(tmp_path / "web")
    proxies = ("127.0.0.0/8",)
    async with serving(database, tmp_path, web=web, trusted_proxies=proxies) as running:
        yield running


# Event calls, and what is broken before it is any call.
ANYBODYS = ("an event", "a bad event", "an event's preflight", "no request", "too long")
# What browsers keep: nothing but what is the same for everybody.
KEPT = {
    "the docs": "no-cache",
    "their style": "no-cache",
    "a page": "no-cache",
    "no page": "no-cache",
    "a picture": "no-cache",
    "a script": "public, max-age=31536000, immutable",
}


async def answers(wire: Wire) -> dict[str, Reply]:
    """One of every kind, by what was asked."""
    post = "POST /api/ingest/event HTTP/1.1"
    asked = {
        "an event": wire.sending(post, EVENT),
        "a bad event": wire.sending(post, b"{}"),
        "an event's preflight": wire.head("OPTIONS /api/ingest/event HTTP/1.1"),
        "no request": b"\x16\x03\x01\r\n\r\n",
        "too long": wire.head("GET /" + "a" * 40_000 + " HTTP/1.1"),
        "a list": wire.head("GET /api/leads HTTP/1.1"),
        "nothing": wire.head("GET /nowhere HTTP/1.1"),
        "a page": wire.head("GET / HTTP/1.1"),
        "no page": wire.head("GET /nowhere HTTP/1.1", "Accept: text/html"),
        "a script": wire.head(f"GET {SCRIPT} HTTP/1.1"),
        "a picture": wire.head(f"GET {PICTURE} HTTP/1.1"),
        "a wrong method": wire.head("PATCH /api/leads HTTP/1.1"),
        "a stranger": b"GET /api/leads HTTP/1.1\r\nHost: x\r\n\r\n",
        "a file": wire.head("GET /api/leads/export HTTP/1.1"),
        "health": wire.head("GET /api/health HTTP/1.1"),
        "figures": wire.head("GET /metrics HTTP/1.1"),
        "a preflight": wire.head(
            "OPTIONS /api/leads HTTP/1.1", f"Origin: {SITE}", "Access-Control-Request-Method: GET"
        ),
        "a foreign preflight": wire.head(
            "OPTIONS /api/leads HTTP/1.1", "Origin: https://evil.example",
            "Access-Control-Request-Method: GET",
        ),
        "only the head": wire.head("HEAD /api/health HTTP/1.1"),
        "the docs": wire.head("GET /api/docs HTTP/1.1"),
        "their style": wire.head("GET /api/docs/style.css HTTP/1.1"),
        "the description": wire.head("GET /api/openapi.json HTTP/1.1"),
    }  # fmt: skip
    return {name: await wire.ask(sent) for name, sent in asked.items()}


async def test_every_answer_is_closed_to_browsers(wire: Wire) -> None:
    """Nothing is run, framed, guessed, kept or referred to; each has its id."""
    for name, reply in (await answers(wire)).items():
        headers = reply.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert headers["x-content-type-options"] == "nosniff", name
        assert re.fullmatch(r"req_[0-9a-f]{20}", headers["x-request-id"]), name
        assert "server" not in headers, name
        assert "strict-transport-security" not in headers, name
        if name in ANYBODYS:
            continue  # JSON that no browser keeps; what it was asked is never a page
        assert headers["x-frame-options"] == "DENY", name
        assert headers["referrer-policy"] == "no-referrer", name
        assert headers["cache-control"] == KEPT.get(name, "no-store"), name


async def test_the_documentation_may_use_its_style_and_nothing_else(wire: Wire) -> None:
    """It has no script, and works under its own policy."""
    found = await answers(wire)
    page = found["the docs"]
    assert page.headers["content-type"].startswith("text/html")
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert b"<script" not in page.body
    assert b" style=" not in page.body
    assert found["their style"].headers["content-type"].startswith("text/css")


async def test_who_may_embed_what(wire: Wire) -> None:
    """Answers to event calls are anybody's, as beacons need it; the rest is our own pages'."""
    found = await answers(wire)
    for name in ANYBODYS:
        assert found[name].headers["cross-origin-resource-policy"] == "cross-origin", name
        assert found[name].headers["access-control-allow-origin"] == "*", name
        assert "access-control-allow-credentials" not in found[name].headers, name
    for name in ("a list", "nothing", "the docs", "a stranger", "a page", "a script"):
        assert found[name].headers["cross-origin-resource-policy"] == "same-origin", name
        assert found[name].headers["cross-origin-opener-policy"] == "same-origin", name
        assert "access-control-allow-origin" not in found[name].headers, name


async def test_https_is_promised_only_on_https(wire: Wire) -> None:
    """As a trusted proxy tells it; the last word is the nearest proxy's."""
    for line in ("GET /api/leads HTTP/1.1", "OPTIONS /api/ingest/event HTTP/1.1"):
        secure = await wire.ask(wire.head(line, "X-Forwarded-Proto: https"))
        assert secure.headers["strict-transport-security"].startswith("max-age=")
        plain = await wire.ask(wire.head(line, "X-Forwarded-Proto: https, http"))
        assert "strict-transport-security" not in plain.headers


async def test_hosts_and_strangers_headers_are_not_believed(database: str, tmp_path: Path) -> None:
    """No answer repeats or follows what a request says of hosts, paths or methods."""
    evil = (
        "Host: evil.example", "X-Forwarded-Host: evil.example", "X-Host: evil.example",
        "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /evil", "X-Original-URL: /api/leads",
        "X-Rewrite-URL: /api/leads", "X-HTTP-Method-Override: DELETE",
        "Forwarded: host=evil.example;proto=https",
    )  # fmt: skip
    async with serving(database, tmp_path) as wire:
        key = f"X-API-Key: {wire.project.secret_key}"
        for path, status in (
            ("/api/leads", 200), ("/api/docs", 200), ("/nowhere", 404), ("//evil.example/..", 404),
            ("/api/leads/", 404),
        ):  # fmt: skip
            lines = [f"GET {path} HTTP/1.1", key, *evil, "", ""]
            reply = await wire.ask("\r\n".join(lines).encode())
            assert reply.status == status, path
            assert "location" not in reply.headers
            assert "strict-transport-security" not in reply.headers
            told = json.dumps(reply.headers) + reply.body.decode()
            assert "evil" not in told, path


def test_a_page_may_run_its_own_scripts_only() -> None:
    """An inline script is named by its hash, as browsers compute it; nothing else inline runs."""
    # The example of the specification.
    assert script_hash("alert('Hello, world.');") == (
        "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
    )
    policy = page_policy(["alert('Hello, world.');"])
    assert "script-src 'self' 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';" in policy
    assert page_policy().startswith("default-src 'none'; script-src 'self';")
    for word in ("unsafe", "*", "http"):
        assert word not in policy


# ── Logs ─────────────────────────────────────────────────────────────────────────────

WORD = "Sq7xKp2mVt9"
EMAIL = f"{WORD.lower()}@mail.example.com"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{WORD}0000.{WORD}1111"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that is logged, down to what only helps while developing."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("debug", "json")
    yield written
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def requests(wire: Wire) -> list[bytes]:
    """Secrets and people's data in every place of a request, good and bad ones."""
    keys = (wire.project.secret_key, wire.project.write_key, f"sk_{'ab' * 24}", JWT, WORD)
    document = {"event": "x", "email": EMAIL, "userId": WORD, "traits": {"name": WORD}}
    bodies = (
        json.dumps(document).encode(),
        json.dumps({**document, "apiKey": keys[2], "timestamp": WORD}).encode(),
        json.dumps({"email": EMAIL, "name": WORD, "password": WORD, "traits": WORD}).encode(),
        b'{"email": "' + EMAIL.encode() + b'", ' + WORD.encode(),
    )
    sent = []
    for key in keys:
        for header in ("X-API-Key", "Authorization: Bearer", "Cookie: leadpulse_session"):
            given = f"{header}{'=' if 'Cookie' in header else ' ' if ' ' in header else ': '}{key}"
            read = (f"/api/leads?q={WORD}&writeKey={key}", f"/api/leads/{WORD}?token={JWT}")
            sent += [f"GET {p} HTTP/1.1\r\nHost: x\r\n{given}\r\n\r\n".encode() for p in read]
            for path in ("/api/ingest/event", "/api/leads", "/api/rules", f"/api/{WORD}"):
                for body in bodies:
                    head = f"POST {path}?{WORD}={EMAIL} HTTP/1.1\r\nHost: x\r\n{given}\r\n"
                    sent.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    account = {"email": EMAIL, "password": f"{WORD} {WORD}", "name": WORD, "token": WORD * 4}
    for name in (
        "register",
        "login",
        "forgot-password",
        "reset-password",
        "verify-email",
        "google",
    ):
        body = json.dumps({**account, "credential": JWT, "idToken": JWT}).encode()
        head = f"POST /api/auth/{name}?token={WORD} HTTP/1.1\r\nHost: x\r\n"
        sent.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    sent.append(f"GET /{WORD} {EMAIL} HTTP/1.1\r\n{JWT}\r\n\r\n".encode())
    return sent


async def test_logs_keep_no_secret_and_nobodys_data(
    database: str, tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in a request it stands, also when the request fails inside."""
    none: dict[str, Any] = {"client_rate": (0, 0, 0), "server_rate": 0, "api_rate": 0}
    async with serving(database, tmp_path, **none) as wire:
        for sent in requests(wire):
            await wire.ask(sent)

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError(f"no {EMAIL} for {wire.project.secret_key} in '{WORD}' {JWT}")

        monkeypatch.setattr("leadpulse.usecases.leads_read.list_leads", broken, raising=False)
        monkeypatch.setattr("leadpulse.usecases.intake.IntakeBuffer.take", broken)
        failed = await wire.ask(wire.head(f"GET /api/leads?q={WORD} HTTP/1.1"))
        sent = wire.sending(f"POST /api/ingest/event?{WORD}=1 HTTP/1.1", EVENT)
        also = await wire.ask(sent)
        assert also.status == 500
        keys = (wire.project.secret_key, wire.project.write_key)
    text = log.getvalue()
    for secret in (*keys, "ab" * 24, WORD, EMAIL, EMAIL.partition("@")[0], "c2lnbmF0"):
        assert secret not in text, secret
    lines = [json.loads(line) for line in text.splitlines()]
    told = [line for line in lines if line.get("level") == "error"]
    assert {line["request_id"] for line in told} >= {also.headers["x-request-id"]}
    if failed.status == 500:
        assert failed.headers["x-request-id"] in text
