"""Figures, administration, health and metrics over HTTP."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers, answers_admin
from leadpulse.postgres.connect import connect
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import figures
from leadpulse.usecases.figures import count_pass
from support.api import running_api

if TYPE_CHECKING:
    from pathlib import Path

    from support.api import Api


def at(days: float) -> str:
    return to_rfc3339(int((time.time() - days * 86_400) * 1_000_000))


async def test_the_dashboard_counts(api: Api) -> None:
    """Events, leads, stages and types add up; empty projects have figures too."""
    empty = await api.told("/api/analytics/dashboard", answers_admin.Dashboard)
    assert (empty["totalEvents"], empty["averageScore"], empty["avgLatency"]) == (0, None, None)
    await api.send(
        {"event": "demo_request", "userId": "a"},
        {"event": "signup", "userId": "a"},
        {"event": "signup", "anonymousId": "b"},
    )
    await api.score()
    answer = await api.told("/api/analytics/dashboard", answers_admin.Dashboard)
    assert (answer["totalEvents"], answer["eventsToday"]) == (3, 3)
    assert (answer["totalLeads"], answer["identifiedLeads"]) == (2, 1)
    assert answer["averageScore"] == 55
    assert answer["eventsByType"] == [
        {"eventType": "signup", "events": 2},
        {"eventType": "demo_request", "events": 1},
    ]
    assert sum(bucket["leads"] for bucket in answer["scoreDistribution"]) == 2
    assert answer["topLeads"][0]["userId"] == "a"
    assert answer["previous"]["totalLeads"] == 0


async def test_every_figure_has_the_one_of_a_day_before(api: Api, database: str) -> None:
    """As a worker counted the project then; sample data that was there counts then, too."""
    models = ModelCache()

    async def count() -> None:
        worker = await connect(database, "figures")
        while await count_pass(worker, models):
            pass
        await worker.close()

    await api.send({"event": "signup", "userId": "a"}, {"event": "signup", "anonymousId": "b"})
    await api.score()
    young = (await api.get("/api/analytics/dashboard"))["previous"]
    assert (young["totalLeads"], young["averageScore"]) == (0, None)
    await api.conn.execute("update projects set created_at = created_at - interval '9 days'")
    unknown = await api.told("/api/analytics/dashboard", answers_admin.Dashboard)
    assert unknown["previous"]["totalLeads"] is None
    await count()
    await api.conn.execute("update figures_hourly set hour = hour - interval '25 hours'")
    await api.send({"event": "demo_request", "userId": "c"}, {"event": "signup", "userId": "c"})
    await api.score()
    found = await api.told("/api/analytics/dashboard", answers_admin.Dashboard)
    assert (found["totalLeads"], found["identifiedLeads"], found["qualifiedLeads"]) == (3, 2, 1)
    assert found["averageScore"] == pytest.approx((30 + 30 + 80) / 3)
    names = ("totalLeads", "identifiedLeads", "identityResolutions", "qualifiedLeads")
    assert [found["previous"][name] for name in names] == [2, 1, 0, 0]
    assert found["previous"]["averageScore"] == 30
    await api.call("POST", f"/api/projects/{api.project.id}/sample-data", 202)
    await api.score()
    assert (await api.get("/api/analytics/dashboard"))["previous"]["totalLeads"] == 2
    await api.conn.execute("update sample_data set added_at = added_at - interval '2 days'")
    found = await api.get("/api/analytics/dashboard")
    assert found["totalLeads"] - found["previous"]["totalLeads"] == 1


async def test_a_large_project_is_told_as_it_was_counted_last(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who asks counts it; a count beside the scorers brings what is new."""
    monkeypatch.setattr(figures, "SMALL", 1)
    assert await count_pass(api.conn, ModelCache()) == 1
    await api.send({"event": "signup", "userId": "a"}, {"event": "signup", "userId": "b"})
    await api.score()
    # It was empty when it was counted last.
    assert (await api.get("/api/analytics/dashboard"))["totalLeads"] == 2
    await api.conn.execute("update figures set next_at = clock_timestamp()")
    assert await count_pass(api.conn, ModelCache()) == 1
    assert await count_pass(api.conn, ModelCache()) == 0
    await api.send({"event": "demo_request", "userId": "c"}, {"event": "signup", "userId": "c"})
    await api.score()
    kept = await api.get("/api/analytics/dashboard")
    assert (kept["totalLeads"], kept["identifiedLeads"], kept["averageScore"]) == (2, 2, 30)
    assert sum(bucket["leads"] for bucket in kept["scoreDistribution"]) == 2
    assert (await api.get("/api/leaderboard/by-stage"))["qualified"] == 0
    await api.conn.execute("update figures set next_at = clock_timestamp()")
    assert await count_pass(api.conn, ModelCache()) == 1
    assert (await api.get("/api/analytics/dashboard"))["totalLeads"] == 3
    assert (await api.get("/api/leaderboard/by-stage"))["qualified"] == 1


