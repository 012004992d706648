"""Ceilings of what write keys may add, and what happens when there is too much or no database."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.errors import Overloaded
from leadpulse.postgres import intake as store
from leadpulse.postgres.connect import connect, pool
from leadpulse.usecases import merges
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.intake import Size
from leadpulse.usecases.projects import create_project
from support.intake import open_door, until

if TYPE_CHECKING:
    from support.postgres import Cluster


def visit(n: int, **more: Any) -> dict[str, Any]:
    return {"event": "page_view", "anonymousId": f"v-{n}", **more}


async def test_new_leads_of_write_keys_have_a_ceiling(database: str) -> None:
    """Beyond it 429 with Retry-After; known people and trusted callers go on."""
    async with open_door(database, limits=Limits(0, 3, 0)) as door:
        answer = await door.batch([visit(n) for n in (1, 2, 1, 3, 4, 2, 5)])
        assert answer["accepted"] == 5
        assert [(r["index"], r["code"]) for r in answer["rejected"]] == [
            (4, "lead_ceiling"), (6, "lead_ceiling"),
        ]  # fmt: skip
        refused = await door.event(anonymousId="v-9")
        assert (refused.status_code, refused.json()["code"]) == (429, "lead_ceiling")
        assert 1 <= int(refused.headers["retry-after"]) <= 86_400
        assert (await door.event(anonymousId="v-1")).status_code == 202
        assert (await door.trusted(anonymousId="v-9")).status_code == 202
        assert await door.one("select count(*) from leads") == 4
        assert await door.one("select new_leads from daily_usage") == 3


async def test_two_servers_share_the_ceiling_of_new_leads(database: str) -> None:
    """However they race."""
    limits = Limits(0, 30, 0)
    async with (
        open_door(database, limits=limits) as one,
        open_door(database, one.project, limits) as two,
    ):
        await asyncio.gather(
            *(one.batch([visit(n) for n in range(k, k + 8)]) for k in range(0, 48, 8)),
            *(two.batch([visit(n) for n in range(k, k + 8)]) for k in range(100, 148, 8)),
        )
        assert await one.one("select count(*) from leads") == 30
        assert await one.one("select new_leads from daily_usage") == 30


async def test_claims_about_one_lead_beyond_the_ceiling_are_kept_apart(database: str) -> None:
    """Stored and answered as usual, but not scored; other classes and leads are not concerned."""
    async with open_door(database, limits=Limits(3, 0, 0)) as door:
        answer = await door.batch([visit(1) for _ in range(4)] + [visit(2)])
        assert answer["accepted"] == 5
        assert (await door.event(anonymousId="v-1")).json()["status"] == "queued"
        assert (await door.trusted(anonymousId="v-1")).json()["status"] == "queued"
        counts = await door.rows(
            "select quarantined, count(*)::int from events group by 1 order by 1"
        )
        assert counts == [(False, 5), (True, 2)]
        assert await door.one("select count(*) from inbox") == 5
        assert await door.one("select sum(events)::int from activity_deltas") == 7


async def test_merging_leads_gives_no_room_beyond_the_ceiling(database: str) -> None:
    """A lead and all that merged into it are one: what they say counts together, at once."""
    async with open_door(database, limits=Limits(3, 0, 0)) as door:
        await door.batch([visit(n) for n in range(4)])
        for n in range(4):
            await door.batch([visit(n, email="x@example.com")])
        await door.batch([visit(n) for n in range(4)])
        await door.trusted(anonymousId="v-2")
        counts = await door.rows(
            "select quarantined, trusted, count(*)::int from events group by 1, 2 order by 1, 2"
        )
        # Each browser said one thing while it was somebody of its own, the first one two.
        assert counts == [(False, False, 5), (False, True, 1), (True, False, 7)]


@pytest.mark.parametrize("merge", ["a claim", "another process"])
async def test_what_is_stored_the_short_way_counts_for_the_survivor(
    database: str, monkeypatch: pytest.MonkeyPatch, merge: str
) -> None:
    """Known browsers of one person, well below their ceilings each, pass it together."""
    monkeypatch.setattr("leadpulse.usecases.ceilings._GROUP", 10)
    limits, size = Limits(100, 0, 0), Size(events=10)
    async with (
        open_door(database, limits=limits, size=size) as door,
        open_door(database, door.project, limits, size) as other,
    ):
        for n in range(8):
            await door.batch([visit(n)])
            await door.batch([visit(n) for _ in range(8)])
        assert await door.one("select count(*) from events where quarantined") == 0
        linking = door if merge == "a claim" else other
        for n in range(8):
            await linking.batch([visit(n, email="x@example.com")])
        for _ in range(3):
            for n in range(8):
                await door.batch([visit(n) for _ in range(4)])
        # 80 stood when all had become one.
        taken = await door.one("select count(*) from events where not quarantined")
        assert taken == 100
        assert await door.one("select count(*) from events") == 80 + 96


async def test_several_processes_ask_the_oftener_the_nearer_the_ceiling(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that taking turns they stop where one alone would."""
    monkeypatch.setattr("leadpulse.usecases.ceilings._GROUP", 1)
    limits = Limits(100, 0, 0)
    async with (
        open_door(database, limits=limits) as one,
        open_door(database, one.project, limits) as two,
        open_door(database, one.project, limits) as three,
    ):
        for _ in range(50):
            for door in (one, two, three):
                await door.event(anonymousId="v-1")
        assert await one.one("select count(*) from events where not quarantined") == 100


