"""Whom to call now: the list by urgency, and the next action that every lead shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers as told
from leadpulse.usecases import urgent

if TYPE_CHECKING:
    from support.api import Api


def ago(days: float) -> str:
    return to_rfc3339(int((time.time() - days * 86_400) * 1_000_000))


async def some_leads(api: Api) -> None:
    """One for each next action of the preset, and a cold one."""
    sent: dict[str, list[tuple[str, float]]] = {
        "sales_contact": [("contract_signed", 9)],
        "immediate": [("demo_request", 0.1), ("signup", 0.05)],
        "demo": [("demo_request", 2)],
        "follow_up": [("demo_request", 8)],
        "nurture": [("webinar_attendance", 3)],
        "silent": [("signup", 20)],
        "cold": [("page_view", 1)],
    }
    await api.send(
        *(
            {"event": kind, "userId": user, "timestamp": ago(days)}
            for user, events in sent.items()
            for kind, days in events
        )
    )
    await api.score()


async def to_call(api: Api, **query: Any) -> list[str]:
    answer = await api.told("/api/leads", told.LeadList, params={"sort": "urgency", **query})
    return [lead["userId"] for lead in answer["leads"]]


ORDER = ["immediate", "demo", "nurture", "silent", "sales_contact", "follow_up"]


@pytest.mark.both_postgres
async def test_the_most_urgent_action_comes_first(api: Api) -> None:
    """By the place of each lead's action in the model, whose sentence it shows; nobody cold."""
    await some_leads(api)
    assert await to_call(api) == ORDER
    assert await to_call(api, order="asc") == ORDER[::-1]
    answer = await api.get("/api/leads?sort=urgency")
    actions = [lead["nextAction"] for lead in answer["leads"]]
    assert actions == [
        "immediate_sales_contact", "schedule_demo", "nurture_campaign", "re_engagement_required",
        "sales_contact", "follow_up",
    ]  # fmt: skip
    assert (answer["total"], answer["totalIsCapped"]) == (6, False)
    for lead in answer["leads"]:
        alone = await api.get(f"/api/leads/{lead['id']}")
        meant = await api.get(f"/api/leads/{lead['id']}/intelligence")
        assert lead["nextAction"] == alone["nextAction"] == meant["nextAction"]
        assert lead["nextBestAction"] == alone["nextBestAction"] == meant["nextBestAction"]


async def test_who_is_worked_on_is_called_by_nobody_else(api: Api) -> None:
    """Working, won, lost and disqualified leads are out, at once, unless their status is asked."""
    await some_leads(api)
    for user, status in (
        ("immediate", "working"), ("demo", "won"), ("nurture", "lost"), ("silent", "disqualified"),
    ):  # fmt: skip
        lead = await api.lead_of(q=user)
        await api.call("PATCH", f"/api/leads/{lead}", json={"status": status})
        assert user not in await to_call(api)
        assert await to_call(api, status=status) == [user]
    assert await to_call(api) == ["sales_contact", "follow_up"]
    await api.call("PATCH", f"/api/leads/{await api.lead_of(q='demo')}", json={"status": None})
    assert await to_call(api) == ["demo", "sales_contact", "follow_up"]


async def test_filters_hold_in_the_list_of_whom_to_call(api: Api) -> None:
    """Stage (cold ones too), owner, search, score and risk."""
    await some_leads(api)
    await api.call("PATCH", f"/api/leads/{await api.lead_of(q='silent')}", json={"owner": "me"})
    await api.call("PATCH", f"/api/leads/{await api.lead_of(q='demo')}", json={"owner": "me"})
    assert await to_call(api, owner="me") == ["demo", "silent"]
    assert await to_call(api, stage="cold") == ["cold"]
    assert await to_call(api, stage="warm") == ["nurture", "silent"]
    assert await to_call(api, q="nurt") == ["nurture"]
    assert await to_call(api, minScore=60) == ["immediate", "sales_contact"]
    assert await to_call(api, risk="high") == ["silent"]
    assert await to_call(api, status="open", stage="cold") == ["cold"]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_go_on_where_they_ended(api: Api, order: str) -> None:
    """By cursor and by number, without gap or repeat; a cursor belongs to its order."""
    await some_leads(api)
    whole = await to_call(api, order=order)
    walked: list[str] = []
    cursor = None
    for _ in range(10):
        query = {"sort": "urgency", "order": order, "limit": "2"}
        page = await api.get("/api/leads", params=query | ({"cursor": cursor} if cursor else {}))
        walked += [lead["userId"] for lead in page["leads"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert walked == whole
    assert await to_call(api, order=order, limit=2, page=2) == whole[2:4]
    assert await to_call(api, order=order, limit=2, skip=5) == whole[5:]
    page = await api.get(f"/api/leads?sort=urgency&order={order}&limit=1")
    other = {"asc": "desc", "desc": "asc"}[order]
    for asked in (f"sort=urgency&order={other}", f"sort=score&order={order}"):
        await api.get(f"/api/leads?{asked}&cursor={page['nextCursor']}", 422)
    await api.get("/api/leads?sort=urgency&limit=0", 422)


async def test_the_best_of_each_stage_are_judged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage with more than are looked at doesn't hide the others, and the total says so."""
    monkeypatch.setattr(urgent, "OF_EACH_STAGE", 3)
    await api.send(
        *({"event": "contract_signed", "userId": f"q{n}", "timestamp": ago(9)} for n in range(5)),
        *({"event": "demo_request", "userId": f"h{n}", "timestamp": ago(2)} for n in range(2)),
    )
    await api.score()
    answer = await api.get("/api/leads?sort=urgency")
    assert (answer["total"], answer["totalIsCapped"]) == (5, True)
    assert {lead["userId"] for lead in answer["leads"][:2]} == {"h0", "h1"}
