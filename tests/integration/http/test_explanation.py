"""Why a score is what it is, over HTTP: held against the ledger that everybody can read."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from builders import DAY, HOUR, MINUTE, Event, add_events
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers_leads as told
from leadpulse.usecases import explanation
from support.api import running_api

if TYPE_CHECKING:
    from pathlib import Path

    from support.api import Api


def now() -> int:
    return int(time.time() * 1_000_000)


def micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


async def explained(api: Api, lead: str, at: int | None = None) -> Any:
    """An explanation, which is what the documentation says, and whose parts are its score."""
    query = f"?at={to_rfc3339(at).replace('+', '%2B')}" if at is not None else ""
    found = await api.told(f"/api/leads/{lead}/explanation{query}", told.Explanation)
    parts = [rule["points"] for rule in found["rules"]]
    parts += [found[name]["points"] for name in ("adjustments", "decay", "bounds")]
    assert math.fsum(parts) == pytest.approx(found["score"], abs=1e-12)
    return found


async def a_busy_lead(api: Api) -> str:
    """Caps, an adjustment, decay, a late event, and a claim that a rule doesn't take."""
    begin = (now() - 40 * DAY) // DAY * DAY
    visits = [
        {"event": "page_view", "userId": "u", "timestamp": to_rfc3339(begin + n * MINUTE)}
        for n in range(1, 6)
    ]
    await api.send(
        *visits,
        {"event": "demo_request", "userId": "u", "timestamp": to_rfc3339(begin + HOUR)},
        {"event": "download", "userId": "u", "timestamp": to_rfc3339(begin + 12 * DAY)},
    )
    await api.score()
    lead = await api.lead_of(q="u")
    late = {"event": "signup", "userId": "u", "timestamp": to_rfc3339(begin + 3 * DAY)}
    await api.send(late)
    note = {"points": -7.5, "note": "met them"}
    await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json=note)
    await api.score()
    return lead


async def test_the_parts_are_those_of_the_ledger(api: Api) -> None:
    """Each rule's hits and points, what caps cut, adjustments and decay are the history's sums."""
    lead = await a_busy_lead(api)
    found = await explained(api, lead)
    history = (await api.get(f"/api/leads/{lead}/history"))["entries"]
    assert found["score"] == pytest.approx(history[-1]["newScore"], abs=1e-9)
    for rule in found["rules"]:
        gave = [given for entry in history for given in entry["rules"] if given["id"] == rule["id"]]
        assert rule["hits"] == len(gave)
        assert rule["points"] == pytest.approx(sum(given["points"] for given in gave))
    views = next(rule for rule in found["rules"] if rule["eventType"] == "page_view")
    assert (views["hits"], views["points"], views["cut"]) == (3, 15, 10)
    assert views["caps"] == [{"cap": "maxPointsPerDay", "times": 2}]
    assert found["adjustments"] == {"count": 1, "points": -7.5}
    decays = [entry for entry in history if entry["kind"] == "decay"]
    assert found["decay"]["steps"] == sum(entry["steps"] for entry in decays) > 0
    assert found["decay"]["lastAt"] == decays[-1]["timestamp"]
    assert found["bounds"] == {"points": 0}
    assert found["complete"] is True
    names = {rule["name"] for rule in found["rules"]}
    assert "" not in names


async def test_any_instant_is_explained_by_what_is_known_now(api: Api) -> None:
    """At each entry's own time the score is the entry's; a late event counts from its time on."""
    lead = await a_busy_lead(api)
    history = (await api.get(f"/api/leads/{lead}/history"))["entries"]
    for entry in history:
        if entry["kind"] == "decay":
            continue
        found = await explained(api, lead, micros(entry["timestamp"]))
        assert found["score"] == pytest.approx(entry["newScore"], abs=1e-9)
    for entry in (entry for entry in history if entry["kind"] == "decay"):
        due = micros(entry["timestamp"])
        after = await explained(api, lead, due + 1)
        assert after["score"] == pytest.approx(entry["newScore"], abs=1e-9)
    first = micros(history[0]["timestamp"])
    before = await explained(api, lead, first - 1)
    assert (before["score"], before["rules"], before["next"]) == (0, [], None)
    assert before["stage"] == "cold"


async def test_the_future_is_what_decay_will_do(api: Api) -> None:
    """Up to a year ahead; `next` names the very instant after which the score changes."""
    await api.send({"event": "demo_request", "userId": "u"})
    await api.score()
    lead = await api.lead_of(q="u")
    found = await explained(api, lead)
    assert (found["score"], found["stage"]) == (50, "hot")
    due = micros(found["next"]["at"])
    assert (await explained(api, lead, due))["score"] == 50
    after = await explained(api, lead, due + 1)
    assert after["score"] == found["next"]["score"] == 47.5
    assert found["next"]["stageChanges"] is (found["next"]["stage"] != "hot")
    later = await explained(api, lead, now() + 300 * DAY)
    assert later["score"] == 0
    assert later["decay"]["points"] == -50
    assert later["next"] is None
    body = await api.get(
        f"/api/leads/{lead}/explanation", 422, params={"at": to_rfc3339(now() + 366 * DAY)}
    )
    assert body["errors"][0]["field"] == "at"
    await api.get(f"/api/leads/{lead}/explanation", 422, params={"at": "yesterday"})


