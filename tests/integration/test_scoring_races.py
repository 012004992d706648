"""Instants between two statements of a pass, each once: what comes there is not lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import builders
from builders import DAY, NOON, Event
from leadpulse.domain.errors import LeadPulseError
from leadpulse.ids import uuid7
from leadpulse.postgres import failures, lead_changes, refolds, scoring
from leadpulse.postgres.connect import connect, pool
from leadpulse.postgres.failures import Failure, GivenUp
from leadpulse.usecases import batch, leads, maintain, refold, repair, score
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.score import Desk, score_pass
from leadpulse.usecases.verify import verify_project
from support.intake import open_door
from support.people import score_all, see
from support.scoring import assert_equals_plain_fold, assert_no_strays, drain, one

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

    from leadpulse.postgres.connect import Connection


def once_before(
    monkeypatch: pytest.MonkeyPatch, name: str, what: Callable[[], Awaitable[object]]
) -> None:
    """Let something happen elsewhere right before a pass makes a certain step."""
    step: Any = getattr(scoring, name)
    left = [what]

    async def late(*arguments: Any) -> Any:
        if left:
            await left.pop()()
        return await step(*arguments)

    monkeypatch.setattr(scoring, name, late)


def bad(*_: object) -> None:
    """In the place of a fold that fails."""
    raise RuntimeError("bad")


async def test_a_wish_that_comes_during_a_pass_is_granted_later(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request to fold everything has an older id than the rows that a pass found."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    (first,) = await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    await drain(pg)
    earlier = uuid7()
    await builders.add_events(pg, project, [(lead, Event("page_view", NOON + DAY, "b"))])

    async def wish() -> None:
        other = await connect(database, "other")
        await other.execute("update events set excluded = true where id = %s", (first,))
        await other.execute(
            "insert into inbox (project_id, lead_id, id, kind, received_at)"
            " values (%s, %s, %s, 1, clock_timestamp())",
            (project, lead, earlier),
        )
        await other.close()

    once_before(monkeypatch, "versions_of", wish)
    await drain(pg)
    await assert_equals_plain_fold(pg, project, lead)


async def test_a_lead_merged_during_a_pass_is_folded_by_its_survivor_alone(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are in one pass already, one with a new event, one with a request to fold it all."""
    project = await builders.add_project(pg)
    for turn in range(2):
        pair = sorted(await builders.add_leads(pg, project, 2), reverse=bool(turn))
        child, survivor = pair
        for lead in pair:
            await builders.add_events(pg, project, [(lead, Event("signup", NOON, lead))])
        await drain(pg)
        coming = Event("page_view", NOON + DAY, f"new {turn}")
        await builders.add_events(pg, project, [(child, coming)])
        await builders.request_refold(pg, project, survivor)

        async def merge(child: str = child, survivor: str = survivor) -> None:
            other = await connect(database, "other")
            await builders.link(other, project, child, survivor)
            await other.close()

        once_before(monkeypatch, "versions_of", merge)
        await drain(pg)
        await assert_no_strays(pg)
        await assert_equals_plain_fold(pg, project, survivor)
        assert await one(pg, "select count(*) from ledger where lead_id = %s", child) == 0