async def test_throughput_by_day_knows_where_days_begin(api: Api) -> None:
    """In the project's time zone, daylight saving included, and whole."""
    await api.call("PATCH", f"/api/projects/{api.project.id}", json={"timeZone": "Asia/Kolkata"})
    await api.send({"event": "signup", "userId": "a"}, {"event": "signup", "userId": "b"})
    await api.score()
    answer = await api.told("/api/analytics/throughput?hours=168&by=day", answers_admin.Throughput)
    assert answer["by"] == "day"
    assert len(answer["points"]) in {7, 8}
    assert all("T18:30:00" in point["from"] for point in answer["points"])
    assert sum(point["events"] for point in answer["points"]) == 2
    assert sum(point["mutations"] for point in answer["points"]) == 2
    await api.call("PATCH", f"/api/projects/{api.project.id}", json={"timeZone": "Europe/Berlin"})
    year = (await api.get("/api/analytics/throughput?hours=8784&by=day"))["points"]
    assert len(year) in {366, 367}
    assert {point["from"][11:19] for point in year} == {"22:00:00", "23:00:00"}
    await api.get("/api/analytics/throughput?hours=8785&by=day", 422)
    await api.get("/api/analytics/throughput?hours=745", 422)
    await api.get("/api/analytics/throughput?by=week", 422)


async def test_fault_10_latency_is_measured_by_our_own_clock(api: Api) -> None:
    """A client whose event happened a month ago makes nothing slow."""
    await api.send({"event": "signup", "userId": "a", "timestamp": at(30)})
    await api.score()
    answer = await api.get("/api/analytics/dashboard")
    assert 0 <= answer["avgLatency"] < 60_000
    assert 0 <= answer["p50LatencyMs"] <= answer["p99LatencyMs"] < 60_000


async def test_fault_11_one_threshold_says_who_is_qualified(api: Api) -> None:
    """Dashboard, list, leaderboard and the lead agree, also when the model moves it."""
    await api.send(
        {"event": "demo_request", "userId": "a"},
        {"event": "signup", "userId": "a"},
        {"event": "demo_request", "userId": "b"},
    )
    await api.score()

    async def qualified() -> set[int]:
        lead = await api.lead_of(user="b")
        return {
            (await api.get("/api/analytics/dashboard"))["qualifiedLeads"],
            (await api.get("/api/leaderboard/by-stage"))["qualified"],
            (await api.get("/api/leads?stage=qualified"))["total"],
            1 + ((await api.get(f"/api/leads/{lead}"))["leadStage"] == "qualified"),
            1 + ((await api.get(f"/api/leads/{lead}/intelligence"))["stage"] == "qualified"),
        }

    assert await qualified() == {1}
    model = await api.get("/api/model")
    model["stages"][3]["from"] = 50
    await api.call("PUT", "/api/model", json=model)
    assert await qualified() == {2}


