"""Identity against a real database: races, merges, undo, and who may link whom."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from builders import NOON, add_project
from leadpulse.domain.errors import TooMany, UnknownLead
from leadpulse.domain.identity import ANONYMOUS_ID, USER_ID, Graph, apply, decide
from leadpulse.ids import uuid7
from leadpulse.postgres.connect import connect
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.identity import load_graphs, members, resolve_lead
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import merges
from leadpulse.usecases.resolve import resolve
from support.people import named, resolve_all, score_all, see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool


@pytest.fixture
async def project(pg: Connection) -> str:
    """A project with the classic model: page_view 1, signup 20, demo_request 30."""
    return await add_project(pg)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """Connections as use cases get them."""
    async with make_pool(database, "test", largest=8) as opened:
        yield opened


async def all_rows(conn: Connection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(query.encode(), parameters)
    return await cursor.fetchall()


async def score_of(conn: Connection, project: str, lead: str) -> float:
    """The score that the survivor of a lead shows."""
    root = await resolve_lead(conn, project, lead)
    ((score,),) = await all_rows(conn, "select score from leads where id = %s", root)
    return float(score)


async def trees(conn: Connection, project: str) -> set[frozenset[tuple[int, str, bool]]]:
    """The identifiers that belong together, with their standing."""
    found: dict[str, set[tuple[int, str, bool]]] = {}
    for root, *name in await all_rows(
        conn,
        """select coalesce(r.root_id, i.lead_id)::text, i.kind, i.value, i.confirmed
           from identifiers i left join lead_roots r using (project_id, lead_id)
           where i.project_id = %s""",
        project,
    ):
        found.setdefault(root, set()).add((name[0], name[1], name[2]))
    return {frozenset(names) for names in found.values()}


async def assert_sound(conn: Connection) -> None:
    """The survivors that are stored are those that follow from the edges."""
    edges = dict(
        await all_rows(
            conn,
            "select child_id::text, parent_id::text from lead_merges where undone_at is null",
        )
    )
    roots = dict(await all_rows(conn, "select lead_id::text, root_id::text from lead_roots"))
    derived = {}
    for child in edges:
        root, steps = child, 0
        while root in edges:
            root, steps = edges[root], steps + 1
            assert steps <= len(edges), "the edges make a cycle"
        derived[child] = root
    assert roots == derived


# ── Finding and making leads ─────────────────────────────────────────────────────────


async def test_one_identifier_is_one_lead_from_four_connections_at_once(
    database: str, pg: Connection, project: str
) -> None:
    """Four processes that see the same new visitors at the same time make one lead of each."""
    connections = [await connect(database, "test") for _ in range(4)]
    visitors: list[dict[str, Any]] = [{"anonymous_id": f"a{n}"} for n in range(50)]
    people: list[dict[str, Any]] = [
        {"anonymous_id": f"b{n}", "user_id": f"u{n}"} for n in range(20)
    ]

    async def take(conn: Connection, seed: int) -> list[dict[str, str]]:
        batch = visitors + people
        Random(seed).shuffle(batch)
        leads = []
        for start in range(0, len(batch), 7):
            some = batch[start : start + 7]
            found = await resolve_all(conn, [named(project, trusted=True, **who) for who in some])
            leads += [{**who, "lead": r.lead_id} for who, r in zip(some, found, strict=True)]
        return leads

    answers = await asyncio.gather(*(take(conn, seed) for seed, conn in enumerate(connections)))
    for conn in connections:
        await conn.close()
    by_visitor: dict[str, set[str]] = {}
    for answer in answers:
        for who in answer:
            by_visitor.setdefault(who["anonymous_id"], set()).add(who["lead"])
    assert len(by_visitor) == 70
    assert all(len(leads) == 1 for leads in by_visitor.values())
    ((leads,),) = await all_rows(pg, "select count(*) from leads")
    assert leads == 70


async def test_links_that_race_end_as_they_would_one_after_another(
    database: str, pg: Connection, project: str
) -> None:
    """Conflict-free events from four connections, in any interleaving: the same people."""
    random = Random(7)
    events: list[dict[str, Any]] = []
    for person in range(12):
        for _ in range(8):
            names = {
                "user_id": f"u{person}",
                "email": f"p{person}@x.com",
                "anonymous_id": f"a{person}.{random.randrange(3)}",
            }
            chosen = random.sample(sorted(names), random.randint(1, 3))
            events.append({kind: names[kind] for kind in chosen})
    connections = [await connect(database, "test") for _ in range(4)]

    async def take(conn: Connection, part: list[dict[str, Any]]) -> None:
        for start in range(0, len(part), 3):
            await resolve_all(conn, [named(project, **who) for who in part[start : start + 3]])

    await asyncio.gather(*(take(conn, events[n::4]) for n, conn in enumerate(connections)))
    for conn in connections:
        await conn.close()
    await assert_sound(pg)
    plain = Graph()
    numbers = count()
    for who in events:
        item = named("p", **who)
        apply(plain, item, decide(plain, item, f"lead-{next(numbers)}"))
    expected: dict[str, set[tuple[int, str, bool]]] = {}
    for (kind, value), known in plain.identifiers.items():
        expected.setdefault(plain.root(known.lead), set()).add((kind, value, known.confirmed))
    assert await trees(pg, project) == {frozenset(names) for names in expected.values()}


def _any_event(random: Random) -> dict[str, Any]:
    kinds = random.sample(["user_id", "email", "anonymous_id"], random.randint(1, 3))
    names: dict[str, Any] = {kind: f"{random.randrange(5)}@{kind[0]}.com" for kind in kinds}
    return {**names, "trusted": random.random() < 0.5}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.both_postgres
async def test_the_database_remembers_what_was_decided(
    pg: Connection, project: str, seed: int
) -> None:
    """Any stream, in batches of any size, does in the database what it does in memory."""
    random = Random(seed)
    items = [named(project, **_any_event(random)) for _ in range(120)]
    plain = Graph()
    while items:
        size = random.randint(1, 30)
        batch, items = items[:size], items[size:]
        for item, found in zip(batch, await resolve_all(pg, batch), strict=True):
            decision = decide(plain, item, found.lead_id)
            apply(plain, item, decision)
            assert (found.lead_id, found.created) == (decision.lead, decision.created)
    await assert_sound(pg)
    names = [(project, name) for name in plain.identifiers]
    graph = (await load_graphs(pg, names, [], {project}))[project]
    for name, known in plain.identifiers.items():
        real = graph.identifiers[name]
        assert (real.lead, real.confirmed, real.links) == (known.lead, known.confirmed, known.links)
        assert graph.root(real.lead) == plain.root(known.lead)


async def test_a_later_event_of_a_batch_sees_the_links_of_an_earlier_one(
    pg: Connection, project: str
) -> None:
    """Within one batch, merges count from the next event on."""
    browser, login, again = await resolve_all(
        pg,
        [
            named(project, anonymous_id="a"),
            named(project, user_id="u", anonymous_id="a"),
            named(project, user_id="u"),
        ],
    )
    assert browser.created
    assert not login.created
    assert login.linked
    assert login.lead_id == again.lead_id == browser.lead_id


async def test_two_projects_share_no_one(pg: Connection, project: str) -> None:
    """The same identifier in two projects is two leads, also within one batch."""
    other = await add_project(pg)
    one, two = await resolve_all(pg, [named(project, user_id="u"), named(other, user_id="u")])
    assert one.created
    assert two.created
    assert one.lead_id != two.lead_id
    foreign = named(other, lead_id=one.lead_id, user_id="v")
    (refused,) = await resolve_all(pg, [foreign])
    assert isinstance(refused.error, UnknownLead)


async def test_claims_make_no_more_leads_than_they_are_allowed(
    pg: Connection, project: str
) -> None:
    """Beyond the allowance a claim is refused without effect; trusted callers go on."""
    asked: list[dict[str, int]] = []

    async def allow_two(wanted: Mapping[str, int]) -> Mapping[str, int]:
        asked.append(dict(wanted))
        return {project: 2}

    items = [named(project, anonymous_id=f"a{n}", trusted=n == 3) for n in range(5)]
    async with pg.transaction():
        found = await resolve(pg, NOON, [*items, named(project, anonymous_id="a0")], allow_two)
    assert asked == [{project: 4}]
    assert [r.error is None for r in found] == [True, True, False, True, False, True]
    assert isinstance(found[2].error, TooMany)
    assert found[5].lead_id == found[0].lead_id
    ((leads,),) = await all_rows(pg, "select count(*) from leads")
    assert leads == 3


# ── Merging ──────────────────────────────────────────────────────────────────────────


async def test_fault_06_a_merge_folds_the_known_lead_again(pg: Connection, project: str) -> None:
    """What a browser did before its person was known counts in the person's score at once."""
    await see(pg, project, "signup", anonymous_id="browser")
    known = await see(pg, project, "demo_request", email="ann@x.com", trusted=True)
    await score_all(pg)
    assert await score_of(pg, project, known.lead_id) == 30
    login = await see(pg, project, "page_view", email="ann@x.com", anonymous_id="browser")
    await score_all(pg)
    assert login.linked
    assert login.lead_id == known.lead_id
    assert await score_of(pg, project, known.lead_id) == 51
    deltas = await all_rows(
        pg,
        """select g.delta from ledger g
           join leads l on l.project_id = g.project_id and l.id = g.lead_id
               and l.generation = g.generation
           where l.id = %s and l.merged_into is null order by g.entry""",
        known.lead_id,
    )
    assert [delta for (delta,) in deltas] == [20, 30, 1]


