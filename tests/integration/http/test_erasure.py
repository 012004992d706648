"""Erased means erased: nothing of the person is left, and nothing comes back."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers_privacy as told
from leadpulse.ids import uuid7
from leadpulse.postgres.connect import connect
from leadpulse.postgres.embedded import bin as program
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import private
from leadpulse.usecases.import_events import ImportJob, import_events
from leadpulse.usecases.keys import project_caller
from leadpulse.usecases.verify import verify_project
from leadpulse.worker.upkeep import private_chores
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from pathlib import Path

    from support.api import Api

JANE = {"userId": "cust-jane-4711", "email": "jane.doe@personal.example"}
# Whatever could tell who it was.
NEEDLES = (
    "cust-jane-4711", "jane.doe@", "jane.d@work", "Jane", "Doe-Meyer", "browser-of-jane",
    "phone-of-jane", "Springfield", "very-private-note", "visit-jane-1", "evt-jane", "Doe Ltd",
    "secret-page",
)  # fmt: skip


async def a_person(api: Api) -> str:
    """Somebody of whom a lot is known, in every table that there is; and a Bob who stays."""
    await api.send(
        {"event": "page_view", "anonymousId": "browser-of-jane", "sessionId": "visit-jane-1",
         "eventId": "evt-jane-1", "properties": {"path": "/secret-page"}},
        {"event": "identify", **JANE, "anonymousId": "browser-of-jane", "eventId": "evt-jane-2",
         "traits": {"name": "Jane Doe-Meyer", "city": "Springfield", "company": "Doe Ltd"}},
        {"event": "signup", "userId": "cust-jane-4711", "email": "jane.d@work.example",
         "eventId": "evt-jane-3", "timestamp": "2026-01-01T00:00:00Z"},
        {"event": "download", "userId": "bob", "eventId": "evt-bob-1", "traits": {"name": "Bob"}},
    )  # fmt: skip
    await api.send(
        {"event": "form_submit", "anonymousId": "phone-of-jane", "eventId": "evt-jane-4",
         "properties": {"form": "Jane wants"}},
        key=api.project.write_key,
    )  # fmt: skip
    await api.score()
    # A late event tells the score anew; a second lead is merged by hand.
    await api.send(
        {"event": "demo_request", "userId": "cust-jane-4711", "eventId": "evt-jane-5",
         "timestamp": "2026-01-02T00:00:00Z", "properties": {"note": "Jane"}}
    )  # fmt: skip
    await api.score()
    lead = await api.lead_of(q="cust-jane-4711")
    phone = await api.lead_of(q="phone-of-jane")
    await api.call("POST", f"/api/leads/{phone}/merge", json={"intoId": lead})
    points = {"points": 3, "note": "very-private-note", "eventId": "evt-jane-adj"}
    await api.call("POST", f"/api/leads/{lead}/adjustments", 202, json=points)
    await api.call("PATCH", f"/api/leads/{lead}", json={"owner": "sales", "name": "Jane D."})
    # The same ids for something else; and somebody else's id for something of hers.
    await api.call("POST", "/api/ingest/event", 202,
                   json={"event": "page_view", **JANE, "eventId": "evt-jane-1"})  # fmt: skip
    await api.call("POST", "/api/ingest/event", 202,
                   json={"event": "page_view", "anonymousId": "phone-of-jane",
                         "eventId": "evt-bob-1"})  # fmt: skip
    # Bob and she are not the same; but his event names her address.
    await api.send({"event": "page_view", "userId": "bob", "email": "jane.doe@personal.example",
                    "eventId": "evt-bob-2"})  # fmt: skip
    await api.score()
    for table, columns in (
        ("dead_letters", "id, kind, failed_at"),
        ("scoring_failures", "crashes, retry_at, last_failed_at"),
    ):
        first = f"'{uuid7()}', 'scoring'" if table == "dead_letters" else "0, now()"
        await api.conn.execute(
            f"insert into {table} (project_id, lead_id, error, attempts, first_failed_at, "
            f"{columns}) values (%s, %s, 'ValueError', 5, now(), {first}, now())".encode(),
            (api.project.id, lead),
        )
    return lead


def dump(dsn: str) -> str:
    """Everything that is in the database, as text."""
    done = subprocess.run(
        [str(program("pg_dump")), "--dbname", dsn, "--inserts"],
        check=True, capture_output=True, text=True, env={"PATH": os.defpath, "LC_ALL": "C"},
    )  # fmt: skip
    return done.stdout


def found_in(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle.lower() in text.lower()]


async def count(api: Api, query: str) -> int:
    cursor = await api.conn.execute(query.encode(), (api.project.id,))
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


@pytest.mark.both_postgres
async def test_a_dump_holds_nothing_of_who_was_erased(api: Api, database: str) -> None:
    """No identifier, name or value of the person is in a dump of the database afterwards."""
    lead = await a_person(api)
    before = dump(database)
    assert set(found_in(before)) == set(NEEDLES)
    figures = "select coalesce(sum(events), 0) from activity_deltas where project_id = %s"
    counted = await count(api, figures)
    answer = await api.call("POST", f"/api/leads/{lead}/erase")
    told.ErasedPerson.model_validate(answer)
    assert answer["status"] == "done"
    assert len(answer["leads"]) == 2
    await api.score()
    after = dump(database)
    assert found_in(after) == []
    assert "Bob" in after
    # What remains are counts, ids of leads, and digests.
    assert await count(api, figures) == counted
    assert await api.get(f"/api/leads/{lead}", 404)
    bob = await api.get(f"/api/leads/{await api.lead_of(q='Bob')}")
    assert (bob["userId"], bob["email"]) == ("bob", None)
    report = await verify_project(api.pool, api.project.id)
    assert report.ok, report.differing


async def test_erasing_again_tells_the_same(api: Api) -> None:
    """Twice is once; and the lead is told by every id that it had."""
    lead = await a_person(api)
    first = await api.call("POST", f"/api/leads/{lead}/erase")
    for one in first["leads"]:
        assert await api.call("POST", f"/api/leads/{one}/erase") == first
    await api.call("POST", f"/api/leads/{uuid7()}/erase", 404)
    lines = await audit_lines(api, api.project.id)
    assert [line["target"] for line in lines if line["action"] == "lead.erased"] == [f"lead:{lead}"]


async def _answers(api: Api, key: str, tag: str, who: dict[str, Any]) -> list[Any]:
    """What a caller hears who goes on as if nothing had happened."""
    heard = []
    for event in (
        {"event": "page_view", "eventId": f"{tag}-old", "userId": who["userId"]},  # a retry
        {"event": "signup", "eventId": f"{tag}-old", "userId": who["userId"]},  # another event
        {"event": "page_view", "eventId": f"{tag}-new", **who},
        {"event": "page_view", "eventId": f"{tag}-new", **who},
        {"event": "page_view", "eventId": f"{tag}-new", "email": who["email"]},
        {"event": "page_view", "eventId": f"{tag}-3", "email": f" {who['email'].upper()} "},
        {"event": "page_view", "eventId": f"{tag}-4", "userId": "somebody", "email": who["email"]},
        {"event": "page_view", "eventId": f"{tag}-5", "leadId": who["leadId"]},
        {"event": "page_view", "eventId": f"{tag}-6", "leadId": who["leadId"].upper()},
        {"event": "page_view", "eventId": f"{tag}-7", "anonymousId": "x", "traits": who},
        {
            "event": "page_view",
            "eventId": f"{tag}-t",
            "userId": "x",
            "traits": {"userId": who["userId"]},
        },
        {
            "event": "identify",
            "eventId": f"{tag}-u",
            "userId": "x",
            "email": "no address",
            "traits": {"email": who["email"], "userId": ["no", "text"]},
        },
        {"event": "page_view", "eventId": "taken", "email": who["email"]},
        {"event": "page_view", "eventId": f"{tag}-8", "leadId": uuid7(), "email": who["email"]},
        {"event": "", "eventId": f"{tag}-9", "email": who["email"]},
    ):
        answer = await api.client.post("/api/ingest/event", json=event, headers={"X-API-Key": key})
        body = answer.json()
        heard.append((answer.status_code, body.get("status"), body.get("code")))
    batch = [
        {"event": "page_view", "eventId": f"{tag}-{n // 2}-b", "userId": who["userId"]}
        for n in range(6)
    ]
    answer = await api.client.post(
        "/api/ingest/batch", json={"events": batch}, headers={"X-API-Key": key}
    )
    body = answer.json()
    return [*heard, answer.status_code, body["accepted"], body["duplicates"], body["conflicts"]]


@pytest.mark.parametrize("class_", ["write", "secret"])
async def test_callers_are_answered_as_if_nothing_had_happened(api: Api, class_: str) -> None:
    """The same events about somebody who was erased and about a twin who wasn't."""
    key = api.project.write_key if class_ == "write" else api.project.secret_key
    await api.send({"event": "page_view", "eventId": "taken", "userId": "third"}, key=key)
    heard = {}
    for tag in ("erased", "kept"):
        who = {"userId": f"u-{tag}", "email": f"{tag}@example.com"}
        await api.send({"event": "page_view", "eventId": f"{tag}-old", "userId": who["userId"]},
                       {"event": "page_view", "eventId": f"{tag}-id", **who}, key=key)  # fmt: skip
        await api.score()
        lead = await api.lead_of(q=who["userId"])
        if tag == "erased":
            await api.call("POST", f"/api/leads/{lead}/erase")
        heard[tag] = await _answers(api, key, tag, {**who, "leadId": lead})
    assert heard["erased"] == heard["kept"]
    await api.score()
    left = "select count(*) from events where project_id = %s and event_id like 'erased%%'"
    assert await count(api, left) == 0
    assert await count(api, "select count(*) from event_conflicts where project_id = %s"
                       " and body::text like '%%erased%%'") == 0  # fmt: skip