async def test_a_lead_that_was_parted_again_has_its_own_room(database: str) -> None:
    """What the others said no longer counts for the one that had reached the ceiling."""
    async with open_door(database, limits=Limits(4, 0, 0)) as door:
        await door.batch([visit(n) for n in (1, 2) for _ in range(2)])
        await door.batch([visit(1, email="x@example.com")])
        await door.batch([visit(2, email="x@example.com")])
        (edge,) = await door.rows("select id::text from lead_merges")
        async with pool(database, "test") as connections:
            await merges.undo(connections, door.project.id, edge[0], "test")
        await door.batch([visit(1)])
        await door.batch([visit(2)])
        held = await door.rows(
            "select i.value, array_agg(quarantined order by e.id) from events e "
            "join identifiers i using (project_id, lead_id) where i.kind = 3 "
            "group by 1 order by 1"
        )
        assert held == [
            ("v-1", [False, False, False, True, True]),
            ("v-2", [False, False, False]),
        ]


async def test_a_new_process_knows_what_was_used_up(database: str) -> None:
    """The counts are the database's; a process only remembers when to look."""
    limits = Limits(3, 1, 1)
    async with open_door(database, limits=limits) as door:
        await door.batch([visit(1) for _ in range(3)])
    async with open_door(database, door.project, limits) as later:
        await later.event(anonymousId="v-1", event="second")
        assert await later.one("select count(*) from events where quarantined") == 1
        assert (await later.event(anonymousId="v-2")).status_code == 429
        assert (
            await later.one("select count(*) from activity_deltas where event_type = 'other'") == 1
        )


async def test_event_types_beyond_the_ceiling_are_other_in_figures(database: str) -> None:
    """The event itself keeps its name, and is scored by it."""
    async with open_door(database, limits=Limits(0, 0, 2)) as door:
        await door.batch([visit(1, event=f"type-{n % 4}") for n in range(8)])
        await door.event(event="type-0", anonymousId="v-1")
        await door.trusted(event="type-9", anonymousId="v-1")
        figures = await door.rows(
            "select event_type, sum(events)::int from activity_deltas group by 1 order by 1"
        )
        assert figures == [("other", 4), ("type-0", 3), ("type-1", 2), ("type-9", 1)]
        assert await door.one("select count(distinct event_type) from events") == 5
        assert await door.one("select count(*) from inbox") == 10


async def test_a_full_buffer_refuses_before_anything_is_promised(database: str) -> None:
    """503 with Retry-After; what was taken is answered all the same."""
    async with open_door(database, size=Size(waiting=50)) as door:
        await door.event()
        blocker = await connect(database, "blocker", autocommit=False)
        await blocker.execute("lock table events in access exclusive mode")
        waiting = [asyncio.create_task(door.event(eventId=str(n))) for n in range(50)]
        await until(lambda: door.buffer.waiting == 50)
        refused = await door.event()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["code"] == "overloaded"
        await blocker.rollback()
        await blocker.close()
        answers = await asyncio.gather(*waiting)
        assert all(answer.json()["status"] == "queued" for answer in answers)
        assert await door.one("select count(*) from events") == 51


