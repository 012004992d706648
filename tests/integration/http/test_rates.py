"""Rates as callers meet them: on the wire, against a running API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leadpulse.http.quotas import PASS_HEADER, pass_for
from leadpulse.postgres.connect import connect
from leadpulse.settings import load_settings
from support.wire import SITE, Reply, Wire, serving

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = ("127.0.0.0/8",)


def event(n: int = 0) -> dict[str, Any]:
    return {"event": "page_view", "anonymousId": f"v-{n}"}


def batch(size: int) -> dict[str, Any]:
    return {"events": [event(n) for n in range(size)]}


async def stored(dsn: str) -> int:
    async with await connect(dsn, "test") as conn:
        cursor = await conn.execute("select count(*) from events")
        (count,) = await cursor.fetchone() or (0,)
        return int(count)


def told(reply: Reply) -> str:
    """The rate that a refusal is about, once all of it is as it should be."""
    assert (reply.status, reply.problem["code"]) == (429, "too_many")
    again = int(reply.headers["retry-after"])
    assert 1 <= again <= 120
    name, _, amount = reply.headers["ratelimit-policy"].partition(";q=")
    assert amount.endswith(";w=60")
    assert reply.headers["ratelimit"].startswith(f"{name};r=")
    assert reply.headers["ratelimit"].endswith(f";t={again}")
    for field in ("Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"):
        assert field in reply.headers["access-control-expose-headers"]
    return name.strip('"')


async def test_requests_of_a_write_key_have_a_rate(database: str, tmp_path: Path) -> None:
    """By address; those with a secret key have none."""
    async with serving(database, tmp_path, client_rate=(3, 0, 0)) as wire:
        for left in (2, 1, 0):
            answer = await wire.post(event())
            assert answer.status == 202
            assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
            assert answer.headers["ratelimit"].startswith(f'"requests";r={left};t=')
        assert told(await wire.post(event())) == "requests"
        assert told(await wire.post(batch(2))) == "requests"
        for _ in range(5):
            assert (await wire.post(event(), key=wire.project.secret_key)).status == 202


async def test_a_batch_counts_by_its_events_before_it_is_stored(
    database: str, tmp_path: Path
) -> None:
    """All of it or nothing; what is larger than the rate is told so."""
    async with serving(database, tmp_path, client_rate=(0, 10, 0)) as wire:
        assert (await wire.post(batch(7))).status == 202
        assert told(await wire.post(batch(4))) == "events"
        assert (await wire.post(batch(3))).status == 202
        refused = await wire.post(batch(11))
        assert told(refused) == "events"
        assert "11 events at once" in refused.problem["detail"]
    assert await stored(database) == 10


async def test_a_project_has_one_rate_whatever_the_address(database: str, tmp_path: Path) -> None:
    """And strangers learn nothing of how much of it is used."""
    async with serving(database, tmp_path, client_rate=(0, 5, 8), trusted_proxies=LOOPBACK) as wire:
        for visitor in (1, 2):
            answer = await wire.post(batch(4), f"X-Forwarded-For: 198.51.100.{visitor}")
            assert answer.status == 202
            assert "project" not in answer.headers["ratelimit-policy"]
        third = await wire.post(batch(1), "X-Forwarded-For: 198.51.100.3")
        assert told(third) == "project"
        assert '"project";r=0' in third.headers["ratelimit"]
    assert await stored(database) == 8


async def test_secret_keys_have_a_rate_of_events(database: str, tmp_path: Path) -> None:
    """Of their own: write keys do not use it up."""
    async with serving(database, tmp_path, client_rate=(0, 0, 0), server_rate=5) as wire:
        assert (await wire.post(batch(9))).status == 202
        assert (await wire.post(batch(5), key=wire.project.secret_key)).status == 202
        assert told(await wire.post(batch(1), key=wire.project.secret_key)) == "events"
    assert await stored(database) == 14


async def test_networks_of_ipv6_share_a_rate_and_forged_addresses_do_not_help(
    database: str, tmp_path: Path
) -> None:
    """Without a trusted proxy X-Forwarded-For makes nobody another one."""
    async with serving(
        database, tmp_path / "a", client_rate=(1, 0, 0), trusted_proxies=LOOPBACK
    ) as wire:
        one, same, other = ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")
        assert (await wire.post(event(), f"X-Forwarded-For: {one}")).status == 202
        assert told(await wire.post(event(), f"X-Forwarded-For: {same}")) == "requests"
        # What the client itself puts on the left is not reached.
        assert told(await wire.post(event(), f"X-Forwarded-For: 192.0.2.1, {one}")) == "requests"
        assert (await wire.post(event(), f"X-Forwarded-For: {other}")).status == 202
    async with serving(database, tmp_path / "b", client_rate=(1, 0, 0)) as wire:
        assert (await wire.post(event(), "X-Forwarded-For: 198.51.100.1")).status == 202
        for header in ("X-Forwarded-For: 198.51.100.2", "Forwarded: for=198.51.100.3"):
            assert told(await wire.post(event(), header)) == "requests"


async def test_calls_have_a_rate_for_each_key_and_for_strangers(
    database: str, tmp_path: Path
) -> None:
    """Wrong keys are counted by their address, and don't use up what right ones have."""
    async with serving(database, tmp_path, api_rate=4) as wire:
        guess = b"GET /api/leads HTTP/1.1\r\nHost: x\r\nX-API-Key: sk_" + b"0" * 48 + b"\r\n\r\n"
        statuses = [(await wire.ask(guess)).status for _ in range(6)]
        assert statuses == [401] * 4 + [429] * 2
        asked = wire.head("GET /api/leads HTTP/1.1", f"Origin: {SITE}")
        for left in (3, 2, 1, 0):
            answer = await wire.ask(asked)
            assert answer.status == 200
            assert answer.headers["ratelimit"].startswith(f'"calls";r={left};t=')
        assert told(await wire.ask(asked)) == "calls"
        assert (await wire.ask(wire.head("GET /api/health HTTP/1.1"))).status == 200


