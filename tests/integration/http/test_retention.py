"""Content that goes after a while: what stays, and that no score changes by it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from builders import DAY
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.http import answers as told
from leadpulse.http import answers_privacy
from leadpulse.postgres.connect import connect
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases.retention import retention_pass
from leadpulse.usecases.verify import verify_project
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.connect import Connection
    from support.api import Api


@pytest.fixture
async def keeper(database: str) -> AsyncIterator[Connection]:
    """A connection with the rights that the upkeep has, and no more."""
    conn = await connect(database, "privacy")
    yield conn
    await conn.close()


def ago(days: float) -> str:
    return to_rfc3339(time.time_ns() // 1_000 - int(days * DAY))


async def walk(api: Api, keeper: Connection) -> None:
    """The walk of the upkeep, from its beginning to its end."""
    await api.conn.execute("update retention_walks set next_at = clock_timestamp()")
    while await retention_pass(keeper, ModelCache(), 3):
        pass


async def keep_for(api: Api, days: int | None) -> None:
    owner = await someone(api, "owner")
    path = f"/api/projects/{api.project.id}/retention"
    answer = await api.call("PUT", path, key=owner.token, json={"days": days})
    answers_privacy.Retention.model_validate(answer)
    assert await api.get(path, key=owner.token) == {"days": days}


async def rows(api: Api, query: str) -> list[Any]:
    return await (await api.conn.execute(query.encode(), (api.project.id,))).fetchall()


async def history(api: Api, lead: str) -> Any:
    """The ledger; when a gap was written down is no part of it."""
    found = await api.get(f"/api/leads/{lead}/history", params={"limit": 200})
    return [
        {**entry, "recordedAt": None} if entry["kind"] == "decay" else entry
        for entry in found["entries"]
    ]


async def refold(api: Api, lead: str) -> None:
    """Everything of a lead is folded again, from its first event."""
    await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
    await api.score()


async def some_events(api: Api) -> str:
    """A lead with old and new events, some of types whose rules look at the content."""
    who = {"userId": "u1"}
    await api.send(
        {"event": "page_view", **who, "eventId": "old-price", "timestamp": ago(40),
         "sessionId": "s", "properties": {"path": "/Pricing", "secret": "x"},
         "traits": {"name": "Ann"}},
        {"event": "page_view", **who, "eventId": "old-page", "timestamp": ago(39.5),
         "properties": {"path": "/home", "secret": "x"}},
        {"event": "signup", **who, "eventId": "old-signup", "timestamp": ago(39),
         "properties": {"secret": "x"}},
        {"event": "page_view", **who, "eventId": "new-price", "timestamp": ago(2),
         "properties": {"path": "/pricing", "kept": "y"}},
    )  # fmt: skip
    await api.score()
    return await api.lead_of(q="u1")


async def test_old_events_lose_their_content_and_no_score_changes(
    api: Api, keeper: Connection
) -> None:
    """What stays is what scores need; ledger, replay, verify and rebuild are exact."""
    lead = await some_events(api)
    before, shown = await history(api, lead), await api.get(f"/api/leads/{lead}")
    await keep_for(api, 30)
    await walk(api, keeper)
    found = {
        row[0]: row[1:]
        for row in await rows(
            api, "select event_id, properties, traits, session_id, original_ts, matched is null,"
            " octet_length(fingerprint) from events where project_id = %s",
        )
    }  # fmt: skip
    for name in ("old-price", "old-page", "old-signup"):
        assert found[name] == ({}, None, None, None, False, 16)
    assert found["new-price"][0] == {"path": "/pricing", "kept": "y"}
    report = await verify_project(api.pool, api.project.id)
    assert report.ok, report.differing
    await refold(api, lead)
    after = await history(api, lead)
    assert after == before
    now = await api.get(f"/api/leads/{lead}")
    assert (now["name"], now["currentScore"]) == ("Ann", shown["currentScore"])
    # The keyed digest still tells a duplicate from a conflict.
    again = {"event": "signup", "userId": "u1", "eventId": "old-signup"}
    answer = await api.call("POST", "/api/ingest/event", 202, json=again)
    assert answer["status"] == "conflict"
    lines = await audit_lines(api, api.project.id)
    said = next(line for line in lines if line["action"] == "project.retention_changed")
    assert said["details"] == {"days": [None, 30]}


async def test_late_events_among_old_ones_are_exact(api: Api, keeper: Connection) -> None:
    """An event that comes late is put among events without content, and lost its own next time."""
    lead = await some_events(api)
    await keep_for(api, 30)
    await walk(api, keeper)
    await api.send({"event": "page_view", "userId": "u1", "eventId": "late", "timestamp": ago(39.9),
                    "properties": {"path": "/pricing/late"}})  # fmt: skip
    await api.score()
    before = await history(api, lead)
    assert "late" in [entry["eventId"] for entry in before]
    report = await verify_project(api.pool, api.project.id)
    assert report.ok, report.differing
    await walk(api, keeper)
    assert await rows(api, "select event_id from events where project_id = %s"
                      " and matched is null") == [("new-price",)]  # fmt: skip
    await refold(api, lead)
    assert await history(api, lead) == before


@pytest.mark.both_postgres
async def test_a_later_model_matches_what_it_may(api: Api, keeper: Connection) -> None:
    """Rules without conditions, and those that held with the same conditions; a preview tells."""
    lead = await some_events(api)
    await keep_for(api, 30)
    await walk(api, keeper)
    rules = (await api.get("/api/rules"))["rules"]
    priced = next(rule for rule in rules if rule["conditions"])
    seen = await api.call("POST", "/api/model/rescore", params={"preview": True})
    told.Publication.model_validate(seen)
    # Three have lost their content; of a type with conditions are two.
    assert seen["blankedEvents"] == 2
    assert (await api.get("/api/model"))["version"] == 1
    # Other points, the same conditions: those that matched still do.
    await api.call("PUT", f"/api/rules/{priced['id']}",
                   json={"points": 7, "scope": "all-history"})  # fmt: skip
    await refold(api, lead)
    gave = {e["eventId"]: [r["id"] for r in e["rules"]] for e in await history(api, lead)
            if e["kind"] == "event"}  # fmt: skip
    assert priced["id"] in gave["old-price"]
    assert priced["id"] in gave["new-price"]
    assert priced["id"] not in gave["old-page"]
    # Other conditions, which the lost path would meet: only the event with content can.
    await api.call("PUT", f"/api/rules/{priced['id']}", json={
        "conditions": [{"field": "$path", "op": "startsWith", "value": "/pri"}],
        "scope": "all-history"})  # fmt: skip
    await refold(api, lead)
    gave = {e["eventId"]: [r["id"] for r in e["rules"]] for e in await history(api, lead)
            if e["kind"] == "event"}  # fmt: skip
    assert priced["id"] not in gave["old-price"]
    assert priced["id"] in gave["new-price"]
    report = await verify_project(api.pool, api.project.id)
    assert report.ok, report.differing


async def test_adjustments_keep_their_points_and_lose_their_note(
    api: Api, keeper: Connection
) -> None:
    """Points by hand count for ever; what was noted of the person goes."""
    lead = await some_events(api)
    await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json={"points": 4, "note": "n"})
    await api.call("PATCH", f"/api/leads/{lead}", json={"name": "Anna"})
    await api.score()
    await api.conn.execute(
        b"update events set ts = ts - interval '60 days' where event_type like '$%'"
    )
    await refold(api, lead)
    before = await history(api, lead)
    await keep_for(api, 30)
    await walk(api, keeper)
    left = await rows(api, "select properties - 'by', traits from events where project_id = %s"
                      " and event_type like '$%%' order by event_type")  # fmt: skip
    assert left == [({"points": 4}, None), ({}, None)]
    await refold(api, lead)
    assert await history(api, lead) == before
    assert (await api.get(f"/api/leads/{lead}"))["name"] == "Anna"


async def test_what_waits_to_be_scored_keeps_its_content(api: Api, keeper: Connection) -> None:
    """Its traits aren't shown yet; its turn comes after the scorer's."""
    await api.send({"event": "identify", "userId": "u9", "timestamp": ago(99),
                    "traits": {"name": "Zoe"}})  # fmt: skip
    await api.send({"event": "identify", "userId": "u9", "timestamp": ago(98),
                    "traits": {"company": "Late"}})  # fmt: skip
    await keep_for(api, 30)
    await walk(api, keeper)
    assert await rows(api, "select 1 from events where project_id = %s and traits is null") == []
    await api.score()
    await walk(api, keeper)
    assert (
        len(await rows(api, "select 1 from events where project_id = %s and traits is null")) == 2
    )
    lead = await api.get(f"/api/leads/{await api.lead_of(q='u9')}")
    assert (lead["name"], lead["company"]) == ("Zoe", "Late")


async def test_the_walk_rests_and_begins_where_work_can_be(api: Api, keeper: Connection) -> None:
    """Nothing is looked at again that was received so long ago that all of it is done."""
    await some_events(api)
    await api.conn.execute("update events set received_at = ts")
    await keep_for(api, 30)
    await walk(api, keeper)
    assert await retention_pass(keeper, ModelCache()) == 0
    ((settled, cursor),) = await rows(
        api, "select settled, cursor from retention_walks where project_id = %s"
    )
    ((last,),) = await rows(api, "select id from events where project_id = %s"
                            " and event_id = 'old-signup'")  # fmt: skip
    assert settled == cursor == last
    # Fewer days: the walk begins at once, and finds the rest.
    await keep_for(api, 1)
    assert await retention_pass(keeper, ModelCache()) > 0
    assert await rows(api, "select 1 from events where project_id = %s and matched is null") == []


@pytest.mark.parametrize("days", [0, -1, 36_501, 1.5, "30", True])
async def test_days_must_be_days(api: Api, days: object) -> None:
    """A whole number from one day to a hundred years."""
    owner = await someone(api, "owner")
    await api.call("PUT", f"/api/projects/{api.project.id}/retention", 422, key=owner.token,
                   json={"days": days})  # fmt: skip
