"""The audit log: every deed leaves a line with it, and nobody can change one."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from leadpulse.http import answers_projects as told
from leadpulse.postgres.session import unit
from leadpulse.usecases import audit
from leadpulse.usecases.audit import Actor, acting
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from support.api import Api


def path(api: Api) -> str:
    return f"/api/projects/{api.project.id}/audit-log"


async def actions(api: Api) -> list[str]:
    return [line["action"] for line in await audit_lines(api)]


async def test_what_is_done_to_leads_is_written(api: Api) -> None:
    """Merged, taken apart, removed, exported; by their ids, never by what is known of them."""
    one = (await api.call("POST", "/api/leads", 201, json={"email": "ann@example.com"}))["id"]
    two = (await api.call("POST", "/api/leads", 201, json={"email": "bob@example.com"}))["id"]
    made = await api.call("POST", f"/api/leads/{one}/merge", json={"intoId": two})
    merge = made["merge"]["id"]
    await api.call("POST", f"/api/merges/{merge}/undo")
    await api.client.get(
        "/api/leads/export", headers={"Authorization": f"Bearer {api.project.secret_key}"}
    )
    await api.call("DELETE", f"/api/leads/{one}", 204)
    lines = (await audit_lines(api))[1:]
    assert [(line["action"], line["target"]) for line in lines] == [
        ("lead.merged", f"lead:{one}"),
        ("lead.unmerged", f"lead:{one}"),
        ("leads.exported", None),
        ("lead.removed", f"lead:{one}"),
    ]
    assert "example.com" not in str(lines)
    assert all(line["actor"].startswith("key:") for line in lines)


async def test_what_is_done_to_the_model_is_written(api: Api) -> None:
    """Which rules, which settings; a preview is no deed."""
    rule = await api.call("POST", "/api/rules", 201, json={"eventType": "a", "points": 1})
    await api.call("PUT", f"/api/rules/{rule['id']}", json={"points": 2})
    await api.call("DELETE", f"/api/rules/{rule['id']}", 200)
    model = await api.get("/api/model")
    model["velocity"]["factor"] = 7
    await api.call("PUT", "/api/model", json=model, params={"preview": "true"})
    await api.call("PUT", "/api/model", json=model)
    await api.call("POST", "/api/model/rescore", 202, json={"note": "why"})
    lines = (await audit_lines(api))[1:]
    scope = {"scope": "from-now", "note": None}
    assert [(line["action"], line["details"]) for line in lines] == [
        ("model.published", {**scope, "rulesAdded": [rule["id"]]}),
        ("model.published", {**scope, "rulesChanged": [rule["id"]]}),
        ("model.published", {**scope, "rulesRemoved": [rule["id"]]}),
        ("model.published", {**scope, "settings": ["velocity"]}),
        ("model.published", {"scope": "all-history", "note": "why"}),
    ]


async def test_repairs_are_written(api: Api) -> None:
    """With the event that was released or restored."""
    await api.send({"event": "signup", "userId": "u", "eventId": "1"})
    await api.score()
    lead = await api.lead_of(user="u")
    event = (await api.get("/api/events"))["events"][0]["id"]
    await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
    await api.call("POST", f"/api/admin/release/{lead}", 202)
    await api.call("POST", f"/api/admin/restore-event/{event}", 202)
    await api.call("POST", "/api/admin/rebuild-project", 202)
    assert (await actions(api))[1:] == [
        "lead.rebuilt", "lead.released", "event.restored", "project.rebuilt",
    ]  # fmt: skip


async def test_what_fails_leaves_no_line(api: Api) -> None:
    """The line is a part of the deed."""
    lead = (await api.call("POST", "/api/leads", 201, json={"userId": "u"}))["id"]
    await api.call("POST", f"/api/leads/{lead}/merge", 422, json={"intoId": lead})
    await api.call("PUT", "/api/rules/none", 404, json={"points": 2})
    await api.call("PATCH", f"/api/projects/{api.project.id}", 422, json={"name": ""})
    assert await actions(api) == ["project.created"]

    async def half_a_deed() -> None:
        async with unit(api.pool, api.project.id) as (conn, _):
            await audit.record(conn, api.project.id, "lead.removed")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half_a_deed()
    assert await actions(api) == ["project.created"]


async def test_owners_read_it_in_pages(api: Api) -> None:
    """Newest first, by whom, what and when; nobody else, and no key."""
    owner, admin = await someone(api, "owner"), await someone(api, "admin")
    for number in range(5):
        await api.call(
            "PATCH", f"/api/projects/{api.project.id}", key=admin.token,
            json={"name": f"Name {number}"},
        )  # fmt: skip
    page = await api.told(path(api), told.AuditLog, key=owner.token, params={"limit": 2})
    assert [entry["details"]["name"][1] for entry in page["entries"]] == ["Name 4", "Name 3"]
    found = list(page["entries"])
    while page["nextCursor"] is not None:
        page = await api.get(
            path(api), key=owner.token, params={"limit": 2, "cursor": page["nextCursor"]}
        )
        found += page["entries"]
    assert len({entry["id"] for entry in found}) == 6
    assert found[0]["actorName"] == admin.email
    assert found[0]["requestId"].startswith("req_")
    assert found[0]["address"] == "127.0.0.1"

    async def count(**wanted: Any) -> int:
        return len((await api.get(path(api), key=owner.token, params=wanted))["entries"])

    assert await count(action="project.changed") == 5
    assert await count(action="project") == 6
    assert await count(action="proj") == 0
    assert await count(actor=f"user:{admin.id}") == 5
    assert await count(target=f"project:{api.project.id}") == 6
    assert await count(**{"from": found[1]["at"]}) == 2
    assert await count(to=found[1]["at"]) == 4
    await api.get(path(api), 422, key=owner.token, params={"cursor": "x"})
    await api.get(path(api), 422, key=owner.token, params={"format": "xml"})
    assert (await api.get(path(api), 403, key=admin.token))["code"] == "missing_role"
    assert (await api.get(path(api), 403))["code"] == "people_only"


async def test_it_is_exported_whole(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CSV that no spreadsheet takes for formulas, or as JSON lines; that is a deed, too."""
    monkeypatch.setattr(audit, "_PORTION", 2)
    owner = await someone(api, "owner", email="=cmd@example.com")
    evil = '=HYPERLINK("http://evil","x")\n"; drop'
    for number in range(4):
        await api.call(
            "PATCH", f"/api/projects/{api.project.id}", key=owner.token,
            json={"name": evil.replace("\n", " ") + str(number)},
        )  # fmt: skip
    headers = {"Authorization": f"Bearer {owner.token}"}
    answer = await api.client.get(path(api), params={"format": "csv"}, headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "audit-log.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows] == [
        "project.created", *["project.changed"] * 4, "audit.exported",
    ]  # fmt: skip
    assert rows[1]["actorName"] == "'=cmd@example.com"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    answer = await api.client.get(path(api), params={"format": "jsonl"}, headers=headers)
    assert answer.headers["content-type"] == "application/jsonl"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    for line in lines:
        told.AuditLine.model_validate(line)
    assert [line["action"] for line in lines[-2:]] == ["audit.exported"] * 2
    assert lines[1]["details"]["name"][1] == evil.replace("\n", " ") + "0"


async def test_nobody_rewrites_it(api: Api) -> None:
    """The role that the API works as may add to it and read, and that is all."""
    for statement in (
        "update audit_log set action = 'nothing.happened'",
        "delete from audit_log",
        "truncate audit_log",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with unit(api.pool, api.project.id) as (conn, _):
                await conn.execute(statement.encode())


async def test_who_acts_ends_with_the_block() -> None:
    """And is the system where nobody said."""
    with acting(Actor("cli")):
        assert audit.actor().id == "cli"
        with acting(Actor("user:1")):
            assert audit.actor().id == "user:1"
        assert audit.actor().id == "cli"
