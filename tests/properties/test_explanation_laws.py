"""The laws of explanations: parts that add up to the score, and cuts that caps really made."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.explanation import CapWatch, Explanation, explain, has_caps, shares_of
from leadpulse.domain.facts import ADJUSTMENT, DAY, Fact, day_of
from leadpulse.domain.fold import at, fold, points_given
from leadpulse.domain.presets import preset
from leadpulse.domain.state import State
from strategies import START, fact_lists, model_histories

LATER = st.integers(-60 * DAY, 400 * DAY)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Models, list[Fact], int]:
    """A lead with its models, and an instant before, among or after its facts."""
    models = draw(model_histories())
    facts = draw(fact_lists(models.newest, 12))
    end = facts[-1].ts if facts else START
    return models, facts, draw(st.integers(START - DAY, end + 1) | LATER.map(lambda t: end + t))


def explained(models: Models, facts: list[Fact], t: int, split: int = 0) -> Explanation:
    """What the store does: sums over the ledger's prefix, caps found by folding on."""
    known = [fact for fact in facts if fact.ts <= t]
    folded = fold(State(), known, models)
    split = min(split, len(known))
    watch = CapWatch(fold(State(), known[:split], models).state, models)
    watch.watch(known[split:])
    assert watch.state == folded.state
    return explain(shares_of(folded.entries), watch.state, watch.cuts, models.labels.source, t)


@given(cases())
def test_the_parts_add_up_to_the_score(case: tuple[Models, list[Fact], int]) -> None:
    """The sum is the score that the fold gives at that instant, to the last digit of the parts."""
    models, facts, t = case
    told = explained(models, facts, t)
    known = [fact for fact in facts if fact.ts <= t]
    score = at(fold(State(), known, models).state, t).score
    assert told.score == score
    rest = abs(math.fsum([*told.parts, -score]))
    assert rest <= math.ulp(max(map(abs, told.parts), default=0.0))
    assert sum(told.parts) == pytest.approx(score, abs=1e-9)
    assert told.decayed <= 1e-9


@given(cases())
def test_each_part_is_what_the_rule_gave(case: tuple[Models, list[Fact], int]) -> None:
    """Hits, points and the last hit of a rule are those of the ledger; bounds only where they cut.

    An entry that no bound cut moves the score by its points.
    """
    models, facts, t = case
    told = explained(models, facts, t)
    entries = fold(State(), [fact for fact in facts if fact.ts <= t], models).entries
    for part in told.rules:
        gave = [e for e in entries if part.share.rule in (e.rules or {})]
        assert part.share.hits == len(gave)
        points = math.fsum((e.rules or {})[part.share.rule] for e in gave)
        assert part.share.points == pytest.approx(points, abs=1e-9)
        if gave:
            assert part.share.last_at == gave[-1].at
    if all(e.new == e.old + e.points for e in entries if not e.steps):
        assert told.bounded == 0
    adjustments = [e for e in entries if e.kind == 2]
    assert told.adjustments == len(adjustments)


@given(cases(), st.integers(0, 12))
def test_cuts_make_up_for_what_caps_took(case: tuple[Models, list[Fact], int], split: int) -> None:
    """What a rule gave and what caps cut are together what it would give without caps."""
    models, facts, t = case
    told = explained(models, facts, t)
    known = [fact for fact in facts if fact.ts <= t]
    free: dict[str, float] = {}
    for fact in known:
        for rule in models.in_force(fact.version).meaning(fact.type).rules:
            alone = rule._replace(once=False, max_per_day=None, max_points_per_day=None)
            given_alone = points_given(alone, fact, None, day_of(fact.ts))
            free[rule.id] = free.get(rule.id, 0.0) + (given_alone or 0.0)
    for part in told.rules:
        together = part.share.points + part.cut.points
        assert together == pytest.approx(free[part.share.rule], abs=1e-6)
        assert bool(part.cut.times) == bool(part.cut.points) or part.cut.points == 0
    # Wherever one begins, what comes behind is the same.
    later = explained(models, facts, t, split)
    for part in later.rules:
        whole = next(one for one in told.rules if one.share.rule == part.share.rule)
        assert sum(part.cut.times.values()) <= sum(whole.cut.times.values())
    if not has_caps(models):
        assert not any(part.cut.times for part in told.rules)


@given(cases())
def test_what_comes_next_comes(case: tuple[Models, list[Fact], int]) -> None:
    """Up to the instant that is told the score stays, right after it it is the one told."""
    models, facts, t = case
    told = explained(models, facts, t)
    state = fold(State(), [fact for fact in facts if fact.ts <= t], models).state
    if told.next is None:
        assert at(state, t + 4_000 * DAY).score == told.score
        return
    assert told.next.at >= t
    assert at(state, told.next.at).score == told.score
    assert at(state, told.next.at + 1).score == told.next.score < told.score


def test_nothing_is_explained_before_the_first_event() -> None:
    """Zero, and no part."""
    fact = Fact(START, "a", 0, "a", ADJUSTMENT, 1, {"points": 5.0})
    models = Models({1: compile_model(preset("leadpulse"))}, 1, 1)
    told = explained(models, [fact], START - 1)
    assert (told.score, told.parts, told.next) == (0.0, [0.0, 0.0, 0.0], None)
