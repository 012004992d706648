"""Sample data, test leads, simulated events and first steps over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.presets import PRESETS, preset
from leadpulse.http import answers, answers_admin, answers_data
from leadpulse.usecases import sample
from support.api import running_api
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from pathlib import Path

    from support.api import Api

_COUNTED = (
    "leads", "lead_profiles", "identifiers", "events", "inbox", "ledger", "checkpoints",
    "lead_merges", "lead_roots", "stage_changes", "score_revisions", "activity",
    "activity_deltas", "activity_totals", "sample_activity",
)  # fmt: skip


def of(api: Api, what: str) -> str:
    return f"/api/projects/{api.project.id}/{what}"


async def rows(api: Api) -> dict[str, int]:
    """How many rows each table holds that events leave something in."""
    found = {}
    for table in _COUNTED:
        cursor = await api.conn.execute(f"select count(*) from {table}".encode())
        row = await cursor.fetchone()
        found[table] = 0 if row is None else int(row[0])
    return found


async def figures(api: Api) -> dict[str, Any]:
    """The dashboard without what depends on the moment."""
    found: dict[str, Any] = await api.get("/api/analytics/dashboard")
    latency = ("avgLatency", "p50LatencyMs", "p99LatencyMs")
    for lead in found["topLeads"]:
        del lead["asOf"]
    for part in (found, found["previous"]):
        for name in latency:
            del part[name]
    return found


async def noted(api: Api) -> list[str]:
    """What the audit log says of sample data."""
    actions = [line["action"] for line in await audit_lines(api)]
    return [action for action in actions if action.startswith("sample_data")]


async def add(api: Api) -> dict[str, int]:
    added: dict[str, int] = await api.call("POST", of(api, "sample-data"), 202)
    answers_data.AddedSample.model_validate(added)
    await api.score()
    return added


# ── Sample data ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PRESETS)
async def test_every_page_has_something_to_show(database: str, tmp_path: Path, name: str) -> None:
    """All stages, risks, merges, companies, sources, days with events: with every preset."""
    async with running_api(database, tmp_path, preset=name) as api:
        await add(api)
        stages = await api.get("/api/leaderboard/by-stage")
        assert all(stages.values()), stages
        dashboard = await api.told("/api/analytics/dashboard", answers_admin.Dashboard)
        assert dashboard["identityResolutions"] > 0
        assert 40 < dashboard["totalLeads"] < 90
        assert 10 < dashboard["identifiedLeads"] < dashboard["totalLeads"]
        leads = (await api.get("/api/leads", params={"limit": 200}))["leads"]
        assert all(lead["sample"] for lead in leads)
        assert len({lead["company"] for lead in leads}) > 5
        assert {lead["risk"] for lead in leads} >= {"low", "medium", "high"}
        best = await api.told(f"/api/leads/{leads[0]['id']}", answers.Lead)
        assert best["firstTouch"] is not None
        cursor = await api.conn.execute("select count(*) from ledger where kind = 1")
        assert await cursor.fetchone() != (0,)
        days = (await api.get("/api/analytics/throughput?hours=720&by=day"))["points"]
        assert sum(day["events"] > 0 for day in days) > 20


async def test_removed_sample_data_leaves_nothing_behind(api: Api) -> None:
    """Rows and figures are as they were before; other people's data stays."""
    await api.send(
        {"event": "signup", "userId": "a", "eventId": "1"},
        {"event": "page_view", "anonymousId": "b", "eventId": "2"},
    )
    await api.score()
    before, told = await rows(api), await figures(api)
    await add(api)
    assert (await figures(api))["totalLeads"] > told["totalLeads"]
    look = await api.told(of(api, "sample-data"), answers_data.SampleData)
    assert look["present"] is True
    gone = await api.call("DELETE", of(api, "sample-data"))
    answers_data.RemovedLeads.model_validate(gone)
    assert gone == {"removed": look["leads"], "remaining": 0}
    assert await api.get(of(api, "sample-data")) == {"present": False, "leads": 0}
    assert await rows(api) == before
    assert await figures(api) == told
    verified = await api.call("POST", "/api/admin/verify")
    assert verified["ok"] is True
    assert await noted(api) == ["sample_data.added", "sample_data.removed"]


async def test_sample_data_is_added_once_however_often_it_is_asked_for(api: Api) -> None:
    """Clicks one after the other and at once double nothing."""
    first = await add(api)
    before = await rows(api)
    again = await asyncio.gather(*(add(api) for _ in range(3)))
    assert {one["events"] for one in again} == {first["events"]}
    assert await rows(api) == before
    assert await noted(api) == ["sample_data.added"]


async def test_sample_data_comes_back_after_it_was_removed(api: Api) -> None:
    """The same people with the same number of events, scored again."""
    first = await add(api)
    leads = (await api.get("/api/leads"))["total"]
    await api.call("DELETE", of(api, "sample-data"))
    assert (await api.get("/api/leads"))["total"] == 0
    assert (await add(api))["events"] == first["events"]
    assert (await api.get("/api/leads"))["total"] == leads