async def test_a_long_fold_that_begins_during_a_pass_is_left_alone(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows stay for when it is over; nothing fails."""
    project = await builders.add_project(pg)
    for wish in (False, True):
        lead = await builders.add_lead(pg, project)
        await builders.add_events(pg, project, [(lead, Event("signup", NOON, f"{wish}"))])
        if wish:
            await builders.request_refold(pg, project, lead)

        async def begin(lead: str = lead) -> None:
            other = await connect(database, "other")
            await refolds.start(other, [(project, lead, 1, 1)])
            await other.close()

        once_before(monkeypatch, "versions_of", begin)
        result = await score_pass(Desk(pg), Rotation(), 100)
        assert not result.failed
        assert await one(pg, "select count(*) from inbox") == 1 + wish
        await drain(pg)
        await assert_equals_plain_fold(pg, project, lead)


async def test_a_ledger_under_removal_is_not_written_into(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge ends a long fold; the lead comes back before the shadow of that fold is gone."""
    for module in (batch, score, refold):
        monkeypatch.setattr(module, "LONGEST_FOLD", 4)
    project = await builders.add_project(pg)
    lead, other = await builders.add_leads(pg, project, 2)
    events = [(lead, Event("signup", NOON + i, f"{i}")) for i in range(20)]
    await builders.add_events(pg, project, events)
    desk, rotation = Desk(pg), Rotation()
    await score_pass(desk, rotation, 100)
    await builders.request_refold(pg, project, lead)
    await score_pass(desk, rotation, 100)  # begins to fold all of it once more
    for _ in range(2):
        await refold.refold_pass(desk)  # more than four entries of the shadow are there
    edge = await builders.link(pg, project, lead, other)
    await builders.request_refold(pg, project, lead, other)
    await drain(pg)
    assert await one(pg, "select count(*) from old_generations where lead_id = %s", lead) > 0
    await pg.execute("update lead_merges set undone_at = now(), undone_by = 'x' where id = %s",
                     (edge,))  # fmt: skip
    await pg.execute("delete from lead_roots")
    monkeypatch.undo()
    await builders.request_refold(pg, project, lead, other)
    await drain(pg)
    while await maintain.drop_old_generations(pg, 3):
        pass
    await assert_equals_plain_fold(pg, project, lead)
    await assert_equals_plain_fold(pg, project, other)


async def test_the_survivors_fold_settles_the_trouble_of_merged_leads(pg: Connection) -> None:
    """A lead that was given up merges into another: its facts are folded, its letter is settled."""
    project = await builders.add_project(pg)
    lead, other = await builders.add_leads(pg, project, 2)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    await failures.record_failures(pg, [Failure(project, lead, 6, 0, 0, 0.0, "bad", None)])
    await failures.give_up(pg, [GivenUp(project, lead, uuid7(), "bad", 6, None)])
    await builders.link(pg, project, lead, other)
    await builders.request_refold(pg, project, lead, other)
    await drain(pg)
    await assert_equals_plain_fold(pg, project, other)
    assert await one(pg, "select count(*) from dead_letters where state = 'open'") == 0
    assert await failures.failures_of(pg, [(project, lead)]) == {}


async def test_a_replayed_lead_leaves_no_failure_behind(pg: Connection, database: str) -> None:
    """Once the replay went well, nothing is known against the lead."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    letter = uuid7()
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    await failures.record_failures(pg, [Failure(project, lead, 6, 0, 0, 60.0, "bad", None)])
    await failures.give_up(pg, [GivenUp(project, lead, letter, "bad", 6, None)])
    async with pool(database, "test") as connections:
        await repair.retry_dead_letter(connections, project, letter)
    await drain(pg)
    await assert_equals_plain_fold(pg, project, lead)
    assert await failures.failures_of(pg, [(project, lead)]) == {}


async def test_a_shared_browser_is_shown_by_its_new_lead_only(pg: Connection) -> None:
    """The anonymousId that moved on stands no longer in the profile of the lead it left."""
    project = await builders.add_project(pg)
    ann = await see(pg, project, trusted=True, user_id="ann", anonymous_id="kiosk")
    await score_all(pg)
    bob = await see(pg, project, trusted=True, user_id="bob")
    await see(pg, project, trusted=True, user_id="bob", anonymous_id="kiosk")
    await score_all(pg)
    query = "select anonymous_id from lead_profiles where lead_id = %s"
    assert await one(pg, query, bob.lead_id) == "kiosk"
    assert await one(pg, query, ann.lead_id) is None
    generation = await one(pg, "select generation from leads where id = %s", ann.lead_id)
    assert generation == 0, "only the profile was looked at, nothing was folded again"
    assert await one(pg, "select count(*) from inbox") == 0


async def test_what_is_left_of_a_removed_lead_is_no_stray(pg: Connection, database: str) -> None:
    """Verify finds nothing wrong while a long lead is removed in portions."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    async with pool(database, "test") as connections:
        await pg.execute("delete from leads")
        assert not (await verify_project(connections, project)).ok
        await pg.execute(
            "insert into lead_removals (project_id, lead_id, removed_at) values (%s, %s, now())",
            (project, lead),
        )
        assert (await verify_project(connections, project)).ok


async def test_a_long_fold_that_fails_after_a_merge_takes_nothing_from_the_survivor(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merge comes right before the failure is recorded, which would be the last one."""
    for module in (batch, score, refold):
        monkeypatch.setattr(module, "LONGEST_FOLD", 4)
    project = await builders.add_project(pg)
    lead, survivor = await builders.add_leads(pg, project, 2)
    events = [(lead, Event("signup", NOON + i, f"{i}")) for i in range(10)]
    await builders.add_events(pg, project, events, waiting=False)
    await builders.request_refold(pg, project, lead)
    await score_pass(Desk(pg), Rotation(), 100)
    await failures.record_failures(pg, [Failure(project, lead, 5, 0, 0, 0.0, "bad", None)])

    async def merge(*arguments: Any) -> None:
        other = await connect(database, "other")
        await builders.link(other, project, lead, survivor)
        await other.close()
        await lock(*arguments)

    lock = lead_changes.lock_leads
    with monkeypatch.context() as patch:
        patch.setattr(refold, "fold", bad)
        patch.setattr(lead_changes, "lock_leads", merge)
        await refold.refold_pass(Desk(pg))
    assert await one(pg, "select count(*) from dead_letters") == 0
    await drain(pg)
    await assert_equals_plain_fold(pg, project, survivor)


async def test_a_pass_counts_the_failure_that_came_right_before_it(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two scorers fail with a lead at nearly the same time: the sixth failure is its last."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])

    async def fail() -> None:
        await failures.record_failures(pg, [Failure(project, lead, 5, 0, 0, 0.0, "bad", None)])

    once_before(monkeypatch, "versions_of", fail)
    monkeypatch.setattr(batch, "fold", bad)
    await score_pass(Desk(pg), Rotation(), 100)
    assert await one(pg, "select attempts from dead_letters where state = 'open'") == 6
    assert await one(pg, "select attempts from scoring_failures") == 5


async def test_a_lead_taken_apart_during_its_long_fold_is_shown_again(
    pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged and taken apart between two chunks, it has its score and its profile again."""
    for module in (batch, score, refold):
        monkeypatch.setattr(module, "LONGEST_FOLD", 4)
    project = await builders.add_project(pg)
    lead, other = await builders.add_leads(pg, project, 2)
    events = [(lead, Event("signup", NOON + i, f"{i}")) for i in range(10)]
    await builders.add_events(pg, project, events, waiting=False)
    await builders.request_refold(pg, project, lead)
    desk, rotation = Desk(pg), Rotation()
    await score_pass(desk, rotation, 100)
    edge = await builders.link(pg, project, lead, other)
    await builders.request_refold(pg, project, lead, other)
    await score_pass(desk, rotation, 100)
    assert await one(pg, "select hidden from lead_profiles where lead_id = %s", lead)
    query = "update lead_merges set undone_at = now(), undone_by = 'x' where id = %s"
    await pg.execute(query, (edge,))
    await pg.execute("delete from lead_roots")
    await builders.request_refold(pg, project, lead, other)
    await drain(pg)
    assert not await one(pg, "select hidden from lead_profiles where lead_id = %s", lead)
    await assert_equals_plain_fold(pg, project, lead)


async def test_what_a_given_up_lead_said_is_shown_by_its_survivor(pg: Connection) -> None:
    """Its waiting rows are gone with the dead letter; the merge reads its events again."""
    project = await builders.add_project(pg)
    lead, other = await builders.add_leads(pg, project, 2)
    event = Event("identify", NOON, "a", traits={"name": "Ann"})
    await builders.add_events(pg, project, [(lead, event)])
    await failures.give_up(pg, [GivenUp(project, lead, uuid7(), "bad", 6, None)])
    await builders.link(pg, project, lead, other)
    await builders.request_refold(pg, project, lead, other)
    await drain(pg)
    assert await one(pg, "select name from lead_profiles where lead_id = %s", other) == "Ann"


async def test_a_restored_event_has_its_say_again(pg: Connection, database: str) -> None:
    """What it says about the person is shown, though its work was thrown away long ago."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    told = Event("signup", NOON, "a", traits={"name": "Ann"})
    (event,) = await builders.add_events(pg, project, [(lead, told)], waiting=False)
    await pg.execute("update events set excluded = true")
    await drain(pg)
    async with pool(database, "test") as connections:
        await repair.restore_event(connections, project, event)
    await drain(pg)
    assert await one(pg, "select name from lead_profiles where lead_id = %s", lead) == "Ann"
    await assert_equals_plain_fold(pg, project, lead)


async def test_release_and_removal_do_not_wait_in_a_circle(pg: Connection, database: str) -> None:
    """People who release, settle and remove the same leads at once all get an answer."""
    project = await builders.add_project(pg)
    async with pool(database, "test", largest=8) as connections:
        for round_ in range(6):
            (lead,) = await builders.add_leads(pg, project, 1)
            events = [(lead, Event("signup", NOON + i, f"{round_}-{i}")) for i in range(300)]
            await builders.add_events(pg, project, events, waiting=False)
            await pg.execute("update events set quarantined = true")
            letter = uuid7()
            await failures.record_failures(pg, [Failure(project, lead, 6, 0, 0, 0.0, "bad", None)])
            await failures.give_up(pg, [GivenUp(project, lead, letter, "bad", 6, None)])
            done = await asyncio.gather(
                repair.release_lead(connections, project, lead),
                repair.release_lead(connections, project, lead),
                repair.retry_dead_letter(connections, project, letter),
                repair.discard_dead_letter(connections, project, letter),
                leads.delete(connections, project, lead),
                return_exceptions=True,
            )
            for answer in done:
                assert not isinstance(answer, BaseException) or isinstance(answer, LeadPulseError)
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await one(pg, query) == 0


async def test_what_a_held_event_links_is_shown(pg: Connection, database: str) -> None:
    """An event beyond the ceiling of its lead doesn't score; its anonymousId is the lead's."""
    async with open_door(database, limits=Limits(lead=1, leads=0, types=0)) as door:
        await door.event(userId="ann", anonymousId="a")
        await door.event(userId="ann", anonymousId="b")
        assert await door.one("select count(*) from events where quarantined") == 1
        await drain(pg)
        assert await door.one("select anonymous_id from lead_profiles") == "b"
        assert await door.one("select count(*) from inbox") == 0
