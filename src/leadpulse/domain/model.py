"""The scoring model of a project: a published version of everything that gives a score.

A model is read from and written to a plain document (JSON, camelCase); what is wrong with a
document is told all at once, field by field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from leadpulse.domain.errors import FieldError, Invalid

_JOINERS: Final = re.compile(r"[ \-]")

STAGES: Final = ("cold", "warm", "hot", "qualified")
RISKS: Final = ("low", "medium", "high")
OPERATORS: Final = (
    "eq", "ne", "contains", "startsWith", "gt", "gte", "lt", "lte", "in", "exists",
)  # fmt: skip
Trust = Literal["any", "server"]

MAX_POINTS: Final = 10_000
MAX_BOUND: Final = 1_000_000
MAX_RULES: Final = 1_000
MAX_CONDITIONS: Final = 20
MAX_DAYS: Final = 36_500
_LARGEST: Final = 1.7976931348623157e308


def type_key(event_type: str) -> str:
    """The name under which rules match: case-folded, spaces and hyphens as underscores."""
    return _JOINERS.sub("_", event_type.casefold())


@dataclass(frozen=True, slots=True)
class Condition:
    """One test on a property (dotted path, or the derived `$path`); types are never coerced."""

    field: str
    op: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Points for events of one type; several rules may match one event and add up."""

    id: str
    event_type: str
    name: str
    points: float
    description: str = ""
    active: bool = True
    conditions: tuple[Condition, ...] = ()
    max_per_day: int | None = None
    max_points_per_day: float | None = None
    once: bool = False
    trust: Trust = "any"


