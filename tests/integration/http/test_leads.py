"""Leads over HTTP: lists in every order, searches, single leads, what happened to them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from builders import DAY, Event, add_events
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers as told

if TYPE_CHECKING:
    from support.api import Api


def ago(minutes: float) -> str:
    return to_rfc3339(int((time.time() - minutes * 60) * 1_000_000))


def event(user: str, kind: str = "page_view", minutes: float = 1, **more: Any) -> dict[str, Any]:
    return {"event": kind, "userId": user, "timestamp": ago(minutes), **more}


async def people(api: Api) -> dict[str, dict[str, Any]]:
    """Five leads with scores 0, 5, 30, 50, 80; the first has a name only."""
    await api.call("POST", "/api/leads", 201, json={"name": "Zoe Zero", "userId": "zero"})
    await api.send(
        event("five", traits={"name": "Anna Five", "company": "Acme Corp"}),
        event("thirty", "signup", traits={"name": "Rossi, Bruno", "email": "b.rossi@x.example"}),
        event("fifty", "demo_request", 60 * 24 * 10, traits={"email": "fifty@x.example"}),
        event("eighty", "signup", 3),
        event("eighty", "demo_request", 2, anonymousId="browser-8080"),
    )
    await api.score()
    answer = await api.told("/api/leads?limit=200", told.LeadList)
    return {lead["userId"]: lead for lead in answer["leads"]}


async def test_a_page_of_leads_is_what_the_documentation_says(api: Api) -> None:
    """Leads come with score, stage, velocity and risk, the highest score first."""
    await people(api)
    answer = await api.told("/api/leads", told.LeadList)
    assert [lead["userId"] for lead in answer["leads"]][:2] == ["eighty", "fifty"]
    assert answer["total"] == 5
    assert answer["totalIsCapped"] is False
    assert answer["nextCursor"] is None
    best = answer["leads"][0]
    assert best["currentScore"] == 80
    assert best["leadStage"] == "qualified"
    assert best["eventsLast24h"] == 2
    assert best["velocity"] == 6
    assert best["risk"] == "low"
    assert best["anonymousIds"] == ["browser-8080"]
    assert best["_id"] == best["id"]


@pytest.mark.parametrize("sort", ["score", "lastEventAt", "createdAt", "name"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_every_order_pages_without_gap_or_repeat(api: Api, sort: str, order: str) -> None:
    """Walking the cursor gives every lead once, in the same order as one large page."""
    await people(api)
    whole = await api.get("/api/leads", params={"sort": sort, "order": order})
    walked: list[str] = []
    cursor = None
    while True:
        params = {"sort": sort, "order": order, "limit": 2}
        page = await api.get("/api/leads", params=params | ({"cursor": cursor} if cursor else {}))
        walked += [lead["id"] for lead in page["leads"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert walked == [lead["id"] for lead in whole["leads"]]
    assert len(set(walked)) == 5
    skipped = await api.get("/api/leads", params={"sort": sort, "order": order, "skip": 3})
    assert [lead["id"] for lead in skipped["leads"]] == walked[3:]
    paged = await api.get(
        "/api/leads", params={"sort": sort, "order": order, "page": 2, "limit": 3}
    )
    assert [lead["id"] for lead in paged["leads"]] == walked[3:]


async def test_what_a_sort_needs_and_a_lead_lacks_puts_it_last(api: Api) -> None:
    """Leads without a name or an act come last, whichever way the list is sorted."""
    await people(api)
    for order in ("asc", "desc"):
        names = [
            lead["name"] for lead in (await api.get(f"/api/leads?sort=name&order={order}"))["leads"]
        ]
        assert names[3:] == [None, None]
        assert names[:3] == sorted(names[:3], reverse=order == "desc")
        seen = [
            lead["lastEventAt"]
            for lead in (await api.get(f"/api/leads?sort=lastEventAt&order={order}"))["leads"]
        ]
        assert seen[-1] is None
        assert seen[:-1] == sorted(seen[:-1], reverse=order == "desc")


@pytest.mark.parametrize(
    ("params", "users"),
    [
        ({"stage": "qualified"}, {"eighty"}),
        ({"stage": "cold"}, {"zero", "five"}),
        ({"stage": "warm"}, {"thirty"}),
        ({"minScore": "30", "maxScore": "50"}, {"thirty", "fifty"}),
        ({"risk": "medium"}, {"fifty"}),
        ({"risk": "low"}, {"five", "thirty", "eighty"}),
        ({"risk": "high"}, set()),
        ({"status": "won"}, set()),
        ({"owner": "nobody"}, set()),
        ({"q": "an"}, {"five"}),
        ({"q": "ro"}, {"thirty"}),
        ({"q": "ossi"}, {"thirty"}),
        ({"q": "ROSSI@X"}, {"thirty"}),
        ({"q": "rossi@x"}, {"thirty"}),
        ({"q": "acme"}, {"five"}),
        ({"q": "browser-80"}, {"eighty"}),
        ({"q": "8080"}, set()),
        ({"q": "%"}, set()),
        ({"q": "%%%"}, set()),
        ({"q": "_____"}, set()),
        ({"q": "a\\"}, set()),
        ({"q": "(.*"}, set()),
    ],
)
async def test_filters(api: Api, params: dict[str, str], users: set[str]) -> None:
    """Each filter gives the leads it names, with their number."""
    await people(api)
    answer = await api.get("/api/leads", params=params)
    assert {lead["userId"] for lead in answer["leads"]} == users
    assert answer["total"] == len(users)


async def test_owner_status_and_seen_after(api: Api) -> None:
    """A lead is found by its owner and status, and by when it was last seen."""
    found = await people(api)
    lead = found["five"]["id"]
    await api.call(
        "PATCH", f"/api/leads/{lead}", json={"owner": "grace@x.example", "status": "working"}
    )
    for query in ("owner=grace@x.example", "status=working"):
        answer = await api.get(f"/api/leads?{query}")
        assert [one["id"] for one in answer["leads"]] == [lead]
    answer = await api.get("/api/leads", params={"seenAfter": ago(2.5)})
    assert {one["userId"] for one in answer["leads"]} == {"five", "thirty", "eighty"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=99999999999999999999",
        "cursor=%00",
        "cursor=abc",
        "cursor=" + "A" * 3000,
        "cursor=WyJsZWFkcy5zY29yZS5kZXNjIiwwLCJ4IiwieSJd",
        "cursor=W10",
        "page=0",
        "page=10000",
        "skip=-1",
        "skip=9990&limit=50",
        "page=2&skip=3",
        "minScore=nan",
        "minScore=1e999",
        "maxScore=abc",
        "stage=boiling",
        "risk=some",
        "status=x",
        "sort=id",
        "order=up",
        "q=%00",
        "q=" + "a" * 201,
        "seenAfter=yesterday",
        "seenAfter=99999999999999999999999",
        "seenAfter=0000-00-00",
        "owner=%00",
    ],
)
async def test_a_wrong_question_is_answered_422(api: Api, query: str) -> None:
    """Nothing that stands in a query makes it more than a 422 that names the field."""
    answer = await api.get(f"/api/leads?{query}", 422)
    assert answer["code"] == "invalid"
    assert answer["errors"][0]["field"] in query


async def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    """A cursor belongs to its list and order."""
    await people(api)
    cursor = (await api.get("/api/leads?limit=1"))["nextCursor"]
    await api.get("/api/leads", 422, params={"cursor": cursor, "sort": "name"})
    await api.get("/api/events", 422, params={"cursor": cursor})


async def test_a_lead_is_read_decayed_to_now_with_its_first_and_last_event(api: Api) -> None:
    """Single reads fold forward: an idle lead shows less than its ledger's last entry."""
    minutes = 60 * 24 * 10 + 5
    properties = {
        "url": "https://x.example/pricing",
        "referrer": "https://s.example",
        "utm_source": "ads",
    }
    await api.send(event("u", "demo_request", minutes, properties=properties))
    await api.score()
    lead_id = await api.lead_of(user="u")
    lead = await api.told(f"/api/leads/{lead_id}", told.Lead)
    assert lead["currentScore"] == pytest.approx(50 * 0.95**4, abs=1e-9)
    assert lead["firstTouch"]["page"] == "https://x.example/pricing"
    assert lead["firstTouch"]["utm"] == {"source": "ads"}
    assert lead["lastTouch"] == lead["firstTouch"]
    asked = datetime.fromisoformat(lead["asOf"])
    assert abs((datetime.now(UTC) - asked).total_seconds()) < 60