async def test_sample_data_that_was_merged_by_hand_leaves_a_customer_whole(api: Api) -> None:
    """Whoever was merged with a sample stays, with what is his own, and is scored without it."""
    await api.send(
        {"event": "signup", "userId": "mine", "eventId": "1"},
        {"event": "signup", "userId": "other", "eventId": "2"},
    )
    await add(api)
    mine, other = await api.lead_of(user="mine"), await api.lead_of(user="other")
    samples = [lead["id"] for lead in (await api.get("/api/leads"))["leads"] if lead["sample"]]
    into = {"intoId": samples[0]}
    await api.call("POST", f"/api/leads/{mine}/merge", json=into)
    await api.call("POST", f"/api/leads/{samples[1]}/merge", json={"intoId": other})
    await api.score()
    await api.call("DELETE", of(api, "sample-data"))
    await api.score()
    left = (await api.get("/api/leads"))["leads"]
    assert {(lead["id"], lead["userId"], lead["currentScore"]) for lead in left} == {
        (mine, "mine", 30),
        (other, "other", 30),
    }
    assert (await api.call("POST", "/api/admin/verify"))["ok"] is True


async def test_sample_data_follows_the_rules_of_the_project() -> None:
    """With other names and thresholds there are still events that lead to every stage."""
    model = preset("leadpulse")
    rules = tuple(
        replace(rule, event_type=f"{rule.event_type}_here", conditions=()) for rule in model.rules
    )
    own = replace(model, rules=rules, stages=(0, 300, 700, 1_000))
    for stage in (1, 2, 3):
        names = sample.path_to(own, stage)
        assert names
        assert all(name.endswith("_here") for name in names)
    assert sample.path_to(replace(model, rules=()), 1) == []


async def test_a_paused_project_gets_no_sample_data(api: Api) -> None:
    """It is told so with 409, and nothing is kept; nor does it take a simulated event."""
    await api.call("PATCH", f"/api/projects/{api.project.id}", json={"active": False})
    event = {"event": "signup", "userId": "a"}
    for path in (of(api, "sample-data"), "/api/simulator/events"):
        told = await api.call("POST", path, 409, json=event)
        assert told["code"] == "paused"
    assert await api.get(of(api, "sample-data")) == {"present": False, "leads": 0}


# ── Test leads ───────────────────────────────────────────────────────────────────────


async def test_test_leads_are_in_no_figure(api: Api) -> None:
    """Neither they nor their events are counted anywhere."""
    await api.send({"event": "signup", "userId": "a"})
    await api.score()
    before = await figures(api)
    await api.send(
        {"event": "demo_request", "userId": "t", "test": True},
        {"event": "signup", "userId": "t", "test": True},
    )
    await api.send({"event": "signup", "userId": "t", "test": True})
    await api.score()
    assert await figures(api) == before
    assert (await api.get("/api/leaderboard/by-stage"))["qualified"] == 0
    points = (await api.get("/api/analytics/throughput?hours=2"))["points"]
    assert sum(point["events"] for point in points) == 1
    assert sum(point["mutations"] for point in points) == 1


async def test_test_leads_are_removed_at_once(api: Api) -> None:
    """All of them with everything of theirs, and nobody else."""
    await api.send({"event": "signup", "userId": "a", "eventId": "1"})
    await api.score()
    before = await rows(api)
    await api.send(
        *({"event": "signup", "userId": f"t{n}", "test": True, "eventId": f"t{n}"}
          for n in range(250))
    )  # fmt: skip
    await api.score()
    assert await api.told(of(api, "test-leads"), answers_data.TestLeads) == {"leads": 250}
    gone = await api.call("DELETE", of(api, "test-leads"))
    assert gone == {"removed": 250, "remaining": 0}
    assert await rows(api) == before
    assert await api.get(of(api, "test-leads")) == {"leads": 0}
    # Their eventIds are free again.
    await api.send({"event": "signup", "userId": "t1", "test": True, "eventId": "t1"})
    assert await api.get(of(api, "test-leads")) == {"leads": 1}


async def test_who_sent_more_than_tests_is_not_removed_with_them(api: Api) -> None:
    """Also when no scorer has seen his event yet."""
    await api.send({"event": "signup", "userId": "both", "test": True})
    await api.score()
    await api.send({"event": "demo_request", "userId": "both"})
    gone = await api.call("DELETE", of(api, "test-leads"))
    assert gone["removed"] == 0
    await api.score()
    await api.call("DELETE", of(api, "test-leads"))
    cursor = await api.conn.execute("select count(*) from events")
    assert await cursor.fetchone() == (2,)