async def test_a_merged_lead_answers_as_its_survivor(
    pg: Connection, pool: Pool, project: str
) -> None:
    """Chains of merges have one survivor, and events of every part go on counting for it."""
    leads = [
        (await see(pg, project, "page_view", user_id=f"u{n}", trusted=True)).lead_id
        for n in range(4)
    ]
    for child, parent in ((0, 1), (2, 3), (1, 3)):
        await merges.merge(pool, project, leads[child], leads[parent], "tester")
    await assert_sound(pg)
    assert {await resolve_lead(pg, project, lead) for lead in leads} == {leads[3]}
    assert set(await members(pg, project, leads[3])) == set(leads)
    assert await resolve_lead(pg, project, uuid7()) is None
    later = await see(pg, project, "signup", user_id="u0", trusted=True)
    assert later.lead_id == leads[0]
    await score_all(pg)
    assert await score_of(pg, project, leads[0]) == 24


async def test_merging_both_ways_at_once_makes_one_merge(
    pg: Connection, pool: Pool, project: str
) -> None:
    """Two people who merge A into B and B into A at the same instant get one lead."""
    for round_ in range(10):
        one = (await see(pg, project, user_id=f"a{round_}", trusted=True)).lead_id
        two = (await see(pg, project, user_id=f"b{round_}", trusted=True)).lead_id
        first, second = await asyncio.gather(
            merges.merge(pool, project, one, two, "x"), merges.merge(pool, project, two, one, "y")
        )
        assert first.lead_id == second.lead_id
        assert sorted([first.known, second.known]) == [False, True]
    await assert_sound(pg)


