"""Several scorers on one database: nothing twice, nothing lost, nobody starved."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import builders
from builders import DAY, HOUR, MINUTE, NOON, Event
from leadpulse.domain.facts import ADJUSTMENT
from leadpulse.postgres.connect import connect
from leadpulse.worker.main import ENTRY
from leadpulse.worker.scorer import Scorer, ScorerOptions
from support.scoring import (
    assert_equals_plain_fold,
    assert_no_strays,
    drain,
    ledger,
    one,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from leadpulse.postgres.connect import Connection

TYPES = ("page_view", "signup", "unsubscribe", "demo_request", "email_open", "x_sent")


@asynccontextmanager
async def scorers(database: str, marks: Path, count: int, rows: int = 200) -> AsyncIterator[None]:
    """Scorers in this process, each with its own connection and loop."""
    stop = asyncio.Event()
    running = [
        asyncio.create_task(Scorer(ScorerOptions(database, marks, ENTRY, i, count, rows)).run(stop))
        for i in range(count)
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def empty(conn: Connection, within: float = 60) -> None:
    await until(
        conn, "select not exists (select from inbox) and not exists (select from refolds)", within
    )


def some_events(chance: random.Random, count: int) -> list[Event]:
    """Events around each other in time, many at the same instant, some adjustments."""
    found = []
    for i in range(count):
        kind = chance.choice((*TYPES, ADJUSTMENT))
        ts = NOON + chance.choice((0, HOUR, DAY, 9 * DAY, 30 * DAY)) + chance.randrange(3) * MINUTE
        properties: dict[str, object] = {"path": chance.choice(("/", "/Pricing"))}
        if kind == ADJUSTMENT:
            properties = {"points": chance.choice((-30, 2.5))}
        found.append(
            Event(kind, ts, f"{i}", kind == ADJUSTMENT or chance.random() < 0.5, properties)
        )
    return found


@pytest.mark.both_postgres
@pytest.mark.parametrize("seed", range(6))
async def test_any_arrival_gives_the_same_ledger(pg: Connection, seed: int) -> None:
    """Any order, any batches, any repetition of work: the ledgers are equal to the last bit."""
    chance = random.Random(seed)
    events = some_events(chance, 40)
    ledgers = []
    for arrival in range(3):
        project = await builders.add_project(pg, name="leadpulse")
        lead = await builders.add_lead(pg, project)
        coming = list(events) if arrival == 0 else chance.sample(events, len(events))
        while coming:
            size = chance.randrange(1, 12)
            batch, coming = coming[:size], coming[size:]
            await builders.add_events(pg, project, [(lead, e) for e in batch])
            await pg.execute("create temp table kept as select * from inbox")
            await pg.execute("update leads set refolds = 0")
            await drain(pg, chance.choice((3, 1000)))
            if chance.random() < 0.3:
                await pg.execute("insert into inbox select * from kept")
                await drain(pg)
            await pg.execute("drop table kept")
        await assert_equals_plain_fold(pg, project, lead)
        ledgers.append([(row[:3], row[4:]) for row in await ledger(pg, lead)])
    assert ledgers[0] == ledgers[1] == ledgers[2]


async def test_many_scorers_score_every_event_once(
    pg: Connection, database: str, tmp_path: Path
) -> None:
    """While events of all ages come in, five scorers give every lead the plain fold."""
    chance = random.Random(7)
    project = await builders.add_project(pg, name="leadpulse")
    leads = await builders.add_leads(pg, project, 40)
    async with scorers(database, tmp_path, 5, rows=60):
        for i in range(60):
            events = [
                (
                    chance.choice(leads),
                    Event(chance.choice(TYPES), NOON + chance.randrange(20 * DAY), f"{i}-{k}"),
                )
                for k in range(25)
            ]
            await builders.add_events(pg, project, events)
        await empty(pg)
    assert await one(pg, "select count(*) from ledger where kind <> 1") == 1500
    for lead in leads:
        await assert_equals_plain_fold(pg, project, lead)
    await assert_no_strays(pg)
    assert await one(pg, "select count(*) from scoring_failures") == 0


async def test_merges_and_undos_race_with_events_and_scorers(
    pg: Connection, database: str, tmp_path: Path
) -> None:
    """Whatever is merged or taken apart on the way, each survivor is the fold of its union."""
    chance = random.Random(11)
    project = await builders.add_project(pg, name="leadpulse")
    leads = await builders.add_leads(pg, project, 12)
    pairs = list(zip(leads[::2], leads[1::2], strict=True))
    edges: dict[int, str] = {}
    async with scorers(database, tmp_path, 4, rows=30):
        for i in range(60):
            which = chance.randrange(len(pairs))
            if which in edges:
                await builders.unlink(pg, project, edges.pop(which))
            else:
                edges[which] = await builders.link(pg, project, *pairs[which])
            await builders.add_events(
                pg,
                project,
                [
                    (
                        chance.choice(leads),
                        Event(chance.choice(TYPES), NOON + chance.randrange(9 * DAY), f"{i}-{k}"),
                    )
                    for k in range(5)
                ],
            )
        await empty(pg)
    for index, (child, parent) in enumerate(pairs):
        await assert_equals_plain_fold(pg, project, parent)
        if index in edges:
            assert await ledger(pg, child) == []
            assert await one(
                pg, "select merged_into::text from leads where id = %s", child
            ) == parent  # fmt: skip
        else:
            await assert_equals_plain_fold(pg, project, child)
    await assert_no_strays(pg)


# ── Fairness ─────────────────────────────────────────────────────────────────────────


async def flood(conn: Connection, project: str, leads: list[str], count: int) -> None:
    for start in range(0, count, 5000):
        await builders.add_events(
            conn,
            project,
            [
                (leads[i % len(leads)], Event("page_view", NOON + i, f"flood-{i}"))
                for i in range(start, min(start + 5000, count))
            ],
        )


async def seconds_until_scored(conn: Connection, project: str, lead: str) -> float:
    began = time.monotonic()
    await builders.add_events(conn, project, [(lead, Event("signup", NOON, "other"))])
    await until(conn, f"select entries > 0 from leads where id = '{lead}'", 30)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "size", [20_000, pytest.param(200_000, marks=pytest.mark.soak)], ids=["small", "large"]
)
@pytest.mark.parametrize("leads", [2_000, 1], ids=["of many leads", "of one lead"])
async def test_a_flood_in_one_project_does_not_delay_another(
    pg: Connection, database: str, tmp_path: Path, leads: int, size: int
) -> None:
    """Another project's event is scored within two seconds, however much waits in the first."""
    loud, quiet = await builders.add_project(pg), await builders.add_project(pg)
    await flood(pg, loud, await builders.add_leads(pg, loud, leads), size)
    other = await builders.add_lead(pg, quiet)
    async with scorers(database, tmp_path, 1, rows=1000):
        assert await seconds_until_scored(pg, quiet, other) < 2
        assert await one(pg, "select exists (select from inbox)")
        await empty(pg, within=300)