@pytest.mark.both_postgres
async def test_both_ways_of_the_intake_keep_nothing(api: Api) -> None:
    """Among many events of known people, in one commit, those of the erased one are left out."""
    people = [{"userId": f"p{n}", "email": f"p{n}@example.com"} for n in range(20)]
    await api.send(*[{"event": "page_view", **person} for person in people])
    await api.score()
    await api.call("POST", f"/api/leads/{await api.lead_of(q='p7@example.com')}/erase")
    for turn in range(4):  # the long way, then the short one
        await api.send(*[
            {"event": "page_view", "eventId": f"t{turn}-{n}", "userId": person["userId"]}
            for n, person in enumerate(people)
        ])  # fmt: skip
    query = "select count(*) from events where project_id = %s and event_id like 't%%'"
    assert await count(api, query) == 4 * 19
    assert await count(api, "select count(*) from identifiers where project_id = %s"
                       " and value like 'p7%%'") == 0  # fmt: skip


async def test_an_import_keeps_nothing_and_counts_as_ever(api: Api, tmp_path: Path) -> None:
    """A file with events of somebody who was erased: accepted, then duplicates, not stored."""
    person = {"userId": "gone", "email": "gone@example.com"}
    await api.send({"event": "page_view", **person}, {"event": "page_view", "userId": "stays"})
    await api.score()
    await api.call("POST", f"/api/leads/{await api.lead_of(q='gone')}/erase")
    file = tmp_path / "events.jsonl"
    names = [{"userId": "gone"}, {"email": "gone@example.com"}, {"userId": "stays"}]
    file.write_text("".join(json.dumps({"event": "signup", **name}) + "\n" for name in names))
    caller = await project_caller(api.conn, api.project.id)
    assert caller is not None
    job = ImportJob(file, "jsonl", caller, lambda _: None, lambda _: None)
    for accepted, duplicates in ((3, 0), (0, 3)):
        report = await import_events(api.services.intake.buffer, job)
        assert (report.accepted, report.duplicates) == (accepted, duplicates)
    assert await count(api, "select count(*) from events where project_id = %s") == 2