async def test_bounds_are_a_part_of_their_own(api: Api) -> None:
    """What the lower bound kept from being taken is told as what it added."""
    await api.send(
        {"event": "page_view", "userId": "u", "timestamp": to_rfc3339(now() - HOUR)},
        {"event": "unsubscribe", "userId": "u", "timestamp": to_rfc3339(now() - MINUTE)},
    )
    await api.score()
    found = await explained(api, await api.lead_of(q="u"))
    assert found["score"] == 0
    assert found["bounds"] == {"points": 15}


async def test_every_kind_of_cap_is_named(api: Api) -> None:
    """Times a day, points a day, once for ever; a rule that is gone keeps its name."""
    rules = {}
    for name, more in (
        ("times", {"maxPerDay": 2}), ("points", {"maxPointsPerDay": 15}), ("once", {"once": True}),
    ):  # fmt: skip
        made = {"eventType": name, "name": f"By {name}", "points": 10, **more}
        rules[name] = (await api.call("POST", "/api/rules", 201, json=made))["id"]
    begin = (now() - 2 * DAY) // DAY * DAY
    await api.send(*(
        {"event": kind, "userId": "u", "timestamp": to_rfc3339(begin + n * MINUTE)}
        for kind in rules for n in range(4)
    ))  # fmt: skip
    await api.score()
    lead = await api.lead_of(q="u")
    await api.call("DELETE", f"/api/rules/{rules['once']}")
    found = {rule["name"]: rule for rule in (await explained(api, lead))["rules"]}
    assert {name: (r["hits"], r["points"], r["cut"], r["caps"]) for name, r in found.items()} == {
        "By times": (2, 20, 20, [{"cap": "maxPerDay", "times": 2}]),
        "By points": (2, 15, 25, [{"cap": "maxPointsPerDay", "times": 3}]),
        "By once": (1, 10, 30, [{"cap": "once", "times": 3}]),
    }


async def test_a_merged_lead_is_explained_as_its_survivor(api: Api) -> None:
    """By either id, over the union of their events: caps hold for both together."""
    await api.send(
        *(
            {"event": "page_view", "anonymousId": a}
            for a in ("visitor1", "visitor1", "visitor2", "visitor2")
        )
    )
    await api.score()
    one, other = await api.lead_of(q="visitor1"), await api.lead_of(q="visitor2")
    await api.call("POST", f"/api/leads/{one}/merge", json={"intoId": other})
    await api.score()
    found = await explained(api, one)
    assert found["leadId"] == other
    (views,) = found["rules"]
    assert (views["points"], views["cut"]) == (15, 5)


@pytest.mark.both_postgres
async def test_a_long_life_is_explained_in_portions(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more events than are folded again, sums are whole, and cuts say from when they count."""
    begin = (now() - 30 * DAY) // DAY * DAY
    lead = (await api.call("POST", "/api/leads", 201, json={"userId": "u"}))["id"]
    events = [(lead, Event("page_view", begin + n * HOUR, f"e{n:04}")) for n in range(600)]
    await add_events(api.conn, api.project.id, events)
    await api.score()
    whole = await explained(api, lead)
    monkeypatch.setattr(explanation, "LOOKED_THROUGH", 150)
    monkeypatch.setattr(explanation, "_PORTION", 40)
    short = await explained(api, lead)
    assert (whole["complete"], short["complete"]) == (True, False)
    assert short["score"] == whole["score"]
    (all_cuts,), (some_cuts,) = whole["rules"], short["rules"]
    assert some_cuts["points"] == all_cuts["points"] == 25 * 15
    assert 0 < some_cuts["cut"] < all_cuts["cut"] == 600 * 5 - 25 * 15
    assert micros(short["cutsSince"]) > begin
    assert (await explained(api, lead, begin + 300 * HOUR))["score"] == 13 * 15


async def test_a_rescore_tells_the_new_law(database: str, tmp_path: Path) -> None:
    """After a model for all history every instant is explained by it, the past included."""
    async with running_api(database, tmp_path, preset="classic") as api:
        await api.send({"event": "signup", "userId": "u", "timestamp": to_rfc3339(now() - DAY)})
        await api.score()
        lead = await api.lead_of(q="u")
        rule = next(
            rule for rule in (await api.get("/api/rules"))["rules"] if rule["eventType"] == "signup"
        )
        body = {"points": 33, "scope": "all-history"}
        await api.call("PUT", f"/api/rules/{rule['id']}", json=body)
        assert (await explained(api, lead))["score"] == 20
        await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
        await api.score()
        found = await explained(api, lead, now() - HOUR)
        assert (found["score"], found["rules"][0]["points"]) == (33, 33)
