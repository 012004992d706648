"""A scoring model made ready for the fold: look-ups by event type, times in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from leadpulse.domain.blanking import rule_mark
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import Condition, Rule, ScoringModel, type_key

# Event names come from outside: the cache of raw names must not grow with them.
_NAMES_KEPT: Final = 4_096


class CompiledRule(NamedTuple):
    """What the fold needs of a rule."""

    id: str
    points: float
    conditions: tuple[Condition, ...]
    max_per_day: int | None
    max_points_per_day: float | None
    once: bool
    server_only: bool
    # What it is known by where events have lost their content; empty without conditions.
    mark: str
    # Nothing to look at but the type: the common rule, kept off the slow path.
    plain: bool


class TypeMeaning(NamedTuple):
    """What a model makes of an event type."""

    rules: tuple[CompiledRule, ...]
    is_act: bool
    needs_properties: bool


class DecaySchedule(NamedTuple):
    """Decay in microseconds: due at last act + after + k × every."""

    factor: float
    after: int
    every: int


@dataclass
class CompiledModel:
    """One version, ready to fold with. Immutable in meaning; `_meanings` only remembers."""

    source: ScoringModel
    version: int
    low: float
    high: float
    schedule: DecaySchedule | None
    _by_key: dict[str, tuple[CompiledRule, ...]]
    _quiet: frozenset[str]
    _quiet_endings: tuple[str, ...]
    _meanings: dict[str, TypeMeaning] = field(default_factory=dict)

    def meaning(self, event_type: str) -> TypeMeaning:
        """Rules of an event type (in the order of their ids), and whether it is an act."""
        known = self._meanings.get(event_type)
        if known is not None:
            return known
        key = type_key(event_type)
        rules = self._by_key.get(key, ())
        made = TypeMeaning(
            rules=rules,
            is_act=key not in self._quiet and not key.endswith(self._quiet_endings),
            needs_properties=any(rule.conditions for rule in rules),
        )
        if len(self._meanings) >= _NAMES_KEPT:
            self._meanings.clear()
        self._meanings[event_type] = made
        return made

    @property
    def looked_into(self) -> set[str]:
        """Some names, as they came, of types whose rules look at properties: those met so far."""
        return {name for name, meaning in self._meanings.items() if meaning.needs_properties}


def _compile_rule(rule: Rule) -> CompiledRule:
    server_only = rule.trust == "server"
    capped = rule.max_per_day is not None or rule.max_points_per_day is not None
    return CompiledRule(
        id=rule.id,
        points=rule.points,
        conditions=rule.conditions,
        max_per_day=rule.max_per_day,
        max_points_per_day=rule.max_points_per_day,
        once=rule.once,
        server_only=server_only,
        mark=rule_mark(rule) if rule.conditions else "",
        plain=not (rule.conditions or capped or rule.once or server_only),
    )


def compile_model(model: ScoringModel) -> CompiledModel:
    """Prepares a model.

    Rules of a type stand in the order of their ids, so that sums of doubles come out the same
    everywhere.
    """
    by_key: dict[str, list[CompiledRule]] = {}
    for rule in sorted(model.rules, key=lambda r: r.id):
        if rule.active:
            by_key.setdefault(type_key(rule.event_type), []).append(_compile_rule(rule))
    quiet = [type_key(name) for name in model.not_activity]
    decay = model.decay
    return CompiledModel(
        source=model,
        version=model.version,
        low=model.min_score,
        high=model.max_score,
        schedule=None
        if decay is None
        else DecaySchedule(
            decay.factor, round(decay.after_days * DAY), max(1, round(decay.every_days * DAY))
        ),
        _by_key={key: tuple(rules) for key, rules in by_key.items()},
        _quiet=frozenset(name for name in quiet if not name.startswith("*")),
        _quiet_endings=tuple(name[1:] for name in quiet if name.startswith("*") and name != "*"),
    )


@dataclass(frozen=True)
class Models:
    """The published versions of a project that a fold may meet.

    `history` is the newest version published for all history: it is in force from the
    beginning, and older versions mean nothing any more.
    """

    versions: Mapping[int, CompiledModel]
    history: int
    newest: int

    def in_force(self, version: int) -> CompiledModel:
        """The model that scores an event which was received under `version`."""
        return self.versions[max(version, self.history)]

    @property
    def looked_into(self) -> set[str]:
        """The same of the newest version, which most events come under; a few dozen at most."""
        return set(islice(self.labels.looked_into, 50))

    @property
    def labels(self) -> CompiledModel:
        """The newest version: stages, risk and next actions are always its."""
        return self.versions[self.newest]