async def test_fault_15_no_name_runs_as_a_formula(api: Api) -> None:
    """What a spreadsheet would take for a formula comes with an apostrophe in front."""
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", '"=1"', 'a,"b"\n=c', "Ada"]
    for number, name in enumerate(names):
        await api.call(
            "POST",
            "/api/leads",
            201,
            json={"userId": f"u{number}", "traits": {"name": name, "company": name}},
        )
    answer = await api.client.get(
        "/api/leads/export", headers={"X-API-Key": api.project.secret_key}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="leads-export.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == len(names)
    assert list(rows[0]) == [
        "id", "name", "email", "company", "stage", "score", "velocity", "risk", "lastEventAt",
        "createdAt", "traits",
    ]  # fmt: skip
    for row in rows:
        for cell in (row["name"], row["company"]):
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert rows[-1]["name"] == "Ada"


async def test_an_export_takes_the_filters_of_the_list(api: Api) -> None:
    """Only what matches is in the file; every portion of it."""
    await api.conn.execute(
        """
        with made as (
            insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at)
            select %(p)s, gen_random_uuid(), n, now(), 1, now(), now()
            from generate_series(1, 1200) n returning project_id, id
        )
        insert into lead_profiles (project_id, lead_id, updated_at)
        select project_id, id, now() from made
        """,
        {"p": api.project.id},
    )
    headers = {"X-API-Key": api.project.secret_key}
    whole = await api.client.get("/api/leads/export", headers=headers)
    assert len(whole.text.splitlines()) == 1201
    some = await api.client.get("/api/leads/export?minScore=1151", headers=headers)
    assert len(some.text.splitlines()) == 51
    await api.get("/api/leads/export?minScore=x", 422)


async def test_throughput_has_every_hour(api: Api) -> None:
    """Hours without events are there as zeros."""
    await api.send({"event": "signup", "userId": "a"}, {"event": "signup", "userId": "b"})
    await api.score()
    answer = await api.told("/api/analytics/throughput?hours=48", answers_admin.Throughput)
    assert len(answer["points"]) == 48
    assert sum(point["events"] for point in answer["points"][-2:]) == 2
    assert sum(point["mutations"] for point in answer["points"][-2:]) == 2
    await api.get("/api/analytics/throughput?hours=0", 422)
    await api.get("/api/analytics/throughput?hours=100000", 422)


async def test_queue_health_and_mutations(api: Api) -> None:
    """What waits is counted; what was scored is listed newest first with its lead."""
    await api.send({"event": "signup", "userId": "a", "eventId": "1"})
    waiting = await api.told("/api/analytics/queue-health", answers_admin.QueueHealth)
    assert (waiting["waiting"], waiting["failed"]) == (1, 0)
    assert waiting["oldestSeconds"] >= 0
    assert (await api.get("/api/analytics/score-mutations"))["mutations"] == []
    await api.score()
    await api.send({"event": "page_view", "userId": "a", "eventId": "2"})
    await api.score()
    done = await api.told("/api/analytics/queue-health", answers_admin.QueueHealth)
    assert (done["waiting"], done["completed"]) == (0, 2)
    answer = await api.told("/api/analytics/score-mutations", answers_admin.ScoreMutations)
    assert [(m["eventId"], m["oldScore"], m["newScore"]) for m in answer["mutations"]] == [
        ("2", 30, 35),
        ("1", 0, 30),
    ]
    await api.get("/api/analytics/score-mutations?limit=201", 422)


async def test_mutations_are_listed_while_a_flood_waits(api: Api) -> None:
    """When none of the newest events is scored yet, those of the newest leads are told."""
    await api.send({"event": "signup", "userId": "a", "eventId": "1"})
    await api.score()
    await api.send(*({"event": "page_view", "userId": "b"} for _ in range(600)))
    answer = await api.get("/api/analytics/score-mutations?limit=10")
    assert [m["eventId"] for m in answer["mutations"]] == ["1"]


async def test_conflicts_are_kept_for_a_look(api: Api) -> None:
    """The same eventId for something else is listed with what was sent."""
    await api.send({"event": "signup", "userId": "a", "eventId": "1"})
    await api.send({"event": "signup", "userId": "b", "eventId": "1"})
    answer = await api.told("/api/admin/conflicts", answers_admin.Conflicts)
    (found,) = answer["conflicts"]
    assert found["eventId"] == "1"


async def test_system_health_failed_jobs_and_quarantine(api: Api) -> None:
    """An administrator sees what failed and what is held, page by page."""
    await api.send({"event": "signup", "userId": "a"}, {"event": "signup", "userId": "b"})
    await api.score()
    leads = [lead["id"] for lead in (await api.get("/api/leads"))["leads"]]
    await api.conn.execute("update events set quarantined = true")
    for lead in leads:
        await api.conn.execute(
            """
            insert into dead_letters (project_id, id, lead_id, kind, error, attempts,
                first_failed_at, failed_at)
            values (%s, %s, %s, 'scoring', 'it broke', 6, now(), now())
            """,
            (api.project.id, lead, lead),
        )
    system = await api.told("/api/admin/system-health", answers_admin.SystemHealth)
    assert (system["queue"]["failed"], system["heldLeads"]) == (2, 2)
    assert system["valkey"] == {"state": "none", "latencyMs": None}
    assert 0 < system["database"]["latencyMs"] < 10_000
    assert system["database"]["startedAt"] < system["api"]["startedAt"]
    for path, model, name in (
        ("failed-jobs", answers_admin.FailedJobs, "jobs"),
        ("quarantine", answers_admin.Quarantine, "leads"),
    ):
        first = await api.told(f"/api/admin/{path}?limit=1", model)
        rest = await api.told(f"/api/admin/{path}?limit=1&cursor={first['nextCursor']}", model)
        assert len(first[name]) == len(rest[name]) == 1
        assert first[name] != rest[name]
        assert rest["nextCursor"] is None
        await api.get(f"/api/admin/{path}?cursor=x", 422)
    assert (await api.get("/api/admin/failed-jobs?state=discarded"))["jobs"] == []


async def test_verify_over_http(api: Api) -> None:
    """A project whose scores were tampered with is told apart from one that wasn't."""
    await api.send({"event": "signup", "userId": "a"})
    await api.score()
    good = await api.call("POST", "/api/admin/verify")
    answers_admin.VerifyReport.model_validate(good)
    assert good["ok"] is True
    await api.conn.execute("update leads set score = score + 1")
    bad = await api.call("POST", "/api/admin/verify")
    assert (bad["ok"], bad["differingCount"]) == (False, 1)


async def test_strangers_learn_whether_it_works_and_no_more(api: Api) -> None:
    """Health is public, its details are not; a wrong key is a stranger."""
    for headers in ({}, {"X-API-Key": "sk_x"}, {"X-API-Key": api.project.write_key}):
        answer = await api.client.get("/api/health", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    known = await api.told("/api/health", answers_admin.Health)
    assert known["database"] == "up"
    assert (await api.client.get("/api/health/live")).json() == {"status": "ok"}


async def test_health_is_down_when_the_database_is(api: Api) -> None:
    """503, and no error that tells why."""
    await api.services.pool.close()
    answer = await api.client.get("/api/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "down"})
    assert (await api.client.get("/api/health/live")).status_code == 200
    gone = await api.get("/api/leads", 503)
    assert gone["code"] == "overloaded"


async def test_metrics_need_their_token(database: str, tmp_path: Path) -> None:
    """Without LEADPULSE_METRICS_TOKEN nobody reads them."""
    token = "a-token-of-sufficient-length"
    async with running_api(database, tmp_path, metrics_token=token) as api:
        assert (await api.client.get("/metrics")).status_code == 401
        wrong = await api.client.get("/metrics", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        await api.send({"event": "signup", "userId": "a"})
        await api.get("/api/leads")
        page = await api.client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert page.status_code == 200
        assert "leadpulse_queue_waiting 1.0" in page.text
        assert 'path="/api/leads",status="200"' in page.text


async def test_every_answer_has_a_request_id(api: Api) -> None:
    """Errors name it too, so that a person can ask about them."""
    found: list[httpx.Response] = [
        await api.client.get("/api/health"),
        await api.client.get("/api/leads"),
        await api.client.get("/nowhere"),
        await api.client.put("/api/leads"),
    ]
    assert len({answer.headers["x-request-id"] for answer in found}) == 4
    assert [answer.status_code for answer in found] == [200, 401, 404, 405]
    for answer in found[1:]:
        problem: dict[str, Any] = answer.json()
        answers.Problem.model_validate(problem)
        assert problem["instance"] == answer.headers["x-request-id"]
    assert found[3].headers["allow"]


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://evil.example"])
async def test_only_configured_origins_may_read(database: str, tmp_path: Path, origin: str) -> None:
    """A browser on another site reads nothing; the configured one sees the request id."""
    allowed = "https://app.example.com"
    async with running_api(database, tmp_path, frontend_url=(allowed,)) as api:
        answer = await api.client.get("/api/health", headers={"Origin": origin})
        shown = answer.headers.get("access-control-allow-origin")
        assert shown == (allowed if origin == allowed else None)
