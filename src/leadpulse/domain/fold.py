"""The fold: facts in their order, models and time in; a state and its ledger out.

    state at t = fold(facts with timestamp ≤ t, models, t)

Three pure functions carry it: `fold` (facts → entries), `at` (the open gap at an instant) and
`next_change` (when the shown score changes without a new fact).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from leadpulse.domain.compiled import CompiledRule, DecaySchedule, Models
from leadpulse.domain.facts import ADJUSTMENT, DAY, Fact, Place
from leadpulse.domain.matching import holds
from leadpulse.domain.state import RuleUse, State

EVENT: Final = 0
DECAY: Final = 1
ADJUSTED: Final = 2

# Below this a decayed score is 0: no page shows the difference, and decay comes to an end.
ZERO: Final = 0.005

CHECKPOINT_EVERY: Final = 100

# A named tuple's own constructor takes twice as long; this is most of what the fold does.
_make: Final = tuple.__new__


class Entry(NamedTuple):
    """One line of the ledger.

    `at` is its place: the timestamp of its event, for decay of the event that it follows
    (`event` is that event's id). `points` is nominal (after caps, before the clamp), `rules`
    which rules gave it. `decayed_at` is the due time of the last of `steps`.
    """

    kind: int
    at: int
    entry: int
    event: str
    old: float
    delta: float
    new: float
    points: float
    rules: dict[str, float] | None
    steps: int
    decayed_at: int | None
    version: int
    acts: int


class Checkpoint(NamedTuple):
    """The whole state right after the entry with this number."""

    at: int
    entry: int
    state: State


class Gap(NamedTuple):
    """What decay has done, at an instant, since the last fact."""

    score: float
    steps: int
    decayed_at: int | None


@dataclass(slots=True)
class Folded:
    """What a fold made: the state, new ledger entries and checkpoints, each in order."""

    state: State
    entries: list[Entry] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)


# ── Decay ────────────────────────────────────────────────────────────────────────────


def steps_due(last_act: int, schedule: DecaySchedule, t: int) -> int:
    """How many due times of the gap lie strictly before t."""
    elapsed = t - last_act - schedule.after
    return 0 if elapsed <= 0 else -(-elapsed // schedule.every)


def _decayed(score: float, factor: float, steps: int) -> tuple[float, int]:
    """Score after n steps in closed form, and the steps that count: up to the one at 0."""
    new = score * factor**steps
    if new >= ZERO:
        return new, steps
    # An estimate, then the exact place by the very expression that everything uses.
    needed = max(1, min(steps, math.ceil(math.log(ZERO / score) / math.log(factor))))
    while needed > 1 and score * factor ** (needed - 1) < ZERO:
        needed -= 1
    while needed < steps and score * factor**needed >= ZERO:
        needed += 1
    return 0.0, needed


def at(state: State, t: int) -> Gap:
    """The shown score at t (not before the last fact), and the decay taken since then."""
    if state.last_act is None or state.schedule is None or state.score <= 0:
        return Gap(state.score, 0, None)
    schedule = state.schedule
    steps = steps_due(state.last_act, schedule, t) - state.taken
    if steps <= 0:
        return Gap(state.score, 0, None)
    score, counted = _decayed(state.score, schedule.factor, steps)
    due = state.last_act + schedule.after + (state.taken + counted - 1) * schedule.every
    return Gap(score, counted, due)


def next_change(state: State, t: int) -> int | None:
    """The next due time at or after t; the shown score changes right after it. None: never."""
    if state.last_act is None or state.schedule is None or at(state, t).score <= 0:
        return None
    schedule = state.schedule
    return (
        state.last_act
        + schedule.after
        + max(steps_due(state.last_act, schedule, t), state.taken) * schedule.every
    )


def _close_gap(state: State, last_act: int, schedule: DecaySchedule, ts: int) -> Entry | None:
    """Takes the decay that fell due strictly before ts; the calendar goes on anyway."""
    gap = at(state, ts)
    state.taken = max(state.taken, steps_due(last_act, schedule, ts))
    if not gap.steps:
        return None
    old, state.score = state.score, gap.score
    state.entries += 1
    return Entry(
        DECAY, state.last[0] if state.last else ts, state.entries, state.last_fact,
        old, gap.score - old, gap.score, 0.0, None, gap.steps, gap.decayed_at,
        state.act_version, state.acts,
    )  # fmt: skip


# ── Points ───────────────────────────────────────────────────────────────────────────


def points_given(rule: CompiledRule, fact: Fact, use: RuleUse | None, day: int) -> float | None:
    """What a rule gives for an event it is asked about; None if it doesn't apply."""
    if rule.server_only and fact.claim:
        return None
    if use is not None:
        if rule.once:
            return None
        if use.day != day:
            use = None
    points = rule.points
    if use is not None and rule.max_per_day is not None and use.times >= rule.max_per_day:
        return None
    if rule.max_points_per_day is not None:
        left = rule.max_points_per_day - (use.points if use is not None else 0.0)
        if abs(points) > left:
            if left <= 0:
                return None
            points = math.copysign(left, points)
    return points if not rule.conditions or _meets(rule, fact) else None


def _meets(rule: CompiledRule, fact: Fact) -> bool:
    """Tell whether all conditions hold; of an event without content, whether they did."""
    properties = fact.properties
    if isinstance(properties, list):
        return rule.mark in properties
    known = properties or _NOTHING
    for condition in rule.conditions:  # noqa: SIM110 - faster than a generator
        if not holds(condition, known):
            return False
    return True


_NOTHING: Final[dict[str, object]] = {}


def _score_rules(
    state: State, rules: tuple[CompiledRule, ...], fact: Fact
) -> tuple[float, dict[str, float] | None]:
    """Sum and origin of the points for an event; counts the use of every rule that gave."""
    total = 0.0
    origin: dict[str, float] | None = None
    uses = state.uses
    day = fact[0] // DAY
    for rule in rules:
        name = rule[0]
        use = uses.get(name)
        given = rule[1] if rule[-1] else points_given(rule, fact, use, day)
        if given is None:
            continue
        size = given if given >= 0 else -given
        if use is not None and use[0] == day:
            uses[name] = _make(RuleUse, (day, use[1] + 1, use[2] + size))
        else:
            uses[name] = _make(RuleUse, (day, 1, size))
        total += given
        if origin is None:
            origin = {name: given}
        else:
            origin[name] = given
    return total, origin


def adjustment_points(fact: Fact) -> float:
    """The signed points of an adjustment by hand."""
    said = fact.properties
    points = said.get("points", 0.0) if isinstance(said, Mapping) else 0.0
    return float(points) if isinstance(points, int | float) else 0.0


# ── The fold itself ──────────────────────────────────────────────────────────────────


class OutOfOrder(ValueError):
    """A fact lies before the state it was to be folded into: start from a checkpoint."""


def fold(
    state: State,
    facts: Iterable[Fact],
    models: Models,
    progress: Callable[[Fact], None] | None = None,
) -> Folded:
    """Folds facts, in their order and all behind `state.last`, into a copy of the state.

    Raises OutOfOrder if they are not. `progress` is told of each fact before it is folded
    (to name the one at fault if the process dies).
    """
    now = state.copy()
    folded = Folded(now)
    entries, checkpoints = folded.entries, folded.checkpoints
    for fact in facts:
        if progress is not None:
            progress(fact)
        place = fact[:3]
        last = now.last
        if last is not None and place <= last:
            raise OutOfOrder(f"fact {fact.id} stands at or before {now.last_fact}")
        before = now.entries
        last_act, schedule = now.last_act, now.schedule
        if (
            last_act is not None
            and schedule is not None
            and place[0] > last_act + schedule[1]
            and (decayed := _close_gap(now, last_act, schedule, fact.ts))
        ):
            entries.append(decayed)
        entries.append(_step(now, fact, place, models))
        # By the number, so that they stand at the same places however the facts came.
        if now.entries // CHECKPOINT_EVERY != before // CHECKPOINT_EVERY:
            checkpoints.append(Checkpoint(fact.ts, now.entries, now.copy()))
    return folded


def _step(now: State, fact: Fact, place: Place, models: Models) -> Entry:
    """Steps 2 and 3 for one fact whose gap is closed: points, clamp, entry. Changes `now`."""
    ts, _, _, fact_id, event_type, version, _ = fact
    model = models.versions[version if version > models.history else models.history]  # noqa: FURB136
    old = now.score
    origin: dict[str, float] | None = None
    if event_type == ADJUSTMENT:
        kind, points = ADJUSTED, adjustment_points(fact)
    else:
        kind, points = EVENT, 0.0
        rules, is_act, _ = model.meaning(event_type)
        if rules:
            points, origin = _score_rules(now, rules, fact)
        if is_act:
            now.acts += 1
            now.last_act = ts
            now.act_version = model.version
            now.schedule = model.schedule
            now.taken = 0
    new = old + points
    if new < model.low:
        new = model.low
    elif new > model.high:
        new = model.high
    now.score = new
    now.entries = number = now.entries + 1
    now.last = place
    now.last_fact = fact_id
    if now.first is None:
        now.first = ts
    return _make(
        Entry,
        (
            kind, ts, number, fact_id, old, new - old, new, points, origin, 0, None,
            model.version, now.acts,
        ),
    )  # fmt: skip