async def test_a_flood_of_one_lead_does_not_delay_its_neighbours(
    pg: Connection, database: str, tmp_path: Path
) -> None:
    """In the same project other leads are scored between two batches of the flood."""
    project = await builders.add_project(pg)
    loud, quiet = await builders.add_leads(pg, project, 2)
    await flood(pg, project, [loud], 20_000)
    async with scorers(database, tmp_path, 1, rows=1000):
        assert await seconds_until_scored(pg, project, quiet) < 2
        assert await one(pg, "select exists (select from inbox)")
        await empty(pg)
    await assert_equals_plain_fold(pg, project, loud)


async def test_a_ceiling_on_leads_per_second_is_kept(
    pg: Connection, database: str, tmp_path: Path
) -> None:
    """With a ceiling of 50 leads a second, 60 leads take about a second."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 60)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, lead)) for lead in leads])
    stop = asyncio.Event()
    options = ScorerOptions(database, tmp_path, ENTRY, leads_per_second=50)
    running = asyncio.create_task(Scorer(options).run(stop))
    began = time.monotonic()
    await empty(pg)
    assert 0.8 < time.monotonic() - began < 10
    stop.set()
    await running


async def test_ten_thousand_projects_are_visited_in_turn(pg: Connection) -> None:
    """Many projects with a row each are all served, a bounded number at a time."""
    base = await builders.add_project(pg)
    await pg.execute(
        """
        with p as (
            insert into projects (id, name, preset, digest_key, identity_secret)
            select gen_random_uuid(), 'many', 'classic', digest_key, identity_secret
            from projects, generate_series(1, 300) where id = %(p)s::uuid returning id
        ), m as (
            insert into models (project_id, version, scope, document)
            select p.id, 1, 'all-history', m.document from p, models m
            where m.project_id = %(p)s::uuid
        ), l as (
            insert into leads (project_id, id, as_of, epoch, created_at, updated_at)
            select p.id, gen_random_uuid(), now(), 1, now(), now() from p returning project_id, id
        )
        insert into inbox (project_id, lead_id, id, event_id, event_type, ts, received_at,
            model_version)
        select project_id, id, gen_random_uuid(), 'x', 'signup', now(), now(), 1 from l
        """,
        {"p": base},
    )
    assert await drain(pg) >= 300 // 64
    assert await one(pg, "select count(*) from leads where score = 20") == 300


async def test_no_scorer_waits_for_a_lead_that_another_holds(pg: Connection, database: str) -> None:
    """A held lead is passed over; its rows stay for the one who holds it."""
    project = await builders.add_project(pg)
    held, free = await builders.add_leads(pg, project, 2)
    await builders.add_events(
        pg, project, [(lead, Event("signup", NOON, lead)) for lead in (held, free)]
    )
    other = await connect(database, "other")
    async with other.transaction():
        await other.execute("select from leads where id = %s for no key update", (held,))
        async with asyncio.timeout(5):
            await drain(pg)
        assert await one(pg, "select lead_id::text from inbox") == held
    await other.close()
    await drain(pg)
    assert await one(pg, "select count(*) from ledger") == 2
