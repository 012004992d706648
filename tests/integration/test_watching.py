"""What an operator sees of a running installation: health, figures, and logs that give nobody away.

One installation for all of it, started as people start it.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.postgres import reachable_folder
from support.server import Project, Server, free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

TOKEN = "a-token-of-sufficient-length"
EMAIL = "ann.smith@private.example"
NAME = "Annabel Quill"
WORKER_PORT = free_port()
WORKER = f"http://127.0.0.1:{WORKER_PORT}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A running `serve` that logs as in production."""
    settings = {
        "LEADPULSE_METRICS_TOKEN": TOKEN,
        "LEADPULSE_LOG_FORMAT": "json",
        "LEADPULSE_WORKER_PORT": str(WORKER_PORT),
    }
    folder = reachable_folder()
    try:
        with running(folder, workers=1, settings=settings) as started:
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def project(server: Server) -> Project:
    return server.project()


def lines(server: Server, word: str) -> list[dict[str, str]]:
    """Log lines about something, each of which must be one JSON object."""
    found = [line for line in server.log().splitlines() if line.startswith("{") and word in line]
    return [json.loads(line) for line in found]


def scrape(url: str, **headers: str) -> dict[str, Metric]:
    answer = httpx.get(f"{url}/metrics", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    """The sum of a sample over all series with these labels."""
    return sum(
        one.value
        for family in families.values()
        for one in family.samples
        if one.name == sample and labels.items() <= one.labels.items()
    )


def post(server: Server, path: str, key: str, body: object) -> httpx.Response:
    headers = {"X-API-Key": key}
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=30)


# ── Figures ──────────────────────────────────────────────────────────────────────────


def test_the_api_counts_what_it_answers(server: Server, project: Project) -> None:
    """Events by outcome, calls by status and time, commits, transactions, the queue."""
    before = scrape(server.url, Authorization=f"Bearer {TOKEN}")
    event = {"event": "signup", "email": EMAIL, "eventId": "one"}
    for _ in range(2):
        assert post(server, "/api/ingest/event", project.write_key, event).status_code == 202
    assert post(server, "/api/ingest/event", project.write_key, {}).status_code == 422
    headers = {"X-API-Key": project.secret_key}
    assert httpx.get(f"{server.url}/api/leads", headers=headers).status_code == 200
    found = scrape(server.url, Authorization=f"Bearer {TOKEN}")

    def more(sample: str, **labels: str) -> float:
        return value(found, sample, **labels) - value(before, sample, **labels)

    assert more("leadpulse_events_total", outcome="queued") == 1
    assert more("leadpulse_events_total", outcome="duplicate") == 1
    assert more("leadpulse_event_calls_total", status="202") == 2
    assert more("leadpulse_event_calls_total", status="422") == 1
    assert more("leadpulse_event_call_seconds_count") == 3
    assert more("leadpulse_event_call_seconds_bucket", le="+Inf") == 3
    assert more("leadpulse_intake_commit_seconds_count") == 2
    assert more("leadpulse_http_requests_total", path="/api/leads", status="200") == 1
    assert more("leadpulse_transaction_seconds_count", use_case="leads_read.list_leads") == 1
    assert value(found, "leadpulse_database_up") == 1
    assert value(found, "leadpulse_workers") == 1
    assert value(found, "leadpulse_lock_waits") == 0


def test_the_worker_tells_how_long_events_wait(server: Server, project: Project) -> None:
    """Each event counts once with its time from receipt to score, also if it is folded again."""
    for number in range(3):
        event = {
            "event": "page_view",
            "email": EMAIL,
            "timestamp": f"2026-01-0{3 - number}T00:00:00Z",
        }
        assert post(server, "/api/ingest/event", project.secret_key, event).status_code == 202
    figures = scrape(server.url, Authorization=f"Bearer {TOKEN}")
    events = value(figures, "leadpulse_events_total", outcome="queued")
    assert events >= 3

    def counted() -> bool:
        return value(scrape(WORKER), "leadpulse_scored_events_total") == events

    wait_until("as many scored events as were taken", counted)
    families = scrape(WORKER)
    latency = "leadpulse_score_latency_seconds"
    assert value(families, f"{latency}_count") == events
    assert value(families, f"{latency}_bucket", le="60.0") == events
    assert 0 < value(families, f"{latency}_sum") < 60 * events
    assert value(families, "leadpulse_pass_seconds_count") >= 1
    assert value(families, "leadpulse_scoring_failures_total") == 0
    assert value(families, "leadpulse_scorer_deaths_total") == 0
    assert value(families, "leadpulse_upkeep_runs_total", chore="decay") > 0

    def emptied() -> bool:
        return value(scrape(WORKER), "leadpulse_queue_waiting") == 0

    wait_until("an empty queue", emptied)
    time.sleep(2)  # scorers tell every second how much they did
    assert counted(), "an event was counted twice"


