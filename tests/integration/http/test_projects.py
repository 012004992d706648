"""Projects: made, listed, set, paused; signed identities."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

from leadpulse.http import answers_projects as told
from leadpulse.ids import uuid7
from leadpulse.usecases import projects
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from support.api import Api


async def test_a_person_has_several_projects(api: Api) -> None:
    """Each with a write key and a role; the session stays in its own."""
    owner = await someone(api, "viewer")
    made = await api.call(
        "POST",
        "/api/projects",
        201,
        key=owner.token,
        json={"name": " Shop ", "domain": "Shop.Example.COM", "preset": "sales",
              "timeZone": "europe/berlin"},
    )  # fmt: skip
    told.Project.model_validate(made)
    assert made["name"] == "Shop"
    assert made["domain"] == "shop.example.com"
    assert made["timeZone"] == "Europe/Berlin"
    assert (made["role"], made["preset"], made["active"]) == ("owner", "sales", True)
    listed = await api.told("/api/projects", told.Projects, key=owner.token)
    assert [(p["id"], p["role"]) for p in listed["projects"]] == [
        (api.project.id, "viewer"),
        (made["id"], "owner"),
    ]
    await api.call(
        "POST", "/api/ingest/event", 202, key=made["writeKey"], json={"event": "a", "userId": "u"}
    )
    await api.get(f"/api/projects/{made['id']}", 404, key=owner.token)
    lines = await audit_lines(api, made["id"])
    assert [(line["actor"], line["action"]) for line in lines] == [
        (f"user:{owner.id}", "project.created")
    ]


async def test_a_key_sees_its_own_project_only(api: Api) -> None:
    """With the scope admin, and without a role."""
    listed = await api.told("/api/projects", told.Projects)
    ((project,),) = [listed["projects"]]
    assert (project["id"], project["role"]) == (api.project.id, None)
    assert project["writeKey"] == api.project.write_key
    await api.call("POST", "/api/projects", 403, json={"name": "P"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"domain": "no host"}, "domain"),
        ({"domain": "a" * 250 + ".com"}, "domain"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"timeZone": "posix/UTC"}, "timeZone"),
        ({"timeZone": "../etc/passwd"}, "timeZone"),
        ({"active": 1}, "active"),
        ({"deletedAt": None}, "deletedAt"),
    ],
)
async def test_bad_settings_are_named(api: Api, changes: dict[str, object], field: str) -> None:
    """Each by its field, and nothing is changed."""
    answer = await api.call("PATCH", f"/api/projects/{api.project.id}", 422, json=changes)
    assert field in {error["field"] for error in answer["errors"]}
    assert (await api.get(f"/api/projects/{api.project.id}"))["name"] == "Test"


async def test_settings_change_and_leave_a_line(api: Api) -> None:
    """What isn't given stays; what it was and is stands in the audit log."""
    admin = await someone(api, "admin")
    path = f"/api/projects/{api.project.id}"
    await api.call("PATCH", path, key=admin.token, json={"domain": "a.example.com"})
    changed = await api.call("PATCH", path, key=admin.token, json={"timeZone": "Asia/Tokyo"})
    told.Project.model_validate(changed)
    assert (changed["domain"], changed["timeZone"]) == ("a.example.com", "Asia/Tokyo")
    assert (await api.call("PATCH", path, key=admin.token, json={"domain": None}))["domain"] is None
    await api.call("PATCH", path, key=admin.token, json={})
    lines = [line for line in await audit_lines(api) if line["action"] == "project.changed"]
    assert [line["details"] for line in lines] == [
        {"domain": [None, "a.example.com"]},
        {"time_zone": ["UTC", "Asia/Tokyo"]},
        {"domain": ["a.example.com", None]},
    ]
    assert {line["actor_name"] for line in lines} == {admin.email}
    assert all(line["request_id"].startswith("req_") for line in lines)


async def test_a_paused_project_takes_no_events(api: Api) -> None:
    """At once in this process; what it has can be read, and it can go on."""
    path = f"/api/projects/{api.project.id}"
    event = {"event": "a", "userId": "u"}
    await api.call("POST", "/api/ingest/event", 202, key=api.project.write_key, json=event)
    await api.call("PATCH", path, json={"active": False})
    for key in (api.project.write_key, api.project.secret_key):
        answer = await api.call("POST", "/api/ingest/event", 401, key=key, json=event)
        assert answer["code"] == "project_paused"
    assert (await api.get(path))["active"] is False
    await api.call("PATCH", path, json={"active": True})
    await api.call("POST", "/api/ingest/event", 202, key=api.project.write_key, json=event)


async def test_claims_of_identity_can_be_demanded(api: Api) -> None:
    """The secret is told to people only; a new one ends the old one at once."""
    owner = await someone(api, "owner")
    path = f"/api/projects/{api.project.id}/identity-verification"
    shown = await api.told(path, told.IdentityVerification, key=owner.token)
    assert shown["identityVerification"] == "off"
    assert (await api.get(path, 403))["code"] == "people_only"
    setting = {"identityVerification": "on"}
    assert (await api.call("PUT", path, key=owner.token, json=setting))["secret"] == shown["secret"]

    def claim(secret: str) -> dict[str, str]:
        signed = hmac.new(secret.encode(), b"u-1", hashlib.sha256).hexdigest()
        return {"event": "a", "userId": "u-1", "userHash": signed}

    async def send(status: int, event: dict[str, str]) -> None:
        await api.call("POST", "/api/ingest/event", status, key=api.project.write_key, json=event)

    await send(422, {"event": "a", "userId": "u-1"})
    await send(202, claim(shown["secret"]))
    renewed = await api.call("PUT", path, key=owner.token, json={**setting, "newSecret": True})
    await send(422, claim(shown["secret"]))
    await send(202, claim(renewed["secret"]))
    lines = [one for one in await audit_lines(api) if one["action"] == "project.identity_changed"]
    assert [line["details"] for line in lines] == [
        {"demanded": [False, True], "newSecret": False},
        {"demanded": [True, True], "newSecret": True},
    ]
    assert shown["secret"] not in str(lines)
    assert renewed["secret"] not in str(lines)


async def test_nobody_owns_projects_without_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs something."""
    monkeypatch.setattr(projects, "MOST_OWNED", 2)
    owner = await someone(api, "owner")
    await api.call("POST", "/api/projects", 201, key=owner.token, json={"name": "Two"})
    answer = await api.call("POST", "/api/projects", 409, key=owner.token, json={"name": "Three"})
    assert answer["code"] == "too_many_projects"


async def test_an_id_that_is_none_is_nothing(api: Api) -> None:
    """As any unknown one."""
    for wrong in ("x", uuid7(), api.project.id[:-1], f"{api.project.id}0", "%00", "é"):
        await api.get(f"/api/projects/{wrong}", 404)
    await api.get(f"/api/projects/{api.project.id.upper()}")