async def test_the_upkeep_has_the_rights_that_it_needs(api: Api, database: str) -> None:
    """Each chore of it does its work in the role in which it runs."""
    await api.send(*[{"event": "page_view", "userId": f"person-{n}"} for n in range(3)])
    await api.score()
    await api.conn.execute("update projects set retention_days = 1")
    await api.conn.execute("update events set ts = ts - interval '2 days'")
    await api.call("POST", f"/api/leads/{await api.lead_of(q='person-1')}/erase")
    await api.call("DELETE", f"/api/leads/{await api.lead_of(q='person-2')}", 204)
    await api.conn.execute(
        "update erasures set phase = 'rows', finished_at = null, names = '{}', cursor = root_id"
    )
    await api.conn.execute(
        "update lead_removals set removed_at = removed_at - interval '5 minutes'"
    )
    conn = await connect(database, "privacy")
    try:
        found = {chore.name: await chore.run(conn) for chore in private_chores(ModelCache())}
    finally:
        await conn.close()
    assert found["erasures"] == 1
    assert found["retention"] > 0
    assert set(found) == {"erasures", "removals", "retention", "projects", "digests"}
    assert await count(api, "select count(*) from lead_removals where project_id = %s") == 0


async def test_an_erased_event_does_not_come_back_without_a_name(api: Api) -> None:
    """A retry of an event that named only the browser is a duplicate, as it ever was."""
    event = {"event": "page_view", "eventId": "only-browser", "anonymousId": "b1"}
    await api.send(event)
    await api.send({"event": "identify", "anonymousId": "b1", "userId": "u1"})
    await api.score()
    await api.call("POST", f"/api/leads/{await api.lead_of(q='u1')}/erase")
    answer = await api.call("POST", "/api/ingest/event", 202, json=event)
    assert answer["status"] == "duplicate"
    # The browser itself may be a shared one: what is new of it is kept, for nobody known.
    answer = await api.call("POST", "/api/ingest/event", 202, json={**event, "eventId": "next"})
    assert answer["status"] == "queued"
    assert await count(api, "select count(*) from events where project_id = %s") == 1