async def test_merges_and_events_that_race_make_no_cycle(
    database: str, pg: Connection, pool: Pool, project: str
) -> None:
    """Merges by hand, undos and linking events at once leave survivors that fit the edges."""
    leads = [(await see(pg, project, user_id=f"u{n}", trusted=True)).lead_id for n in range(6)]
    random = Random(3)

    async def merge_some() -> None:
        for _ in range(10):
            child, parent = random.sample(leads, 2)
            done = await merges.merge(pool, project, child, parent, "x")
            if done.merge is not None and random.random() < 0.4:
                await merges.undo(pool, project, done.merge.id, "x")

    async def link_some() -> None:
        conn = await connect(database, "test")
        for _ in range(25):
            who, browser = random.randrange(6), random.randrange(4)
            item = named(project, trusted=True, user_id=f"u{who}", anonymous_id=f"a{browser}")
            await resolve_all(conn, [item])
        await conn.close()

    await asyncio.gather(merge_some(), merge_some(), link_some(), link_some())
    await assert_sound(pg)


@pytest.mark.both_postgres
async def test_an_undone_merge_restores_both_and_is_not_made_again(
    pg: Connection, pool: Pool, project: str
) -> None:
    """After an undo both have their own score; naming both again is a shared browser."""
    browser = await see(pg, project, "signup", anonymous_id="b")
    person = await see(pg, project, "demo_request", user_id="u")
    await see(pg, project, "page_view", user_id="u", anonymous_id="b")
    await score_all(pg)
    assert await score_of(pg, project, browser.lead_id) == 51
    (edge,) = await merges.list_merges(pool, project, person.lead_id)
    assert (edge.cause, edge.made_by) == ("event", "claim")
    undone = await merges.undo(pool, project, edge.id, "tester")
    assert undone.undone_by == "tester"
    await score_all(pg)
    await assert_sound(pg)
    assert await score_of(pg, project, browser.lead_id) == 20
    assert await score_of(pg, project, person.lead_id) == 31
    again = await see(pg, project, "signup", user_id="u", anonymous_id="b")
    assert (again.lead_id, again.linked) == (person.lead_id, True)
    assert (await see(pg, project, "page_view", anonymous_id="b")).lead_id == person.lead_id
    await score_all(pg)
    assert await score_of(pg, project, browser.lead_id) == 20
    assert await score_of(pg, project, person.lead_id) == 52
    # What a person joins again stays joined.
    await merges.merge(pool, project, browser.lead_id, person.lead_id, "tester")
    await score_all(pg)
    assert await score_of(pg, project, browser.lead_id) == 72


