"""Changing leads over HTTP."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers as told
from leadpulse.http import answers_changes

if TYPE_CHECKING:
    from support.api import Api


async def make(api: Api, **fields: Any) -> dict[str, Any]:
    lead: dict[str, Any] = await api.call("POST", "/api/leads", 201, json=fields)
    told.Lead.model_validate(lead)
    return lead


async def test_a_lead_is_made_once_and_completed_after(api: Api) -> None:
    """201 with the new lead; 200 with the lead that has the identifier, fields merged."""
    lead = await make(api, email=" Ada@X.example ", name="Ada", traits={"plan": "free"})
    assert lead["email"] == "ada@x.example"
    again = await api.call(
        "POST",
        "/api/leads",
        200,
        json={"email": "ada@x.example", "company": "AE", "traits": {"plan": "pro"}},
    )
    assert again["id"] == lead["id"]
    assert (again["name"], again["company"]) == ("Ada", "AE")
    assert again["traits"]["plan"] == "pro"


async def test_patch_sets_and_null_removes(api: Api) -> None:
    """What isn't given stays."""
    lead = await make(api, userId="u", name="Ada", company="AE")
    path = f"/api/leads/{lead['id']}"
    changed = await api.call(
        "PATCH", path, json={"name": None, "owner": "g", "status": "won", "email": "a@x.example"}
    )
    told.Lead.model_validate(changed)
    assert (changed["name"], changed["company"], changed["owner"]) == (None, "AE", "g")
    assert (changed["status"], changed["email"]) == ("won", "a@x.example")
    assert changed["version"] > lead["version"]
    assert await api.call("PATCH", path, json={}) is not None


async def test_an_identifier_of_another_lead_is_a_conflict(api: Api) -> None:
    """409 names the field; nothing changed."""
    await make(api, email="a@x.example")
    lead = await make(api, userId="u")
    answer = await api.call("PATCH", f"/api/leads/{lead['id']}", 409, json={"email": "a@x.example"})
    assert answer["code"] == "identifier_taken"


async def test_adjustment_corrects_the_score_and_counts_once(api: Api) -> None:
    """A correction by hand is in the ledger; a retry with its eventId changes nothing."""
    lead = await make(api, userId="u")
    path = f"/api/leads/{lead['id']}"
    body = {"points": 12.5, "note": "met at a fair", "eventId": "adj-1"}
    first = await api.call("POST", f"{path}/adjustments", 202, json=body)
    answers_changes.Adjusted.model_validate(first)
    again = await api.call("POST", f"{path}/adjustments", 202, json=body)
    assert (first["status"], again["status"]) == ("queued", "duplicate")
    await api.score()
    (entry,) = (await api.told(f"{path}/history", told.History))["entries"]
    assert (entry["kind"], entry["newScore"]) == ("adjustment", 12.5)
    timeline = (await api.told(f"{path}/timeline", told.Timeline))["events"]
    assert timeline[0]["properties"]["note"] == "met at a fair"
    assert (await api.get(path))["currentScore"] == 12.5


async def test_merge_preview_merge_and_undo(api: Api) -> None:
    """Two leads become one and two again; the merged id answers as the survivor."""
    await api.send({"event": "signup", "userId": "u"}, {"event": "download", "anonymousId": "b"})
    await api.score()
    stays = await api.lead_of(user="u")
    goes = (await api.get("/api/leads?maxScore=20"))["leads"][0]["id"]
    seen = await api.call(
        "POST", f"/api/leads/{goes}/merge", json={"intoId": stays, "preview": True}
    )
    answers_changes.MergePreview.model_validate(seen)
    assert seen["score"] == 45
    assert (await api.get("/api/leads"))["total"] == 2
    made = await api.call("POST", f"/api/leads/{goes}/merge", json={"intoId": stays})
    answers_changes.Merged.model_validate(made)
    await api.score()
    for one in (goes, stays):
        lead = await api.get(f"/api/leads/{one}")
        assert (lead["id"], lead["currentScore"]) == (stays, 45)
    assert (await api.get("/api/leads"))["total"] == 1
    listed = await api.told(f"/api/leads/{stays}/merges", answers_changes.Merges)
    assert [m["id"] for m in listed["merges"]] == [made["merge"]["id"]]
    assert (await api.get("/api/analytics/dashboard"))["identityResolutions"] == 1
    undone = await api.call("POST", f"/api/merges/{made['merge']['id']}/undo")
    answers_changes.Merge.model_validate(undone)
    await api.call("POST", f"/api/merges/{made['merge']['id']}/undo", 409)
    await api.score()
    assert (await api.get(f"/api/leads/{goes}"))["currentScore"] == 15
    assert (await api.get(f"/api/leads/{stays}"))["currentScore"] == 30


async def test_a_removed_lead_is_gone(api: Api) -> None:
    """204, and then 404 wherever its id stands."""
    await api.send({"event": "signup", "userId": "u"})
    await api.score()
    lead = await api.lead_of(user="u")
    assert await api.call("DELETE", f"/api/leads/{lead}", 204) is None
    for path in ("", "/history", "/timeline", "/intelligence", "/merges"):
        await api.get(f"/api/leads/{lead}{path}", 404)
    assert (await api.get("/api/leads"))["total"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff", 400),
        (b'{"name": 5}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"email": "not an address"}', 422),
        (b'{"userId": "u", "unknown": 1}', 422),
        (b'{"userId": "u", "traits": {"a": 1e999}}', 422),
        (b'{"userId": "u", "traits": {"a": NaN}}', 400),
        (b'{"userId": "u", "traits": []}', 422),
        (b'{"userId": "u", "traits": {"\\u0000": 1}}', 422),
        (b'{"userId": "u", "traits": ' + b'{"a":' * 20 + b"1" + b"}" * 21, 422),
        (b"[" * 100_000, 400),
        (b'{"userId": "' + b"u" * 300 + b'"}', 422),
        (b'{"userId": ' + b"9" * 5000 + b"}", 400),
        (b"{}", 422),
    ],
)
async def test_a_wrong_lead_is_told_so(api: Api, body: bytes, status: int) -> None:
    """Bad input is a 400 or 422, whatever it is."""
    answer = await api.call("POST", "/api/leads", status, content=body)
    assert answer["success"] is False
    assert answer["instance"].startswith("req_")


async def test_bodies_are_inflated_and_limited(api: Api) -> None:
    """Gzip is undone, other encodings are refused, and what is too large too."""
    packed = gzip.compress(b'{"userId": "u"}')
    await api.call("POST", "/api/leads", 201, content=packed, headers={"Content-Encoding": "gzip"})
    await api.call("POST", "/api/leads", 415, content=b"x", headers={"Content-Encoding": "br"})
    await api.call("POST", "/api/leads", 413, content=b" " * (5 * 1024 * 1024 + 1))