async def test_history_tells_every_change_and_the_open_gap_last(api: Api) -> None:
    """The ledger comes oldest first; decay that goes on is its last entry, open."""
    await api.send(
        event("u", "signup", 60 * 24 * 30, eventId="a"),
        event("u", "page_view", 60 * 24 * 12, eventId="b"),
    )
    await api.score()
    lead_id = await api.lead_of(user="u")
    whole = await api.told(f"/api/leads/{lead_id}/history", told.History)
    entries = whole["entries"]
    assert [entry["kind"] for entry in entries] == ["event", "decay", "event", "decay"]
    assert [entry["open"] for entry in entries] == [False, False, False, True]
    assert entries[0]["eventId"] == "a"
    assert entries[0]["rules"][0]["name"] == "Signup"
    assert entries[1]["steps"] == 12
    assert entries[3]["recordedAt"] is None
    for before, after in pairwise(entries):
        assert after["oldScore"] == before["newScore"]
    lead = await api.get(f"/api/leads/{lead_id}")
    assert entries[-1]["newScore"] == lead["currentScore"]
    walked: list[Any] = []
    cursor = None
    while True:
        params: dict[str, Any] = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = await api.get(f"/api/leads/{lead_id}/history", params=params)
        walked += page["entries"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert [e["newScore"] for e in walked] == [e["newScore"] for e in entries]


async def test_timeline_is_newest_first_and_pages(api: Api) -> None:
    """Events come with what they added; pages follow each other without gap."""
    await api.send(
        *(
            event("u", minutes=10 - n, eventId=f"e{n}", properties={"n": n}, sessionId="s1")
            for n in range(5)
        )
    )
    await api.score()
    lead_id = await api.lead_of(user="u")
    whole = await api.told(f"/api/leads/{lead_id}/timeline", told.Timeline)
    assert [e["properties"]["n"] for e in whole["events"]] == [4, 3, 2, 1, 0]
    assert [e["scoreDelta"] for e in whole["events"]] == [0, 0, 5, 5, 5]
    first = await api.get(f"/api/leads/{lead_id}/timeline?limit=3")
    rest = await api.get(
        f"/api/leads/{lead_id}/timeline", params={"limit": 3, "cursor": first["nextCursor"]}
    )
    assert first["events"] + rest["events"] == whole["events"]
    assert rest["nextCursor"] is None


async def test_sessions_end_after_thirty_idle_minutes_or_by_their_id(api: Api) -> None:
    """Grouped: by sessionId, and without one by 30 idle minutes."""
    await api.send(
        event("u", minutes=200, eventId="1"),
        event("u", minutes=171, eventId="2"),
        event("u", minutes=140, eventId="3"),
        event("u", minutes=20, eventId="4", sessionId="s"),
        event("u", minutes=15, eventId="5"),
        event("u", minutes=10, eventId="6", sessionId="s"),
    )
    await api.score()
    lead_id = await api.lead_of(user="u")
    path = f"/api/leads/{lead_id}/timeline"
    whole = await api.told(f"{path}?groupBy=session", told.Sessions)
    grouped = [(s["sessionId"], [e["eventId"] for e in s["events"]]) for s in whole["sessions"]]
    assert grouped == [("s", ["6", "4"]), (None, ["5"]), (None, ["3"]), (None, ["2", "1"])]
    first = await api.get(f"{path}?groupBy=session&limit=3")
    assert len(first["sessions"]) == 3
    rest = await api.get(
        path, params={"groupBy": "session", "limit": 3, "cursor": first["nextCursor"]}
    )
    assert first["sessions"] + rest["sessions"] == whole["sessions"]
    assert rest["nextCursor"] is None


async def test_intelligence_follows_the_formulas(api: Api) -> None:
    """Velocity counts acts of 24 hours, the trend those before; engagement 30 days."""
    await api.send(
        event("u", "demo_request", 60 * 25, eventId="1"),
        event("u", "page_view", 30, eventId="2"),
        event("u", "download", 20, eventId="3"),
        event("u", "email_sent", 10, eventId="4"),
    )
    await api.score()
    lead_id = await api.lead_of(user="u")
    answer = await api.told(f"/api/leads/{lead_id}/intelligence", told.Intelligence)
    assert answer["eventsLast24h"] == 2
    assert answer["velocity"] == 6
    assert answer["velocityTrend"] == "increasing"
    assert answer["stage"] == "qualified"
    assert answer["nextAction"] == "immediate_sales_contact"
    assert answer["riskLevel"] == "low"
    # d ≈ 0, n = 3, k = 3
    assert answer["engagementScore"] == pytest.approx(
        4 + 4 * (1 - 2.718281828**-0.3) + 1.2, abs=0.06
    )
    assert answer["churnProbability"] is None


async def test_a_lead_without_acts_has_no_risk(api: Api) -> None:
    """Nothing is told of activity that there never was."""
    made = await api.call("POST", "/api/leads", 201, json={"email": "new@x.example"})
    told.Lead.model_validate(made)
    answer = await api.told(f"/api/leads/{made['id']}/intelligence", told.Intelligence)
    assert (answer["risk"], answer["daysSinceLastEvent"]) == (None, None)
    assert answer["nextAction"] == "monitor"
    assert (await api.get(f"/api/leads/{made['id']}"))["lastEventAt"] is None


async def test_leaderboard_and_stages(api: Api) -> None:
    """The best first; stages add up to all leads; the alias says the same."""
    await people(api)
    top = await api.told("/api/leaderboard?limit=2", told.TopLeads)
    assert [lead["userId"] for lead in top["leads"]] == ["eighty", "fifty"]
    alias = await api.get("/api/leads/leaderboard?limit=2")
    assert [lead["id"] for lead in alias["leads"]] == [lead["id"] for lead in top["leads"]]
    stages = await api.told("/api/leaderboard/by-stage", told.ByStage)
    assert stages == {"cold": 2, "warm": 1, "hot": 1, "qualified": 1}


async def test_fault_09_last_event_is_the_time_of_the_event_not_of_its_processing(
    api: Api,
) -> None:
    """An event that arrives late was still seen when it happened."""
    sent = ago(60 * 24 * 3)
    await api.send({"event": "page_view", "userId": "late", "timestamp": sent})
    await api.score()
    lead = await api.get(f"/api/leads/{await api.lead_of(user='late')}")
    assert lead["lastEventAt"] == sent


async def test_a_total_beyond_ten_thousand_is_capped(api: Api) -> None:
    """Totals are exact to 10,000 and then say so; a search ends at 1,000."""
    await api.conn.execute(
        """
        with made as (
            insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at)
            select %(p)s, gen_random_uuid(), n %% 100, now(), 1, now(), now()
            from generate_series(1, 10001) n returning project_id, id
        )
        insert into lead_profiles (project_id, lead_id, name, updated_at)
        select project_id, id, 'Anna Smith', now() from made
        """,
        {"p": api.project.id},
    )
    answer = await api.get("/api/leads?limit=1")
    assert (answer["total"], answer["totalIsCapped"]) == (10_000, True)
    answer = await api.get("/api/leads?q=smith&limit=1")
    assert (answer["total"], answer["totalIsCapped"]) == (1_000, True)
    last = await api.get("/api/leads?skip=9990&limit=10")
    assert len(last["leads"]) == 10


async def test_history_of_an_unscored_and_of_an_excluded_event(api: Api) -> None:
    """What is not scored is in no ledger."""
    lead_id = (await api.call("POST", "/api/leads", 201, json={"userId": "w"}))["id"]
    await add_events(
        api.conn, api.project.id, [(lead_id, Event("signup", time.time_ns() // 1000 - DAY, "x"))]
    )
    assert (await api.get(f"/api/leads/{lead_id}/history"))["entries"] == []
    await api.score()
    assert len((await api.get(f"/api/leads/{lead_id}/history"))["entries"]) == 1
