"""Events over HTTP: lists, one with its way through the pipeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers as told
from leadpulse.postgres import events_read

if TYPE_CHECKING:
    from support.api import Api


def at(minutes: float) -> str:
    return to_rfc3339(int((time.time() - minutes * 60) * 1_000_000))


async def some(api: Api) -> list[str]:
    return await api.send(
        {"event": "page_view", "userId": "a", "timestamp": at(50), "sessionId": "s1"},
        {"event": "signup", "userId": "a", "timestamp": at(40), "sessionId": "s1"},
        {"event": "page_view", "userId": "b", "timestamp": at(30)},
        {"event": "page_view", "userId": "a", "timestamp": at(60)},
    )


async def test_events_come_newest_first_in_the_order_of_arrival(api: Api) -> None:
    """A list follows the stream; pages follow each other without gap."""
    ids = await some(api)
    whole = await api.told("/api/events", told.EventList)
    assert {e["eventId"] for e in whole["events"]} == set(ids)
    assert [e["id"] for e in whole["events"]] == sorted(
        (e["id"] for e in whole["events"]), reverse=True
    )
    assert {e["status"] for e in whole["events"]} == {"queued"}
    walked: list[Any] = []
    cursor = None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await api.get("/api/events", params=params)
        walked += page["events"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert walked == whole["events"]


async def test_event_filters(api: Api) -> None:
    """By type, visit, lead and time; of one lead by timestamp."""
    ids = await some(api)
    await api.score()
    a = await api.lead_of(user="a")

    async def found(**params: Any) -> list[str]:
        answer = await api.get("/api/events", params=params)
        return [event["eventId"] for event in answer["events"]]

    assert await found(type="signup") == [ids[1]]
    assert set(await found(sessionId="s1")) == {ids[0], ids[1]}
    assert set(await found(**{"from": at(45), "to": at(35)})) == {ids[1]}
    assert await found(leadId=a) == [ids[1], ids[0], ids[3]]
    assert await found(leadId=a, type="page_view") == [ids[0], ids[3]]
    assert await found(type="nothing") == []
    first = await api.get("/api/events", params={"leadId": a, "limit": 2})
    rest = await api.get(
        "/api/events", params={"leadId": a, "limit": 2, "cursor": first["nextCursor"]}
    )
    assert [e["eventId"] for e in first["events"] + rest["events"]] == [ids[1], ids[0], ids[3]]


async def test_an_event_says_whom_it_is_about_and_what_it_changed(api: Api) -> None:
    """In a list as alone, also after a merge; nothing has changed before it is scored."""
    await api.send(
        {"event": "signup", "email": "ann@example.com", "traits": {"name": "Ann"}, "eventId": "n"}
    )
    (waiting,) = (await api.told("/api/events", told.EventList))["events"]
    assert (waiting["lead"]["email"], waiting["delta"]) == ("ann@example.com", None)
    await api.score()
    (scored,) = (await api.get("/api/events"))["events"]
    assert scored["lead"] == {"name": "Ann", "email": "ann@example.com", "company": None}
    alone = await api.told(f"/api/events/{scored['id']}", told.EventDetail)
    assert scored["delta"] == alone["delta"] == alone["scored"]["delta"] != 0
    of_lead = await api.get("/api/events", params={"leadId": scored["leadId"]})
    assert of_lead["events"] == [scored]


async def test_a_rare_type_is_looked_for_in_portions(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be short and still have a next one; following it finds everything."""
    monkeypatch.setattr(events_read, "SCANNED", 3)
    await api.send({"event": "rare", "userId": "a", "eventId": "r"})
    await api.send(*({"event": "page_view", "userId": "a"} for _ in range(7)))
    found: list[str] = []
    pages = 0
    cursor = None
    while True:
        params = {"type": "rare"} | ({"cursor": cursor} if cursor else {})
        page = await api.get("/api/events", params=params)
        found += [e["eventId"] for e in page["events"]]
        pages += 1
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert found == ["r"]
    assert 2 <= pages <= 4


async def test_an_event_tells_its_way_through_the_pipeline(api: Api) -> None:
    """Received, committed, claimed, scored: in this order; and what it scored."""
    await api.send({"event": "demo_request", "userId": "a", "eventId": "x"})
    (listed,) = (await api.get("/api/events"))["events"]
    path = f"/api/events/{listed['id']}"
    waiting = await api.told(path, told.EventDetail)
    assert waiting["status"] == "queued"
    assert waiting["scored"] is None
    assert waiting["pipeline"]["scoredAt"] is None
    await api.score()
    done = await api.told(path, told.EventDetail)
    times = done["pipeline"]
    assert times["receivedAt"] <= times["committedAt"] <= times["claimedAt"] <= times["scoredAt"]
    assert done["status"] == "scored"
    assert (done["scored"]["newScore"], done["scored"]["stage"]) == (50, "hot")
    assert done["scored"]["rules"][0]["points"] == 50


async def test_profile_changes_are_no_events_that_anybody_sees(api: Api) -> None:
    """A change by hand is a fact, but stands in no list of events."""
    lead = await api.call("POST", "/api/leads", 201, json={"userId": "a", "name": "Ada"})
    await api.call("PATCH", f"/api/leads/{lead['id']}", json={"name": "Grace"})
    assert (await api.get("/api/events"))["events"] == []
    await api.score()
    assert (await api.get(f"/api/leads/{lead['id']}/timeline"))["events"] == []
    assert (await api.get("/api/analytics/dashboard"))["totalEvents"] == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("leadId=x", 404),
        ("leadId=%00", 422),
        ("leadId=00000000-0000-0000-0000-000000000000", 404),
        ("type=%00", 422),
        ("from=x", 422),
        ("to=1e400", 422),
        ("cursor=WyJldmVudHMiLDFd", 422),
        ("sessionId=" + "s" * 256, 422),
    ],
)
async def test_a_wrong_question_about_events(api: Api, query: str, status: int) -> None:
    """No question is too wrong to be answered."""
    await api.get(f"/api/events?{query}", status)