async def test_event_calls_with_wrong_keys_count_for_their_address(
    database: str, tmp_path: Path
) -> None:
    """Wherever the key stands, together with other calls; a good key goes on from there."""
    async with serving(database, tmp_path, api_rate=4, trusted_proxies=LOOPBACK) as wire:
        good = (wire.project.write_key, wire.project.secret_key)
        for key in good:
            assert (await wire.post(event(), key=key)).status == 202
        guess = b"GET /api/leads HTTP/1.1\r\nHost: x\r\nX-API-Key: sk_" + b"0" * 48 + b"\r\n\r\n"
        assert (await wire.ask(guess)).status == 401
        for key in ("pk_" + "1" * 48, "sk_" + "2" * 48, "no key of ours"):
            assert (await wire.post(event(), key=key)).status == 401
        for key in ("pk_" + "3" * 48, "pk_" + "1" * 48, "no key of ours"):
            assert told(await wire.post(event(), key=key)) == "calls"
        body = json.dumps({**event(), "apiKey": "pk_" + "4" * 48}).encode()
        head = f"POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        assert told(await wire.ask(head.encode() + body)) == "calls"
        elsewhere = await wire.post(event(), "X-Forwarded-For: 198.51.100.1", key="pk_" + "5" * 48)
        assert elsewhere.status == 401
        for key in good:
            assert (await wire.post(event(), key=key)).status == 202
        tool = f"{PASS_HEADER}: {pass_for(load_settings(data_dir=tmp_path).signing_secret())}"
        assert (await wire.post(event(), tool, key="pk_" + "6" * 48)).status == 401


async def test_the_installations_own_tools_pass(database: str, tmp_path: Path) -> None:
    """By what only they can know who know the signing key."""
    secret = load_settings(data_dir=tmp_path).signing_secret()
    async with serving(database, tmp_path, client_rate=(1, 1, 1), server_rate=1) as wire:
        good = f"{PASS_HEADER}: {pass_for(secret)}"
        for key in (wire.project.write_key, wire.project.secret_key):
            for _ in range(3):
                assert (await wire.post(batch(5), good, key=key)).status == 202
            for bad in ("", f"{PASS_HEADER}: {pass_for('another')}", f"{PASS_HEADER}:"):
                more = [bad] if bad else []
                assert (await wire.post(batch(5), *more, key=key)).status == 429


async def test_nothing_is_counted_where_no_rate_is_set(database: str, tmp_path: Path) -> None:
    """0 is none, and then nothing is told about rates."""
    async with serving(
        database, tmp_path, client_rate=(0, 0, 0), server_rate=0, api_rate=0
    ) as wire:
        answer: Reply = await wire.post(batch(3))
        called = await wire.ask(wire.head("GET /api/leads HTTP/1.1"))
        for one in (answer, called):
            assert one.status in (200, 202)
            assert not [name for name in one.headers if name.startswith("ratelimit")]
        assert isinstance(wire, Wire)
