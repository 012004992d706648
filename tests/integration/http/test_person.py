"""Everything about a person, for whoever asks: complete, machine-readable, in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers_privacy as told
from leadpulse.ids import uuid7
from leadpulse.usecases import person_export
from support.tenants import audit_lines, secret_key, someone

if TYPE_CHECKING:
    from support.api import Api


async def a_person(api: Api) -> tuple[str, str]:
    """A lead with another one merged into it, and something in each part of its export."""
    await api.send(
        {"event": "page_view", "anonymousId": "b1", "eventId": "e1", "sessionId": "s1",
         "properties": {"path": "/a", "deep": {"x": [1, None, "é"]}}},
        {"event": "identify", "anonymousId": "b1", "userId": "u1", "email": "u1@example.com",
         "eventId": "e2", "traits": {"name": "Una", "city": "Ulm"}},
        {"event": "demo_request", "userId": "u1", "eventId": "e3"},
        {"event": "page_view", "anonymousId": "phone", "eventId": "e4"},
        {"event": "signup", "userId": "other", "eventId": "o1"},
    )  # fmt: skip
    await api.score()
    late = {"event": "form_submit", "userId": "u1", "timestamp": "2026-01-01T00:00:00Z"}
    await api.send({**late, "eventId": "e5"})
    lead, second = await api.lead_of(q="u1@example.com"), await api.lead_of(q="phone")
    await api.call("POST", f"/api/leads/{second}/merge", json={"intoId": lead})
    points = {"points": -3, "note": "spoke on the phone", "eventId": "a1"}
    await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json=points)
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": "sales"})
    await api.call("POST", "/api/ingest/event", 202,
                   json={"event": "signup", "userId": "u1", "eventId": "e1"})  # fmt: skip
    await api.score()
    await api.conn.execute(
        """
        insert into dead_letters (project_id, id, lead_id, kind, error, attempts,
            first_failed_at, failed_at)
        values (%s, %s, %s, 'scoring', 'ValueError', 5, clock_timestamp(), clock_timestamp())
        """,
        (api.project.id, uuid7(), lead),
    )
    return lead, second


async def exported(api: Api, lead: str, **options: Any) -> Any:
    document = await api.get(f"/api/leads/{lead}/export", **options)
    told.Person.model_validate(document)
    return document


@pytest.mark.both_postgres
async def test_everything_about_a_person_is_told(api: Api) -> None:
    """Of both leads, in each part; nothing of anybody else."""
    lead, second = await a_person(api)
    found = await exported(api, second)  # by any of the ids
    assert (found["leadId"], found["projectId"]) == (lead, api.project.id)
    assert {one["id"] for one in found["leads"]} == {lead, second}
    own = next(one for one in found["leads"] if one["id"] == lead)
    assert (own["name"], own["email"], own["owner"]) == ("Una", "u1@example.com", "sales")
    assert own["facts"]["city"]["value"] == "Ulm"
    assert own["facts"]["city"]["eventId"] == "e2"
    assert {(i["kind"], i["value"]) for i in found["identifiers"]} == {
        ("userId", "u1"), ("email", "u1@example.com"), ("anonymousId", "b1"),
        ("anonymousId", "phone"),
    }  # fmt: skip
    events = {event["eventId"]: event for event in found["events"]}
    assert set(events) == {"e1", "e2", "e3", "e4", "e5"}
    assert events["e1"]["properties"] == {"path": "/a", "deep": {"x": [1, None, "é"]}}
    assert events["e1"]["sessionId"] == "s1"
    assert events["e2"]["traits"]["city"] == "Ulm"
    assert events["e5"]["timestamp"] == "2026-01-01T00:00:00.000000Z"
    (adjustment,) = found["adjustments"]
    assert adjustment["properties"]["note"] == "spoke on the phone"
    (change,) = found["changes"]
    assert change["traits"] == {"$owner": "sales"}
    (merge,) = found["merges"]
    assert (merge["childId"], merge["parentId"]) == (second, lead)
    kinds = [entry["kind"] for entry in found["ledger"]]
    assert kinds.count("event") == 5
    assert kinds.count("adjustment") == 1
    assert found["stageChanges"]
    assert found["scoreRevisions"]
    assert len(found["deadLetters"]) == 1
    (conflict,) = found["conflicts"]
    assert conflict["sent"]["event"] == "signup"
    assert "other" not in str(found)
    lines = await audit_lines(api, api.project.id)
    assert [line["target"] for line in lines if line["action"] == "lead.exported"] == [
        f"lead:{lead}"
    ]


async def test_long_lists_come_in_portions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out or told twice, however small the portions are."""
    lead, _ = await a_person(api)
    whole = await exported(api, lead)
    for size in (1, 2, 3):
        monkeypatch.setattr(person_export, "_PORTION", size)
        again = await exported(api, lead)
        assert {**again, "exportedAt": ""} == {**whole, "exportedAt": ""}


async def test_memory_does_not_grow_with_a_person(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is a portion, of however many events."""
    monkeypatch.setattr(person_export, "_PORTION", 10)
    event = {"event": "page_view", "userId": "u", "properties": {"x": "y" * 2_000}}
    await api.send(*[event] * 100)
    lead = await api.lead_of(q="u")
    pieces = person_export.export_person(api.pool, api.project.id, lead)
    sizes = [len(piece) async for piece in pieces]
    assert sum(sizes) > 200_000
    assert max(sizes) < 30_000


async def test_who_may_export_a_person(api: Api) -> None:
    """An admin, or a key that may export; nobody reaches over to another project's lead."""
    lead, _ = await a_person(api)
    admin, member = await someone(api, "admin"), await someone(api, "member")
    await exported(api, lead, key=admin.token)
    await api.get(f"/api/leads/{lead}/export", 403, key=member.token)
    key = await secret_key(api, "exports:read")
    await exported(api, lead, key=key)
    await api.get(f"/api/leads/{lead}/export", 403, key=await secret_key(api, "leads:read"))
    await api.get(f"/api/leads/{uuid7()}/export", 404)


async def test_a_conflict_tells_of_nobody_else(api: Api) -> None:
    """Who used one of his eventIds by chance is not his; what names him is, unless with others."""
    await api.send({"event": "signup", "userId": "una", "eventId": "e1"},
                   {"event": "signup", "userId": "bob", "eventId": "e2"})  # fmt: skip
    for sent in (
        {"event": "a", "userId": "bob", "eventId": "e1"},
        {"event": "b", "email": "stranger@example.com", "eventId": "e1"},
        {"event": "c", "userId": "una", "eventId": "e2"},
        {"event": "d", "userId": "una", "anonymousId": "new", "eventId": "e2"},
        {"event": "e", "userId": "bob", "anonymousId": "una", "eventId": "e1"},
    ):
        await api.call("POST", "/api/ingest/event", 202, json=sent)
    await api.send({"event": "identify", "userId": "una", "anonymousId": "una"})
    await api.score()
    found = await exported(api, await api.lead_of(q="una"))
    assert [one["sent"]["event"] for one in found["conflicts"]] == ["c", "d"]
    assert "bob" not in str(found)
    assert "stranger" not in str(found)
