"""The event calls as clients see them: keys, encodings, limits, CORS, errors."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import bodies
from leadpulse.http.problems import CONTENT_TYPE
from support.intake import Door, open_door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EVENT = {"event": "page_view", "anonymousId": "v"}
SINGLE = "/api/ingest/event"
LEAD = "01a206ec-0934-7107-88b6-f9ed49c9481e"
WRONG = "pk_" + "0" * 48


@pytest.fixture
async def door(database: str) -> AsyncIterator[Door]:
    async with open_door(database) as opened:
        yield opened


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


async def test_the_answers_are_those_of_each_call(door: Door) -> None:
    """Four paths, a trailing slash tolerated; the older ones in their own words."""
    for path in (SINGLE, SINGLE + "/"):
        answer = await door.post(path, {**EVENT, "eventId": path})
        assert (answer.status_code, answer.json()) == (202, {"status": "queued", "eventId": path})
    for path in ("/api/events", "/api/events/", "/api/events/ingest"):
        answer = await door.post(path, {"eventType": "x", "userId": "u", "eventId": path})
        assert answer.status_code == 202
        assert answer.json() == {
            "message": "Event queued for processing", "eventId": path, "status": "queued",
        }  # fmt: skip
    events = [{"eventType": "x", "userId": "u", "eventId": str(n)} for n in range(2)]
    assert (await door.post("/api/events/batch", {"events": events})).json() == {
        "message": "2 events queued", "count": 2, "accepted": 2, "duplicates": 0, "conflicts": 0,
        "eventIds": ["0", "1"], "rejected": [],
    }  # fmt: skip
    assert (await door.post("/api/ingest/batch", {"events": events})).json() == {
        "accepted": 0, "duplicates": 2, "conflicts": 0, "eventIds": ["0", "1"], "rejected": [],
    }  # fmt: skip


async def test_a_key_counts_from_the_first_place_that_holds_one(door: Door) -> None:
    """From every place; and a wrong one in an earlier place is the end of it."""
    key = door.project.write_key
    good: list[tuple[dict[str, str], dict[str, Any], str]] = [
        ({"x-api-key": key}, {}, ""),
        ({"authorization": f"Bearer {key}"}, {}, ""),
        ({"authorization": f"bearer {door.project.secret_key}"}, {}, ""),
        ({"authorization": basic(key)}, {}, ""),
        ({"x-write-key": key}, {}, ""),
        ({}, {"apiKey": key}, ""),
        ({}, {"writeKey": key}, ""),
        ({}, {}, f"?writeKey={key}"),
        ({"x-api-key": key, "authorization": "Bearer wrong"}, {"apiKey": "wrong"}, ""),
    ]
    for headers, members, query in good:
        answer = await door.post(SINGLE + query, {**EVENT, **members}, headers, key=None)
        assert answer.status_code == 202, answer.text
    wrong: list[tuple[dict[str, str], dict[str, Any], str]] = [
        ({"x-api-key": WRONG, "authorization": f"Bearer {key}"}, {}, ""),
        ({"authorization": basic(WRONG), "x-write-key": key}, {}, ""),
        ({"authorization": "Basic ???", "x-write-key": key}, {}, ""),
        ({"x-write-key": "nonsense"}, {"apiKey": key}, ""),
        ({}, {"apiKey": WRONG, "writeKey": key}, ""),
        ({}, {"writeKey": 5}, f"?writeKey={key}"),
        ({"cookie": f"leadpulse_session={key}"}, {}, ""),
        ({}, {}, ""),
    ]
    for headers, members, query in wrong:
        answer = await door.post(SINGLE + query, {**EVENT, **members}, headers, key=None)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] in ("unknown_key", "missing_key")
        assert "www-authenticate" in answer.headers
        assert key not in answer.text


async def test_a_secret_key_needs_the_scope_to_write_events(door: Door) -> None:
    """Without it the answer says which scope is missing."""
    await door.conn.execute("update api_keys set scopes = '{leads:read}' where kind = 'secret'")
    answer = await door.post(SINGLE, EVENT, key=door.project.secret_key)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert "events:write" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        ("identity", bytes),
    ],
)
async def test_bodies_are_unpacked_whatever_they_are_called(
    door: Door, encoding: str, packed: Any
) -> None:
    """By Content-Encoding alone: a form's Content-Type with gzip in it is what a client sends."""
    headers = {
        "content-encoding": encoding, "content-type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    answer = await door.post(SINGLE, packed(json.dumps(EVENT).encode()), headers)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "malformed"),
        (b"nonsense", {}, 400, "malformed"),
        (b"[]", {}, 400, "malformed"),
        (b'"text"', {}, 400, "malformed"),
        (b'{"a":NaN}', {}, 400, "malformed"),
        (b"\xff\xfe\xfd", {}, 400, "malformed"),
        (b"[" * 100_000, {}, 400, "malformed"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}, 400, "malformed"),
        (b"not gzip", {"content-encoding": "gzip"}, 400, "malformed"),
        (gzip.compress(b"{}" * 50, mtime=0)[:-9], {"content-encoding": "gzip"}, 400, "malformed"),
        (b"{}", {"content-encoding": "br"}, 415, "unreadable_encoding"),
        (b"{}", {"content-encoding": "gzip, " * 9 + "gzip"}, 415, "unreadable_encoding"),
        (b"{}", {}, 422, "invalid"),
        (b'{"event":"x","userId":"u","properties":{"n":1e999}}', {}, 422, "invalid"),
        (
            b'{"event":"x","userId":"u","properties":{"n":' + b"9" * 9_999 + b"}}",
            {},
            422,
            "invalid",
        ),
        (b'{"event":"x","userId":"\\ud800"}', {}, 422, "invalid"),
        (b'{"event":"\\u0000","userId":"u"}', {}, 422, "invalid"),
        (b'{"event":"x","leadId":"\xed\xa0\x80"}', {}, 422, "invalid"),
        (b'{"event":"x","leadId":"nobody"}', {}, 422, "unknown_lead"),
    ],
)
async def test_bad_input_is_told_as_a_problem(
    door: Door, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """With everything that the contract says stands in a problem, for old clients and new."""
    answer = await door.post(SINGLE, body, headers)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert problem["instance"] == answer.headers["x-request-id"]
    assert problem["error"] == problem["message"] == problem["detail"]
    assert problem["success"] is False
    assert {"type", "title"} <= problem.keys()
    if code == "invalid":
        assert problem["errors"][0].keys() == {"field", "message"}


async def test_strange_texts_in_properties_are_stored(door: Door) -> None:
    """U+0000 and lone surrogates become U+FFFD, large numbers stay."""
    body = b'{"event":"x","userId":"u","properties":{"a":"\\u0000\\ud800","n":%d}}' % 2**200
    assert (await door.post(SINGLE, body)).status_code == 202
    assert await door.one("select properties from events") == {"a": "\ufffd\ufffd", "n": 2**200}


NASTY: list[Any] = [
    None, True, False, 0, -0.0, 1, -1, 2**53, 2**64, -(2**200), 1.5, 1e-320, 1e308, -1e-7, 1e16,
    "", " ", "0", "null", "x" * 300, "\x00", "\ud800", "\udfff\ud800", "\u202e", "\uffff",
    "\\u0000", "'; drop table events; --", "%s", "{}", "a@b.co", " A@B.CO ", "a@b",
    "é" * 254 + "@x.y",
    "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "0001-01-01",
    253_402_300_799_999, 253_402_300_800_000, [], {}, [[]], {"": ""}, {"a": {"b": [None, "\x00"]}},
    {"email": "trait@x.io", "userId": 5}, {"\ud800": "\x00"}, [1e300] * 200, LEAD, LEAD.upper(),
]  # fmt: skip
MEMBERS = (
    "event", "userId", "anonymousId", "email", "leadId", "userHash", "eventId", "timestamp",
    "sentAt", "sessionId", "properties", "traits", "context", "test",
)  # fmt: skip


async def test_whatever_passes_the_reading_can_be_stored(door: Door) -> None:
    """The database never refuses an event that was found valid."""
    draw = random.Random(11)
    await door.event()
    for _ in range(12):
        events: list[Any] = []
        for _ in range(100):
            event = {name: draw.choice(NASTY) for name in draw.sample(MEMBERS, draw.randrange(9))}
            likely = {"event": "x", "anonymousId": f"v-{draw.randrange(9)}"}
            events.append({**event, **likely} if draw.random() < 0.6 else {**likely, **event})
        events += NASTY
        answer = await door.batch(events)
        assert answer["accepted"] > 5
        assert not [r for r in answer["rejected"] if r["error"] == "event: can't be stored"]
        assert len(answer["eventIds"]) == len(events)
    assert door.buffer.figures.splits == 0
    assert await door.one("select count(*) from events") == door.buffer.figures.queued


async def test_too_much_is_refused_on_the_wire_and_inflated(door: Door) -> None:
    """Five megabytes as sent, ten when unpacked, however small it was."""
    big = await door.post(SINGLE, b" " * (bodies.MAX_WIRE + 1))
    bomb = gzip.compress(b" " * (bodies.MAX_INFLATED + 1))
    unpacked = await door.post(SINGLE, bomb, {"content-encoding": "gzip"})
    told = await door.post(SINGLE, b"{}", {"content-length": str(10**20)})
    twice = await door.post(SINGLE, gzip.compress(bomb), {"content-encoding": "gzip, gzip"})
    for answer in (big, unpacked, told, twice):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    fits = json.dumps(EVENT).encode().ljust(bodies.MAX_INFLATED)
    answer = await door.post(SINGLE, gzip.compress(fits), {"content-encoding": "gzip"})
    assert answer.status_code == 202


async def test_a_body_that_never_ends_is_given_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow client can't hold a connection for ever; one that is gone gets no answer."""
    monkeypatch.setattr(bodies, "PATIENCE", 0.05)
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": SINGLE, "headers": [], "query_string": b"",
    }  # fmt: skip
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def slow() -> Any:
        if not parts:
            await asyncio.sleep(10)
        return parts.pop()

    await door.route(scope, slow, send)
    assert sent[0]["status"] == 408
    sent.clear()

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    await door.route(scope, gone, send)
    assert sent == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"events": None}, {"events": []}, {"events": {}}, {"events": "x"},
        {"events": [EVENT] * 1_001},
    ],
)  # fmt: skip
async def test_a_batch_needs_a_list_of_events(door: Door, body: Any) -> None:
    """One to a thousand."""
    answer = await door.post("/api/ingest/batch", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "events"


async def test_a_thousand_events_are_one_batch(door: Door) -> None:
    """And each has its answer."""
    answer = await door.batch([{**EVENT, "eventId": str(n)} for n in range(1_000)])
    assert answer["accepted"] == 1_000
    assert answer["eventIds"] == [str(n) for n in range(1_000)]


async def test_any_website_may_send(door: Door) -> None:
    """Without credentials; errors can be read there too, and preflights are remembered."""
    preflight = await door.client.options(
        SINGLE, headers={"origin": "https://shop.example", "access-control-request-method": "POST"}
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert int(preflight.headers["access-control-max-age"]) > 0
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-write-key"} <= set(allowed.split(", "))
    for body in (EVENT, {}):
        answer = await door.post(SINGLE, body, {"origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
        assert {"retry-after", "ratelimit", "x-request-id"} <= set(exposed)


async def test_a_write_key_can_be_for_some_websites_only(door: Door) -> None:
    """Their browsers see their own origin allowed; others are told in words."""
    await door.conn.execute(
        "update api_keys set origins = '{https://Shop.example}' where kind = 'write'"
    )
    answer = await door.post(SINGLE, EVENT, {"origin": "https://shop.example"})
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["vary"] == "Origin"
    for headers in ({"origin": "https://evil.example"}, {}):
        refused = await door.post(SINGLE, EVENT, headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")


async def test_other_methods_are_told_which_one_is_right(door: Door) -> None:
    """405 with Allow."""
    answer = await door.client.get(SINGLE)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.json()["code"] == "method_not_allowed"