@dataclass(frozen=True, slots=True)
class Decay:
    """× `factor` when `after_days` idle, and again every `every_days`. Days are 24 h."""

    factor: float
    after_days: float
    every_days: float


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do with a lead in one of `stages` and `risks` (empty: any), `min_velocity` up."""

    action: str
    text: str
    stages: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    min_velocity: float | None = None


@dataclass(frozen=True, slots=True)
class ScoringModel:
    """One published version. `stages` holds the four lower bounds, strictly rising."""

    stages: tuple[float, float, float, float]
    min_score: float
    max_score: float
    decay: Decay | None
    velocity_factor: float
    medium_days: float
    high_days: float
    next_actions: tuple[NextAction, ...]
    not_activity: tuple[str, ...]
    rules: tuple[Rule, ...]
    version: int = 0


# ── Reading a document ───────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Reader:
    """Reads typed values out of a document and gathers every error on the way."""

    errors: list[FieldError] = field(default_factory=list)

    def fail(self, where: str, message: str) -> None:
        self.errors.append(FieldError(where, message))

    def record(self, value: object, where: str) -> dict[str, object]:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return cast("dict[str, object]", value)
        self.fail(where, "must be an object")
        return {}

    def array(self, value: object, where: str, most: int) -> list[object]:
        if not isinstance(value, list):
            self.fail(where, "must be a list")
            return []
        if len(value) > most:
            self.fail(where, f"holds {len(value)} items, {most} are allowed")
            return []
        return value

    def text(self, value: object, where: str, most: int = 200, *, empty: bool = False) -> str:
        if not isinstance(value, str):
            self.fail(where, "must be a text")
            return ""
        if not is_clean(value):
            self.fail(where, "contains characters that can't be stored")
        elif not value.strip() and not empty:
            self.fail(where, "must not be empty")
        elif len(value) > most:
            self.fail(where, f"must be at most {most} characters")
        return value

    def number(self, value: object, where: str, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(where, "must be a number")
        elif not least <= value <= most:  # also refuses NaN
            self.fail(where, f"must be between {least:g} and {most:g}")
        else:
            return float(value)
        return least

    def flag(self, value: object, where: str) -> bool:
        if not isinstance(value, bool):
            self.fail(where, "must be true or false")
            return False
        return value

    def known(self, given: dict[str, object], where: str, names: frozenset[str]) -> None:
        for name in given:
            if name not in names:
                self.fail(f"{where}.{name}" if where else name, "is not a known field")


_UNCLEAN: Final = re.compile(r"[\x00\ud800-\udfff]")


def is_clean(text: str) -> bool:
    """True if PostgreSQL can hold the text: no U+0000, no lone surrogate."""
    return _UNCLEAN.search(text) is None


_RULE_FIELDS: Final = frozenset({
    "id", "eventType", "name", "description", "points", "active", "conditions",
    "maxPerDay", "maxPointsPerDay", "once", "trust",
})  # fmt: skip


def _conditions(read: _Reader, value: object, where: str) -> tuple[Condition, ...]:
    found: list[Condition] = []
    for index, item in enumerate(read.array(value, where, MAX_CONDITIONS)):
        at = f"{where}[{index}]"
        given = read.record(item, at)
        read.known(given, at, frozenset({"field", "op", "value"}))
        name = read.text(given.get("field"), f"{at}.field", 255)
        op = given.get("op")
        if not isinstance(op, str) or op not in OPERATORS:
            read.fail(f"{at}.op", "must be one of " + ", ".join(OPERATORS))
            continue
        value = given.get("value")
        _check_operand(read, op, value, f"{at}.value")
        found.append(Condition(name, op, tuple(value) if isinstance(value, list) else value))
    return tuple(found)


def _check_operand(read: _Reader, op: str, value: object, where: str) -> None:
    """An operand must be of a type that the operator can ever hold for."""
    number = _is_number(value)
    scalar = value is None or isinstance(value, str | bool) or number
    if op in ("gt", "gte", "lt", "lte") and not (number or isinstance(value, str)):
        read.fail(where, "must be a number or a text")
    elif op in ("contains", "startsWith") and not (isinstance(value, str) and value):
        read.fail(where, "must be a text that is not empty")
    elif op == "exists" and not (value is None or isinstance(value, bool)):
        read.fail(where, "must be true, false or absent")
    elif op == "in":
        items = read.array(value, where, 1_000)
        if not all(item is None or isinstance(item, bool) or _is_plain(item) for item in items):
            read.fail(where, _PLAIN)
    elif op in ("eq", "ne") and not scalar:
        read.fail(where, _PLAIN)
    if isinstance(value, str) and not _is_plain(value):
        read.fail(where, _PLAIN)


_PLAIN: Final = "must be plain: at most 1000 characters that can be stored, or a number in range"


def _is_number(value: object) -> bool:
    """True for numbers that a double can hold; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST <= value <= _LARGEST


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return is_clean(value) and len(value) <= 1_000
    return _is_number(value)


def _points(read: _Reader, value: object, where: str) -> float:
    points = read.number(value, where, -MAX_POINTS, MAX_POINTS)
    if round(points, 2) != points:
        read.fail(where, "must have at most 2 decimals")
    return points


def _rule(read: _Reader, item: object, where: str) -> Rule:
    given = read.record(item, where)
    prefix = f"{where}." if where else ""
    read.known(given, where, _RULE_FIELDS)
    event_type = read.text(given.get("eventType"), f"{prefix}eventType", 128)
    name = given.get("name", "")
    trust = given.get("trust", "any")
    if trust not in ("any", "server"):
        read.fail(f"{prefix}trust", "must be any or server")
    per_day, points_per_day = given.get("maxPerDay"), given.get("maxPointsPerDay")
    if per_day is not None and (isinstance(per_day, bool) or not isinstance(per_day, int)):
        read.fail(f"{prefix}maxPerDay", "must be a whole number")
        per_day = None
    return Rule(
        id=read.text(given.get("id"), f"{prefix}id", 64),
        event_type=event_type,
        name=read.text(event_type if name == "" else name, f"{prefix}name"),
        description=read.text(
            given.get("description", ""), f"{prefix}description", 2_000, empty=True
        ),
        points=_points(read, given.get("points"), f"{prefix}points"),
        active=read.flag(given.get("active", True), f"{prefix}active"),
        conditions=_conditions(read, given.get("conditions", []), f"{prefix}conditions"),
        max_per_day=None
        if per_day is None
        else int(read.number(per_day, f"{prefix}maxPerDay", 1, 1_000_000)),
        max_points_per_day=None
        if points_per_day is None
        else read.number(points_per_day, f"{prefix}maxPointsPerDay", 0, 1_000_000),
        once=read.flag(given.get("once", False), f"{prefix}once"),
        trust="server" if trust == "server" else "any",
    )


