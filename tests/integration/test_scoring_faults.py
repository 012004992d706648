"""Faults of an older system that must not come back; the numbers are those of our list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import builders
from builders import HOUR, MINUTE, Event
from leadpulse.domain.facts import DAY
from leadpulse.domain.fold import fold
from leadpulse.postgres.connect import pool
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import batch, repair
from leadpulse.usecases.due import decay_pass
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.score import Desk, score_pass
from support.scoring import assert_equals_plain_fold, drain, ledger, one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection


async def clock(conn: Connection) -> int:
    return int(await one(conn, "select clock_timestamp()"))


class ArrivesDuringThePass:
    """Stores one more event of the lead while a pass holds it, on another connection."""

    def __init__(self, dsn: str, statement: str) -> None:
        self._dsn, self._statement = dsn, statement

    def begin(self, leads: Sequence[tuple[str, str]], *, alone: bool) -> None:
        del leads, alone
        with psycopg.connect(self._dsn, autocommit=True) as other:
            other.execute(self._statement.encode())

    def end(self) -> None:
        pass


async def test_fault_01_an_event_that_arrives_during_a_pass_is_scored_next(
    pg: Connection, database: str
) -> None:
    """No wake-up is lost: what comes while its lead is scored waits for the next pass only."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    now = await clock(pg)
    await builders.add_events(pg, project, [(lead, Event("signup", now - HOUR, "a"))])
    await pg.execute("create table coming as select * from inbox limit 0")
    (late,) = await builders.add_events(pg, project, [(lead, Event("signup", now - MINUTE, "b"))])
    await pg.execute(
        "with d as (delete from inbox where id = %s returning *)"
        " insert into coming select * from d",
        (late,),
    )
    desk = Desk(pg)
    desk.claims = ArrivesDuringThePass(database, "insert into inbox select * from coming")
    assert (await score_pass(desk, Rotation(), 100)).leads == 1
    desk.claims = None
    await drain(pg, desk=desk)
    assert await one(pg, "select score, entries from leads") == (40, 2)
    await assert_equals_plain_fold(pg, project, lead)


async def test_fault_02_failures_reach_retries_and_the_dead_letters(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is recorded, tried again, and in the end kept as a dead letter."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("signup", builders.NOON, "a"))])
    monkeypatch.setattr(batch, "fold", broken)
    for attempt in range(1, 7):
        await pg.execute("update scoring_failures set retry_at = now()")
        await drain(pg)
        if attempt < 6:
            assert await one(pg, "select attempts from scoring_failures") == attempt
    assert await one(pg, "select state, attempts, error from dead_letters") == (
        "open", 6, "ZeroDivisionError",
    )  # fmt: skip
    monkeypatch.setattr(batch, "fold", fold)


async def test_fault_04_the_clamp_does_not_depend_on_arrival(pg: Connection) -> None:
    """A late unsubscribe is clamped where it belongs, not on top of the newest score."""
    project = await builders.add_project(pg, name="leadpulse")
    in_order, late = await builders.add_leads(pg, project, 2)
    now = await clock(pg)
    first = Event("unsubscribe", now - 2 * HOUR, "first")
    second = Event("demo_request", now - HOUR, "second")
    for lead, arriving in ((in_order, (first, second)), (late, (second, first))):
        for event in arriving:
            await builders.add_events(
                pg, project, [(lead, event._replace(event_id=f"{lead}-{event.event_id}"))]
            )
            await drain(pg)
    assert [row[6] for row in await ledger(pg, late)] == [0, 50]
    cursor = await pg.execute("select distinct score, entries from leads")
    assert await cursor.fetchall() == [(50, 2)]


async def test_fault_05_decay_stands_in_the_ledger_and_the_next_event_builds_on_it(
    pg: Connection,
) -> None:
    """Nothing undoes decay: it is scheduled, shown, and the base of what comes next."""
    project = await builders.add_project(pg, name="leadpulse")
    lead = await builders.add_lead(pg, project)
    now = await clock(pg)
    await builders.add_events(
        pg, project, [(lead, Event("demo_request", now - 9 * DAY - HOUR, "a"))]
    )
    await drain(pg)
    # Scored nine days late: the score is that of today at once, and the next step is known.
    decayed = 50 * 0.95**3
    assert await one(pg, "select score, due_at from leads") == (decayed, now + DAY - HOUR)
    await pg.execute("update leads set due_at = now() - interval '1 hour'")
    await decay_pass(pg, ModelCache())
    assert await one(pg, "select score, due_at from leads") == (decayed, now + DAY - HOUR)
    await builders.add_events(pg, project, [(lead, Event("page_view", now, "b"))])
    await drain(pg)
    assert [(row[0], row[4], row[6]) for row in await ledger(pg, lead)] == [
        (0, 0, 50),
        (1, 50, decayed),
        (0, decayed, decayed + 5),
    ]


async def test_fault_09_the_last_event_time_is_that_of_the_event(pg: Connection) -> None:
    """When it was processed doesn't matter, nor does an event that is no act."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    now = await clock(pg)
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("signup", now - 3 * DAY, "a")),
            (lead, Event("email_sent", now - DAY, "b")),
        ],
    )
    await drain(pg)
    assert await one(pg, "select last_event_at from leads") == now - 3 * DAY


async def test_fault_12_a_rebuilt_lead_goes_on(pg: Connection, database: str) -> None:
    """A rebuild gives the same ledger again, and events after it are scored."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    now = await clock(pg)
    await builders.add_events(pg, project, [(lead, Event("signup", now - HOUR, "a"))])
    await drain(pg)
    before = await ledger(pg, lead)
    async with pool(database, "test") as some:
        assert await repair.rebuild_lead(some, project, lead) == lead
    await drain(pg)
    assert await ledger(pg, lead) == before
    assert await one(pg, "select generation from leads") == 1
    await builders.add_events(pg, project, [(lead, Event("signup", now, "b"))])
    await drain(pg)
    assert await one(pg, "select score from leads") == 40
