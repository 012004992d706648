"""When an event was scored first stays known, however often its lead is folded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import builders
from builders import DAY, HOUR, MINUTE, NOON, Event
from leadpulse.usecases import maintain
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.refold import refold_pass
from leadpulse.usecases.score import Desk, score_pass
from support.scoring import assert_equals_plain_fold, assert_no_strays, drain, one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

Times = dict[str, tuple[int, int]]


async def times(conn: Connection) -> Times:
    """When each event was claimed and scored, as its pipeline times tell it."""
    cursor = await conn.execute(
        """
        select g.event::text, g.claimed_at, g.recorded_at
        from ledger g join leads l on l.id = g.lead_id and l.generation = g.generation
        where g.kind <> 1
        """
    )
    return {event: (claimed, recorded) for event, claimed, recorded in await cursor.fetchall()}


async def rewritten(conn: Connection, before: Times) -> Times:
    """The times of now, those from before unchanged; returns those that are new."""
    now = await times(conn)
    assert before.items() <= now.items()
    fresh = {event: told for event, told in now.items() if event not in before}
    assert all(told > max(before.values()) for told in fresh.values())
    return fresh


@pytest.mark.both_postgres
async def test_a_late_event_changes_no_other_events_times(pg: Connection) -> None:
    """Behind a late event all is written again, decay in between included, with the old times."""
    project = await builders.add_project(pg, name="leadpulse")
    lead = await builders.add_lead(pg, project)
    # One at a time, so that each has times of its own.
    for number in range(6):
        event = Event("page_view", NOON + number * 9 * DAY, f"v{number}")
        await builders.add_events(pg, project, [(lead, event)])
        await drain(pg)
    before = await times(pg)
    assert len(set(before.values())) == 6
    late = Event("signup", NOON + 10 * DAY, "late")
    (id_,) = await builders.add_events(pg, project, [(lead, late)])
    await drain(pg)
    assert set(await rewritten(pg, before)) == {id_}
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_fold_of_everything_keeps_all_times(pg: Connection) -> None:
    """Also that of a lead beside others that are only added to."""
    project = await builders.add_project(pg)
    lead, other = await builders.add_leads(pg, project, 2)
    for number in range(4):
        event = Event("page_view", NOON + number * HOUR, f"v{number}")
        await builders.add_events(pg, project, [(lead, event)])
        await drain(pg)
    before = await times(pg)
    await builders.request_refold(pg, project, lead)
    new = [(other, Event("signup", NOON, "o")), (lead, Event("signup", NOON + 9 * HOUR, "n"))]
    ids = await builders.add_events(pg, project, new)
    await drain(pg)
    assert set(await rewritten(pg, before)) == set(ids)
    assert await one(pg, "select generation from leads where id = %s", lead) == 1


async def test_merged_leads_bring_their_times_along(pg: Connection) -> None:
    """The survivor's ledger holds the events of both with the times of both; so does the undo."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 2)
    for number, lead in enumerate(leads * 2):
        event = Event("page_view", NOON + number * HOUR, f"v{number}")
        await builders.add_events(pg, project, [(lead, event)])
        await drain(pg)
    before = await times(pg)
    edge = await builders.link(pg, project, leads[0], leads[1])
    await drain(pg)
    assert await rewritten(pg, before) == {}
    assert await one(pg, "select entries from leads where id = %s", leads[1]) == 4
    await builders.unlink(pg, project, edge)
    await drain(pg)
    assert await rewritten(pg, before) == {}


async def test_a_long_fold_keeps_the_times_of_a_whole_tree(pg: Connection) -> None:
    """A merge too long for one pass is folded in chunks, and asks the old ledgers of both."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 2)
    for number, lead in enumerate(leads):
        visits = [
            (lead, Event("page_view", NOON + (2 * i + number) * MINUTE, f"{number}-{i:05}"))
            for i in range(3_000)
        ]
        await builders.add_events(pg, project, visits)
        await drain(pg, rows=700)
    before = await times(pg)
    assert len(before) == 6_000
    await builders.link(pg, project, leads[0], leads[1])
    desk = Desk(pg)
    await score_pass(desk, Rotation(), 1000)
    assert await one(pg, "select count(*) from refolds") == 1
    # What is needed for its times isn't cleared away meanwhile.
    assert await maintain.drop_old_generations(pg) == 0
    while not (await refold_pass(desk)).idle:
        pass
    assert await rewritten(pg, before) == {}
    await assert_equals_plain_fold(pg, project, leads[1])
    await builders.request_refold(pg, project, leads[1])
    await drain(pg)
    assert await rewritten(pg, before) == {}
    while await maintain.drop_old_generations(pg):
        pass
    await assert_no_strays(pg)
    assert await one(pg, "select count(*) from old_generations") == 0
