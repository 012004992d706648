"""Work on leads: owner and status with their history, also when leads are merged or erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers_leads as told
from support.tenants import someone

if TYPE_CHECKING:
    from support.api import Api


async def lead_of(api: Api, user: str) -> str:
    made = await api.call("POST", "/api/leads", 201, json={"userId": user})
    lead: str = made["id"]
    return lead


async def changes(api: Api, lead: str) -> list[dict[str, Any]]:
    answer = await api.told(f"/api/leads/{lead}/changes", told.WorkChanges)
    found: list[dict[str, Any]] = answer["changes"]
    return found


@pytest.mark.both_postgres
async def test_owner_and_status_have_a_history(api: Api) -> None:
    """Who changed which from what to what, newest first; what stays the same is no change."""
    lead = await lead_of(api, "u")
    grace, ada = await someone(api, "member"), await someone(api, "admin")
    path = f"/api/leads/{lead}"
    body = {"owner": grace.id, "status": "working"}
    await api.call("PATCH", path, json=body, key=ada.token)
    await api.call("PATCH", path, json={**body, "name": "Una"}, key=grace.token)
    await api.call("PATCH", path, json={"status": "won"}, key=grace.token)
    await api.call("PATCH", path, json={"owner": "somebody@crm", "status": None})
    found = await changes(api, lead)
    assert [
        (c["field"], c["from"], c["to"], c["by"]["kind"], c["by"]["id"]) for c in found[2:]
    ] == [
        ("status", "working", "won", "user", grace.id),
        ("status", "open", "working", "user", ada.id),
        ("owner", None, grace.id, "user", ada.id),
    ]
    assert {(c["field"], c["from"], c["to"], c["by"]["kind"]) for c in found[:2]} == {
        ("status", "won", "open", "key"), ("owner", grace.id, "somebody@crm", "key"),
    }  # fmt: skip
    assert found[2]["by"]["name"] == "Somebody"
    assert found[0]["by"]["name"]
    page = await api.get(f"{path}/changes?limit=2")
    rest = await api.get(f"{path}/changes?limit=200&cursor={page['nextCursor']}")
    assert page["changes"] + rest["changes"] == found
    assert rest["nextCursor"] is None
    await api.get(f"{path}/changes", 422, params={"cursor": "nonsense"})


async def test_people_give_leads_to_members_only(api: Api) -> None:
    """A session's owner must be a member of this project; a key may say any text."""
    lead = await lead_of(api, "u")
    member, stranger = await someone(api, "member"), await someone(api)
    for owner in (stranger.id, "grace", member.email, "00000000-0000-0000-0000-000000000000"):
        answer = await api.call(
            "PATCH", f"/api/leads/{lead}", 422, json={"owner": owner}, key=member.token
        )
        assert answer["errors"][0]["field"] == "owner"
    assert await changes(api, lead) == []
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": "grace"})
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": None}, key=member.token)
    assert [c["to"] for c in await changes(api, lead)] == [None, "grace"]


async def test_a_merge_keeps_who_works_on_it(api: Api) -> None:
    """An untouched lead takes owner and status of the other; of two that were set the later wins.

    The survivor's history tells of both, and names who merged; undone, each has its own again.
    """
    one, other = await lead_of(api, "one"), await lead_of(api, "other")
    await api.call("PATCH", f"/api/leads/{one}", json={"owner": "grace", "status": "working"})
    boss = await someone(api, "admin")
    made = await api.call("POST", f"/api/leads/{one}/merge", json={"intoId": other}, key=boss.token)
    lead = await api.get(f"/api/leads/{one}")
    assert (lead["id"], lead["owner"], lead["status"]) == (other, "grace", "working")
    found = await changes(api, one)
    assert found == await changes(api, other)
    assert [c["by"]["id"] for c in found[:2]] == [boss.id, boss.id]
    assert len(found) == 4
    await api.score()
    await api.call("POST", f"/api/merges/{made['merge']['id']}/undo", key=boss.token)
    await api.score()
    again = await api.get(f"/api/leads/{other}")
    assert (again["owner"], again["status"]) == (None, "open")
    assert len(await changes(api, one)) == 2
    assert len(await changes(api, other)) == 4
    await api.call("PATCH", f"/api/leads/{other}", json={"owner": "ada", "status": "lost"})
    third = await lead_of(api, "third")
    await api.call("PATCH", f"/api/leads/{third}", json={"status": "won"})
    await api.call("POST", f"/api/leads/{third}/merge", json={"intoId": other})
    lead = await api.get(f"/api/leads/{other}")
    assert (lead["owner"], lead["status"]) == ("ada", "won")


async def test_a_merge_by_an_event_was_made_by_nobody(api: Api) -> None:
    """The change is recorded when the scorer shows the merged profile."""
    await api.send({"event": "page_view", "anonymousId": "browser"})
    await api.score()
    visitor = await api.lead_of(q="browser")
    await api.call("PATCH", f"/api/leads/{visitor}", json={"status": "working"})
    await api.send({"event": "signup", "userId": "u"})
    await api.send({"event": "identify", "userId": "u", "anonymousId": "browser"})
    await api.score()
    lead = await api.lead_of(q="u")
    assert (await api.get(f"/api/leads/{lead}"))["status"] == "working"
    assert None in [c["by"] for c in await changes(api, lead)]


async def test_the_history_goes_with_the_person(api: Api) -> None:
    """Removed or erased, nothing of it is left; the export of a person tells it."""
    lead = await lead_of(api, "u")
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": "grace"})
    document = await api.get(f"/api/leads/{lead}/export")
    (change,) = document["workChanges"]
    assert (change["field"], change["from"], change["to"]) == ("owner", None, "grace")
    await api.call("POST", f"/api/leads/{lead}/erase")
    await api.get(f"/api/leads/{lead}/changes", 404)
    cursor = await api.conn.execute("select count(*) from lead_changes")
    assert await cursor.fetchone() == (0,)