# ── Simulated events ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_simulated_event_can_be_followed(
    api: Api, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
) -> None:
    """Each step has its time, in order, whether or not PostgreSQL keeps commit times."""
    if not keeps:
        monkeypatch.setattr(
            "leadpulse.postgres.events_read._COMMITTED", "null::timestamptz", raising=True
        )
    member = await someone(api, "member")
    sent = await api.call(
        "POST", "/api/simulator/events", 202, key=member.token,
        json={"event": "demo_request", "email": "eve@example.com", "eventId": "s-1"},
    )  # fmt: skip
    answers_data.Simulated.model_validate(sent)
    assert (sent["status"], sent["eventId"]) == ("queued", "s-1")
    waiting = (await api.get(f"/api/events/{sent['id']}"))["pipeline"]
    assert waiting["receivedAt"] <= waiting["committedAt"]
    assert (waiting["claimedAt"], waiting["scoredAt"]) == (None, None)
    await api.score()
    found = await api.told(f"/api/events/{sent['id']}", answers.EventDetail)
    way = found["pipeline"]
    assert way["receivedAt"] <= way["committedAt"] <= way["claimedAt"] <= way["scoredAt"]
    assert way["committedAt"] == waiting["committedAt"]
    assert found["leadId"] == sent["leadId"]
    # It came from within: it confirms who somebody is.
    assert (await api.get(f"/api/leads/{sent['leadId']}"))["claimed"] == []


async def test_a_simulated_event_is_answered_as_any_other(api: Api) -> None:
    """Twice it is a duplicate, as something else a conflict, and what is wrong is named."""
    event = {"event": "signup", "userId": "a", "eventId": "s-1"}
    first = await api.call("POST", "/api/simulator/events", 202, json=event)
    again = await api.call("POST", "/api/simulator/events", 202, json=event)
    assert again == {**first, "status": "duplicate"}
    other = await api.call(
        "POST", "/api/simulator/events", 202, json={**event, "event": "demo_request"}
    )
    assert other["status"] == "conflict"
    wrong = await api.call("POST", "/api/simulator/events", 422, json={"event": "signup"})
    assert wrong["code"] == "invalid"
    await api.call("POST", "/api/simulator/events", 422, json={"userId": "a"})
    unknown = {"event": "signup", "leadId": "0190a5d0-ac96-774b-bcce-b302099a8057"}
    told = await api.call("POST", "/api/simulator/events", 422, json=unknown)
    assert told["code"] == "unknown_lead"


async def test_a_simulated_event_of_an_erased_person_is_not_kept(api: Api) -> None:
    """The answer is as ever, and there is nothing to follow."""
    lead = (await api.call("POST", "/api/leads", 201, json={"userId": "gone"}))["id"]
    await api.call("POST", f"/api/leads/{lead}/erase")
    sent = await api.call(
        "POST", "/api/simulator/events", 202, json={"event": "signup", "userId": "gone"}
    )
    assert (sent["status"], sent["id"], sent["leadId"]) == ("queued", None, None)


# ── First steps ──────────────────────────────────────────────────────────────────────


async def test_first_steps_follow_what_happened(api: Api) -> None:
    """From nothing to the first qualified lead; neither tests nor samples count."""
    path = of(api, "first-steps")
    nothing = {
        "firstEventAt": None, "firstLeadAt": None, "firstIdentifiedAt": None,
        "firstQualifiedAt": None, "dismissed": False,
    }  # fmt: skip
    assert await api.told(path, answers_data.FirstSteps) == nothing
    await add(api)
    await api.send({"event": "demo_request", "userId": "t", "test": True})
    await api.score()
    assert await api.get(path) == nothing
    await api.send({"event": "page_view", "anonymousId": "v", "eventId": "1"})
    await api.score()
    found = await api.get(path)
    event = next(e for e in (await api.get("/api/events"))["events"] if e["eventId"] == "1")
    assert found["firstEventAt"] == event["receivedAt"]
    assert found["firstLeadAt"] is not None
    assert found["firstIdentifiedAt"] is None
    await api.send(
        {"event": "demo_request", "anonymousId": "v", "userId": "a"},
        {"event": "signup", "userId": "a"},
    )
    await api.score()
    found = await api.told(path, answers_data.FirstSteps)
    assert found["firstIdentifiedAt"] is not None
    assert found["firstQualifiedAt"] is not None


async def test_each_member_puts_the_first_steps_away_for_himself(api: Api) -> None:
    """And gets them back; keys have nobody to do it for."""
    path = of(api, "first-steps")
    one, other = await someone(api, "viewer"), await someone(api, "owner")
    away = await api.call("PUT", path, key=one.token, json={"dismissed": True})
    answers_data.FirstSteps.model_validate(away)
    assert away["dismissed"] is True
    assert (await api.get(path, key=one.token))["dismissed"] is True
    assert (await api.get(path, key=other.token))["dismissed"] is False
    back = await api.call("PUT", path, key=one.token, json={"dismissed": False})
    assert back["dismissed"] is False
    refused = await api.call("PUT", path, 403, json={"dismissed": True})
    assert refused["code"] == "people_only"
    await api.call("PUT", path, 422, key=one.token, json={"dismissed": "yes"})
