"""From a request to stored events: durable, once, in the right class and at the right time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from typing import TYPE_CHECKING

import pytest

from leadpulse.domain.timestamps import place_in_time
from leadpulse.postgres.shortcut import PLACE
from leadpulse.usecases.projects import create_project, pause_project
from support.intake import Door, open_door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STRANGER = "01a206ec-0934-7107-88b6-f9ed49c9481e"


@pytest.fixture
async def door(database: str) -> AsyncIterator[Door]:
    async with open_door(database) as opened:
        yield opened


@pytest.mark.both_postgres
async def test_an_event_is_stored_with_its_inbox_row_and_its_lead(door: Door) -> None:
    """One answer, one commit, everything there."""
    answer = await door.event(eventId="e-1", sessionId="s-1", properties={"path": "/pricing"})
    assert answer.status_code == 202
    assert answer.json() == {"status": "queued", "eventId": "e-1"}
    (stored,) = await door.rows(
        "select e.event_id, e.event_type, e.session_id, e.properties, e.trusted, e.test, "
        "e.model_version, i.lead_id = e.lead_id, n.lead_id = e.lead_id, i.has_traits "
        "from events e join inbox i using (project_id, id) "
        "join identifiers n on n.value = 'visitor-1'"
    )
    assert stored == (
        "e-1", "page_view", "s-1", {"path": "/pricing"}, False, False, 1, True, True, False,
    )  # fmt: skip
    assert await door.one("select sum(events)::int from activity_deltas") == 1


async def test_fault_03_a_retry_with_the_same_event_id_counts_once(door: Door) -> None:
    """The client's id and time are kept, so a second sending is known as one."""
    sent = {"eventId": "e-1", "timestamp": "2026-01-01T00:00:00Z"}
    assert (await door.event(**sent)).json()["status"] == "queued"
    assert (await door.event(**sent, sentAt="2026-01-01T00:00:09Z")).json() == {
        "status": "duplicate",
        "eventId": "e-1",
    }
    assert await door.rows("select event_id, ts from events") == [("e-1", 1_767_225_600_000_000)]
    assert await door.one("select count(*) from inbox") == 1


async def test_without_an_id_the_server_makes_one(door: Door) -> None:
    """And then a second sending is a second event."""
    first, second = [(await door.event()).json() for _ in range(2)]
    assert first["status"] == second["status"] == "queued"
    assert first["eventId"] != second["eventId"]


async def test_the_same_event_at_the_same_instant_at_two_servers_counts_once(
    database: str,
) -> None:
    """Also when it makes leads, in many rounds, with known and unknown people."""
    async with open_door(database) as one, open_door(database, one.project) as two:
        for turn in range(20):
            events = [
                {"event": "signup", "eventId": f"{turn}-{n}", "anonymousId": f"v-{turn % 5}-{n}"}
                for n in range(20)
            ]
            answers = await asyncio.gather(one.batch(events), two.batch(events[::-1]))
            assert sum(answer["accepted"] for answer in answers) == 20
            assert sum(answer["duplicates"] for answer in answers) == 20
        assert await one.one("select count(*) from events") == 400
        assert await one.one("select count(*) from inbox") == 400
        assert await one.one("select count(*) from leads") == 100


async def test_one_id_with_another_meaning_is_a_conflict(door: Door) -> None:
    """Another type, identity or sent timestamp: not counted, but kept for people to look at."""
    await door.event(eventId="e-1", timestamp=1_000)
    for other in (
        {"event": "signup", "timestamp": 1_000},
        {"anonymousId": "visitor-2", "timestamp": 1_000},
        {"timestamp": 2_000},
        {},
    ):
        answer = await door.event(eventId="e-1", **other)
        assert (answer.status_code, answer.json()["status"]) == (202, "conflict")
    assert await door.one("select count(*) from events") == 1
    assert await door.one("select count(*) from leads") == 1
    kept = await door.rows(
        "select c.event_id, c.body ->> 'event', e.event_type from event_conflicts c "
        "join events e on e.id = c.event order by c.id"
    )
    assert kept == [("e-1", name, "page_view") for name in ("signup", *["page_view"] * 3)]


async def test_write_keys_cannot_squat_on_the_ids_of_a_server(door: Door) -> None:
    """The two classes of callers have each their own ids."""
    assert (await door.event(eventId="order-1")).json()["status"] == "queued"
    assert (await door.trusted(eventId="order-1")).json()["status"] == "queued"
    assert (await door.trusted(eventId="order-1")).json()["status"] == "duplicate"
    assert await door.rows("select trusted from events order by trusted") == [(False,), (True,)]


async def test_one_id_twice_in_a_batch_counts_once(door: Door) -> None:
    """Whether its person is known already or not."""
    for _ in range(2):
        event = {"event": "x", "anonymousId": "v", "eventId": "e"}
        answer = await door.batch([event, event, {**event, "event": "y"}, {**event, "userId": "u"}])
        assert (answer["accepted"], answer["duplicates"], answer["conflicts"]) in (
            (1, 1, 2), (0, 2, 2),
        )  # fmt: skip
    assert await door.one("select count(*) from events") == 1
    assert await door.one("select count(*) from leads") == 1


