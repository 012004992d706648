"""Made-up models, facts and JSON for the property tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.facts import ADJUSTMENT, DAY, SECOND, Fact
from leadpulse.domain.model import Condition, Decay, Rule, ScoringModel
from leadpulse.domain.presets import PRESETS, preset

START = 1_750_000_000 * SECOND
TYPES = ("page_view", "Page View", "signup", "unsubscribe", "mail_sent", "identify", "unknown")

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
properties = st.dictionaries(
    st.sampled_from(("path", "url", "plan", "n", "a.b", "a")), json_values, max_size=3
)
points = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)
operators = st.sampled_from(
    ("eq", "ne", "contains", "startsWith", "gt", "gte", "lt", "lte", "in", "exists")
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    op = draw(operators)
    value = draw(json_values)
    if op == "in":
        value = tuple(
            draw(st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=4)))
        )
    return Condition(draw(st.sampled_from(("$path", "plan", "a.b", "n", "path"))), op, value)


@st.composite
def rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    found = draw(
        st.lists(
            st.builds(
                Rule,
                id=st.just(""),
                event_type=st.sampled_from(("page_view", "signup", "unsubscribe", "PAGE-VIEW")),
                name=st.just("rule"),
                points=points,
                active=st.booleans(),
                conditions=st.lists(conditions(), max_size=2).map(tuple),
                max_per_day=st.none() | st.integers(1, 3),
                max_points_per_day=st.none() | st.integers(0, 60).map(float),
                once=st.booleans(),
                trust=st.sampled_from(("any", "server")),
            ),
            max_size=5,
        )
    )
    return tuple(replace(rule, id=f"r{index}") for index, rule in enumerate(found))


decays = st.none() | st.builds(
    Decay,
    factor=st.floats(0.05, 0.99),
    after_days=st.floats(0, 10),
    every_days=st.floats(0.2, 8),
)


@st.composite
def scoring_models(draw: st.DrawFn, version: int = 1) -> ScoringModel:
    base = preset(draw(st.sampled_from(PRESETS)))
    if draw(st.booleans()):
        base = replace(base, rules=draw(rules()), decay=draw(decays))
    low = draw(st.sampled_from((0.0, -50.0)))
    return replace(
        base,
        version=version,
        min_score=low,
        stages=(low, *base.stages[1:]),
        max_score=draw(st.sampled_from((10_000.0, 40.0))),
    )


@st.composite
def model_histories(draw: st.DrawFn, most: int = 3) -> Models:
    count = draw(st.integers(1, most))
    versions = {v: compile_model(draw(scoring_models(version=v))) for v in range(1, count + 1)}
    return Models(versions, draw(st.integers(1, count)), count)


@st.composite
def fact_lists(draw: st.DrawFn, newest: int = 1, most: int = 12) -> list[Fact]:
    """Facts of one lead in their order; equal timestamps and both classes of callers occur."""
    count = draw(st.integers(0, most))
    found: dict[tuple[str, int], Fact] = {}
    t = START
    for _ in range(count):
        t += draw(
            st.sampled_from((0, 1, 60 * SECOND, 5 * 3600 * SECOND, DAY, 8 * DAY, 40 * DAY))
            | st.integers(0, 30 * DAY)
        )
        kind = draw(st.sampled_from((*TYPES, *TYPES, ADJUSTMENT)))
        body = {"points": draw(points)} if kind == ADJUSTMENT else draw(properties)
        event_id = draw(st.sampled_from("abcdefghÄ𐀀") | st.text(min_size=1, max_size=3))
        claim = 0 if kind == ADJUSTMENT else draw(st.integers(0, 1))
        fact = Fact(
            t, event_id, claim, f"{event_id}/{claim}", kind, draw(st.integers(1, newest)), body
        )
        found[event_id, claim] = fact
    return sorted(found.values(), key=lambda fact: fact.place)
