"""Laws of profiles: what is shown is the latest fact of each field, in any order."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, USER_ID
from leadpulse.domain.profile import (
    OWNER,
    TRAITS_KEPT,
    VALUE_BYTES,
    VALUES_KEPT,
    Facts,
    Held,
    Source,
    stated,
    union,
    view,
)

FIELDS = ("name", "company", "firstName", "last_name", "email", "userId", "plan", "age", OWNER)
values = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.integers(-3, 3),
    st.just({"name": "Acme", "size": 3}),
    st.just("x" * 2_000),
)
said = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(FIELDS), values, max_size=5), st.integers(0, 3),
              st.booleans()),
    max_size=12,
)  # fmt: skip
HELD = [
    Held(EMAIL, "a", confirmed=False, own=True),
    Held(EMAIL, "b", confirmed=True, own=False),
    Held(USER_ID, "c", confirmed=False, own=True),
    Held(ANONYMOUS_ID, "d", confirmed=False, own=True),
]


def parts(events: list[tuple[dict[str, Any], int, bool]]) -> list[Facts]:
    """Each event's facts; its number makes the eventId, so that no two are alike."""
    return [
        stated(traits, Source(at, f"e{number}", confirmed), inside=True)
        for number, (traits, at, confirmed) in enumerate(events)
    ]


@given(said, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_order_and_any_split_give_the_same_profile(
    events: list[tuple[dict[str, Any], int, bool]], random: Random, leads: int
) -> None:
    """Facts in any order, over any number of merged leads, in any batches: one profile."""
    stated_facts = parts(events)
    whole = union(stated_facts)
    shuffled = list(stated_facts)
    random.shuffle(shuffled)
    by_lead: list[Facts] = [{} for _ in range(leads)]
    for facts in shuffled:
        lead = random.randrange(leads)
        by_lead[lead] = union((by_lead[lead], facts))
    assert union(by_lead) == whole
    assert view(union(by_lead), HELD) == view(whole, HELD[::-1])


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9), st.booleans()), max_size=400),
       st.randoms(use_true_random=False))  # fmt: skip
def test_the_bound_on_traits_depends_on_no_order(
    events: list[tuple[int, int, bool]], random: Random
) -> None:
    """Beyond the bound the newest names stay, the same ones in every order."""
    some = parts([({f"t{field}": field, "name": "Ann"}, at, sure) for field, at, sure in events])
    whole = union(some)
    random.shuffle(some)
    bit_by_bit: Facts = {}
    for facts in some:
        bit_by_bit = union((bit_by_bit, facts))
    assert bit_by_bit == whole
    assert len(whole) <= TRAITS_KEPT + 1
    assert not events or whole["name"][0] == "Ann"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=60),
       st.randoms(use_true_random=False))  # fmt: skip
def test_the_emails_that_are_remembered_depend_on_no_order(
    events: list[tuple[int, int]], random: Random
) -> None:
    """Of many emails the last ones are remembered, the same ones in every order."""
    some = parts([({"email": f"{value}@x"}, at, True) for value, at in events])
    whole = union(some)
    random.shuffle(some)
    bit_by_bit: Facts = {}
    for facts in some:
        bit_by_bit = union((facts, bit_by_bit))
    assert bit_by_bit == whole
    assert len(whole.get("email", ())) <= VALUES_KEPT


def one(traits: dict[str, Any], at: int, *, confirmed: bool = True) -> Facts:
    """The facts of one event."""
    return stated(traits, Source(at, f"e{at}", confirmed))


def test_the_latest_fact_wins_and_null_removes() -> None:
    """A field has the value of the latest event that set it."""
    facts = union([one({"name": "Ann", "plan": "pro"}, 2), one({"name": "Anna"}, 1)])
    assert view(facts, ()).name == "Ann"
    assert view(union([facts, one({"name": None, "plan": None}, 3)]), ()).traits == {}


def test_a_claim_never_beats_a_confirmed_value() -> None:
    """What a write key says later doesn't change what a secret key said."""
    facts = union([one({"name": "Ann"}, 1), one({"name": "Eve"}, 9, confirmed=False)])
    assert view(facts, ()).name == "Ann"
    assert view(facts, ()).claimed == []


def test_claimed_fields_are_named() -> None:
    """A shown field that rests on a claim alone is told."""
    facts = union([
        one({"firstName": "Ann", "company": {"name": "Acme"}}, 1),
        one({"lastName": "Lee", "plan": "pro", "email": "a"}, 2, confirmed=False),
    ])  # fmt: skip
    shown = view(facts, HELD[:1])
    assert (shown.name, shown.company, shown.email) == ("Ann Lee", "Acme", "a")
    assert shown.traits == {
        "company": {"name": "Acme"}, "firstName": "Ann", "lastName": "Lee", "plan": "pro",
    }  # fmt: skip
    assert shown.claimed == ["email", "name", "traits.lastName", "traits.plan"]


def test_only_an_email_of_the_lead_is_shown() -> None:
    """An email that belongs to somebody else stays in the event that named it."""
    facts = union([one({"email": "mine@x"}, 1), one({"email": "theirs@x"}, 2)])
    assert view(facts, [Held(EMAIL, "mine@x", confirmed=True, own=True)]).email == "mine@x"
    assert view(facts, ()).email is None


def test_the_newest_email_is_shown() -> None:
    """Of several emails of one person the one named last is the shown one."""
    facts = union([one({"email": "b"}, 1), one({"email": "a"}, 2)])
    held = [Held(EMAIL, value, confirmed=True, own=True) for value in ("a", "b")]
    assert view(facts, held).email == "a"


@pytest.mark.parametrize(
    "value", ["é" * VALUE_BYTES, ["x" * VALUE_BYTES], {"a": "y" * VALUE_BYTES}]
)
def test_a_value_that_is_too_long_is_no_profile_value(value: object) -> None:
    """A long text stays with its event and leaves the profile as it was."""
    assert one({"about": value}, 1) == {}


def test_events_cannot_set_fields_of_ours() -> None:
    """Owner and status come from inside only."""
    assert one({OWNER: "eve"}, 1) == {}
    assert (
        view(stated({OWNER: "ann"}, Source(1, "e", confirmed=True), inside=True), ()).owner == "ann"
    )
