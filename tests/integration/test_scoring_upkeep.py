"""Long folds, decay and labels by time, rescores, rebuilds: what happens beside new events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import builders
from builders import MINUTE, NOON, Event
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import Rule
from leadpulse.domain.presets import preset
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import maintain
from leadpulse.usecases.due import Relabeller, decay_pass
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.refold import refold_pass
from leadpulse.usecases.score import Desk, score_pass
from support.scoring import assert_equals_plain_fold, assert_no_strays, drain, ledger, one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

DEARER = replace(preset("classic"), rules=(Rule("page_view", "page_view", "View", 2),))


async def add_visits(conn: Connection, project: str, lead: str, count: int) -> None:
    for start in range(0, count, 2000):
        await builders.add_events(
            conn,
            project,
            [
                (lead, Event("page_view", NOON + i * MINUTE, f"v{i:06}"))
                for i in range(start, min(count, start + 2000))
            ],
        )


async def test_a_long_history_is_folded_again_in_chunks(pg: Connection) -> None:
    """12,000 events are folded into a shadow while new ones wait; then readers see it at once."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await add_visits(pg, project, lead, 12_000)
    await drain(pg)
    version = await builders.publish(pg, project, DEARER, all_history=True)
    await builders.request_refold(pg, project, lead)
    desk, rotation = Desk(pg), Rotation()
    await score_pass(desk, rotation, 1000)
    assert await one(pg, "select count(*) from refolds") == 1
    await refold_pass(desk)
    # In the middle of it: an event at the end, and one from before what is folded already.
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("page_view", NOON - MINUTE, "late", version=version)),
            (lead, Event("page_view", NOON + 20_000 * MINUTE, "new", version=version)),
        ],
    )
    assert (await score_pass(desk, rotation, 1000)).idle
    assert (await one(pg, "select entries, generation, score from leads"))[:2] == (12_000, 0)
    await drain(pg)
    assert await one(pg, "select count(*) from refolds") == 0
    assert (await one(pg, "select count(*) from inbox")) == 0
    await assert_equals_plain_fold(pg, project, lead)
    while await maintain.drop_old_generations(pg):
        pass
    await assert_no_strays(pg)
    assert await one(pg, "select count(*) from old_generations") == 0
    assert await one(pg, "select count(*) from score_revisions where cause = 'model'") == 1