async def test_leads_are_not_made_again_by_hand(api: Api) -> None:
    """Whoever makes or completes a lead with an erased name hears of it."""
    await api.send({"event": "signup", "email": "gone@example.com"})
    await api.score()
    await api.call("POST", f"/api/leads/{await api.lead_of(q='gone@example.com')}/erase")
    refused = await api.call("POST", "/api/leads", 409, json={"email": "Gone@example.com"})
    assert refused["code"] == "suppressed"
    other = await api.call("POST", "/api/leads", 201, json={"email": "stays@example.com"})
    await api.call("PATCH", f"/api/leads/{other['id']}", 409, json={"email": "gone@example.com"})


async def test_an_owner_sees_and_lifts_suppressions(api: Api) -> None:
    """By nobody's name but the one asked for; then events are kept again."""
    owner = await someone(api, "owner")
    for name in ("a", "b"):
        await api.send({"event": "signup", "email": f"{name}@example.com", "userId": name})
    await api.score()
    lead = await api.lead_of(q="a@example.com")
    await api.call("POST", f"/api/leads/{lead}/erase")
    await api.call("POST", f"/api/leads/{await api.lead_of(q='b@example.com')}/erase")
    path = f"/api/projects/{api.project.id}/suppressions"
    await api.get(path, 403)
    page = await api.told(path, told.Suppressions, key=owner.token, params={"limit": 1})
    rest = await api.told(path, told.Suppressions, key=owner.token,
                          params={"limit": 1, "cursor": page["nextCursor"]})  # fmt: skip
    assert rest["nextCursor"] is None
    (one,) = rest["suppressions"]
    assert (one["leads"], one["kinds"]) == ([lead], ["leadId", "userId", "email"])
    asked = await api.get(path, key=owner.token, params={"email": " A@Example.com"})
    assert [s["id"] for s in asked["suppressions"]] == [one["id"]]
    assert "example" not in json.dumps(page)
    await api.call("DELETE", f"{path}/{one['id']}", 204, key=owner.token)
    await api.call("DELETE", f"{path}/{one['id']}", 404, key=owner.token)
    await api.send({"event": "page_view", "userId": "a"}, {"event": "page_view", "userId": "b"})
    assert await count(api, "select count(*) from events where project_id = %s") == 1
    await api.call("POST", "/api/ingest/event", 422, json={"event": "page_view", "leadId": lead})


