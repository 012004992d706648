"""One scorer, one database: what a pass makes of events, late ones, merges and models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import builders
from builders import HOUR, MINUTE, NOON, Event
from leadpulse.domain.facts import ADJUSTMENT, DAY
from leadpulse.domain.model import Decay, Rule
from leadpulse.domain.presets import preset
from support.scoring import assert_equals_plain_fold, assert_no_strays, drain, ledger, one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection


async def test_events_become_score_ledger_and_stage(pg: Connection) -> None:
    """Three events of the classic preset give 1, 21, 51 and take the lead to hot."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    now = await one(pg, "select clock_timestamp()")
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("page_view", now - 3 * MINUTE, "a")),
            (lead, Event("signup", now - 2 * MINUTE, "b")),
            (lead, Event("demo_request", now - MINUTE, "c")),
        ],
    )
    assert await drain(pg) == 1
    assert [row[6] for row in await ledger(pg, lead)] == [1, 21, 51]
    assert await one(pg, "select score, stage, version from leads where id = %s", lead) == (
        51,
        2,
        1,
    )
    cursor = await pg.execute("select from_stage, to_stage, cause from stage_changes order by id")
    assert await cursor.fetchall() == [(0, 1, "event"), (1, 2, "event")]
    assert await one(pg, "select sum(mutations) from activity_deltas") == 3
    assert await one(pg, "select count(*) from inbox") == 0
    await assert_equals_plain_fold(pg, project, lead)


def visits(count: int, *, step: int = HOUR, prefix: str = "v") -> list[Event]:
    return [Event("page_view", NOON + i * step, f"{prefix}{i:05}") for i in range(count)]


async def test_late_events_give_the_ledger_of_the_plain_order(pg: Connection) -> None:
    """Events from before the end re-fold from the nearest checkpoint, and it is recorded."""
    project = await builders.add_project(pg, name="leadpulse")
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, e) for e in visits(250, step=9 * HOUR)])
    await drain(pg)
    assert await one(pg, "select count(*) from checkpoints") > 1
    late = [
        Event("signup", NOON + 2_001 * HOUR, "late-1"),
        Event("demo_request", NOON + 1_000 * HOUR, "late-2"),
        Event("page_view", NOON - HOUR, "late-3", properties={"path": "/Pricing"}),
    ]
    for event in late:
        await builders.add_events(pg, project, [(lead, event)])
        await drain(pg)
        await assert_equals_plain_fold(pg, project, lead)
    causes = await one(pg, "select array_agg(distinct cause) from score_revisions")
    assert causes in (["late"], None)


async def test_a_late_event_that_changes_the_score_is_recorded(pg: Connection) -> None:
    """What people saw before and after a late event stays on record with the event."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    now = await one(pg, "select clock_timestamp()")
    await builders.add_events(pg, project, [(lead, Event("page_view", now - HOUR, "b"))])
    await drain(pg)
    (late,) = await builders.add_events(
        pg, project, [(lead, Event("demo_request", now - 2 * HOUR, "a"))]
    )
    await drain(pg)
    row = await one(pg, "select cause, event, before, after from score_revisions")
    assert row == ("late", late, 1, 31)
    row = await one(pg, "select cause, event, from_stage, to_stage from stage_changes")
    assert row == ("late", late, 0, 2)
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_second_message_about_a_folded_event_changes_nothing(pg: Connection) -> None:
    """An inbox row whose event a fold of everything has met already is work done."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, e) for e in visits(5)])
    await pg.execute("create table again as select * from inbox")
    await drain(pg)
    before = await one(pg, "select generation, version, as_of from leads")
    await pg.execute("insert into inbox select * from again")
    await drain(pg)
    assert (await one(pg, "select generation, version, as_of from leads"))[:2] == before[:2]
    await assert_equals_plain_fold(pg, project, lead)