def test_health_tells_of_the_last_pass(server: Server) -> None:
    """The worker's page says how old the queue is, whether it scores, and since when not."""

    def passed() -> bool:
        return httpx.get(f"{WORKER}/health").json()["last_pass_seconds"] is not None

    def emptied() -> bool:
        oldest: float = httpx.get(f"{WORKER}/health").json()["queue"]["oldest_seconds"]
        return oldest == 0

    wait_until("a pass", passed)
    wait_until("an empty queue", emptied)
    answer = httpx.get(f"{WORKER}/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "healthy")
    assert 0 <= body["last_pass_seconds"] < 30
    assert body["queue"]["stopped"] == 0
    told = server.run("doctor", "--json").stdout
    scorers = [one for one in json.loads(told)["findings"] if one["subject"] == "scorers"]
    assert [one["level"] for one in scorers] == ["ok"]


# ── Logs ─────────────────────────────────────────────────────────────────────────────


def test_a_failure_is_logged_without_keys_and_people(server: Server, project: Project) -> None:
    """Errors in an API call, at intake and in a fold tell where, and nothing of what was sent.

    The database is made to refuse rows, so that it quotes them in its errors.
    """
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute("alter table lead_profiles rename column owner to nobody")
        try:
            _provoke_a_call(server, project)
        finally:
            conn.execute("alter table lead_profiles rename column nobody to owner")
        conn.execute("alter table events add check (event_type <> 'refused') not valid")
        conn.execute("alter table ledger add check (points < 90) not valid")
        try:
            _provoke_intake_and_scorer(server, project)
        finally:
            conn.execute("alter table events drop constraint events_event_type_check1")
            conn.execute("alter table ledger drop constraint ledger_points_check")
    log = server.log()
    for secret in (EMAIL, "ann.smith", NAME, "Quill", TOKEN, project.secret_key, project.write_key):
        # The keys of the first project are printed at the start, on purpose; these are others.
        assert secret not in log
    assert "DETAIL" not in log
    assert "Failing row" not in log
    own = (server.directory / "data").rglob("*.log")
    for file in own:
        text = file.read_text(errors="replace")
        assert EMAIL not in text
        assert "Failing row" not in text


def _provoke_a_call(server: Server, project: Project) -> None:
    failed = httpx.get(
        f"{server.url}/api/leads",
        params={"q": EMAIL, "writeKey": project.write_key},
        headers={"Authorization": f"Bearer {project.secret_key}"},
    )
    assert failed.status_code == 500
    assert EMAIL not in failed.text
    (line,) = wait_until("a line of it", lambda: lines(server, "a request failed"))
    assert line["request_id"] == failed.headers["x-request-id"] == failed.json()["instance"]
    assert (line["path"], line["process"]) == ("/api/leads", "api")
    assert "UndefinedColumn" in line["exception"]


def _provoke_intake_and_scorer(server: Server, project: Project) -> None:
    traits = {"name": NAME, "password": project.secret_key}
    event = {"event": "refused", "email": EMAIL, "traits": traits, "properties": {"who": NAME}}
    refused = post(server, "/api/ingest/event", project.secret_key, event)
    assert refused.status_code == 422
    (line,) = wait_until("a line of it", lambda: lines(server, "an event was refused"))
    assert line["request_id"] == refused.headers["x-request-id"]
    assert "CheckViolation 23514 events events_event_type_check1" in line["error"]

    event = {"event": "contract_signed", "email": EMAIL, "traits": traits}
    assert post(server, "/api/ingest/event", project.secret_key, event).status_code == 202
    wait_until("a lead that failed", lambda: lines(server, "lead_failed"))
    assert (
        "CheckViolation 23514 ledger ledger_points_check"
        in lines(server, "lead_failed")[0]["error"]
    )


# ── An outage ────────────────────────────────────────────────────────────────────────


def test_health_follows_the_database_down_and_up(server: Server, project: Project) -> None:
    """While PostgreSQL is away health is 503 and soon so; with it comes everything, by itself."""
    assert server.process is not None
    (postmaster,) = server.postmaster()
    # Stopped, the parent can't start it anew.
    server.process.send_signal(signal.SIGSTOP)
    try:
        postmaster.kill()
        wait_until("a 503", lambda: health(server).status_code == 503, seconds=20)
        answer = health(server)
        assert answer.elapsed.total_seconds() < 5
        assert answer.json() == {"status": "down"}
        assert httpx.get(f"{server.url}/api/health/live").status_code == 200
        found = scrape(server.url, Authorization=f"Bearer {TOKEN}")
        assert value(found, "leadpulse_database_up") == 0
        assert "leadpulse_queue_waiting" not in found
        refused = post(server, "/api/ingest/event", project.write_key, {"event": "signup"})
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    finally:
        server.process.send_signal(signal.SIGCONT)
    wait_until("health", lambda: health(server).json() == {"status": "ok"}, seconds=30)
    event = {"event": "signup", "userId": "after"}
    wait_until(
        "an event that is taken again",
        lambda: post(server, "/api/ingest/event", project.write_key, event).status_code == 202,
        seconds=20,
    )
    wait_until("a healthy worker", lambda: httpx.get(f"{WORKER}/health").status_code == 200)


def health(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/api/health", timeout=15)
