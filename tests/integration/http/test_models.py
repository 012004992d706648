"""The model and its rules over HTTP: every change is a new version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers as told

if TYPE_CHECKING:
    from support.api import Api


async def score_of(api: Api, user: str) -> float:
    await api.score()
    lead = await api.get(f"/api/leads/{await api.lead_of(user=user)}")
    value: float = lead["currentScore"]
    return value


async def test_a_rule_lives_from_its_answer_on(api: Api) -> None:
    """Made, changed, removed: each answers the version that it published."""
    made = await api.call(
        "POST", "/api/rules", 201, json={"eventType": "Trial Started", "points": 7.25}
    )
    told.ChangedRule.model_validate(made)
    assert made["modelVersion"] == 2
    assert made["name"] == "Trial Started"
    await api.send({"event": "trial-started", "userId": "a"})
    assert await score_of(api, "a") == 7.25
    path = f"/api/rules/{made['id']}"
    changed = await api.call("PUT", path, json={"points": 10})
    told.ChangedRule.model_validate(changed)
    assert (changed["points"], changed["eventType"], changed["modelVersion"]) == (
        10,
        "Trial Started",
        3,
    )
    await api.send({"event": "trial_started", "userId": "b"})
    assert await score_of(api, "b") == 10
    assert await score_of(api, "a") == 7.25
    removed = await api.call("DELETE", path)
    assert removed == {"id": made["id"], "modelVersion": 4}
    await api.call("DELETE", path, 404)
    await api.call("PUT", path, 404, json={"points": 1})
    rules = await api.told("/api/rules", told.RuleList)
    assert made["id"] not in {rule["id"] for rule in rules["rules"]}
    alias = await api.told("/api/scoring-rules", told.RuleList)
    assert alias == rules


async def test_a_rule_reads_back_as_it_was_answered(api: Api) -> None:
    """What a list gives can be sent back as it stands."""
    for rule in (await api.get("/api/rules"))["rules"]:
        answer = await api.call("PUT", f"/api/scoring-rules/{rule['id']}", json=rule)
        assert {key: answer[key] for key in rule} == rule


async def test_the_model_reads_back_as_it_was_answered(api: Api) -> None:
    """GET, and PUT of the same: a new version that says the same."""
    model = await api.told("/api/model", told.Model)
    answer = await api.call("PUT", "/api/model", json=model)
    told.Publication.model_validate(answer)
    assert answer["version"] == 2
    assert answer["idleLeads"] is None
    left = {key: answer[key] for key in model if key not in ("version", "rescore")}
    assert left == {key: model[key] for key in left}
    stale = await api.call("PUT", "/api/model", 409, json=model)
    assert stale["code"] == "model_changed"
    versions = await api.told("/api/models?limit=1", told.ModelVersions)
    assert [v["version"] for v in versions["models"]] == [2]
    rest = await api.told(f"/api/models?cursor={versions['nextCursor']}", told.ModelVersions)
    assert [v["version"] for v in rest["models"]] == [1]


async def test_a_version_is_read_and_put_in_force_again(api: Api) -> None:
    """What was published stays as it was, and can be published once more."""
    first = await api.get("/api/model")
    change = {**first, "velocity": {"factor": 9}, "note": "Faster"}
    await api.call("PUT", "/api/model", json=change)
    old = await api.told("/api/models/1", told.StoredModel)
    assert old["rules"] == first["rules"]
    assert old["velocity"] == first["velocity"]
    new = await api.told("/api/models/2", told.StoredModel)
    assert (new["velocity"], new["note"], new["scope"]) == ({"factor": 9}, "Faster", "from-now")
    told_once = ("scope", "publishedAt", "note")
    again = {key: old[key] for key in old if key not in told_once} | {"version": 2}
    answer = await api.call("PUT", "/api/model", json=again)
    assert (answer["version"], answer["velocity"]) == (3, first["velocity"])
    assert answer["rules"] == first["rules"]
    await api.call("GET", "/api/models/4", 404)
    await api.call("GET", "/api/models/0", 422)


async def test_presets_can_be_published_as_they_are_told(api: Api) -> None:
    """All three of them, with rules and all."""
    answer = await api.told("/api/presets", told.Presets)
    assert [one["name"] for one in answer["presets"]] == ["leadpulse", "classic", "sales"]
    for one in answer["presets"]:
        parts = {key: one[key] for key in one if key != "name"}
        made = await api.call("PUT", "/api/model", json=parts)
        assert {key: made[key] for key in parts} == parts


async def test_a_preview_publishes_nothing_and_counts_idle_leads(api: Api) -> None:
    """A changed decay tells how many leads it concerns before anything happens."""
    await api.send(
        {"event": "signup", "userId": "idle", "timestamp": "2026-01-01T00:00:00Z"},
        {"event": "signup", "userId": "fresh"},
    )
    await api.score()
    model = await api.get("/api/model")
    model["decay"] = None
    seen = await api.call("PUT", "/api/model?preview=true", json=model)
    assert (await api.get("/api/model"))["version"] == 1
    assert seen["idleLeads"] in (0, 1)
    model["decay"] = {"factor": 0.5, "afterDays": 1000, "everyDays": 1}
    answer = await api.call("PUT", "/api/model", json=model)
    assert answer["idleLeads"] in (0, 1)


async def test_all_history_scores_the_past_again(api: Api) -> None:
    """from-now leaves what was; all-history and rescore count for it, in the background."""
    await api.send({"event": "signup", "userId": "a"})
    assert await score_of(api, "a") == 30
    rule = next(r for r in (await api.get("/api/rules"))["rules"] if r["eventType"] == "signup")
    await api.call("PUT", f"/api/rules/{rule['id']}", json={"points": 35})
    assert (await api.get("/api/model"))["rescore"] is None
    assert await score_of(api, "a") == 30
    answer = await api.call("POST", "/api/model/rescore", 202, json={"note": "again"})
    told.Publication.model_validate(answer)
    assert answer["scope"] == "all-history"
    under_way = (await api.told("/api/model", told.Model))["rescore"]
    assert (under_way["version"], under_way["total"]) == (answer["version"], 1)
    await api.send({"event": "page_view", "userId": "a"})
    assert await score_of(api, "a") == 40
    assert await api.call("POST", "/api/model/rescore", 202) is not None


async def test_changes_at_the_same_time_are_all_kept(api: Api) -> None:
    """Ten rules added at once are ten versions, none lost."""
    await asyncio.gather(*(
        api.call("POST", "/api/rules", 201, json={"eventType": f"t{n}", "points": n})
        for n in range(10)
    ))  # fmt: skip
    model = await api.get("/api/model")
    assert model["version"] == 11
    assert {f"t{n}" for n in range(10)} <= {rule["eventType"] for rule in model["rules"]}


async def test_stats_tell_what_each_rule_gave(api: Api) -> None:
    """Hits and points of the last days; a removed rule stays in them."""
    rule = await api.call("POST", "/api/rules", 201, json={"eventType": "x", "points": 2})
    await api.send(*({"event": "x", "userId": f"u{n}"} for n in range(3)))
    await api.score()
    answer = await api.told("/api/rules/stats", told.RuleStats)
    found = {use["id"]: use for use in answer["rules"]}
    assert (found[rule["id"]]["hits"], found[rule["id"]]["points"]) == (3, 6)
    assert answer["complete"] is True
    await api.call("DELETE", f"/api/rules/{rule['id']}")
    later = await api.told("/api/rules/stats?days=1", told.RuleStats)
    assert rule["id"] in {use["id"] for use in later["rules"]}
    await api.get("/api/rules/stats?days=0", 422)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"points": 5}, "eventType"),
        ({"eventType": "x"}, "points"),
        ({"eventType": "x", "points": "5"}, "points"),
        ({"eventType": "x", "points": True}, "points"),
        ({"eventType": "x", "points": 10_001}, "points"),
        ({"eventType": "x", "points": 0.001}, "points"),
        ({"eventType": " ", "points": 1}, "eventType"),
        ({"eventType": "x\x00", "points": 1}, "eventType"),
        ({"eventType": "x", "points": 1, "maxPerDay": 0}, "maxPerDay"),
        ({"eventType": "x", "points": 1, "maxPerDay": 1.5}, "maxPerDay"),
        ({"eventType": "x", "points": 1, "trust": "all"}, "trust"),
        ({"eventType": "x", "points": 1, "scope": "then"}, "scope"),
        ({"eventType": "x", "points": 1, "colour": "red"}, "colour"),
        ({"eventType": "x", "points": 1, "conditions": [{"field": "a"}]}, "conditions[0].op"),
        (
            {"eventType": "x", "points": 1, "conditions": [{"field": "a", "op": "gt"}]},
            "conditions[0].value",
        ),
        (
            {"eventType": "x", "points": 1, "conditions": [{"field": "a", "op": "like"}]},
            "conditions[0].op",
        ),
    ],
)
async def test_a_wrong_rule_is_told_where(api: Api, body: dict[str, Any], field: str) -> None:
    """Every wrong field is named, and nothing is published."""
    answer = await api.call("POST", "/api/rules", 422, json=body)
    assert field in {error["field"] for error in answer["errors"]}
    assert (await api.get("/api/model"))["version"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": []}, "stages"),
        ({"bounds": {"min": 5, "max": 10}}, "bounds.min"),
        ({"decay": {"factor": 1, "afterDays": 7, "everyDays": 1}}, "decay.factor"),
        ({"decay": {"factor": 0.5, "afterDays": 7, "everyDays": 0}}, "decay.everyDays"),
        ({"risk": {"mediumDays": 9, "highDays": 3}}, "risk.highDays"),
        ({"velocity": None}, "velocity"),
        ({"rules": [{"id": "a"}]}, "rules[0].eventType"),
        ({"extra": 1}, "extra"),
    ],
)
async def test_a_wrong_model_is_told_where(api: Api, change: dict[str, Any], field: str) -> None:
    """Every wrong field is named, and nothing is published."""
    model = await api.get("/api/model")
    answer = await api.call("PUT", "/api/model", 422, json=model | change)
    assert field in {error["field"] for error in answer["errors"]}
    assert (await api.get("/api/model"))["version"] == 1