def parse_rule(document: object) -> Rule:
    """Reads one rule; raises Invalid naming every field that is wrong."""
    read = _Reader()
    rule = _rule(read, document, "")
    if read.errors:
        raise Invalid(read.errors)
    return rule


def _stages(read: _Reader, value: object, least: float) -> tuple[float, float, float, float]:
    bounds: list[float] = []
    for index, item in enumerate(read.array(value, "stages", 4)):
        given = read.record(item, f"stages[{index}]")
        read.known(given, f"stages[{index}]", frozenset({"name", "from"}))
        if given.get("name") != STAGES[index]:
            read.fail(f"stages[{index}].name", f"must be {STAGES[index]}")
        where = f"stages[{index}].from"
        bounds.append(read.number(given.get("from"), where, -MAX_BOUND, MAX_BOUND))
        if index and bounds[index] <= bounds[index - 1]:
            read.fail(where, "must be above the stage before")
    if len(bounds) != 4:
        read.fail("stages", "must be the four stages " + ", ".join(STAGES))
        return (0.0, 1.0, 2.0, 3.0)
    if bounds[0] != least:
        read.fail("stages[0].from", "must be the lower bound of the score")
    return (bounds[0], bounds[1], bounds[2], bounds[3])


def _decay(read: _Reader, value: object) -> Decay | None:
    if value is None:
        return None
    given = read.record(value, "decay")
    read.known(given, "decay", frozenset({"factor", "afterDays", "everyDays"}))
    factor = read.number(given.get("factor"), "decay.factor", 0, 1)
    if factor in (0.0, 1.0):
        read.fail("decay.factor", "must be above 0 and below 1")
    after = read.number(given.get("afterDays"), "decay.afterDays", 0, MAX_DAYS)
    # A step a minute is already finer than anybody can see; 0 would never end.
    every = read.number(given.get("everyDays"), "decay.everyDays", 1 / 1440, MAX_DAYS)
    return Decay(factor, after, every)


