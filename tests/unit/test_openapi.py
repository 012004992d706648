"""The API's description: the file is the routes, and nothing is left undocumented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadpulse.http import docs
from leadpulse.http.openapi import FILE, document, text
from leadpulse.http.problems import KINDS

ROOT = Path(__file__).parents[2]


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", call)
        for path, calls in document()["paths"].items()
        for method, call in calls.items()
    ]


def test_the_committed_description_is_the_one_of_the_routes() -> None:
    """`make gen` was run after the last change."""
    assert (ROOT / FILE).read_text(encoding="utf-8") == text(), "run `make gen`"


@pytest.mark.parametrize(
    "call",
    [
        "post /api/ingest/event",
        "post /api/ingest/batch",
        "post /api/events",
        "post /api/events/ingest",
        "post /api/events/batch",
        "get /api/leads",
        "post /api/leads",
        "get /api/leads/{lead_id}",
        "patch /api/leads/{lead_id}",
        "delete /api/leads/{lead_id}",
        "get /api/leads/{lead_id}/history",
        "get /api/leads/{lead_id}/timeline",
        "get /api/leads/{lead_id}/intelligence",
        "post /api/leads/{lead_id}/adjustments",
        "post /api/leads/{lead_id}/merge",
        "get /api/leads/{lead_id}/merges",
        "post /api/merges/{merge_id}/undo",
        "get /api/leads/export",
        "get /api/events",
        "get /api/events/{event_id}",
        "get /api/leaderboard",
        "get /api/leads/leaderboard",
        "get /api/leaderboard/by-stage",
        "get /api/rules",
        "post /api/rules",
        "put /api/rules/{rule_id}",
        "delete /api/rules/{rule_id}",
        "get /api/scoring-rules",
        "get /api/rules/stats",
        "get /api/model",
        "put /api/model",
        "get /api/models",
        "post /api/model/rescore",
        "get /api/analytics/dashboard",
        "get /api/analytics/throughput",
        "get /api/analytics/queue-health",
        "get /api/analytics/score-mutations",
        "get /api/admin/system-health",
        "get /api/admin/failed-jobs",
        "get /api/admin/conflicts",
        "get /api/admin/quarantine",
        "post /api/admin/verify",
        "post /api/admin/retry-failed/{job_id}",
        "post /api/admin/discard-failed/{job_id}",
        "post /api/admin/restore-event/{event_id}",
        "post /api/admin/release/{lead_id}",
        "post /api/admin/rebuild/{lead_id}",
        "post /api/admin/rebuild-project",
        "post /api/auth/generate-api-key",
        "post /api/auth/accept-invitation",
        "get /api/projects",
        "post /api/projects",
        "get /api/projects/{project_id}",
        "patch /api/projects/{project_id}",
        "post /api/projects/{project_id}/rotate-key",
        "get /api/projects/{project_id}/keys",
        "post /api/projects/{project_id}/keys",
        "patch /api/projects/{project_id}/keys/{key_id}",
        "delete /api/projects/{project_id}/keys/{key_id}",
        "get /api/projects/{project_id}/members",
        "patch /api/projects/{project_id}/members/{user_id}",
        "delete /api/projects/{project_id}/members/{user_id}",
        "get /api/projects/{project_id}/invitations",
        "post /api/projects/{project_id}/invitations",
        "delete /api/projects/{project_id}/invitations/{invitation_id}",
        "get /api/projects/{project_id}/identity-verification",
        "put /api/projects/{project_id}/identity-verification",
        "get /api/projects/{project_id}/audit-log",
        "get /api/health",
        "get /api/health/live",
        "get /metrics",
    ],
)
def test_a_call_is_described(call: str) -> None:
    """Every call that the product promises stands in the description."""
    assert call in dict(operations())


def test_every_call_describes_itself_and_its_errors() -> None:
    """Each has a text, an operation id of its own, and answers that are schemas."""
    names = [call["operationId"] for _, call in operations()]
    assert len(names) == len(set(names))
    for where, call in operations():
        assert call["description"], where
        for status, response in call["responses"].items():
            if status != "204" and "csv" not in str(response):
                assert response["content"], (where, status)
        if "security" in call:
            assert {"401", "403", "503"} <= set(call["responses"]), where
        if "requestBody" in call:
            assert {"400", "413", "415", "422"} <= set(call["responses"]), where


def test_every_error_has_an_example() -> None:
    """The examples of errors are the table of errors."""
    examples = document()["components"]["examples"]
    assert set(examples) == set(KINDS)
    for code, example in examples.items():
        assert example["value"]["code"] == code


def test_every_field_is_described() -> None:
    """No schema leaves the reader guessing."""
    for name, schema in document()["components"]["schemas"].items():
        for field, kind in schema.get("properties", {}).items():
            assert kind.get("description") or "$ref" in kind, f"{name}.{field}"


def test_the_page_for_people_needs_nothing_from_elsewhere() -> None:
    """No script, no style in the page, no address of another site."""
    page = docs.page(document())
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page
    assert "https://" not in page.replace("https://x.example", "")
    assert "/api/leads/{lead_id}/history" in page
    assert "'unsafe" not in docs.HEADERS["Content-Security-Policy"]
