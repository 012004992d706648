"""Erasing somebody whose events come in at the same time, by several processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.postgres.connect import connect, pool
from leadpulse.usecases import erase, private
from leadpulse.usecases.leads import STRAGGLERS
from leadpulse.usecases.verify import verify_project
from support.intake import Door, open_door
from support.scoring import drain

if TYPE_CHECKING:
    from leadpulse.postgres.session import Pool

WHO = {"userId": "erased-user", "email": "erased@example.com", "anonymousId": "erased-browser"}


async def storm(door: Door, tag: str, stop: asyncio.Event, heard: list[Any]) -> None:
    """Sends events that name the person in every way, and a neighbour, until it is told to stop."""
    number = 0
    while not stop.is_set():
        number += 1
        names = [
            {"userId": WHO["userId"]},
            {"email": WHO["email"]},
            {"userId": WHO["userId"], "email": WHO["email"]},
            {"userId": WHO["userId"], "anonymousId": f"new-{tag}-{number}"},
            {"userId": WHO["userId"], "email": f"erased-too-{tag}-{number}@example.com"},
            {"userId": f"neighbour-{number % 5}"},
        ]
        events = [
            {"event": "page_view", "eventId": f"{tag}-{number}-{n}", **name}
            for n, name in enumerate(names)
        ]
        key = door.project.secret_key if number % 2 else ""
        heard.append(await door.batch(events, key))


async def score_on(dsn: str, stop: asyncio.Event) -> None:
    """A scorer that works all the while."""
    conn = await connect(dsn, "scorer")
    try:
        while not stop.is_set():
            await drain(conn)
            await asyncio.sleep(0.01)
    finally:
        await conn.close()


async def leads_of(door: Door, value: str) -> list[str]:
    rows = await door.rows(
        "select coalesce(r.root_id, i.lead_id)::text from identifiers i"
        " left join lead_roots r on r.project_id = i.project_id and r.lead_id = i.lead_id"
        " where i.value = %s", value,
    )  # fmt: skip
    return [row[0] for row in rows]


@pytest.mark.parametrize("turn", range(3))
async def test_nothing_slips_through_while_somebody_is_erased(database: str, turn: int) -> None:
    """Two intakes and a scorer are at work: nothing names him then, all was answered as ever."""
    async with (
        open_door(database) as one,
        open_door(database, one.project) as other,
        pool(database, "api") as opened,
    ):
        await one.trusted(event="identify", **WHO)
        stop, heard = asyncio.Event(), list[Any]()
        senders = [
            asyncio.create_task(storm(door, tag, stop, heard))
            for door, tag in ((one, "one"), (other, "other"))
        ]
        senders.append(asyncio.create_task(score_on(database, stop)))
        await asyncio.sleep(0.15 + 0.1 * turn)
        await _erase(one, opened)
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*senders)
        await drain(one.conn)
        await _sweep(one)
        assert {(a["accepted"], a["duplicates"], a["conflicts"]) for a in heard} == {(6, 0, 0)}
        assert await one.one(
            "select count(*) from identifiers where value like '%%erased%%' or value like 'new-%%'"
        ) == 0  # fmt: skip
        assert await one.one(
            "select count(*) from events e where not exists (select from leads l"
            " where l.project_id = e.project_id and l.id = e.lead_id)"
        ) == 0  # fmt: skip
        report = await verify_project(opened, one.project.id)
        assert report.ok, report.differing
        sent = sum(len(a["eventIds"]) for a in heard) // 6
        assert await one.one("select count(*) from events") == sent
        assert await one.one(
            "select count(*) from events where traits::text like '%%erased@%%'") == 0  # fmt: skip


async def test_no_profile_takes_up_what_an_event_said(database: str) -> None:
    """A scorer reads events of others that name him, and writes their profiles, meanwhile."""
    async with open_door(database) as door, pool(database, "api") as opened:
        stop = asyncio.Event()
        scorer = asyncio.create_task(score_on(database, stop))
        for turn in range(6):
            who = {"userId": WHO["userId"], "email": f"erased-{turn}@example.com"}
            await door.trusted(event="identify", **who)
            neighbours = [f"n{turn}-{n}" for n in range(25)]
            for traits in ({"of": "one"}, {"by": f"By <{who['email']}>"}):
                await door.batch(
                    [{"event": "identify", "userId": n, "traits": traits} for n in neighbours],
                    door.project.secret_key,
                )
            await _erase(door, opened)
            await door.conn.execute("delete from suppressions")
        stop.set()
        await scorer
        await drain(door.conn)
        for table in ("events", "lead_profiles"):
            query = f"select count(*) from {table} t where t::text like '%%erased-%%'"
            assert await door.one(query) == 0
        assert await door.one(
            """select count(*) from lead_profiles where traits = '{"of": "one"}'"""
        ) == 6 * 25  # fmt: skip


async def test_it_waits_for_a_scorer_that_read_what_goes(database: str) -> None:
    """What a pass has read before, and writes when others' events are clean, goes as well."""
    async with open_door(database) as door, pool(database, "api") as opened:
        await door.trusted(event="identify", **WHO)
        await door.trusted(event="identify", userId="bob")
        await drain(door.conn)
        (bob,) = await leads_of(door, "bob")
        await door.trusted(event="identify", userId="bob", traits={"by": WHO["email"]})
        async with await connect(database, "test") as scorer:
            await scorer.execute("begin")
            await scorer.execute("select from leads where id = %s for no key update", (bob,))
            await scorer.execute(
                """update lead_profiles f set facts = jsonb_build_object('by', jsonb_build_array(
                       e.traits ->> 'by', 1, e.event_id, 1))
                   from events e where e.lead_id = f.lead_id and e.traits ? 'by'"""
            )
            erasing = asyncio.create_task(_erase(door, opened))
            await asyncio.sleep(0.5)
            assert not erasing.done()
            await scorer.execute("commit")
            await erasing
        for table in ("events", "lead_profiles"):
            query = f"select count(*) from {table} t where t::text like '%%erased@%%'"
            assert await door.one(query) == 0


async def _erase(door: Door, opened: Pool) -> None:
    (lead,) = set(await leads_of(door, WHO["userId"]))
    done = await erase.erase(opened, door.project.id, lead, "test")
    assert done.done


async def _sweep(door: Door) -> None:
    """What the upkeep does in the minute after it."""
    while await private.sweep_pass(door.conn):
        pass
    await door.conn.execute(
        "update lead_removals set removed_at = removed_at - %s * interval '1 microsecond'",
        (2 * STRAGGLERS,),
    )
    while await private.sweep_pass(door.conn):
        pass
    assert await door.one("select count(*) from lead_removals") == 0
