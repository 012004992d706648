"""Leads that are tests: marked, in no list and no figure, and real once anything real is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.api import Api


async def listed(api: Api, **query: Any) -> list[str]:
    """The userIds of a list, which must agree with its total."""
    answer = await api.get("/api/leads", params=query)
    assert answer["total"] == len(answer["leads"])
    return sorted(lead["userId"] or lead["anonymousId"] for lead in answer["leads"])


async def one(api: Api, user: str) -> Any:
    (lead,) = [
        lead
        for test in ("true", "false")
        for lead in (await api.get(f"/api/leads?test={test}&limit=200"))["leads"]
        if user in (lead["userId"], lead["anonymousId"])
    ]
    return await api.get(f"/api/leads/{lead['id']}")


@pytest.mark.both_postgres
async def test_test_events_make_leads_that_stand_in_no_list(api: Api) -> None:
    """Neither in lists of any order, nor searches, counts, figures, exports and the best leads."""
    await api.send(
        {"event": "demo_request", "userId": "tested", "test": True, "traits": {"name": "Tess"}},
        {"event": "signup", "userId": "real", "traits": {"name": "Rea"}},
    )
    await api.score()
    for sort in ("score", "lastEventAt", "createdAt", "name", "urgency"):
        assert await listed(api, sort=sort) == ["real"]
        assert await listed(api, sort=sort, test="true") == ["tested"]
    assert await listed(api, q="tess") == []
    assert await listed(api, q="tess", test="true") == ["tested"]
    assert await listed(api, status="open") == ["real"]
    assert await listed(api, risk="low", minScore=40) == []
    best = (await api.get("/api/leaderboard"))["leads"]
    assert [lead["userId"] for lead in best] == ["real"]
    stages = await api.get("/api/leaderboard/by-stage")
    assert sum(stages.values()) == 1
    answer = await api.client.get(
        "/api/leads/export", headers={"X-API-Key": api.project.secret_key}
    )
    assert "Rea" in answer.text
    assert "Tess" not in answer.text
    figures = await api.get("/api/analytics/dashboard")
    assert figures["totalLeads"] == figures["identifiedLeads"] == 1
    lead = await one(api, "tested")
    assert lead["test"] is True
    assert lead["currentScore"] == 50


@pytest.mark.parametrize("first", [True, False])
async def test_a_real_event_makes_a_lead_real(api: Api, *, first: bool) -> None:
    """Whichever came first: who tried a form himself is no test when he comes as a customer."""
    await api.send({"event": "signup", "userId": "u", "test": first})
    await api.score()
    await api.send({"event": "page_view", "userId": "u", "test": not first})
    await api.score()
    assert (await one(api, "u"))["test"] is False
    assert await listed(api) == ["u"]


async def test_work_on_a_test_lead_leaves_it_one(api: Api) -> None:
    """Owner, adjustments and more test events say nothing about a person being real."""
    await api.send({"event": "signup", "userId": "u", "test": True})
    await api.score()
    lead = (await one(api, "u"))["id"]
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": "grace"})
    points = {"points": 3, "note": "tried"}
    await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json=points)
    await api.send({"event": "page_view", "userId": "u", "test": True})
    await api.score()
    assert (await one(api, "u"))["test"] is True
    await api.call("POST", "/api/leads", 200, json={"userId": "u", "name": "Una"})
    assert (await one(api, "u"))["test"] is False


async def test_a_merge_with_somebody_real_is_real(api: Api) -> None:
    """In either direction, and each is what it was when the merge is undone."""
    await api.send(
        {"event": "page_view", "anonymousId": "browser", "test": True},
        {"event": "signup", "userId": "u"},
        {"event": "signup", "userId": "t", "test": True},
    )
    await api.score()
    browser, real = (await one(api, "browser"))["id"], (await one(api, "u"))["id"]
    tested = (await one(api, "t"))["id"]
    for child, parent in ((browser, real), (real, tested)):
        made = await api.call("POST", f"/api/leads/{child}/merge", json={"intoId": parent})
        await api.score()
        lead = await api.get(f"/api/leads/{child}")
        assert (lead["id"], lead["test"]) == (parent, False)
        assert len(await listed(api)) == 1
        await api.call("POST", f"/api/merges/{made['merge']['id']}/undo")
        await api.score()
        marks = {i: (await api.get(f"/api/leads/{i}"))["test"] for i in (browser, real, tested)}
        assert marks == {browser: True, real: False, tested: True}
        assert await listed(api) == ["u"]
        assert await listed(api, test="true") == ["browser", "t"]
    await api.call("POST", f"/api/leads/{browser}/merge", json={"intoId": tested})
    await api.score()
    assert (await api.get(f"/api/leads/{browser}"))["test"] is True
    assert await listed(api) == ["u"]
