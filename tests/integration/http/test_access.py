"""Who may call: keys, scopes, and nobody into another project."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.permissions import SCOPES, Permission
from leadpulse.http.openapi import document
from leadpulse.ids import uuid7
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.usecases.keys import hash_key, new_secret_key
from leadpulse.usecases.projects import create_project

if TYPE_CHECKING:
    from support.api import Api

_METHODS = ("get", "post", "put", "patch", "delete")
_PUBLIC = {"/api/health", "/api/health/live", "/metrics"}


def calls() -> list[tuple[str, str, dict[str, Any]]]:
    """Every call that a secret key can make, as the documentation lists them."""
    found = [
        (method.upper(), path, call)
        for path, methods in document()["paths"].items()
        for method, call in methods.items()
        if method in _METHODS
        and path not in _PUBLIC
        and "x-permission" in call
        and Permission[call["x-permission"]].need.scope is not None
    ]
    assert len(found) > 40
    return found


def scope_of(call: dict[str, Any]) -> str:
    return str(Permission[call["x-permission"]].need.scope)


def filled(path: str, lead: str = "", event: str = "", other: str = "") -> str:
    return (
        path.replace("{lead_id}", lead)
        .replace("{event_id}", event)
        .replace("{rule_id}", other)
        .replace("{merge_id}", other)
        .replace("{job_id}", other)
    )


async def key_with(api: Api, *scopes: str) -> str:
    """A secret key of the project with these scopes only."""
    key = new_secret_key()
    made = NewKey(api.project.id, uuid7(), "secret", "k", None, hash_key(key), scopes)
    await insert_key(api.conn, made)
    return key


@pytest.mark.parametrize("place", ["header", "bearer", "basic", "x-write-key", "query"])
async def test_a_key_may_stand_in_any_of_its_places(api: Api, place: str) -> None:
    """The same places as for event calls, but the body."""
    key = api.project.secret_key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    headers = {
        "header": {"X-API-Key": key},
        "bearer": {"Authorization": f"bearer {key}"},
        "basic": {"Authorization": f"Basic {basic}"},
        "x-write-key": {"X-Write-Key": key},
        "query": {},
    }[place]
    query = f"?writeKey={key}" if place == "query" else ""
    assert (await api.client.get(f"/api/leads{query}", headers=headers)).status_code == 200


async def test_a_wrong_key_gets_no_second_try(api: Api) -> None:
    """The first place that holds one counts."""
    headers = {"X-API-Key": "sk_" + "0" * 48, "Authorization": f"Bearer {api.project.secret_key}"}
    answer = await api.client.get("/api/leads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")
    answer = await api.client.get("/api/leads", headers={"Authorization": "Basic ?!"})
    assert answer.status_code == 401
    answer = await api.client.get("/api/leads")
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")


async def test_a_write_key_opens_no_call_but_those_for_events(api: Api) -> None:
    """It is public: whatever it could read, anybody could."""
    for method, path, _ in calls():
        answer = await api.call(
            method, filled(path, uuid7(), uuid7(), uuid7()), 403, key=api.project.write_key, json={}
        )
        assert answer["code"] == "write_key_cannot_read", path


async def test_every_call_asks_for_its_scope(api: Api) -> None:
    """A key without the scope that a call names is turned away, with all the others."""
    keys = {
        scope: await key_with(api, *(other for other in SCOPES if other != scope))
        for scope in SCOPES
    }
    for method, path, call in calls():
        url = filled(path, uuid7(), uuid7(), uuid7())
        answer = await api.call(method, url, 403, key=keys[scope_of(call)], json={})
        assert answer["code"] == "missing_scope", path


async def test_no_call_reaches_into_another_project(api: Api) -> None:
    """Ids of another project answer 404 on every call, and its lists stay empty."""
    await api.send(
        {"event": "signup", "userId": "a", "eventId": "1"},
        {"event": "signup", "userId": "a", "eventId": "2"},
    )
    await api.score()
    lead = await api.lead_of(user="a")
    event = (await api.get("/api/events"))["events"][0]["id"]
    rule = (await api.get("/api/rules"))["rules"][0]["id"]
    child = (await api.call("POST", "/api/leads", 201, json={"userId": "c"}))["id"]
    made = await api.call("POST", f"/api/leads/{child}/merge", json={"intoId": lead})
    merge = made["merge"]["id"]
    await api.conn.execute(
        """
        insert into dead_letters (project_id, id, lead_id, kind, error, attempts,
            first_failed_at, failed_at)
        values (%s, %s, %s, 'scoring', 'it broke', 6, now(), now())
        """,
        (api.project.id, lead, lead),
    )
    other = await create_project(api.conn, "Other")
    bodies: dict[str, Any] = {
        "/merge": {"intoId": child},
        "/adjustments": {"points": 1, "note": "n"},
        "/api/leads/{lead_id}": {"name": "x"},
        "/api/rules/{rule_id}": {"points": 1},
        "/api/scoring-rules/{rule_id}": {"points": 1},
    }
    tried = 0
    for method, path, _ in calls():
        if "{" not in path:
            continue
        ids = {"{merge_id}": merge, "{job_id}": lead}
        third = next((value for name, value in ids.items() if name in path), rule)
        body: Any = next((body for end, body in bodies.items() if path.endswith(end)), {})
        answer = await api.call(
            method, filled(path, lead, event, third), 404, key=other.secret_key, json=body
        )
        assert answer["code"] == "not_found", path
        tried += 1
    assert tried >= 15
    for path, name in (
        ("/api/leads", "leads"),
        ("/api/events", "events"),
        ("/api/leaderboard", "leads"),
        ("/api/analytics/score-mutations", "mutations"),
        ("/api/admin/failed-jobs", "jobs"),
        ("/api/admin/conflicts", "conflicts"),
        ("/api/admin/quarantine", "leads"),
    ):
        assert (await api.get(path, key=other.secret_key))[name] == [], path
    figures = await api.get("/api/analytics/dashboard", key=other.secret_key)
    assert (figures["totalEvents"], figures["totalLeads"]) == (0, 0)
    await api.get(f"/api/events?leadId={lead}", 404, key=other.secret_key)
    headers = {"X-API-Key": other.secret_key}
    export = await api.client.get("/api/leads/export", headers=headers)
    assert len(export.text.splitlines()) == 1
    own = (await api.call("POST", "/api/leads", 201, json={"userId": "o"}, key=other.secret_key))[
        "id"
    ]
    answer = await api.call(
        "POST", f"/api/leads/{own}/merge", 422, json={"intoId": lead}, key=other.secret_key
    )
    assert answer["errors"][0]["field"] == "intoId"


@pytest.mark.parametrize(
    "wrong", ["x", "%00", "..%2f", "1" * 300, "00000000-0000-0000-0000-0000000000zz"]
)
async def test_what_is_no_id_names_nothing(api: Api, wrong: str) -> None:
    """Bad ids in paths are 404, whatever they are."""
    for method, path, _ in calls():
        if "{" in path and "{rule_id}" not in path:
            url = filled(path, wrong, wrong, wrong)
            body = {"intoId": uuid7(), "points": 1, "note": "n"}
            answer = await api.client.request(
                method, url, headers={"X-API-Key": api.project.secret_key},
                json=body if path.endswith(("merge", "adjustments")) else {},
            )  # fmt: skip
            assert answer.status_code in (404, 422), (method, path, answer.text)
