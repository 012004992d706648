"""Leads changed by hand, and profiles as events state them."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from builders import add_project
from leadpulse.domain.errors import Conflict, Invalid, NotFound
from leadpulse.ids import uuid7
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.identity import resolve_lead
from leadpulse.usecases import leads, merges, private
from support.people import named, resolve_all, score_all, see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

PROFILE = "email, user_id, name, company, traits, claimed, owner, status"


@pytest.fixture
async def project(pg: Connection) -> str:
    """A project with the classic model."""
    return await add_project(pg)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """Connections as use cases get them."""
    async with make_pool(database, "test", largest=8) as opened:
        yield opened


async def all_rows(conn: Connection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(query.encode(), parameters)
    return await cursor.fetchall()


async def profile(conn: Connection, lead: str) -> dict[str, Any]:
    """What is shown of a lead, without what is empty."""
    ((*values, version),) = await all_rows(
        conn,
        f"select {PROFILE}, l.version from lead_profiles p join leads l on l.id = p.lead_id"
        " where p.lead_id = %s",
        lead,
    )
    shown = {key: value for key, value in zip(PROFILE.split(", "), values, strict=True) if value}
    return {**shown, "version": version}


# ── Made ─────────────────────────────────────────────────────────────────────────────


async def test_the_second_call_with_an_identifier_completes_the_lead(
    pg: Connection, pool: Pool, project: str
) -> None:
    """201 once, then 200 with the same lead and the fields merged."""
    first = await leads.create_or_update(
        pool, project, {"email": " Ann@X.com ", "name": "Ann"}, "key"
    )
    assert first.created
    second = await leads.create_or_update(
        pool, project, {"email": "ann@x.com", "company": "Acme", "traits": {"n": 1}}, "key"
    )
    assert second == (first.lead_id, False)
    assert await profile(pg, first.lead_id) == {
        "email": "ann@x.com", "name": "Ann", "company": "Acme", "traits": {"n": 1},
        "status": "open", "version": 2,
    }  # fmt: skip
    await score_all(pg)
    assert (await profile(pg, first.lead_id))["traits"] == {"n": 1}


async def test_a_lead_is_made_once_by_ten_calls_at_once(
    pg: Connection, pool: Pool, project: str
) -> None:
    """One of ten simultaneous calls makes the lead, and all answer with it."""
    saved = await asyncio.gather(
        *(
            leads.create_or_update(pool, project, {"userId": "u", "traits": {f"t{n}": n}}, "key")
            for n in range(10)
        )
    )
    assert len({one.lead_id for one in saved}) == 1
    assert sum(one.created for one in saved) == 1
    shown = await profile(pg, saved[0].lead_id)
    assert shown["traits"] == {f"t{n}": n for n in range(10)}


async def test_a_name_alone_makes_a_lead(pg: Connection, pool: Pool, project: str) -> None:
    """A person met at a fair may have no identifier yet."""
    saved = await leads.create_or_update(pool, project, {"name": "Bob"}, "key")
    assert saved.created
    assert (await profile(pg, saved.lead_id))["name"] == "Bob"


async def test_identifiers_of_two_people_are_a_conflict(
    pg: Connection, pool: Pool, project: str
) -> None:
    """An email of one user together with another userId is refused and changes nothing."""
    await see(pg, project, user_id="u1", email="e@x.com", trusted=True)
    await see(pg, project, user_id="u2", trusted=True)
    before = await all_rows(pg, "select * from identifiers order by kind, value")
    with pytest.raises(Conflict):
        await leads.create_or_update(pool, project, {"userId": "u2", "email": "e@x.com"}, "key")
    assert await all_rows(pg, "select * from identifiers order by kind, value") == before
    assert await all_rows(pg, "select 1 from events where event_type = '$profile'") == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"email": "not an address"},
        {"userId": "null"},
        {"email": "a@x.com", "owner": "me"},
        {"email": "a@x.com", "traits": {"$owner": "me"}},
        {"email": "a@x.com", "traits": {"about": "x" * 2_000}},
        {"email": "a@x.com", "traits": {"a": "\x00"}},
        {"email": "a@x.com", "traits": []},
        {"email": "a@x.com", "company": {"size": 3}},
        {"email": "a@x.com", "name": 7},
        {"userId": ["a"]},
        {"userId": "u" * 256},
    ],
)
async def test_what_is_wrong_is_named(pool: Pool, project: str, document: dict[str, Any]) -> None:
    """A bad field is told, never an error of ours."""
    with pytest.raises(Invalid):
        await leads.create_or_update(pool, project, document, "key")


# ── Changed ──────────────────────────────────────────────────────────────────────────


@pytest.mark.both_postgres
async def test_a_patch_is_read_at_once_and_null_removes(
    pg: Connection, pool: Pool, project: str
) -> None:
    """What was changed is there when the call answers, and each call counts as one change."""
    lead = (await see(pg, project, user_id="u", traits={"name": "An", "plan": "free"})).lead_id
    change = {
        "name": "Ann", "company": "Acme", "traits": {"plan": None, "size": 3}, "owner": "bea",
        "status": "working", "email": "ann@x.com", "anonymousIds": ["a1", "a2"],
    }  # fmt: skip
    assert await leads.patch(pool, project, lead, change, "key") == lead
    assert await profile(pg, lead) == {
        "email": "ann@x.com", "user_id": "u", "name": "Ann", "company": "Acme",
        "traits": {"size": 3}, "claimed": ["userId"], "owner": "bea", "status": "working",
        "version": 1,
    }  # fmt: skip
    nothing = {"name": None, "company": None, "owner": None, "status": None, "email": None,
               "anonymousIds": ["a2"], "userId": None}  # fmt: skip
    await leads.patch(pool, project, lead, nothing, "key")
    assert await profile(pg, lead) == {"traits": {"size": 3}, "status": "open", "version": 2}
    held = await all_rows(pg, "select kind, value, confirmed from identifiers")
    assert held == [(3, "a2", True)]
    await score_all(pg)
    assert (await profile(pg, lead))["traits"] == {"size": 3}


async def test_a_new_email_or_user_id_is_shown_and_the_old_one_stays_known(
    pg: Connection, pool: Pool, project: str
) -> None:
    """Events with the old identifier still find the lead."""
    lead = (await see(pg, project, user_id="old", email="old@x.com", trusted=True)).lead_id
    await leads.patch(pool, project, lead, {"email": "new@x.com", "userId": "new"}, "key")
    shown = await profile(pg, lead)
    assert (shown["email"], shown["user_id"]) == ("new@x.com", "new")
    for names in ({"email": "old@x.com"}, {"user_id": "old"}, {"user_id": "new"}):
        assert (await see(pg, project, trusted=True, **names)).lead_id == lead


async def test_an_identifier_of_another_lead_is_a_conflict(
    pg: Connection, pool: Pool, project: str
) -> None:
    """A patch takes nothing away from anybody, and does nothing at all then."""
    mine = (await see(pg, project, user_id="u")).lead_id
    await see(pg, project, email="taken@x.com")
    with pytest.raises(Conflict, match=r"taken@x\.com"):
        await leads.patch(pool, project, mine, {"email": "taken@x.com", "name": "Ann"}, "key")
    assert "name" not in await profile(pg, mine)


async def test_a_patch_of_an_unknown_lead_is_not_found(pool: Pool, project: str) -> None:
    """Neither a foreign id nor nonsense is an error of ours."""
    for lead in (uuid7(), "nonsense", ""):
        with pytest.raises(NotFound):
            await leads.patch(pool, project, lead, {"name": "x"}, "key")


async def test_patches_at_once_all_count(pg: Connection, pool: Pool, project: str) -> None:
    """Ten simultaneous changes of different fields of one lead lose none."""
    lead = (await see(pg, project, user_id="u")).lead_id
    await asyncio.gather(
        *(leads.patch(pool, project, lead, {"traits": {f"t{n}": n}}, "key") for n in range(10))
    )
    shown = await profile(pg, lead)
    assert shown["traits"] == {f"t{n}": n for n in range(10)}
    assert shown["version"] == 10


async def test_a_patch_of_a_merged_lead_changes_its_survivor_and_undo_keeps_it_there(
    pg: Connection, pool: Pool, project: str
) -> None:
    """Owner and status follow a merge to the survivor and go back with an undo."""
    child = (await see(pg, project, email="e@x.com", trusted=True)).lead_id
    parent = (await see(pg, project, user_id="u", trusted=True)).lead_id
    await leads.patch(pool, project, child, {"owner": "bea", "status": "working"}, "key")
    done = await merges.merge(pool, project, child, parent, "key")
    assert done.merge is not None
    assert (await profile(pg, parent))["owner"] == "bea"
    assert await leads.patch(pool, project, child, {"name": "Ann"}, "key") == parent
    await score_all(pg)
    await merges.undo(pool, project, done.merge.id, "key")
    await score_all(pg)
    shown = await profile(pg, parent)
    assert (shown["name"], shown.get("owner"), shown.get("email")) == ("Ann", None, None)
    shown = await profile(pg, child)
    assert (shown["owner"], shown["email"], shown.get("name")) == ("bea", "e@x.com", None)


# ── As events state them ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(3))
async def test_profiles_are_the_same_in_any_order_of_events(
    pg: Connection, project: str, seed: int
) -> None:
    """Shuffled events of one person in two projects end in the same shown profile."""
    events: list[dict[str, Any]] = [
        {"user_id": "u", "ts": 1_000_000 + n, "traits": {"name": f"N{n}", f"t{n % 3}": n}}
        for n in range(6)
    ]
    events += [{"user_id": "u", "email": f"e{n}@x.com", "ts": 2_000_000 + n} for n in range(3)]
    events += [{"user_id": "u", "anonymous_id": "a", "ts": 5_000_000, "traits": {"t0": None}}]
    shuffled = list(events)
    Random(seed).shuffle(shuffled)
    other = await add_project(pg)
    shown = []
    for place, stream in ((project, events), (other, shuffled)):
        for n, event in enumerate(stream):
            await see(pg, place, "identify", trusted=True, **event)
            if n % 3 == seed:
                await score_all(pg)
        await score_all(pg)
        lead = (await see(pg, place, user_id="u", trusted=True)).lead_id
        after = await profile(pg, lead)
        after.pop("version")
        shown.append(after)
    assert shown[0] == shown[1]
    assert shown[0]["email"] == "e2@x.com"
    assert shown[0]["name"] == "N5"
    assert shown[0]["traits"] == {"t1": 4, "t2": 5}


async def test_a_claim_changes_no_confirmed_value(pg: Connection, project: str) -> None:
    """What a page says later stays behind what a secret key said, and is told as claimed."""
    lead = (await see(pg, project, user_id="u", trusted=True, traits={"name": "Ann"})).lead_id
    await see(pg, project, "identify", user_id="u", traits={"name": "Eve", "plan": "pro"})
    await score_all(pg)
    shown = await profile(pg, lead)
    assert (shown["name"], shown["claimed"]) == ("Ann", ["traits.plan"])


async def test_a_linked_identifier_is_shown_without_any_trait(pg: Connection, project: str) -> None:
    """A userId that a known browser brings is shown by the next pass."""
    lead = (await see(pg, project, anonymous_id="a")).lead_id
    await see(pg, project, anonymous_id="a", user_id="u")
    await score_all(pg)
    assert (await profile(pg, lead))["user_id"] == "u"


# ── Adjusted ─────────────────────────────────────────────────────────────────────────


async def test_an_adjustment_counts_once_per_event_id(
    pg: Connection, pool: Pool, project: str
) -> None:
    """The same eventId again changes nothing; with other points it is a conflict."""
    lead = (await see(pg, project, user_id="u", trusted=True)).lead_id
    body = {"points": 12.5, "note": "met at a fair", "eventId": "fair-1"}
    first = await leads.adjust(pool, project, lead, body, "key")
    again = await leads.adjust(pool, project, lead, body, "another key")
    assert (first.known, again.known, first.id == again.id) == (False, True, True)
    with pytest.raises(Conflict):
        await leads.adjust(pool, project, lead, {**body, "points": 13}, "key")
    other = (await see(pg, project, user_id="v", trusted=True)).lead_id
    with pytest.raises(Conflict):
        await leads.adjust(pool, project, other, body, "key")
    await leads.adjust(pool, project, lead, {"points": -0.5, "note": "typo"}, "key")
    await score_all(pg)
    ((score,),) = await all_rows(pg, "select score from leads where id = %s", lead)
    assert score == 13


@pytest.mark.parametrize("points", [0, True, "5", 1e9, 0.001, float("nan"), float("inf"), None])
async def test_points_must_be_a_number_of_two_decimals(
    pool: Pool, project: str, points: object
) -> None:
    """Whatever else is no correction."""
    with pytest.raises(Invalid):
        await leads.adjust(pool, project, uuid7(), {"points": points, "note": "x"}, "key")


# ── Removed ──────────────────────────────────────────────────────────────────────────


@pytest.mark.both_postgres
async def test_a_removed_lead_is_gone_and_comes_back_as_a_new_one(
    pg: Connection, pool: Pool, project: str
) -> None:
    """The whole tree goes, with events and ledger; nobody else loses anything."""
    child = (await see(pg, project, "signup", email="e@x.com", trusted=True)).lead_id
    parent = (await see(pg, project, "signup", user_id="u", trusted=True)).lead_id
    other = (await see(pg, project, "signup", user_id="other", trusted=True)).lead_id
    await merges.merge(pool, project, child, parent, "key")
    await score_all(pg)
    waiting = await see(pg, project, "page_view", email="e@x.com", trusted=True)
    assert waiting.lead_id == child
    await leads.delete(pool, project, child)
    for lead in (child, parent):
        assert await resolve_lead(pg, project, lead) is None
        with pytest.raises(NotFound):
            await leads.delete(pool, project, lead)
    for table in ("events", "ledger", "identifiers", "lead_profiles", "stage_changes"):
        left = await all_rows(pg, f"select distinct lead_id::text from {table}")
        assert left == [(other,)], table
    await score_all(pg)
    back = await see(pg, project, "page_view", email="e@x.com", trusted=True)
    assert back.created
    await score_all(pg)
    ((score,),) = await all_rows(pg, "select score from leads where id = %s", back.lead_id)
    assert score == 1


async def test_what_arrives_late_for_a_removed_lead_is_swept(
    pg: Connection, pool: Pool, project: str
) -> None:
    """An event on its way while its lead was removed leaves nothing behind."""
    lead = (await see(pg, project, user_id="u")).lead_id
    await leads.delete(pool, project, lead)
    await pg.execute(
        """insert into inbox (project_id, lead_id, id, kind, received_at)
           values (%s, %s, %s, 1, now())""",
        (project, lead, uuid7()),
    )
    assert await private.sweep_pass(pg) == 0, "more may be on its way"
    await pg.execute("update lead_removals set removed_at = now() - interval '5 minutes'")
    assert await private.sweep_pass(pg) > 0
    assert await all_rows(pg, "select 1 from inbox") == []
    assert await all_rows(pg, "select 1 from lead_removals") == []


async def test_removing_while_events_link_leaves_no_half_lead(
    pg: Connection, pool: Pool, project: str
) -> None:
    """Removal and linking events take turns: every identifier ends with a lead that exists."""

    async def link() -> None:
        async with pool.connection() as conn:
            for n in range(20):
                item = named(project, user_id="u", anonymous_id=f"a{n % 4}", trusted=True)
                await resolve_all(conn, [item])

    async def remove() -> None:
        for _ in range(20):
            rows = await all_rows(pg, "select id::text from leads limit 1")
            for (lead,) in rows:
                await leads.delete(pool, project, lead)

    await asyncio.gather(link(), link(), remove())
    found = await all_rows(pg, "select count(*) from identifiers i left join leads l"
                               " on l.id = i.lead_id where l.id is null")  # fmt: skip
    assert found == [(0,)]
