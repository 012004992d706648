"""What pages are told, who may open one, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest

from leadpulse.realtime import server as limits
from leadpulse.usecases.projects import create_project
from support.live import Running, a_page, register, running, until

ADA, EVE = "ada@example.com", "eve@example.com"


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(database, tmp_path) as started:
        yield started


def event(person: str, type_: str = "page_view") -> dict[str, str]:
    return {"event": type_, "anonymousId": person}


async def test_a_page_hears_of_an_event_from_acceptance_to_score(api: Running) -> None:
    """Queued, scored, what it did to the score, and the lead as lists show it."""
    ada = await register(api.url, ADA)
    async with a_page(api.url, ada.token) as page:
        assert page.of("ready") == [{"projectId": ada.project_id}]
        await ada.send(event("b1", "signup"))
        lead = await page.wait("leadUpdated")
        events = page.of("newEvent")
        assert [e["status"] for e in events] == ["queued", "scored"]
        assert events[0]["id"] == events[1]["id"]
        assert events[0]["anonymousId"] == "b1"
        assert {e["leadId"] for e in events} == {lead["leadId"]}
        assert {e["timestamp"] for e in events} == {events[0]["timestamp"]}
        (moved,) = page.of("scoreMutation")
        assert moved["eventType"] == "signup"
        assert moved["newScore"] == moved["delta"] == lead["currentScore"] > 0
        shown = await ada.call("GET", f"/api/leads/{lead['leadId']}")
        for name in ("version", "leadStage", "eventsLast24h", "lastEventAt", "currentScore"):
            assert lead[name] == shown[name], name
        seen = await ada.call("GET", f"/api/events/{events[0]['id']}")
        times = [seen["pipeline"][n] for n in ("receivedAt", "claimedAt", "scoredAt")]
        assert seen["pipeline"]["deliveredAt"] >= times[0]


async def test_fault_7_pages_side_by_side_hear_of_their_own_project_only(api: Running) -> None:
    """Two tenants, each with events: neither is told a word of the other."""
    ada, eve = await register(api.url, ADA), await register(api.url, EVE)
    async with a_page(api.url, ada.token) as hers, a_page(api.url, eve.token) as other:
        for n in range(3):
            await ada.send(event(f"a{n}", "signup"))
            await eve.send(event(f"e{n}", "signup"))
        await hers.wait("leadUpdated", 3)
        await other.wait("leadUpdated", 3)
        await asyncio.sleep(0.2)
        for page, person in ((hers, "a"), (other, "e")):
            named = {e["anonymousId"] for e in page.of("newEvent")} - {None}
            assert named == {f"{person}{n}" for n in range(3)}
            assert page.counts()["leadUpdated"] == page.counts()["scoreMutation"] == 3
        leads = {
            person.project_id: {
                lead["id"] for lead in (await person.call("GET", "/api/leads"))["leads"]
            }
            for person in (ada, eve)
        }
        assert {m["leadId"] for m in hers.of("leadUpdated")} == leads[ada.project_id]
        assert {m["leadId"] for m in other.of("leadUpdated")} == leads[eve.project_id]


async def test_fault_7_without_a_login_there_is_no_page(api: Running) -> None:
    """Nothing, a made-up token, a secret key, a write key: each is unauthorized."""
    ada = await register(api.url, ADA)
    async with api.services.pool.connection() as conn:
        secret = (await create_project(conn, "Other")).secret_key
    for transport in ("websocket", "polling"):
        for token in (None, "x.y.z", secret, ada.write_key):
            async with a_page(api.url, token, transport=transport) as page:
                assert not page.client.connected
                assert page.refused[0]["message"] == "unauthorized", token
        for headers in (
            {"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"},
            {"X-API-Key": secret, "Cookie": ada.cookie, "Origin": api.url},
        ):  # fmt: skip
            async with a_page(api.url, headers=headers, transport=transport) as page:
                assert page.refused[0]["message"] == "unauthorized"
    assert api.live.figures().sockets == 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_cookie_opens_a_page_of_ours_and_of_nobody_else(
    api: Running, transport: str
) -> None:
    """With our Origin it is good; with another, or with none, it is not."""
    ada = await register(api.url, ADA)
    own = {"Cookie": ada.cookie, "Origin": api.url}
    async with a_page(api.url, headers=own, transport=transport) as page:
        assert page.of("ready") == [{"projectId": ada.project_id}]
    for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        headers = {"Cookie": ada.cookie, **origin}
        async with a_page(api.url, headers=headers, transport=transport) as page:
            assert not page.client.connected, origin
            assert page.refused[0]["message"] == "unauthorized"
    foreign = {"Origin": "https://evil.example"}
    async with a_page(api.url, ada.token, headers=foreign, transport=transport) as page:
        assert page.refused[0]["message"] == "unauthorized"


async def test_reading_without_an_origin_needs_the_word_of_the_browser(api: Running) -> None:
    """A page's own polling carries no Origin, but says that it is of the same one."""
    ada = await register(api.url, ADA)
    own = {"Cookie": ada.cookie, "Sec-Fetch-Site": "same-origin"}
    async with a_page(api.url, headers=own, transport="polling") as page:
        assert page.client.connected
    async with a_page(api.url, headers=own) as page:
        assert page.refused[0]["message"] == "unauthorized"


async def test_polling_hears_the_same(api: Running) -> None:
    """Where no WebSocket gets through, requests that wait do."""
    ada = await register(api.url, ADA)
    async with a_page(api.url, ada.token, transport="polling") as page:
        await ada.send(event("b1"))
        await page.wait("leadUpdated")
        assert page.of("newEvent")[-1]["status"] == "scored"