async def test_undoing_the_middle_of_a_chain_takes_its_branch_along(
    pg: Connection, pool: Pool, project: str
) -> None:
    """The child of an undone edge keeps what had merged into it before."""
    leads = [
        (await see(pg, project, "page_view", user_id=f"u{n}", trusted=True)).lead_id
        for n in range(3)
    ]
    await merges.merge(pool, project, leads[0], leads[1], "x")
    done = await merges.merge(pool, project, leads[1], leads[2], "x")
    assert done.merge is not None
    await score_all(pg)
    await merges.undo(pool, project, done.merge.id, "x")
    await score_all(pg)
    await assert_sound(pg)
    assert await resolve_lead(pg, project, leads[0]) == leads[1]
    assert await score_of(pg, project, leads[0]) == 2
    assert await score_of(pg, project, leads[2]) == 1


async def test_a_preview_tells_the_score_that_the_merge_then_makes(
    pg: Connection, pool: Pool, project: str
) -> None:
    """The folded score of both together, without writing anything."""
    one = (await see(pg, project, "signup", user_id="a", traits={"plan": "pro"})).lead_id
    two = (await see(pg, project, "demo_request", email="b@x.com")).lead_id
    await score_all(pg)
    told = await merges.preview(pool, ModelCache(), project, (one, two))
    assert (told.lead_id, told.events, told.profile.email) == (two, 2, "b@x.com")
    assert told.profile.traits == {"plan": "pro"}
    assert await resolve_lead(pg, project, one) == one
    await merges.merge(pool, project, one, two, "x")
    await score_all(pg)
    assert told.score == await score_of(pg, project, two) == 50


# ── Claims ───────────────────────────────────────────────────────────────────────────


async def test_claims_cannot_merge_two_confirmed_leads(pg: Connection, project: str) -> None:
    """What two secret-key calls made stays two, whatever a page says; a secret key may join."""
    user = await see(pg, project, user_id="u", trusted=True)
    email = await see(pg, project, email="e@x.com", trusted=True)
    claim = await see(pg, project, user_id="u", email="e@x.com")
    assert (claim.lead_id, claim.linked) == (user.lead_id, False)
    assert await resolve_lead(pg, project, email.lead_id) == email.lead_id
    await see(pg, project, user_id="u", email="e@x.com", trusted=True)
    assert await resolve_lead(pg, project, email.lead_id) == user.lead_id


async def test_a_claimed_identifier_is_confirmed_by_a_trusted_caller(
    pg: Connection, project: str
) -> None:
    """A claim is told as such until a secret key says the same."""
    await see(pg, project, user_id="u")
    assert await trees(pg, project) == {frozenset({(USER_ID, "u", False)})}
    assert (await see(pg, project, user_id="u", trusted=True)).linked
    assert await trees(pg, project) == {frozenset({(USER_ID, "u", True)})}


async def test_an_anonymous_id_of_more_than_twenty_people_links_nobody(
    pg: Connection, project: str
) -> None:
    """A kiosk stays with the twentieth person and is found among the worn-out ones."""
    leads = []
    for n in range(24):
        seen = await see(pg, project, user_id=f"u{n}", anonymous_id="kiosk", trusted=True)
        leads.append(seen.lead_id)
    assert len(set(leads)) == 24
    assert (await see(pg, project, anonymous_id="kiosk", trusted=True)).lead_id == leads[19]
    reported = await all_rows(
        pg, "select value from identifiers where kind = 3 and links > 20 and project_id = %s",
        project,
    )  # fmt: skip
    assert reported == [("kiosk",)]


async def test_a_wide_batch_of_new_visitors_is_taken_in_one_go(
    pg: Connection, project: str
) -> None:
    """A thousand new visitors in one batch are a thousand leads with their first profile."""
    items = [
        named(project, anonymous_id=f"a{n}", email=f"p{n}@x.com", traits={"name": f"P {n}"})
        for n in range(1_000)
    ]
    found = await resolve_all(pg, items)
    assert len({r.lead_id for r in found if r.created}) == 1_000
    ((shown,),) = await all_rows(
        pg,
        """select count(*) from lead_profiles
           where email = 'p' || substr(name, 3) || '@x.com' and anonymous_id is not null
             and claimed = '{email,name}' and first_seen_at is not null""",
    )
    assert shown == 1_000


async def test_kinds_of_identifiers_are_kept_apart(pg: Connection, project: str) -> None:
    """The same text as userId and as anonymousId is two identifiers."""
    one, two = await resolve_all(
        pg, [named(project, user_id="same"), named(project, anonymous_id="same")]
    )
    assert one.lead_id != two.lead_id
    kinds = {kind for tree in await trees(pg, project) for kind, *_ in tree}
    assert kinds == {USER_ID, ANONYMOUS_ID}
