"""The bell: what became hot or qualified since I looked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers_leads as told
from leadpulse.usecases import notifications
from support.tenants import Someone, someone

if TYPE_CHECKING:
    from support.api import Api


def ago(days: float) -> str:
    return to_rfc3339(int((time.time() - days * 86_400) * 1_000_000))


async def bell(api: Api, key: str | None = None, **query: Any) -> Any:
    return await api.told("/api/notifications", told.Notifications, key=key, params=query)


async def rings(api: Api, *users: str, kind: str = "demo_request", **more: Any) -> None:
    for user in users:
        await api.send({"event": kind, "userId": user, "traits": {"name": user}, **more})
        await api.score()


async def a_member(api: Api) -> Someone:
    """Who was there before anything rang."""
    return await someone(api, "member")


def names(found: Any) -> list[str]:
    return [one["name"] for one in found["notifications"]]


@pytest.mark.both_postgres
async def test_mine_come_first_until_i_have_looked(api: Api) -> None:
    """Unseen ones of mine, other unseen ones, seen ones; each newest first, and for me alone."""
    me, other = await a_member(api), await a_member(api)
    await rings(api, "a", "b", "c", "d")
    for user in ("a", "c"):
        lead = await api.lead_of(q=user)
        await api.call("PATCH", f"/api/leads/{lead}", json={"owner": me.id}, key=me.token)
    found = await bell(api, me.token)
    assert names(found) == ["c", "a", "d", "b"]
    assert found["unseen"] == 4
    assert [one["mine"] for one in found["notifications"]] == [True, True, False, False]
    first = found["notifications"][0]
    assert (first["from"], first["to"], first["score"], first["seen"]) == ("cold", "hot", 50, False)
    assert first["owner"] == me.id
    at = {one["name"]: one["at"] for one in found["notifications"]}
    left = await api.call("POST", "/api/notifications", key=me.token, json={"seenUntil": at["b"]})
    assert told.Unseen.model_validate(left).unseen == 2
    found = await bell(api, me.token)
    assert names(found) == ["c", "d", "b", "a"]
    assert [one["seen"] for one in found["notifications"]] == [False, False, True, True]
    assert (await bell(api, other.token))["unseen"] == 4
    # Earlier than before changes nothing; a clock that is ahead sees nothing that is to come.
    body = {"seenUntil": at["a"]}
    assert await api.call("POST", "/api/notifications", key=me.token, json=body) == {"unseen": 2}
    body = {"seenUntil": "2999-01-01T00:00:00Z"}
    assert await api.call("POST", "/api/notifications", key=me.token, json=body) == {"unseen": 0}
    await rings(api, "e")
    assert (await bell(api, me.token))["unseen"] == 1


async def test_a_lead_rings_once_for_what_it_still_is(api: Api) -> None:
    """With its newest rise; fallen back it rings for the stage that it kept, or not at all."""
    await rings(api, "u")
    await rings(api, "u", kind="signup")
    found = await bell(api)
    assert [(n["from"], n["to"]) for n in found["notifications"]] == [("hot", "qualified")]
    assert found["unseen"] == 1
    lead = await api.lead_of(q="u")
    for points, stages in ((-30, [("cold", "hot")]), (-30, [])):
        note = {"points": points, "note": "no budget"}
        await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json=note)
        await api.score()
        found = await bell(api)
        assert [(n["from"], n["to"]) for n in found["notifications"]] == stages
        assert found["unseen"] == len(stages)


async def test_what_nobody_did_does_not_ring(api: Api) -> None:
    """A new model, a rebuild, test leads, warm leads; a merge of two does."""
    await rings(api, "warm", kind="webinar_attendance")
    await rings(api, "tested", test=True)
    rules = (await api.get("/api/rules"))["rules"]
    rule = next(rule for rule in rules if rule["eventType"] == "webinar_attendance")
    body = {"points": 50, "scope": "all-history"}
    await api.call("PUT", f"/api/rules/{rule['id']}", json=body)
    lead = await api.lead_of(q="warm")
    await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
    await api.score()
    assert (await api.get(f"/api/leads/{lead}"))["leadStage"] == "hot"
    assert (await bell(api))["notifications"] == []
    await rings(api, "one", "two", kind="download")
    child, parent = await api.lead_of(q="one"), await api.lead_of(q="two")
    await rings(api, "one", kind="form_submit")
    assert (await bell(api))["unseen"] == 1
    await api.call("POST", f"/api/leads/{child}/merge", json={"intoId": parent})
    await api.score()
    found = await bell(api)
    assert [one["leadId"] for one in found["notifications"]] == [parent]


async def test_who_joins_has_nothing_to_catch_up(api: Api) -> None:
    """What rang before a member came is seen; a key without a mark has seen nothing."""
    await rings(api, "u")
    viewer = await someone(api, "viewer")
    found = await bell(api, viewer.token)
    assert (names(found), found["unseen"]) == (["u"], 0)
    assert (await bell(api))["unseen"] == 1


async def test_the_list_goes_on_as_it_began(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is seen meanwhile; and no further than the newest rises."""
    me = await a_member(api)
    await rings(api, "a", "b", "c", "d", "e")
    walked: list[str] = []
    cursor = None
    while True:
        page = await bell(api, me.token, limit=2, **({"cursor": cursor} if cursor else {}))
        walked += names(page)
        until = {"seenUntil": page["notifications"][0]["at"]}
        await api.call("POST", "/api/notifications", key=me.token, json=until)
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert walked == ["e", "d", "c", "b", "a"]
    for bad in ("nonsense", "", "WyJub3RpZmljYXRpb25zIiwxXQ"):
        await api.get("/api/notifications", 422, params={"cursor": bad})
    for body in ({}, {"seenUntil": "soon"}, {"seenUntil": None}, {"seenUntil": 1.5}):
        await api.call("POST", "/api/notifications", 422, key=me.token, json=body)
    monkeypatch.setattr(notifications, "MOST", 2)
    assert names(await bell(api, me.token)) == ["e", "d"]
