"""Why a score is what it is: what each rule gave, what caps and bounds cut, what decay took.

Made from the fold's own record, never by a second interpreter: shares are sums over its entries,
caps are found by asking the fold's own rule for the same event with and without them. The parts
add up to the score, as exactly as doubles can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from leadpulse.domain.facts import DAY
from leadpulse.domain.fold import ADJUSTED, DECAY, at, fold, next_change, points_given
from leadpulse.domain.intelligence import stage_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leadpulse.domain.compiled import CompiledRule, Models
    from leadpulse.domain.facts import Fact
    from leadpulse.domain.fold import Entry
    from leadpulse.domain.model import ScoringModel
    from leadpulse.domain.state import RuleUse, State

Cap = Literal["maxPerDay", "maxPointsPerDay", "once"]
CAPS: Final[tuple[Cap, ...]] = ("maxPerDay", "maxPointsPerDay", "once")
# Corrections of the last digit, until the parts add up.
_TRIES: Final = 3


# ── What the ledger says ─────────────────────────────────────────────────────────────


class RuleShare(NamedTuple):
    """What a rule gave: how often, how many points (after caps), when last (µs).

    `version` is the newest model by which it did.
    """

    rule: str
    hits: int
    points: float
    version: int
    last_at: int


class Shares(NamedTuple):
    """Sums over the entries of a lead up to an instant; `clamped`: the bounds cut something."""

    rules: Sequence[RuleShare] = ()
    adjustments: int = 0
    adjusted: float = 0.0
    steps: int = 0
    decayed: float = 0.0
    decayed_at: int | None = None
    clamped: bool = False


def shares_of(entries: Iterable[Entry]) -> Shares:
    """The sums over entries as the fold made them."""
    gave: dict[str, list[tuple[float, int, int]]] = {}
    adjusted: list[float] = []
    decayed: list[float] = []
    steps, decayed_at, clamped = 0, None, False
    for entry in entries:
        if entry.kind == DECAY:
            steps += entry.steps
            decayed.append(entry.delta)
            decayed_at = entry.decayed_at
            continue
        clamped = clamped or entry.new != entry.old + entry.points
        if entry.kind == ADJUSTED:
            adjusted.append(entry.points)
        for rule, points in (entry.rules or {}).items():
            gave.setdefault(rule, []).append((points, entry.version, entry.at))
    rules = [
        RuleShare(
            rule,
            len(given),
            math.fsum(points for points, _, _ in given),
            max(version for _, version, _ in given),
            max(when for _, _, when in given),
        )
        for rule, given in sorted(gave.items())
    ]
    return Shares(
        rules, len(adjusted), math.fsum(adjusted), steps, math.fsum(decayed), decayed_at, clamped
    )


# ── What caps cut ────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Cut:
    """What caps took from a rule: points in all, and how often each of them did."""

    points: float = 0.0
    times: dict[Cap, int] = field(default_factory=dict)


@dataclass(slots=True)
class CapWatch:
    """Folds on from a state, and notes what caps cut on the way, by rule."""

    state: State
    models: Models
    cuts: dict[str, Cut] = field(default_factory=dict)

    def watch(self, facts: Iterable[Fact]) -> None:
        """Folds the next facts, in their order."""
        waiting: list[Fact] = []
        for fact in facts:
            capped = [r for r in self._rules(fact) if _is_capped(r)]
            if capped:
                self._fold(waiting)
                waiting = []
                for rule in capped:
                    self._look(rule, fact)
            waiting.append(fact)
        self._fold(waiting)

    def _rules(self, fact: Fact) -> tuple[CompiledRule, ...]:
        return self.models.in_force(fact.version).meaning(fact.type).rules

    def _fold(self, facts: list[Fact]) -> None:
        if facts:
            self.state = fold(self.state, facts, self.models).state

    def _look(self, rule: CompiledRule, fact: Fact) -> None:
        use, day = self.state.uses.get(rule.id), fact.ts // DAY
        free = rule._replace(once=False, max_per_day=None, max_points_per_day=None)
        nominal = points_given(free, fact, None, day)
        given = points_given(rule, fact, use, day)
        if nominal is None or nominal == given:
            return
        cut = self.cuts.setdefault(rule.id, Cut())
        cut.points += nominal - (given or 0.0)
        cap = _which(rule, use, day)
        cut.times[cap] = cut.times.get(cap, 0) + 1


def has_caps(models: Models) -> bool:
    """Tell whether any rule of these versions has a cap."""
    return any(
        rule.once or rule.max_per_day is not None or rule.max_points_per_day is not None
        for model in models.versions.values()
        for rule in model.source.rules
    )


def _is_capped(rule: CompiledRule) -> bool:
    return rule.once or rule.max_per_day is not None or rule.max_points_per_day is not None


def _which(rule: CompiledRule, use: RuleUse | None, day: int) -> Cap:
    """Which cap cut, in the order in which the fold asks for them."""
    if use is not None and rule.once:
        return "once"
    times = use.times if use is not None and use.day == day else 0
    if rule.max_per_day is not None and times >= rule.max_per_day > 0:
        return "maxPerDay"
    return "maxPointsPerDay"


# ── The explanation ──────────────────────────────────────────────────────────────────


class Part(NamedTuple):
    """What one rule contributed; `cut` are the points that its caps took."""

    share: RuleShare
    cut: Cut


class Next(NamedTuple):
    """The next change of the score if nothing else happens: when (µs), and what it will be."""

    at: int
    score: float
    stage: str
    stage_changes: bool


class Explanation(NamedTuple):
    """A score at an instant (µs), and the parts that add up to it."""

    at: int
    score: float
    stage: str
    rules: list[Part]
    adjustments: int
    adjusted: float
    steps: int
    decayed: float
    decayed_at: int | None
    bounded: float
    next: Next | None

    @property
    def parts(self) -> list[float]:
        """What adds up to the score."""
        given = [part.share.points for part in self.rules]
        return [*given, self.adjusted, self.decayed, self.bounded]


def explain(
    shares: Shares, state: State, cuts: dict[str, Cut], model: ScoringModel, t: int
) -> Explanation:
    """Explains the score at t: `shares` and `state` are those of the facts up to t."""
    gap = at(state, t)
    rules = {share.rule: share for share in shares.rules}
    parts = [
        Part(rules.get(rule) or RuleShare(rule, 0, 0.0, 0, 0), cuts.get(rule, Cut()))
        for rule in sorted({*rules, *cuts})
    ]
    told = Explanation(
        at=t,
        score=gap.score,
        stage=stage_of(model, gap.score),
        rules=parts,
        adjustments=shares.adjustments,
        adjusted=shares.adjusted,
        steps=shares.steps + gap.steps,
        decayed=shares.decayed + (gap.score - state.score),
        decayed_at=shares.decayed_at if gap.decayed_at is None else gap.decayed_at,
        bounded=0.0,
        next=_next(state, model, t),
    )
    return _added_up(told, clamped=shares.clamped)


def _added_up(told: Explanation, *, clamped: bool) -> Explanation:
    """Puts what the parts lack of the score where it belongs: what bounds cut, or rounding."""
    for _ in range(_TRIES):
        rest = math.fsum([told.score, *(-part for part in told.parts)])
        if not rest:
            break
        if clamped:
            told = told._replace(bounded=told.bounded + rest)
        elif told.steps:
            told = told._replace(decayed=told.decayed + rest)
        elif told.adjustments:
            told = told._replace(adjusted=told.adjusted + rest)
        else:
            told = told._replace(rules=_corrected(told.rules, rest))
    return told


def _corrected(parts: list[Part], rest: float) -> list[Part]:
    largest = max(range(len(parts)), key=lambda n: abs(parts[n].share.points))
    share, cut = parts[largest]
    changed = Part(share._replace(points=share.points + rest), cut)
    return [*parts[:largest], changed, *parts[largest + 1 :]]


def _next(state: State, model: ScoringModel, t: int) -> Next | None:
    due = next_change(state, t)
    if due is None:
        return None
    now, after = at(state, t).score, at(state, due + 1).score
    stage = stage_of(model, after)
    return Next(due, after, stage, stage != stage_of(model, now))
