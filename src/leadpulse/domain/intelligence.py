"""What a score means for a salesperson: stage, velocity, risk, engagement, next action."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from leadpulse.domain.facts import DAY
from leadpulse.domain.model import STAGES, ScoringModel

Trend = Literal["increasing", "steady", "decreasing"]
MONITOR: Final = "monitor"
MONITOR_TEXT: Final = "Nothing to do yet: keep an eye on it."


@dataclass(frozen=True, slots=True)
class Activity:
    """Acts of a lead around an instant: when the last was (µs), and counts in windows.

    Windows are (t − n, t]: the last 24 hours, the 24 before, and the last 30 days with its
    distinct types.
    """

    last_act: int | None = None
    last_24h: int = 0
    before_24h: int = 0
    last_30d: int = 0
    types_30d: int = 0


@dataclass(frozen=True, slots=True)
class Intelligence:
    """Everything derived from a score, a lead's activity and the newest model at one instant."""

    stage: str
    velocity: float
    velocity_score: int
    velocity_trend: Trend
    risk: str | None
    days_since_last_event: float | None
    engagement_score: float
    next_action: str
    next_action_text: str


def stage_index(model: ScoringModel, score: float) -> int:
    """0 cold … 3 qualified, by the exact score; below the first bound it is still cold."""
    stages = model.stages
    if score >= stages[2]:
        return 3 if score >= stages[3] else 2
    return 1 if score >= stages[1] else 0


def stage_of(model: ScoringModel, score: float) -> str:
    """The name of the stage of a score."""
    return STAGES[stage_index(model, score)]


def velocity_score(last_24h: int) -> int:
    """0 … 10: round(10 × (1 − e^(−n/10))); 3 acts give 3, 12 give 7."""
    return round(10 * (1 - math.exp(-last_24h / 10)))


def velocity_trend(last_24h: int, before_24h: int) -> Trend:
    """The last day against the day before."""
    if last_24h == before_24h:
        return "steady"
    return "increasing" if last_24h > before_24h else "decreasing"


def risk_of(model: ScoringModel, last_act: int | None, t: int) -> str | None:
    """How long a lead has been silent; "after N days" is strictly more than N × 24 h."""
    if last_act is None:
        return None
    idle = t - last_act
    if idle > model.high_days * DAY:
        return "high"
    return "medium" if idle > model.medium_days * DAY else "low"


def engagement_score(activity: Activity, t: int) -> float:
    """10 × (0.4 · e^(−d/7) + 0.4 · (1 − e^(−n/10)) + 0.2 · min(k/5, 1)), one decimal.

    d: days since the last act, n acts and k distinct types in the last 30 days.
    """
    if activity.last_act is None:
        return 0.0
    days = max(0, t - activity.last_act) / DAY
    recency = 0.4 * math.exp(-days / 7)
    amount = 0.4 * (1 - math.exp(-activity.last_30d / 10))
    variety = 0.2 * min(activity.types_30d / 5, 1)
    return round(10 * (recency + amount + variety), 1)


def action_place(model: ScoringModel, stage: str, risk: str | None, velocity: float) -> int:
    """The place of the first action of the model that fits; behind the last one: none does.

    The most urgent stands first.
    """
    if risk is not None:
        for place, action in enumerate(model.next_actions):
            if (
                (not action.stages or stage in action.stages)
                and (not action.risks or risk in action.risks)
                and (action.min_velocity is None or velocity >= action.min_velocity)
            ):
                return place
    return len(model.next_actions)


def next_action(
    model: ScoringModel, stage: str, risk: str | None, velocity: float
) -> tuple[str, str]:
    """The first action of the model that fits, with its sentence; else to monitor."""
    place = action_place(model, stage, risk, velocity)
    if place == len(model.next_actions):
        return MONITOR, MONITOR_TEXT
    action = model.next_actions[place]
    return action.action, action.text


def assess(model: ScoringModel, score: float, activity: Activity, t: int) -> Intelligence:
    """Reads a score (already decayed to t) and its activity under the newest model."""
    stage = stage_of(model, score)
    risk = risk_of(model, activity.last_act, t)
    velocity = activity.last_24h * model.velocity_factor
    action, text = next_action(model, stage, risk, velocity)
    return Intelligence(
        stage=stage,
        velocity=velocity,
        velocity_score=velocity_score(activity.last_24h),
        velocity_trend=velocity_trend(activity.last_24h, activity.before_24h),
        risk=risk,
        days_since_last_event=None
        if activity.last_act is None
        else max(0, t - activity.last_act) / DAY,
        engagement_score=engagement_score(activity, t),
        next_action=action,
        next_action_text=text,
    )