async def test_adjustments_and_changed_models_score_as_they_were_received(pg: Connection) -> None:
    """An adjustment counts as it stands; events keep the version that they came under."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("signup", NOON, "a")),
            (lead, Event(ADJUSTMENT, NOON + HOUR, "b", properties={"points": -7.5, "note": "x"})),
        ],
    )
    await drain(pg)
    dearer = replace(preset("classic"), rules=(Rule("signup", "signup", "Signup", 50),))
    version = await builders.publish(pg, project, dearer, all_history=False)
    await builders.add_events(
        pg, project, [(lead, Event("signup", NOON + 2 * HOUR, "c", version=version))]
    )
    await drain(pg)
    assert [row[6] for row in await ledger(pg, lead)] == [20, 12.5, 62.5]
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_model_for_all_history_refolds_a_lead_that_is_met(pg: Connection) -> None:
    """A lead of an older epoch is folded from its first fact when its next event comes."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    await drain(pg)
    dearer = replace(
        preset("classic"), rules=(Rule("signup", "signup", "Signup", 50),), decay=Decay(0.5, 1, 1)
    )
    version = await builders.publish(pg, project, dearer, all_history=True)
    await builders.add_events(
        pg, project, [(lead, Event("signup", NOON + HOUR, "b", version=version))]
    )
    await drain(pg)
    assert [row[6] for row in await ledger(pg, lead)] == [50, 100]
    assert await one(pg, "select epoch, generation from leads") == (2, 1)
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_merge_folds_the_union_and_its_undo_restores(pg: Connection) -> None:
    """Once-only rules hold over merged leads; undoing the merge brings both back."""
    once = replace(preset("classic"), rules=(Rule("signup", "signup", "Signup", 20, once=True),))
    project = await builders.add_project(pg, once)
    ann, bob = await builders.add_leads(pg, project, 2)
    await builders.add_events(
        pg,
        project,
        [(ann, Event("signup", NOON, "a")), (bob, Event("signup", NOON + HOUR, "b"))],
    )
    await drain(pg)
    before = [await ledger(pg, lead) for lead in (ann, bob)]
    edge = await builders.link(pg, project, ann, bob)
    await builders.add_events(pg, project, [(ann, Event("signup", NOON + 2 * HOUR, "c"))])
    await drain(pg)
    assert [row[6] for row in await ledger(pg, bob)] == [20, 20, 20]
    assert await ledger(pg, ann) == []
    assert await one(pg, "select merged_into, score, due_at from leads where id = %s", ann) == (
        bob, 0, None,
    )  # fmt: skip
    assert await one(pg, "select hidden from lead_profiles where lead_id = %s", ann)
    await assert_equals_plain_fold(pg, project, bob)
    await builders.unlink(pg, project, edge)
    await drain(pg)
    assert await ledger(pg, bob) == before[1]
    assert (await ledger(pg, ann))[:1] == before[0]
    assert await one(pg, "select merged_into from leads where id = %s", ann) is None
    assert not await one(pg, "select hidden from lead_profiles where lead_id = %s", ann)
    for lead in (ann, bob):
        await assert_equals_plain_fold(pg, project, lead)
    await assert_no_strays(pg)
    assert await one(
        pg, "select array_agg(distinct cause) from stage_changes where lead_id = %s", ann
    )


async def test_traits_of_events_reach_the_profile(pg: Connection) -> None:
    """What an event says about its person shows with the score, and counts as a visible change."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(
        pg, project, [(lead, Event("identify", NOON, "a", traits={"company": "Acme"}))]
    )
    await drain(pg)
    assert await one(pg, "select company from lead_profiles") == "Acme"
    assert await one(pg, "select version from leads") == 1


async def test_late_claims_beyond_twenty_a_minute_are_gathered(pg: Connection) -> None:
    """A write key cannot make a lead fold its past again and again."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, e) for e in visits(3)])
    await drain(pg)
    for i in range(25):
        late = Event("page_view", NOON - (i + 1) * MINUTE, f"late-{i}", trusted=False)
        await builders.add_events(pg, project, [(lead, late)])
        await drain(pg)
    assert await one(pg, "select count(*), count(not_before) from inbox") == (5, 5)
    assert await one(pg, "select entries from leads") == 23
    # A trusted late event runs at once; a new one does not wait either.
    await builders.add_events(pg, project, [(lead, Event("page_view", NOON - HOUR, "trusted"))])
    await drain(pg)
    await pg.execute("update inbox set not_before = now() - interval '1 second'")
    await pg.execute("update leads set refolds_since = now() - interval '2 minutes'")
    await drain(pg)
    await assert_equals_plain_fold(pg, project, lead)
    assert await one(pg, "select entries from leads") == 29


@pytest.mark.parametrize("idle_days", [6, 8, 40])
async def test_decay_is_in_the_ledger_when_the_next_event_comes(
    pg: Connection, idle_days: int
) -> None:
    """A gap that closes leaves one entry with its steps; the next event goes on from there."""
    project = await builders.add_project(pg, name="leadpulse")
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("demo_request", NOON, "a"))])
    await drain(pg)
    await builders.add_events(
        pg, project, [(lead, Event("page_view", NOON + idle_days * DAY, "b"))]
    )
    await drain(pg)
    assert [row[9] for row in await ledger(pg, lead)][1:-1] == (
        [idle_days - 7] if idle_days > 7 else []
    )
    await assert_equals_plain_fold(pg, project, lead)
