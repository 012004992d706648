"""The promises a newcomer would try first, over HTTP against a whole installation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import httpx
import pytest

from support.server import Project, Server, running, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("worked")) as server:
        yield server


def post(server: Server, key: str, **event: Any) -> dict[str, Any]:
    """One event by the public call."""
    answer = httpx.post(
        f"{server.url}/api/ingest/event", json=event, headers={"X-API-Key": key}, timeout=30
    )
    assert answer.status_code == 202, answer.text
    said: dict[str, Any] = answer.json()
    return said


def get(server: Server, project: Project, path: str, **query: Any) -> Any:
    answer = httpx.get(
        f"{server.url}{path}",
        params=query,
        headers={"Authorization": f"Bearer {project.secret_key}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def scored(server: Server, project: Project, user: str, entries: int) -> dict[str, Any]:
    """The lead of a userId once its ledger has so many entries, with `history` in it."""

    def look() -> dict[str, Any] | None:
        found = get(server, project, "/api/leads", q=user)["leads"]
        if not found:
            return None
        # The ledger first: a lead that is read after it is no older.
        one = f"/api/leads/{found[0]['id']}"
        history = get(server, project, f"{one}/history")["entries"]
        if len(history) < entries:
            return None
        return {**get(server, project, one), "history": history}

    found: dict[str, Any] = wait_until(f"{entries} entries of {user}", look, 20)
    return found


def minutes_ago(minutes: float) -> int:
    """Epoch milliseconds."""
    return int((time.time() - minutes * 60) * 1000)


@pytest.mark.parametrize(
    ("preset", "scores", "stages"),
    [
        ("classic", [1, 21, 51], ["cold", "warm", "hot"]),
        ("sales", [5, 25, 75], ["cold", "cold", "hot"]),
    ],
)
def test_three_steps(server: Server, preset: str, scores: list[float], stages: list[str]) -> None:
    """page_view, signup, demo_request give the scores and stages that the preset promises."""
    project = server.project(f"Three {preset}", preset)
    for index, kind in enumerate(("page_view", "signup", "demo_request")):
        post(server, project.write_key, event=kind, userId="ann", timestamp=minutes_ago(10 - index))
    lead = scored(server, project, "ann", 3)
    assert [entry["newScore"] for entry in lead["history"]] == scores
    assert [entry["stage"] for entry in lead["history"]] == stages
    assert (lead["currentScore"], lead["leadStage"]) == (scores[-1], stages[-1])
    assert lead["eventsLast24h"] == 3


def test_any_order_of_arrival(server: Server) -> None:
    """The three steps give 75 and hot whatever order they arrive in."""
    project = server.project("Orders", "sales")
    steps = {"page_view": 60, "signup": 45, "demo_request": 30}
    for number, order in enumerate(permutations(steps)):
        for kind in order:
            post(
                server,
                project.write_key,
                event=kind,
                userId=f"visitor-{number}",
                timestamp=minutes_ago(steps[kind]),
            )
            time.sleep(0.05)
    for number in range(6):
        lead = scored(server, project, f"visitor-{number}", 3)
        assert [entry["newScore"] for entry in lead["history"]] == [5, 25, 75]
        assert (lead["currentScore"], lead["leadStage"]) == (75, "hot")


def test_a_demo_request_then_unsubscribed(server: Server) -> None:
    """One demo request is hot and asks for a demo; unsubscribing by a secret key costs 20."""
    project = server.project("Demo")
    post(server, project.write_key, event="demo_request", userId="bob")
    lead = scored(server, project, "bob", 1)
    assert (lead["currentScore"], lead["leadStage"], lead["velocity"]) == (50, "hot", 3)
    meaning = get(server, project, f"/api/leads/{lead['id']}/intelligence")
    assert (meaning["risk"], meaning["nextAction"]) == ("low", "schedule_demo")
    post(server, project.secret_key, event="unsubscribe", userId="bob")
    lead = scored(server, project, "bob", 2)
    assert (lead["currentScore"], lead["leadStage"], lead["velocity"]) == (30, "warm", 3)


def test_four_page_views_a_day(server: Server) -> None:
    """Page views give 15 points a day at most, and the ledger shows every one of them."""
    project = server.project("Views")
    for index in range(4):
        post(
            server,
            project.write_key,
            event="Page View",
            userId="eve",
            # A quarter of an hour of one UTC day, whenever the test runs.
            timestamp=(int(time.time()) // 86_400 - 1) * 86_400_000 + 60_000 * index,
        )
    lead = scored(server, project, "eve", 4)
    assert [entry["newScore"] for entry in lead["history"]] == [5, 10, 15, 15]


@pytest.mark.parametrize("preset", ["leadpulse", "classic", "sales"])
def test_the_same_event_at_the_same_instant(server: Server, preset: str) -> None:
    """One eventId sent by sixteen clients at once counts once."""
    project = server.project(f"Twice {preset}", preset)
    with ThreadPoolExecutor(16) as clients:
        answers = list(
            clients.map(
                lambda _: post(
                    server, project.write_key, event="demo_request", userId="dup", eventId="once"
                ),
                range(16),
            )
        )
    statuses = sorted(answer["status"] for answer in answers)
    assert statuses == ["duplicate"] * 15 + ["queued"]
    lead = scored(server, project, "dup", 1)
    assert len(lead["history"]) == 1
    assert lead["eventsLast24h"] == 1


def test_the_older_calls(server: Server) -> None:
    """Clients of the older interface find the answers that they know."""
    project = server.project("Older")
    made = httpx.post(
        f"{server.url}/api/leads",
        json={"name": "Alice Smith", "email": "alice@example.com", "company": "TechCorp"},
        headers={"Authorization": f"Bearer {project.secret_key}"},
        timeout=30,
    )
    assert made.status_code == 201, made.text
    lead = made.json()["_id"]
    one = httpx.post(
        f"{server.url}/api/events",
        json={"eventType": "page_view", "leadId": lead, "eventId": "evt_001"},
        headers={"X-API-Key": project.write_key},
        timeout=30,
    )
    assert (one.status_code, one.json()) == (
        202,
        {"message": "Event queued for processing", "eventId": "evt_001", "status": "queued"},
    )
    two = httpx.post(
        f"{server.url}/api/events/batch",
        json={
            "apiKey": project.write_key,
            "events": [
                {"eventType": "signup", "leadId": lead, "eventId": "evt_002"},
                {"eventType": "demo_request", "leadId": lead, "eventId": "evt_003"},
            ],
        },
        timeout=30,
    )
    assert two.status_code == 202
    assert (two.json()["message"], two.json()["count"]) == ("2 events queued", 2)
    wait_until(
        "three scored events",
        lambda: get(server, project, f"/api/leads/{lead}")["currentScore"] == 85,
        20,
    )
    assert get(server, project, "/api/leaderboard", limit=1)["leads"][0]["_id"] == lead
    assert get(server, project, "/api/leaderboard/by-stage") == {
        "cold": 0, "warm": 0, "hot": 0, "qualified": 1,
    }  # fmt: skip
    assert len(get(server, project, "/api/scoring-rules")["rules"]) == 11
