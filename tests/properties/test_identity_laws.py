"""Laws of identity: who belongs together doesn't depend on who came first."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.identity import (
    ANONYMOUS_ID,
    EMAIL,
    MOST_PEOPLE,
    USER_ID,
    Decision,
    Graph,
    Name,
    Named,
    apply,
    decide,
)

PROJECT = "project"


class Outcome(NamedTuple):
    """Where a stream of events ended: the trees and the lead of each event."""

    graph: Graph
    leads: list[str]
    decisions: list[Decision]


def event(*names: Name, trusted: bool = False, lead: str | None = None) -> Named:
    """An event that names these identifiers."""
    by_kind = dict(names)
    return Named(
        PROJECT,
        trusted,
        0,
        "id",
        lead,
        by_kind.get(USER_ID),
        by_kind.get(EMAIL),
        by_kind.get(ANONYMOUS_ID),
    )


def run(events: list[Named], graph: Graph | None = None) -> Outcome:
    """Decides events one after another."""
    graph = Graph() if graph is None else graph
    numbers = count(len(graph.roots))
    leads, decisions = [], []
    for one in events:
        decision = decide(graph, one, f"lead-{next(numbers)}")
        apply(graph, one, decision)
        leads.append(decision.lead)
        decisions.append(decision)
    return Outcome(graph, leads, decisions)


def trees(outcome: Outcome) -> set[frozenset[tuple[Name, bool]]]:
    """The identifiers that ended together, with their standing."""
    found: dict[str, set[tuple[Name, bool]]] = {}
    for name, known in outcome.graph.identifiers.items():
        found.setdefault(outcome.graph.root(known.lead), set()).add((name, known.confirmed))
    return {frozenset(names) for names in found.values()}


def facts(outcome: Outcome, events: list[Named]) -> set[frozenset[int]]:
    """The events that ended together, by identity of the object."""
    found: dict[str, set[int]] = {}
    for one, lead in zip(events, outcome.leads, strict=True):
        found.setdefault(outcome.graph.root(lead), set()).add(id(one))
    return {frozenset(together) for together in found.values()}


@st.composite
def streams_without_conflict(draw: st.DrawFn) -> list[Named]:
    """Events about people of one userId or email, or of several emails under one userId.

    The second kind names an email beside another identifier only together with the userId:
    otherwise two emails meet on one browser and nobody says that they are one person.
    """
    trusted = draw(st.booleans())
    events: list[Named] = []
    for person in range(draw(st.integers(1, 3))):
        user = (USER_ID, f"u{person}")
        many = draw(st.booleans())
        emails = [(EMAIL, f"e{person}.{n}@x") for n in range(3 if many else 1)]
        anonymous = [(ANONYMOUS_ID, f"a{person}.{n}") for n in range(3)]
        for _ in range(draw(st.integers(1, 7))):
            names: list[Name] = []
            if draw(st.booleans()):
                names.append(user)
            if draw(st.booleans()):
                names.append(draw(st.sampled_from(emails)))
            if draw(st.booleans()) or not names:
                names.append(draw(st.sampled_from(anonymous)))
            if many and len(names) > 1 and names[0][0] == EMAIL:
                names = [user, *names]
            events.append(event(*names, trusted=trusted))
    return events


names = st.builds(
    lambda user, email, anonymous: [
        (kind, f"{kind}{number}")
        for kind, number in ((USER_ID, user), (EMAIL, email), (ANONYMOUS_ID, anonymous))
        if number is not None
    ],
    *[st.none() | st.integers(0, 3)] * 3,
).filter(bool)
anything = st.lists(
    st.builds(lambda given, trusted: event(*given, trusted=trusted), names, st.booleans()),
    max_size=25,
)


@given(streams_without_conflict(), st.randoms(use_true_random=False))
def test_without_conflict_the_order_of_events_changes_nothing(
    events: list[Named], random: Random
) -> None:
    """Conflict-free streams of one class end in the same trees, whatever came first."""
    plain = run(events)
    shuffled = list(events)
    random.shuffle(shuffled)
    other = run(shuffled)
    assert not any(d.conflict for d in (*plain.decisions, *other.decisions))
    assert trees(plain) == trees(other)
    assert facts(plain, events) == facts(other, shuffled)


@given(anything)
def test_a_merge_is_an_edge_between_survivors_and_every_lead_has_one(events: list[Named]) -> None:
    """No stream makes a cycle, merges a lead twice or leaves an identifier without a lead."""
    outcome = run(events)
    children = [merge.child for d in outcome.decisions for merge in d.merges]
    assert len(children) == len(set(children))
    for known in outcome.graph.identifiers.values():
        assert outcome.graph.root(known.lead) not in children
    for lead in outcome.leads:
        assert outcome.graph.root(lead) not in children


@given(anything)
def test_claims_never_join_two_confirmed_leads_nor_touch_what_is_confirmed(
    events: list[Named],
) -> None:
    """Whatever claims say, no two confirmed leads merge and no confirmed identifier moves."""
    graph = Graph()
    for number, one in enumerate(events):
        before = {name: (known.lead, known.confirmed) for name, known in graph.identifiers.items()}
        confirmed = {graph.root(lead) for lead, sure in before.values() if sure}
        decision = decide(graph, one, f"lead-{number}")
        apply(graph, one, decision)
        if one.trusted:
            continue
        touched = {lead for merge in decision.merges for lead in merge}
        assert len(touched & confirmed) <= 1
        for name, (lead, sure) in before.items():
            now = graph.identifiers[name]
            assert now.confirmed == sure
            if sure:
                assert now.lead == lead


@given(anything)
def test_trees_remember_exactly_what_they_hold(events: list[Named]) -> None:
    """What a tree says of itself covers the identifiers that are really in it."""
    outcome = run(events)
    for (kind, _), known in outcome.graph.identifiers.items():
        tree = outcome.graph.tree(known.lead)
        assert tree.confirmed >= known.confirmed
        assert kind != USER_ID or (tree.user and tree.confirmed_user >= known.confirmed)
        assert kind != EMAIL or (tree.email and tree.confirmed_email >= known.confirmed)


@given(anything)
def test_saying_the_same_again_changes_nothing(events: list[Named]) -> None:
    """An event that was just decided links nothing new when it comes again."""
    graph = Graph()
    for number, one in enumerate(events):
        decision = decide(graph, one, f"lead-{number}")
        apply(graph, one, decision)
        again = decide(graph, one, "nobody")
        assert not again.created
        assert again.lead == decision.lead or graph.root(again.lead) == graph.root(decision.lead)
        assert not again.merges
        assert not again.moved


def test_a_shared_browser_moves_and_nobody_merges() -> None:
    """Two people who log in on one browser stay two; the browser goes with the later one."""
    browser, ann, bob = (ANONYMOUS_ID, "b"), (USER_ID, "ann"), (USER_ID, "bob")
    outcome = run([event(browser, ann), event(browser, bob), event(browser)])
    assert outcome.leads[0] != outcome.leads[1] == outcome.leads[2]
    assert outcome.decisions[1].conflict
    assert not outcome.decisions[1].merges


def test_a_new_email_of_the_same_user_is_one_more() -> None:
    """A userId that brings another email keeps both, also if the email was known alone."""
    user, one, other = (USER_ID, "u"), (EMAIL, "1@x"), (EMAIL, "2@x")
    outcome = run([event(user, one), event(other), event(user, other)])
    assert len(trees(outcome)) == 1
    assert not outcome.decisions[2].conflict


def test_another_email_on_the_same_browser_is_another_person() -> None:
    """Without a common userId, a second email on a browser is somebody else."""
    browser, one, other = (ANONYMOUS_ID, "b"), (EMAIL, "1@x"), (EMAIL, "2@x")
    outcome = run([event(browser, one), event(browser, other)])
    assert outcome.leads[0] != outcome.leads[1]
    assert outcome.graph.identifiers[browser].lead == outcome.leads[1]


def test_an_undone_merge_is_a_shared_browser_for_ever() -> None:
    """After an undo, an event that names both goes to the stronger and moves the browser."""
    browser, user = (ANONYMOUS_ID, "b"), (USER_ID, "u")
    graph = run([event(browser), event(user)]).graph
    graph.never.append((graph.identifiers[browser].lead, graph.identifiers[user].lead))
    outcome = run([event(user, browser)], graph)
    assert not outcome.decisions[0].merges
    assert outcome.decisions[0].moved == browser
    assert outcome.graph.identifiers[browser].lead == outcome.graph.identifiers[user].lead


def test_an_anonymous_id_of_more_than_twenty_people_stops_linking() -> None:
    """The twenty-first person doesn't get the kiosk's id, and it is counted as worn out."""
    kiosk = (ANONYMOUS_ID, "kiosk")
    visits = [event((USER_ID, f"u{n}"), kiosk) for n in range(MOST_PEOPLE + 5)]
    outcome = run(visits)
    known = outcome.graph.identifiers[kiosk]
    assert known.lead == outcome.leads[MOST_PEOPLE - 1]
    assert known.links == MOST_PEOPLE + 1
    assert len(set(outcome.leads)) == len(visits)
    # It still is the id of the last one it was given to.
    assert run([event(kiosk)], outcome.graph).leads == [known.lead]


def test_two_people_taking_turns_wear_no_browser_out() -> None:
    """What counts is people, not how often they log in."""
    browser = (ANONYMOUS_ID, "b")
    turns = [event((USER_ID, f"u{n % 2}"), browser) for n in range(100)]
    outcome = run(turns)
    assert outcome.graph.identifiers[browser].links == 2
    assert outcome.graph.identifiers[browser].lead == outcome.leads[-1]


def test_a_claimed_user_id_does_not_stand_in_the_way_of_a_trusted_caller() -> None:
    """Somebody who claims a customer's email can't keep the server from naming its user."""
    email, evil, real = (EMAIL, "c@x"), (USER_ID, "evil"), (USER_ID, "real")
    outcome = run([
        event(email, trusted=True),
        event(email, evil),
        event(email, real, trusted=True),
    ])  # fmt: skip
    graph = outcome.graph
    assert graph.root(graph.identifiers[real].lead) == graph.root(graph.identifiers[email].lead)
    assert graph.identifiers[real].confirmed


def test_a_proven_user_may_not_take_over_what_others_confirmed() -> None:
    """A good userHash proves who somebody is, not that a confirmed email is theirs."""
    email, user = (EMAIL, "victim@x"), (USER_ID, "me")
    claim = event(email, user)._replace(verified=USER_ID)
    outcome = run([event(email, trusted=True), claim])
    graph = outcome.graph
    assert graph.identifiers[user].confirmed
    assert graph.root(graph.identifiers[user].lead) != graph.root(graph.identifiers[email].lead)


def test_a_merge_by_claim_never_takes_two_confirmed_leads_together() -> None:
    """An anonymous browser that a server vouched for isn't given to a confirmed email."""
    email, browser = (EMAIL, "e@x"), (ANONYMOUS_ID, "b")
    outcome = run([
        event(email, trusted=True),
        event(browser, trusted=True),
        event(email, browser),
    ])  # fmt: skip
    assert len(trees(outcome)) == 2
    assert outcome.leads[2] == outcome.leads[0]


def test_a_lead_id_is_the_strongest_name_and_an_unknown_one_an_error() -> None:
    """An event that names a lead belongs to it; a lead that doesn't exist is refused."""
    graph = run([event((USER_ID, "u"))]).graph
    lead = graph.identifiers[USER_ID, "u"].lead
    outcome = run([event((ANONYMOUS_ID, "a"), lead=lead)], graph)
    assert outcome.leads == [lead]
    assert outcome.graph.identifiers[ANONYMOUS_ID, "a"].lead == lead
    assert decide(graph, event((USER_ID, "u"), lead="none"), "x").error is not None
