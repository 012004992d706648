"""Eighteen months of real purchases, shuffled, doubled, crashed through, and still exact."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.facts import Fact
from leadpulse.domain.fold import Folded, at, fold
from leadpulse.domain.intelligence import stage_of
from leadpulse.domain.model import parse_model
from leadpulse.domain.state import State
from support.cdnow import as_events, purchases
from support.server import Project, Server, report, running, wait_until

BATCH = 250
CLIENTS = 4
SCOPES = ("admin", "rules:write", "leads:read")
RULES = (
    {"eventType": "purchase", "name": "A purchase", "points": 10, "maxPerDay": 2},
    {
        "eventType": "purchase",
        "name": "A big basket",
        "points": 15.5,
        "conditions": [{"field": "value", "op": "gte", "value": 50}],
    },
    {
        "eventType": "purchase",
        "name": "Several at once, ever",
        "points": 7,
        "once": True,
        "conditions": [{"field": "quantity", "op": "gt", "value": 3}],
    },
)


def send(server: Server, key: str, batches: list[list[dict[str, Any]]]) -> int:
    """Sends batches until each is acknowledged; returns how many events were new."""
    fresh = 0
    with httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=30) as client:
        for batch in batches:
            while True:
                try:
                    answer = client.post("/api/ingest/batch", json={"events": batch})
                except httpx.HTTPError:
                    time.sleep(0.2)
                    continue
                if answer.status_code == 503:
                    time.sleep(0.2)
                    continue
                assert answer.status_code == 202, answer.text
                said = answer.json()
                assert not said["rejected"], said["rejected"][:3]
                assert said["accepted"] + said["duplicates"] == len(batch)
                fresh += said["accepted"]
                break
    return fresh


def shuffled_batches(events: list[dict[str, Any]], chance: random.Random) -> list[Any]:
    """Everything once and 5 % twice, in any order, in batches."""
    sent = [*events, *chance.sample(events, len(events) // 20)]
    chance.shuffle(sent)
    return [sent[i : i + BATCH] for i in range(0, len(sent), BATCH)]


def kill_scorers(server: Server, chance: random.Random, stop: threading.Event) -> int:
    """SIGKILLs one scorer after the other while events flow; returns how many."""
    killed = 0
    while not stop.wait(chance.uniform(0.4, 1.2)) and killed < 8:
        scorers = server.scorers()
        if scorers:
            chance.choice(scorers).kill()
            killed += 1
    return killed


def deliver(server: Server, project: Project, events: list[dict[str, Any]]) -> int:
    """Four clients at once, with the scorers killed again and again; returns the kills."""
    chance = random.Random(1997)
    batches = shuffled_batches(events, chance)
    stop = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        killer = threads.submit(kill_scorers, server, chance, stop)
        shares = [
            threads.submit(send, server, project.secret_key, batches[n::CLIENTS])
            for n in range(CLIENTS)
        ]
        fresh = sum(share.result() for share in shares)
        stop.set()
        kills = killer.result()
    # A batch whose answer was lost counts its events as duplicates when it is sent again.
    assert fresh <= len(events)
    return kills


def plain_folds(events: list[dict[str, Any]], model: dict[str, Any]) -> dict[str, Folded]:
    """Every customer's purchases, folded in their plain order."""
    models = Models({1: compile_model(parse_model(model, 1))}, 1, 1)
    facts: dict[str, list[Fact]] = {}
    for event in events:
        ts = dt.datetime.fromisoformat(event["timestamp"])
        facts.setdefault(event["userId"], []).append(
            Fact(
                int(ts.timestamp()) * 1_000_000,
                event["eventId"],
                0,
                event["eventId"],
                event["event"],
                1,
                event["properties"],
            )
        )
    return {user: fold(State(), sorted(found), models) for user, found in facts.items()}


LEDGER = """
    select p.user_id, l.kind, e.event_id, l.old_score, l.delta, l.new_score, l.points, l.steps
      from ledger l
      join leads d on d.project_id = l.project_id and d.id = l.lead_id
                  and d.generation = l.generation
      join lead_profiles p on p.project_id = l.project_id and p.lead_id = l.lead_id
      join events e on e.project_id = l.project_id and e.id = l.event
     where l.project_id = %s
     order by p.user_id, l.at, l.entry
"""


def stored_ledgers(server: Server, project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """The ledger of every lead, straight from the database."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with psycopg.connect(server.dsn) as connection:
        for user, *entry in connection.execute(LEDGER, [project.id]):
            found.setdefault(user, []).append(tuple(entry))
    return found


def all_leads(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Every lead of the project, page by page."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        answer = client.get(
            "/api/leads", params={"limit": 200, **({"cursor": cursor} if cursor else {})}
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.update({lead["userId"]: lead for lead in page["leads"]})
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def instant(text: str) -> int:
    """Microseconds of a time on the wire."""
    whole = dt.datetime.fromisoformat(text)
    return int(whole.replace(microsecond=0).timestamp()) * 1_000_000 + whole.microsecond


@pytest.mark.timeout(900)
def test_cdnow(tmp_path: Path) -> None:
    """Every customer's score, stage and ledger equal the plain fold of the real purchases."""
    events = as_events(purchases(), dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
    with running(tmp_path, workers=2) as server:
        project = server.project("CDNOW")
        admin = {"Authorization": f"Bearer {server.secret_key(project, SCOPES)}"}
        with httpx.Client(base_url=server.url, headers=admin, timeout=60) as client:
            for rule in RULES:
                answer = client.post("/api/rules", json=rule)
                assert answer.status_code == 201, answer.text
            model = client.get("/api/model").json()
            model.pop("rescore")
            began = time.monotonic()
            kills = deliver(server, project, events)
            sent = time.monotonic()
            wait_until("an empty queue", lambda: drained(client), 300, 0.2)
            scored = time.monotonic()
            assert kills >= 3
            expected = plain_folds(events, model)
            compare_ledgers(expected, stored_ledgers(server, project))
            compare_leads(expected, all_leads(client), model)
        found = server.verify()
    assert found["ok"], found["differing"][:3]
    assert found["leadsChecked"] >= len(expected)
    report(
        f"CDNOW: {len(events)} purchases accepted in {sent - began:.1f} s, all scored after "
        f"{scored - began:.1f} s, scorers killed {kills} times"
    )


def drained(client: httpx.Client) -> bool:
    """Nothing waits and nobody works."""
    health = client.get("/api/analytics/queue-health").json()
    assert health["failed"] == 0, health
    return bool(health["waiting"] == 0 and health["active"] == 0)


def compare_ledgers(expected: dict[str, Folded], stored: dict[str, list[tuple[Any, ...]]]) -> None:
    """Entry by entry: kind, event, scores, points and steps of decay."""
    assert stored.keys() == expected.keys()
    for user, folded in expected.items():
        assert stored[user] == [
            (e.kind, e.event, e.old, e.delta, e.new, e.points, e.steps) for e in folded.entries
        ], user


def compare_leads(
    expected: dict[str, Folded], leads: dict[str, dict[str, Any]], model: dict[str, Any]
) -> None:
    """Score and stage over HTTP, each at the instant that the answer names."""
    assert leads.keys() == expected.keys()
    scoring = parse_model(model, 1)
    for user, folded in expected.items():
        lead = leads[user]
        score = at(folded.state, instant(lead["asOf"])).score
        assert lead["currentScore"] == score, user
        assert lead["leadStage"] == stage_of(scoring, score), user