def _names(read: _Reader, value: object, where: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    items = read.array(value, where, len(allowed))
    if any(item not in allowed for item in items):
        read.fail(where, "must hold only " + ", ".join(allowed))
        return ()
    return cast("tuple[str, ...]", tuple(items))


def _next_actions(read: _Reader, value: object) -> tuple[NextAction, ...]:
    found: list[NextAction] = []
    for index, item in enumerate(read.array(value, "nextActions", 50)):
        at = f"nextActions[{index}]"
        given = read.record(item, at)
        read.known(given, at, frozenset({"action", "text", "stages", "risks", "minVelocity"}))
        velocity = given.get("minVelocity")
        found.append(
            NextAction(
                action=read.text(given.get("action"), f"{at}.action", 64),
                text=read.text(given.get("text"), f"{at}.text", 300),
                stages=_names(read, given.get("stages", []), f"{at}.stages", STAGES),
                risks=_names(read, given.get("risks", []), f"{at}.risks", RISKS),
                min_velocity=None
                if velocity is None
                else read.number(velocity, f"{at}.minVelocity", 0, 1e9),
            )
        )
    return tuple(found)


def _rules(read: _Reader, value: object) -> tuple[Rule, ...]:
    items = read.array(value, "rules", MAX_RULES)
    rules = tuple(_rule(read, item, f"rules[{index}]") for index, item in enumerate(items))
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.id in seen:
            read.fail(f"rules[{index}].id", "is used by another rule")
        seen.add(rule.id)
    return rules


_MODEL_FIELDS: Final = frozenset({
    "version", "stages", "bounds", "decay", "velocity", "risk", "nextActions",
    "notActivity", "rules",
})  # fmt: skip


def parse_model(document: object, version: int) -> ScoringModel:
    """Reads a model document; `version` is the one it gets or has.

    Raises Invalid with every field that is wrong.
    """
    read = _Reader()
    given = read.record(document, "model")
    read.known(given, "", _MODEL_FIELDS)
    bounds = read.record(given.get("bounds"), "bounds")
    low = read.number(bounds.get("min"), "bounds.min", -MAX_BOUND, 0)
    high = read.number(bounds.get("max"), "bounds.max", 0, MAX_BOUND)
    velocity = read.record(given.get("velocity"), "velocity")
    risk = read.record(given.get("risk"), "risk")
    medium = read.number(risk.get("mediumDays"), "risk.mediumDays", 0, MAX_DAYS)
    highest = read.number(risk.get("highDays"), "risk.highDays", 0, MAX_DAYS)
    if highest < medium:
        read.fail("risk.highDays", "must not be below risk.mediumDays")
    quiet = read.array(given.get("notActivity"), "notActivity", 200)
    model = ScoringModel(
        version=version,
        stages=_stages(read, given.get("stages"), low),
        min_score=low,
        max_score=high,
        decay=_decay(read, given.get("decay")),
        velocity_factor=read.number(velocity.get("factor"), "velocity.factor", 0, 1_000),
        medium_days=medium,
        high_days=highest,
        next_actions=_next_actions(read, given.get("nextActions")),
        not_activity=tuple(
            read.text(name, f"notActivity[{index}]", 128) for index, name in enumerate(quiet)
        ),
        rules=_rules(read, given.get("rules")),
    )
    if read.errors:
        raise Invalid(read.errors)
    return model


# ── Writing a document ───────────────────────────────────────────────────────────────


def rule_document(rule: Rule) -> dict[str, object]:
    """The rule as clients see it."""
    return {
        "id": rule.id,
        "eventType": rule.event_type,
        "name": rule.name,
        "description": rule.description,
        "points": rule.points,
        "active": rule.active,
        "conditions": [
            {
                "field": condition.field,
                "op": condition.op,
                "value": list(condition.value)
                if isinstance(condition.value, tuple)
                else condition.value,
            }
            for condition in rule.conditions
        ],
        "maxPerDay": rule.max_per_day,
        "maxPointsPerDay": rule.max_points_per_day,
        "once": rule.once,
        "trust": rule.trust,
    }


def model_document(model: ScoringModel) -> dict[str, object]:
    """The model as it is stored and as clients see it; parse_model reads it back."""
    decay = model.decay
    return {
        "version": model.version,
        "stages": [
            {"name": name, "from": bound} for name, bound in zip(STAGES, model.stages, strict=True)
        ],
        "bounds": {"min": model.min_score, "max": model.max_score},
        "decay": None
        if decay is None
        else {
            "factor": decay.factor,
            "afterDays": decay.after_days,
            "everyDays": decay.every_days,
        },
        "velocity": {"factor": model.velocity_factor},
        "risk": {"mediumDays": model.medium_days, "highDays": model.high_days},
        "nextActions": [
            {
                "action": action.action,
                "text": action.text,
                "stages": list(action.stages),
                "risks": list(action.risks),
                "minVelocity": action.min_velocity,
            }
            for action in model.next_actions
        ],
        "notActivity": list(model.not_activity),
        "rules": [rule_document(rule) for rule in model.rules],
    }