async def test_big_people_go_in_portions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a call leaves undone the upkeep does, from where it stood."""
    monkeypatch.setattr("leadpulse.usecases.erase._PORTION", 10)
    monkeypatch.setattr("leadpulse.usecases.erase._AT_ONCE", 2)
    await api.send(*[{"event": "page_view", "userId": "big", "eventId": f"e{n}"}
                     for n in range(60)])  # fmt: skip
    await api.score()
    lead = await api.lead_of(q="big")
    answer = await api.call("POST", f"/api/leads/{lead}/erase")
    assert answer["status"] == "running"
    await api.get(f"/api/leads/{lead}", 404)
    assert await count(api, "select count(*) from events where project_id = %s") > 0
    while await private.erasure_pass(api.conn):
        pass
    again = await api.call("POST", f"/api/leads/{lead}/erase")
    assert again["status"] == "done"
    for table in ("events", "ledger", "checkpoints", "inbox", "stage_changes"):
        assert await count(api, f"select count(*) from {table} where project_id = %s") == 0
    assert await count(api, "select count(*) from erasures where project_id = %s"
                       " and names is not null") == 0  # fmt: skip


async def test_what_arrives_late_for_an_erased_lead_is_swept(api: Api) -> None:
    """An event that was on its way when its lead was erased leaves its digest and nothing else."""
    await api.send({"event": "page_view", "userId": "late"})
    await api.score()
    lead = await api.lead_of(q="late")
    await api.call("POST", f"/api/leads/{lead}/erase")
    await api.conn.execute(
        """
        insert into events (project_id, id, lead_id, trusted, event_id, digest, fingerprint,
            event_type, ts, received_at, model_version, properties)
        values (%s, %s, %s, true, 'straggler', decode(repeat('ab', 16), 'hex'),
            decode(repeat('cd', 16), 'hex'), 'page_view', now(), now(), 1, '{"a": "b"}')
        """,
        (api.project.id, uuid7(), lead),
    )
    assert await private.sweep_pass(api.conn) == 1
    assert await count(api, "select count(*) from events where project_id = %s") == 0
    assert await count(api, "select count(*) from forgotten_events where project_id = %s"
                       " and expires_at is null") == 2  # fmt: skip


async def test_digests_of_what_was_not_kept_are_forgotten(api: Api) -> None:
    """After a month, or when they are too many; those of erased events stay."""
    await api.send({"event": "page_view", "userId": "u"})
    await api.score()
    await api.call("POST", f"/api/leads/{await api.lead_of(q='u')}/erase")
    await api.send(*[{"event": "page_view", "userId": "u", "eventId": f"e{n}"} for n in range(5)])
    assert await private.expiry_pass(api.conn) == 0
    await api.conn.execute(
        "update forgotten_events set expires_at = clock_timestamp() - interval '1 second'"
        " where expires_at is not null"
    )
    assert await private.expiry_pass(api.conn) == 5
    assert await count(api, "select count(*) from forgotten_events where project_id = %s") == 1