async def test_a_batch_takes_the_good_and_names_the_bad(door: Door) -> None:
    """Each with its index, a sentence and a code."""
    answer = await door.batch([
        {"event": "page_view", "anonymousId": "v", "eventId": "good"},
        {"event": "$secret", "anonymousId": "v"},
        "not an object",
        {"event": "page_view", "leadId": STRANGER},
        {"event": "page_view"},
        {"event": "page_view", "anonymousId": "v", "eventId": "good"},
        {"event": "page_view", "anonymousId": "v", "sentAt": "soon"},
    ])  # fmt: skip
    assert (answer["accepted"], answer["duplicates"], answer["conflicts"]) == (1, 1, 0)
    assert answer["eventIds"] == ["good", None, None, None, None, "good", None]
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [
        (1, "invalid"), (2, "invalid"), (3, "unknown_lead"), (4, "invalid"), (6, "invalid"),
    ]  # fmt: skip
    assert all(r["error"] for r in answer["rejected"])


async def test_events_without_a_time_keep_the_order_of_their_batch(door: Door) -> None:
    """A microsecond apart, and never after they were received."""
    await door.batch([{"event": f"e{n}", "anonymousId": "v"} for n in range(5)])
    times = [ts for (ts,) in await door.rows("select ts from events order by event_type")]
    assert times == [times[0] + n for n in range(5)]
    assert await door.one("select bool_and(ts <= received_at) from events")


async def test_fault_09_the_time_of_an_event_is_its_own(door: Door) -> None:
    """Not the time of processing; what receiving changed is kept as it was sent."""
    await door.event(event="past", timestamp="2026-01-01T00:00:00.123456Z")
    await door.event(event="future", timestamp="2099-01-01T00:00:00Z")
    (past,) = await door.rows("select ts, original_ts from events where event_type = 'past'")
    assert past == (1_767_225_600_123_456, None)
    (future,) = await door.rows(
        "select ts = received_at, original_ts from events where event_type = 'future'"
    )
    assert future == (True, 4_070_908_800_000_000)


async def test_fault_17_an_event_and_its_work_are_one_commit(door: Door) -> None:
    """No event is ever stored without the row that gets it scored, nor the other way round."""
    events = [{"event": "page_view", "anonymousId": f"v{n % 7}"} for n in range(50)]
    await asyncio.gather(*(door.batch(events) for _ in range(4)))
    alone = await door.one(
        "select count(*) from events e full join inbox i "
        "on i.project_id = e.project_id and i.id = e.id and i.lead_id = e.lead_id "
        "where e.id is null or i.id is null or e.xmin <> i.xmin"
    )
    assert alone == 0
    assert await door.one("select count(*) from events") == 200