async def test_a_long_fold_begins_anew_when_the_model_changes_under_it(pg: Connection) -> None:
    """A second model for all history in the middle of a long fold is the one that counts."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await add_visits(pg, project, lead, 6_000)
    await drain(pg)
    await builders.publish(pg, project, DEARER, all_history=True)
    await builders.request_refold(pg, project, lead)
    desk = Desk(pg)
    await score_pass(desk, Rotation(), 1000)
    await refold_pass(desk)
    await builders.publish(pg, project, preset("sales"), all_history=True)
    await drain(pg)
    while await maintain.drop_old_generations(pg):
        pass
    await assert_equals_plain_fold(pg, project, lead)
    await assert_no_strays(pg)


async def test_decay_shows_when_it_falls_due(pg: Connection) -> None:
    """The due pass lowers score and stage by time alone, records it, and knows when next."""
    project = await builders.add_project(pg, name="leadpulse")
    lead = await builders.add_lead(pg, project)
    now = await one(pg, "select clock_timestamp()")
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("contract_signed", now - 7 * DAY + 2_000_000, "a")),
        ],
    )
    await drain(pg)
    assert await one(pg, "select score from leads") == 100
    assert await decay_pass(pg, ModelCache()) == 0
    await pg.execute("select pg_sleep(2.1)")
    assert await decay_pass(pg, ModelCache()) == 1
    assert await one(pg, "select score, version from leads") == (95, 2)
    assert await one(pg, "select due_at from leads") == now + DAY + 2_000_000
    assert await decay_pass(pg, ModelCache()) == 0
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_due_pass_that_comes_late_changes_nothing(pg: Connection) -> None:
    """Whether decay was shown on the way or never: the next event finds the same state."""
    project = await builders.add_project(pg, name="leadpulse")
    shown, never = await builders.add_leads(pg, project, 2)
    now = await one(pg, "select clock_timestamp()")
    for lead in (shown, never):
        await builders.add_events(
            pg, project, [(lead, Event("demo_request", now - 20 * DAY, f"{lead}-a"))]
        )
    await drain(pg)
    await pg.execute("update leads set due_at = now() - interval '1 day' where id = %s", (shown,))
    assert await decay_pass(pg, ModelCache()) == 1
    for lead in (shown, never):
        await builders.add_events(pg, project, [(lead, Event("page_view", now, f"{lead}-b"))])
    await drain(pg)
    first, second = await ledger(pg, shown), await ledger(pg, never)
    assert [row[4:8] for row in first] == [row[4:8] for row in second]


async def test_a_new_model_changes_stages_without_events(pg: Connection) -> None:
    """After a publish leads are labelled by the newest thresholds, and it is recorded."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 5)
    await builders.add_events(
        pg, project, [(lead, Event("signup", NOON, f"{lead}")) for lead in leads]
    )
    await drain(pg)
    stages = (0.0, 5.0, 10.0, 15.0)
    version = await builders.publish(
        pg, project, replace(preset("classic"), stages=stages), all_history=False
    )
    await pg.execute("update leads set score = 20, stage = 1, due_at = null")
    relabeller = Relabeller(ModelCache())
    assert [await relabeller.step(pg, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert await one(pg, "select array_agg(distinct stage) from leads") == [3]
    cursor = await pg.execute(
        "select distinct to_stage, model_version from stage_changes where cause = 'model'"
    )
    assert await cursor.fetchall() == [(3, version)]
    # Passes that began before the publish may still be at work, so it is looked at again.
    assert await one(pg, "select labelled_version from projects") == 1
    await pg.execute("update models set published_at = published_at - interval '1 minute'")
    await relabeller.step(pg)
    await relabeller.step(pg)
    assert await one(pg, "select labelled_version from projects") == version


async def test_a_rescore_of_all_history_goes_on_beside_new_events(pg: Connection) -> None:
    """Every lead is folded under the new model, also while events keep coming."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 30)
    base = await one(pg, "select clock_timestamp()") - DAY
    await builders.add_events(
        pg, project, [(lead, Event("page_view", base, f"{lead}-a")) for lead in leads]
    )
    await drain(pg)
    version = await builders.publish(pg, project, DEARER, all_history=True)
    for i in range(40):
        await maintain.rescore_walk(pg, 7)
        if i % 4 == 0:
            event = Event("page_view", base + (i + 1) * MINUTE, f"n{i}", version=version)
            await builders.add_events(pg, project, [(leads[i % 30], event)])
        await score_pass(Desk(pg), Rotation(), 10)
    await drain(pg)
    await maintain.rescore_walk(pg)
    await maintain.rescore_walk(pg)
    assert await one(pg, "select finished_at is not null from rescores")
    assert await one(pg, "select array_agg(distinct epoch) from leads") == [2]
    for lead in leads:
        await assert_equals_plain_fold(pg, project, lead)
    causes = await one(pg, "select array_agg(distinct cause) from score_revisions")
    assert causes == ["model"]


async def test_a_rescore_stands_back_while_the_inbox_is_deep(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What already waits comes first."""
    monkeypatch.setattr(maintain, "_DEEP", 3)
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 5)
    await builders.publish(pg, project, DEARER, all_history=True)
    await builders.request_refold(pg, project, *leads)
    assert await maintain.rescore_walk(pg) == 0
    await drain(pg)
    assert await maintain.rescore_walk(pg) == 5


async def test_a_rescore_that_stands_back_holds_up_no_other_project(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older walk waits for its deep inbox; the younger one goes to its end meanwhile."""
    monkeypatch.setattr(maintain, "_DEEP", 3)
    busy, quiet = await builders.add_project(pg), await builders.add_project(pg)
    crowd = await builders.add_leads(pg, busy, 5)
    few = await builders.add_leads(pg, quiet, 2)
    for project in (busy, quiet):
        await builders.publish(pg, project, DEARER, all_history=True)
    await builders.request_refold(pg, busy, *crowd)
    assert await maintain.rescore_walk(pg) == len(few)
    asked = "select array_agg(lead_id::text order by lead_id) from inbox where project_id = %s"
    assert await one(pg, asked, quiet) == sorted(few)


async def test_a_rescore_ends_while_new_events_wait(pg: Connection) -> None:
    """Under steady traffic an inbox is never empty; what waits is folded under the new model."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 3)
    base = await one(pg, "select clock_timestamp()") - DAY
    await builders.add_events(
        pg, project, [(lead, Event("page_view", base, f"{lead}-a")) for lead in leads]
    )
    await drain(pg)
    version = await builders.publish(pg, project, DEARER, all_history=True)
    assert await maintain.rescore_walk(pg) == 3
    await maintain.rescore_walk(pg)
    assert not await one(pg, "select finished_at is not null from rescores")
    await drain(pg)
    event = Event("page_view", base + MINUTE, "late", version=version)
    await builders.add_events(pg, project, [(leads[0], event)])
    await maintain.rescore_walk(pg)
    assert await one(pg, "select count(*) from inbox") == 1
    assert await one(pg, "select finished_at is not null from rescores")


async def test_totals_are_the_same_before_and_after_they_are_rolled_up(pg: Connection) -> None:
    """Hourly totals and what was not added yet sum up to every event, once."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 3)
    for i in range(3):
        await builders.add_events(pg, project, [(leads[i], Event("page_view", NOON + i, f"e{i}"))])
        await drain(pg)
        await maintain.roll_up(pg)
    assert await one(pg, "select sum(mutations), count(*) from activity") == (3, 1)
    assert await one(pg, "select count(*) from activity_deltas") == 0


async def test_conflicts_are_forgotten_after_a_week(pg: Connection) -> None:
    """Only what is older than seven days goes."""
    project = await builders.add_project(pg)
    for days in (6, 8):
        await pg.execute(
            """
            insert into event_conflicts (project_id, id, event_id, trusted, event, body,
                received_at)
            values (%s, gen_random_uuid(), 'x', true, gen_random_uuid(), '{}',
                now() - %s * interval '1 day')
            """,
            (project, days),
        )
    assert await maintain.expire_conflicts(pg) == 1
    assert await one(pg, "select count(*) from event_conflicts") == 1