async def test_fault_7_what_ends_a_session_ends_its_page_within_seconds(
    api: Running, database: str
) -> None:
    """Revoked, expired, no member, disabled, another project, a deleted one, logged out."""
    ends = (
        "update sessions set revoked_at = now() where user_id = %s",
        "update sessions set expires_at = now() where user_id = %s",
        "delete from members where user_id = %s",
        "update users set disabled_at = now() where id = %s",
        "update sessions set project_id = null where user_id = %s",
        "update projects set deleted_at = now() from members m where m.project_id = id "  # noqa: ISC004
        "and m.user_id = %s",
    )
    for n, statement in enumerate(ends):
        person = await register(api.url, f"p{n}@example.com")
        async with a_page(api.url, person.token) as page:
            with psycopg.connect(database, autocommit=True) as conn:
                conn.execute("set session_replication_role = replica")
                conn.execute(statement.encode(), (person.user_id,))
            await page.wait_closed(5)
            before = len(page.told)
            assert len(page.told) == before
    ada = await register(api.url, ADA)
    async with a_page(api.url, ada.token) as page:
        await ada.call("POST", "/api/auth/logout")
        await page.wait_closed(5)
    await until("no socket is left", lambda: not api.live.figures().sockets)
    assert api.live.figures().dropped["session"] == len(ends) + 1


async def test_changes_by_people_are_told(api: Running, database: str) -> None:
    """A status, an adjustment, a merge: whoever made them, every page hears of the lead."""
    ada = await register(api.url, ADA)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("update users set email_verified_at = now()")
    made = [await ada.call("POST", "/api/leads", {"userId": f"u{n}"}, 201) for n in range(2)]
    first, second = (str(lead["id"]) for lead in made)
    async with a_page(api.url, ada.token) as page:
        await ada.call("PATCH", f"/api/leads/{first}", {"status": "working"})
        await until("status", lambda: first in [m["leadId"] for m in page.of("leadUpdated")])
        await ada.call("POST", f"/api/leads/{second}/adjustments", {"points": 30, "note": "x"}, 202)
        await until(
            "adjustment",
            lambda: (
                {(m["leadId"], m["currentScore"]) for m in page.of("leadUpdated")} >= {(second, 30)}
            ),
        )
        assert [m["newScore"] for m in page.of("scoreMutation")] == [30]
        assert page.of("newEvent") == []
        await ada.call("POST", f"/api/leads/{second}/merge", {"intoId": first})
        await until(
            "merge",
            lambda: (
                {(m["leadId"], m["currentScore"]) for m in page.of("leadUpdated")} >= {(first, 30)}
            ),
        )


async def test_a_flood_is_told_as_counts(api: Running) -> None:
    """Five thousand events: some singly, the rest as counts, and no number is lost."""
    ada = await register(api.url, ADA)
    async with a_page(api.url, ada.token) as page:
        began = asyncio.get_running_loop().time()
        for start in range(0, 5_000, 1_000):
            await ada.send(*[event(f"b{start + n}") for n in range(1_000)])

        def told() -> int:
            counted = sum(int(flood["leads"]) for flood in page.of("flood"))
            return counted + len(page.of("leadUpdated"))

        await until("all leads are told", lambda: told() >= 5_000, 60)
        seconds = asyncio.get_running_loop().time() - began
        counts = page.counts()
        assert told() == 5_000
        for name in ("leadUpdated", "scoreMutation", "newEvent"):
            assert counts[name] <= 50 * (seconds + 2), (name, counts[name], seconds)
        assert counts["flood"] <= 4 * (seconds + 1) + 1
        assert api.live.figures().coalesced > 5_000


async def test_whatever_a_client_says_is_not_looked_at(api: Running) -> None:
    """Events, acknowledgements, binary: no answer. Too much of it, or too large, ends it."""
    ada = await register(api.url, ADA)
    async with a_page(api.url, ada.token) as page:
        await page.client.emit("leadUpdated", {"leadId": "x"})
        await page.client.emit("newEvent", b"123")
        await ada.send(event("b1"))
        await page.wait("leadUpdated")
        assert all(m["leadId"] != "x" for m in page.of("leadUpdated"))
        for _ in range(100):
            await page.client.emit("x", 1)
        await page.wait_closed(10)
    async with a_page(api.url, ada.token) as page:
        await page.client.emit("x", "y" * 2 * limits.MOST_BYTES)
        await page.wait_closed(10)


async def test_sockets_are_bounded(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session, a project and a process have so many, and strangers few and not for long."""
    ada = await register(api.url, ADA)
    monkeypatch.setattr(limits, "MOST_OF_SESSION", 1)
    async with a_page(api.url, ada.token):
        async with a_page(api.url, ada.token) as page:
            assert page.refused[0]["message"] == "too_many"
        monkeypatch.setattr(limits, "MOST_STRANGERS", 0)
        for transport in ("websocket", "polling"):
            async with a_page(api.url, ada.token, transport=transport) as page:
                assert not page.client.connected
    monkeypatch.undo()
    async with a_page(api.url, ada.token) as page:
        assert page.client.connected


async def test_other_addresses_take_no_websocket(api: Running) -> None:
    """Only live updates do."""
    ada = await register(api.url, ADA)
    client_headers = {"Authorization": f"Bearer {ada.token}"}
    async with httpx.AsyncClient(base_url=api.url) as client:
        answer = await client.get(
            "/api/leads",
            headers={
                **client_headers, "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
            },
        )  # fmt: skip
        assert answer.status_code == 403
