"""The worked examples that define the presets, folded without any database."""

from __future__ import annotations

from itertools import permutations

import pytest

from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.facts import DAY, SECOND, Fact
from leadpulse.domain.fold import at, fold
from leadpulse.domain.intelligence import (
    Activity,
    assess,
    engagement_score,
    next_action,
    risk_of,
    stage_of,
    velocity_score,
    velocity_trend,
)
from leadpulse.domain.presets import preset
from leadpulse.domain.state import State

NOON = 20_000 * DAY + DAY // 2


def scores(name: str, *types: str, trusted: bool = False) -> list[float]:
    models = Models({1: compile_model(preset(name))}, 1, 1)
    facts = [
        Fact(NOON + i * 60 * SECOND, str(i), int(not trusted), str(i), kind, 1, {})
        for i, kind in enumerate(types)
    ]
    return [entry.new for entry in fold(State(), facts, models).entries]


@pytest.mark.parametrize(
    ("name", "types", "expected"),
    [
        ("classic", ("page_view", "signup", "demo_request"), [1, 21, 51]),
        ("sales", ("page_view", "signup", "demo_request"), [5, 25, 75]),
        ("leadpulse", ("demo_request",), [50]),
        ("leadpulse", ("page_view",) * 4, [5, 10, 15, 15]),
    ],
)
def test_worked_examples(name: str, types: tuple[str, ...], expected: list[float]) -> None:
    """Fresh leads score as the presets promise."""
    assert scores(name, *types) == expected


def test_unsubscribing_costs_points_only_from_trusted_callers() -> None:
    """A public key can't take points away with a rule that is for servers."""
    assert scores("leadpulse", "demo_request", "unsubscribe", trusted=True) == [50, 30]
    assert scores("leadpulse", "demo_request", "unsubscribe") == [50, 50]


def test_a_demo_request_asks_for_a_demo() -> None:
    """One demo request makes a hot, active lead at low risk whom to offer a demo."""
    made = assess(preset("leadpulse"), 50, Activity(NOON, 1, 0, 1, 1), NOON + SECOND)
    assert (made.stage, made.velocity, made.risk, made.next_action) == (
        "hot", 3, "low", "schedule_demo",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["leadpulse", "classic", "sales"])
def test_decay_of_the_presets(name: str) -> None:
    """A score falls strictly after seven days of silence, and on, by the preset's calendar."""
    models = Models({1: compile_model(preset(name))}, 1, 1)
    state = fold(State(), [Fact(NOON, "a", 1, "a", "signup", 1)], models).state
    points = state.score
    factor, every = (0.8, 7) if name == "classic" else (0.95, 1)
    assert at(state, NOON + 7 * DAY).score == points
    assert at(state, NOON + 7 * DAY + 1).score == points * factor
    assert at(state, NOON + (7 + every) * DAY).score == points * factor
    assert at(state, NOON + (7 + every) * DAY + 1).score == points * factor**2


@pytest.mark.parametrize(
    ("name", "medium", "high"), [("leadpulse", 7, 14), ("classic", 3, 7), ("sales", 7, 14)]
)
def test_risk_of_the_presets(name: str, medium: int, high: int) -> None:
    """Risk rises strictly after the preset's days of silence."""
    model = preset(name)
    assert risk_of(model, None, NOON) is None
    assert risk_of(model, NOON, NOON + medium * DAY) == "low"
    assert risk_of(model, NOON, NOON + medium * DAY + 1) == "medium"
    assert risk_of(model, NOON, NOON + high * DAY) == "medium"
    assert risk_of(model, NOON, NOON + high * DAY + 1) == "high"


@pytest.mark.parametrize(
    ("name", "bounds"),
    [("leadpulse", (11, 31, 60)), ("classic", (11, 31, 60)), ("sales", (30, 60, 100))],
)
def test_stages_begin_at_their_bounds(name: str, bounds: tuple[int, int, int]) -> None:
    """A stage is reached exactly at its bound; nothing is rounded."""
    model = preset(name)
    for bound, below, there in zip(
        bounds, ("cold", "warm", "hot"), ("warm", "hot", "qualified"), strict=True
    ):
        assert stage_of(model, bound - 1e-9) == below
        assert stage_of(model, bound) == there


def test_velocity_in_numbers() -> None:
    """Three acts a day give 3, twelve 7; a trend compares with the day before."""
    assert [velocity_score(n) for n in (0, 3, 12, 1000)] == [0, 3, 7, 10]
    assert [velocity_trend(*pair) for pair in ((2, 1), (1, 1), (0, 1))] == [
        "increasing", "steady", "decreasing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "velocity", "risk", "classic", "leadpulse"),
    [
        ("qualified", 3, "low", "prioritize_contact", "immediate_sales_contact"),
        ("qualified", 2, "low", "prioritize_contact", "sales_contact"),
        ("qualified", 3, "high", "re_engagement_required", "immediate_sales_contact"),
        ("hot", 0, "low", "prioritize_contact", "schedule_demo"),
        ("hot", 0, "medium", "follow_up", "follow_up"),
        ("warm", 0, "medium", "nurture_campaign", "nurture_campaign"),
        ("warm", 0, "high", "re_engagement_required", "re_engagement_required"),
        ("cold", 9, "low", "monitor", "monitor"),
        ("cold", 0, "high", "re_engagement_required", "re_engagement_required"),
    ],
)
def test_next_actions(stage: str, velocity: float, risk: str, classic: str, leadpulse: str) -> None:
    """The first fitting action of the model is the advice."""
    assert next_action(preset("classic"), stage, risk, velocity)[0] == classic
    assert next_action(preset("leadpulse"), stage, risk, velocity)[0] == leadpulse


def test_a_lead_without_acts_is_monitored() -> None:
    """Nothing is claimed about somebody who did nothing."""
    made = assess(preset("leadpulse"), 99, Activity(), NOON)
    assert (made.risk, made.days_since_last_event, made.velocity) == (None, None, 0)
    assert (made.velocity_trend, made.next_action) == ("steady", "monitor")
    assert made.engagement_score == 0


def test_engagement_by_its_formula() -> None:
    """Recency, amount and variety add up to ten at most."""
    assert engagement_score(Activity(NOON, 5, 0, 1000, 9), NOON) == 10.0
    assert engagement_score(Activity(NOON - 7 * DAY, 0, 0, 10, 2), NOON) == 4.8


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_sales_example_in_any_order(order: tuple[int, ...]) -> None:
    """The three events of the example give 75 however they are sorted into place."""
    models = Models({1: compile_model(preset("sales"))}, 1, 1)
    kinds = ("page_view", "signup", "demo_request")
    facts = [Fact(NOON + i * 900 * SECOND, str(i), 1, str(i), kinds[i], 1) for i in order]
    assert fold(State(), sorted(facts), models).state.score == 75