async def test_one_bad_row_fails_nobody_else(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that the database refuses is split until the one at fault is alone."""
    async with open_door(database) as door:
        await door.event()
        await door.conn.execute(
            "alter table events add constraint trap check (properties ->> 'trap' is null)"
        )
        answer = await door.batch(
            [visit(1, properties={"trap": 1} if n == 13 else {}) for n in range(30)]
        )
        assert answer["accepted"] == 29
        assert [(r["index"], r["code"]) for r in answer["rejected"]] == [(13, "invalid")]
        assert "trap" not in answer["rejected"][0]["error"]
        assert door.buffer.figures.splits > 0


async def test_a_lost_connection_neither_loses_nor_doubles(database: str) -> None:
    """Backends that are ended in the middle of everything are replaced; ids say what was kept."""
    async with open_door(database) as door:

        async def end_backends() -> None:
            for _ in range(12):
                await asyncio.sleep(0.03)
                await door.conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name = 'leadpulse-intake' and datname = current_database()"
                )

        ending = asyncio.create_task(end_backends())
        kept: set[str] = set()
        n = 0
        while not ending.done():
            n += 1
            answers = await asyncio.gather(
                *(door.event(anonymousId=f"v-{k % 5}", eventId=f"{n}-{k}") for k in range(10))
            )
            kept |= {a.json()["eventId"] for a in answers if a.status_code == 202}
            assert {a.json().get("status") for a in answers if a.status_code == 202} <= {"queued"}
        await ending
        stored = {row[0] for row in await door.rows("select event_id from events")}
        assert kept <= stored
        assert await door.one("select count(*) from inbox") == len(stored)
        assert door.buffer.figures.reconnects > 0


async def test_an_answer_that_got_lost_is_recognised(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit came through, the connection did not: the event is queued, not a duplicate."""
    async with open_door(database) as door:
        await door.event()
        honest = store.store
        lost: list[frozenset[str]] = []

        async def losing(*given: Any) -> frozenset[str]:
            found = await honest(*given)
            assert found is not None
            if not lost:
                lost.append(found)
                raise ConnectionError("the answer got lost")
            return found

        monkeypatch.setattr(store, "store", losing)
        answer = await door.event(anonymousId="visitor-1")
        assert lost
        assert answer.json()["status"] == "queued"
        assert await door.one("select count(*) from events") == 2


async def test_without_a_database_events_are_refused_until_it_is_back(
    database: str, cluster: Cluster
) -> None:
    """After a short wait; then at once; and everything goes on by itself."""
    name = database.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    admin = await connect(cluster.dsn("postgres"), "test")
    try:
        async with open_door(database, size=Size(patience=0.3)) as door:
            await door.event()
            await admin.execute(f"alter database {name} allow_connections false".encode())
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'leadpulse-intake' and datname = %s", (name,),
            )  # fmt: skip
            refused = await door.event(eventId="e")
            assert refused.status_code == 503
            assert not door.buffer.available
            assert (await door.event(eventId="e")).status_code == 503
            await admin.execute(f"alter database {name} allow_connections true".encode())

            async def taken() -> bool:
                return (await door.event(eventId="e")).status_code == 202

            await until(taken)
            assert await door.one("select count(*) from events where event_id = 'e'") == 1
    finally:
        await admin.close()


async def test_stopping_commits_what_waits_and_takes_no_more(database: str) -> None:
    """Nobody who was taken in goes without an answer."""
    async with open_door(database) as door:
        await door.event()
        taken = [asyncio.create_task(door.event(eventId=str(n))) for n in range(20)]
        await until(lambda: door.buffer.waiting > 0)
        await door.buffer.stop()
        answers = await asyncio.gather(*taken)
        statuses = {answer.status_code for answer in answers}
        assert statuses <= {202, 503}
        kept = sum(answer.status_code == 202 for answer in answers)
        assert await door.one("select count(*) from events") == 1 + kept
        assert (await door.event()).status_code == 503


async def test_many_projects_share_a_commit(database: str) -> None:
    """Each event lands in its own project, whoever sends at the same time."""
    async with open_door(database) as door:
        projects = [await create_project(door.conn, f"P{n}") for n in range(8)]
        body = {"event": "x", "anonymousId": "same", "eventId": "same"}
        answers = await asyncio.gather(
            *(door.post("/api/ingest/event", body, key=p.write_key) for p in projects * 3)
        )
        assert sum(a.json()["status"] == "queued" for a in answers) == 8
        assert await door.one("select count(distinct project_id) from events") == 8
        assert await door.one("select count(distinct lead_id) from events") == 8


async def test_a_huge_batch_waits_its_turn_in_parts(database: str) -> None:
    """And is answered as one."""
    async with open_door(database, size=Size(events=100)) as door:
        answer = await door.batch([visit(n % 10, eventId=str(n)) for n in range(950)])
        assert answer["accepted"] == 950
        assert door.buffer.figures.commits >= 10
        with contextlib.suppress(Overloaded):
            await door.batch([visit(1)])