async def test_a_lead_id_names_the_lead(door: Door) -> None:
    """One of another project is as unknown as one that never was."""
    await door.event()
    lead = str(await door.one("select lead_id from identifiers"))
    assert (await door.event(leadId=lead.upper())).status_code == 202
    assert await door.one("select count(*) from events where lead_id = %s", lead) == 2
    other = await create_project(door.conn, "Other")
    answer = await door.post(
        "/api/ingest/event", {"event": "x", "leadId": lead}, key=other.write_key
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_lead")


async def test_a_secret_key_confirms_what_a_write_key_only_claims(door: Door) -> None:
    """The same identifier, first claimed, then confirmed."""
    await door.event(userId="u-1")
    assert await door.rows("select confirmed from identifiers") == [(False,)]
    await door.trusted(userId="u-1")
    assert await door.rows("select confirmed from identifiers") == [(True,)]
    assert await door.one("select count(*) from leads") == 1


async def test_a_project_can_demand_that_claims_prove_who_they_are(door: Door) -> None:
    """With an HMAC of the userId, else of the email; without a claim of identity none is needed."""
    await door.conn.execute("update projects set identity_verification = true")
    secret: bytes = await door.one("select identity_secret from projects")
    good = hmac.new(secret.hex().encode(), b"u-1", hashlib.sha256).hexdigest()
    assert (await door.event(anonymousId="v")).status_code == 202
    assert (await door.event(userId="u-1", userHash=good)).status_code == 202
    assert await door.rows("select confirmed from identifiers where kind = 1") == [(True,)]
    for bad in (None, "0" * 64, good[::-1]):
        answer = await door.event(userId="u-1", userHash=bad)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "userHash"
    assert (await door.trusted(userId="u-2")).status_code == 202


async def test_a_name_that_the_hash_does_not_prove_is_no_identifier(door: Door) -> None:
    """A good hash of one's own userId gives nobody another one's email, by whichever way."""
    await door.conn.execute("update projects set identity_verification = true")
    secret: bytes = await door.one("select identity_secret from projects")

    async def claim(name: str, **named: str) -> None:
        signed = hmac.new(secret.hex().encode(), name.encode(), hashlib.sha256).hexdigest()
        answer = await door.event(userHash=signed, traits={"plan": name}, **named)
        assert answer.json()["status"] == "queued"

    for _ in range(3):  # a new person, a known one, and a known one among known ones
        await claim("mallory", userId="mallory", email="ada@example.com")
    await door.trusted(userId="bob", email="bob@example.com")
    await claim("mallory", userId="mallory", email="bob@example.com")
    await claim("ada@example.com", email="ada@example.com")
    await claim("ada", userId="ada", email="ada@example.com")
    held = await door.rows(
        "select array_agg(value order by kind), bool_and(confirmed) from identifiers "
        "group by lead_id order by 1"
    )
    assert held == [
        (["ada"], True), (["ada@example.com"], True), (["bob", "bob@example.com"], True),
        (["mallory"], True),
    ]  # fmt: skip
    said = await door.rows(
        "select e.traits ->> 'email' from events e join identifiers i using (project_id, lead_id) "
        "where i.value = 'mallory' order by e.id"
    )
    assert said == [("ada@example.com",)] * 3 + [("bob@example.com",)]


async def test_a_paused_project_takes_no_events(door: Door) -> None:
    """Not even for the seconds in which its key is remembered."""
    await door.event()
    await pause_project(door.conn, door.project.id, paused=True)
    for path, body in (
        ("/api/ingest/event", {"event": "x", "userId": "u"}),
        ("/api/ingest/batch", {"events": [{"event": "x", "userId": "u"}]}),
    ):
        answer = await door.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (401, "project_paused")
    await pause_project(door.conn, door.project.id, paused=False)
    assert (await door.event()).status_code == 202


async def test_traits_and_a_named_email_are_kept_with_the_event(door: Door) -> None:
    """So that the profile can always be told again from the facts."""
    await door.event(anonymousId="v")
    await door.event(anonymousId="v", email=" Ada@Example.com", traits={"plan": "pro"})
    stored = await door.rows(
        "select e.traits, i.has_traits from events e join inbox i using (project_id, id) "
        "order by e.id"
    )
    assert stored == [(None, False), ({"plan": "pro", "email": "ada@example.com"}, True)]


async def test_test_events_are_marked(door: Door) -> None:
    """They are events like others, and can be told apart."""
    await door.event(test=True)
    assert await door.one("select test from events")


async def test_both_ways_place_an_event_alike(door: Door) -> None:
    """The statement for known people computes what the domain says, to the microsecond."""
    draw = random.Random(7)
    received = 1_795_000_000_000_000
    around = [0, 1, received - 1, received, received + 1, 2**53]
    cases = [
        {
            "c": draw.choice([None, *around, draw.randrange(2 * received)]),
            "z": draw.choice([None, *around, draw.randrange(2 * received)]),
            "j": draw.randrange(1_000),
        }
        for _ in range(2_000)
    ]
    found = await door.rows(
        f"select c, z, j, {PLACE} from jsonb_to_recordset(%s::jsonb) "
        f"as x(c bigint, z bigint, j int), (select {received} as r) clock",
        json.dumps(cases),
    )
    assert len(found) == len(cases)
    for sent, sent_at, index, placed in found:
        try:
            expected = place_in_time(sent, sent_at, received, index)[0]
        except ValueError:
            assert placed < 0  # left alone, and then told
        else:
            assert placed == expected


@pytest.mark.both_postgres
async def test_both_ways_store_the_same(door: Door) -> None:
    """An event about a known person is the same row whichever way it took."""
    columns = (
        "event_type, original_ts, ts = received_at, coalesce(original_ts, ts), session_id, "
        "properties, traits, test, trusted, model_version, lead_id, encode(fingerprint, 'hex')"
    )
    sent = {
        "userId": "u", "email": "a@b.co", "anonymousId": "v", "sessionId": "s", "test": True,
        "timestamp": "2026-01-01T00:00:00.000001Z", "properties": {"a": [1, "x"]},
        "traits": {"plan": "pro"},
    }  # fmt: skip
    later = {**sent, "timestamp": "2031-05-05T05:05:05.123457Z"}
    await door.event(userId="u", email="a@b.co", anonymousId="v")
    for document in (sent, later):
        for way in (False, True):
            door.buffer._group._mostly_plain = way
            answer = await door.event(**document, eventId=f"{document is sent}-{way}")
            assert answer.json()["status"] == "queued"
            assert door.buffer._group._mostly_plain
        one, two = await door.rows(
            f"select {columns} from events where event_id like %s", f"{document is sent}-%"
        )
        assert one == two
    queued = await door.rows(
        "select has_traits, trusted, model_version, count(*)::int from inbox "
        "where event_id ~ '^(True|False)-' group by 1, 2, 3"
    )
    assert queued == [(True, False, 1, 4)]


async def test_many_single_events_share_commits(door: Door) -> None:
    """What arrives during a commit goes into the next one, all together."""
    await door.event()
    answers = await asyncio.gather(*(door.event(eventId=str(n)) for n in range(100)))
    assert all(answer.json()["status"] == "queued" for answer in answers)
    assert door.buffer.figures.commits < 20
    assert door.buffer.figures.queued == 101
    assert door.buffer.waiting == 0
