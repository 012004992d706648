"""What is sent about a moment: in small messages, in bounded number, with nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadpulse.ids import uuid7
from leadpulse.usecases.hints import (
    MOST_BYTES,
    SINGLES,
    Budget,
    EventHint,
    Hints,
    LeadHint,
    MutationHint,
    decoded,
    encoded,
)

PROJECT = uuid7()
NAMES = st.text(max_size=128)


@given(
    st.lists(st.builds(LeadHint, NAMES, st.integers(0, 9), st.floats(0, 100), NAMES,
                       st.integers(0, 9), st.none() | st.integers(0, 2**53)), max_size=60),
    st.lists(st.builds(MutationHint, NAMES, NAMES, st.floats(-9, 9), st.floats(0, 9)), max_size=60),
    st.lists(st.builds(EventHint, NAMES, NAMES, NAMES, NAMES, st.integers(0, 2**53),
                       st.just("scored")), max_size=60),
    st.integers(0, 9),
    st.integers(0, 9),
)  # fmt: skip
def test_messages_are_small_and_tell_all(
    leads: list[LeadHint],
    mutations: list[MutationHint],
    events: list[EventHint],
    more_leads: int,
    more_events: int,
) -> None:
    """Every part fits, and together they are what was to be told."""
    whole = Hints(PROJECT, leads, mutations, events, more_leads, more_events)
    parts = []
    for message in encoded(whole):
        assert len(message) <= MOST_BYTES
        part = decoded(message)
        assert part is not None
        parts.append(part)
    assert [hint for part in parts for hint in part.leads] == leads
    assert [hint for part in parts for hint in part.mutations] == mutations
    assert [hint for part in parts for hint in part.events] == events
    assert sum(part.more_leads for part in parts) == more_leads
    assert sum(part.more_events for part in parts) == more_events


def test_what_fits_no_message_is_told_as_a_count() -> None:
    """A name longer than a message can carry."""
    (message,) = encoded(Hints(PROJECT, leads=[LeadHint("x" * 9_000, 1, 1.0, "cold", 0, None)]))
    part = decoded(message)
    assert part == Hints(PROJECT, more_leads=1)


def test_other_messages_are_not_taken_for_ours() -> None:
    """Whoever may send there can't break a listener."""
    for message in (b"", b"{", b"[]", b"[1]", b'["x", 1]', b'["x", [[1]]]', "\0", b"\xff"):
        assert decoded(message) is None


def test_a_budget_grants_so_many_at_once_and_a_second() -> None:
    """And no more after a long silence."""
    budget = Budget()
    assert budget.take(500, 100.0) == SINGLES
    assert budget.take(500, 100.0) == 0
    assert budget.take(500, 100.5) == SINGLES // 2
    assert budget.take(500, 1_000.0) == SINGLES
    assert budget.take(3, 1_001.0, 5) == 3
    assert budget.take(500, 1_001.0, 5) == 2
