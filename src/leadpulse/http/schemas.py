"""What clients send. Strict: nothing is coerced, nothing unknown is ignored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from leadpulse.domain.lead_change import LONGEST_TEXT
from leadpulse.domain.names import MAX_ID
from leadpulse.domain.profile import NAME_CHARACTERS, TRAITS_KEPT
from leadpulse.http.deps import Text, storable
from leadpulse.usecases.paging import is_id

Scope = Literal["from-now", "all-history"]
Stage = Literal["cold", "warm", "hot", "qualified"]
Risk = Literal["low", "medium", "high"]
Status = Literal["open", "working", "won", "lost", "disqualified"]
Operator = Literal[
    "eq", "ne", "contains", "startsWith", "gt", "gte", "lt", "lte", "in", "exists"
]  # fmt: skip

_TRAITS_DEPTH = 10
_LARGEST = 1.7976931348623157e308


class Sent(BaseModel):
    """Base of everything that is sent."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=False,
        allow_inf_nan=False,
    )


def _traits(value: dict[str, Any]) -> dict[str, Any]:
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            storable(item)
        if isinstance(item, int | float) and not -_LARGEST <= item <= _LARGEST:  # also NaN
            raise ValueError("holds a number that is out of range")
        if not isinstance(item, dict | list):
            continue
        if depth > _TRAITS_DEPTH:
            raise ValueError(f"may be {_TRAITS_DEPTH} levels deep")
        if isinstance(item, dict):
            waiting += [(key, depth) for key in item]
            waiting += [(inner, depth + 1) for inner in item.values()]
        else:
            waiting += [(inner, depth + 1) for inner in item]
    return value


def _id(value: str) -> str:
    if not is_id(value):
        raise ValueError("must be an id")
    return value.lower()


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 5.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"format": "uuid"})]
Traits = Annotated[
    dict[str, Any],
    AfterValidator(_traits),
    Field(
        max_length=TRAITS_KEPT,
        json_schema_extra={
            "propertyNames": {"minLength": 1, "maxLength": NAME_CHARACTERS, "pattern": "^[^$]"}
        },
    ),
]
# Either of several types: whoever reads it says in one sentence what is wrong, where a union
# would tell all that it tried.
Company = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
                {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
                    },
                    "required": ["name"],
                },
                {"type": "null"},
            ]
        }
    ),
]
_PLAIN: list[dict[str, Any]] = [
    {"type": "string", "maxLength": 1000},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
]
Operand = Annotated[
    Any,
    WithJsonSchema(
        {"anyOf": [*_PLAIN, {"type": "array", "maxItems": 1000, "items": {"anyOf": _PLAIN}}]}
    ),
]
Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_TEXT)]
UserId = Annotated[Text, Field(min_length=1, max_length=MAX_ID)]
Email = Annotated[Text, Field(max_length=2 * MAX_ID, json_schema_extra={"format": "email"})]
Note = Annotated[Text, Field(max_length=2000)]


class NewLead(Sent):
    """A lead to make, or to find by its email or userId and to complete."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "ada@example.com",
                    "userId": "u-1",
                    "name": "Ada Lovelace",
                    "company": "Analytical Engines",
                    "traits": {"plan": "pro"},
                }
            ]
        }
    )

    email: Email | None = Field(None, description="An email address; trimmed and lower-cased.")
    user_id: UserId | None = Field(None, description="The person's id in your own system.")
    name: Name | None = Field(None, description="The person's name.")
    company: Company = Field(
        None, description="Where the person works: a name, or an object that has one."
    )
    traits: Traits | None = Field(None, description="Anything else that is known, by name.")


class LeadChanges(Sent):
    """What to change about a lead; what isn't given stays, null removes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "working", "owner": "grace@example.com"}]}
    )

    name: Name | None = Field(None, description="The person's name.")
    company: Company = Field(
        None, description="Where the person works: a name, or an object that has one."
    )
    traits: Traits = Field(
        {}, description="Traits to set, by name; a trait that is null is removed."
    )
    owner: Name | None = Field(
        None, description="Who looks after the lead: a member's user id; from a key any text."
    )
    status: Status | None = Field(None, description="How far the sale is; null: open.")
    email: Email | None = Field(None, description="The shown email; 409 if another lead has it.")
    user_id: UserId | None = Field(None, description="The userId; 409 if another lead has it.")
    anonymous_ids: Annotated[list[UserId], Field(max_length=100)] | None = Field(
        None, description="All anonymousIds that it shall have; 409 if another lead has one."
    )


class NewAdjustment(Sent):
    """A correction of the score by hand."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"points": -10, "note": "Turned out to be a student."}]}
    )

    points: float = Field(
        ge=-10_000, le=10_000, description="Points to add, not 0, at most 2 decimals."
    )
    note: Text = Field(min_length=1, max_length=1000, description="Why.")
    event_id: Annotated[Text, Field(min_length=1, max_length=255)] | None = Field(
        None, description="Makes a retry safe: the same eventId counts once."
    )


class MergeInto(Sent):
    """Which lead survives a merge."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"intoId": "01890a5d-ac96-774b-bcce-b302099a8057"}]}
    )

    into_id: Id = Field(description="The lead that stays; the one in the path merges into it.")
    preview: bool = Field(default=False, description="Only tell what would come of it.")


class SentCondition(Sent):
    """A test on a property of an event; all of a rule's must hold."""

    field: Text = Field(
        min_length=1, max_length=255, description="A property, dotted for inner ones, or $path."
    )
    op: Operator = Field(description="How to compare. Types are never coerced.")
    value: Operand = Field(None, description="What to compare with; a list for `in`.")


class _RuleFields(Sent):
    name: Annotated[Text, Field(max_length=200)] = Field(
        "", description="Its name for people; without one the eventType."
    )
    description: Annotated[Text, Field(max_length=2000)] = Field("", description="What it is for.")
    active: bool = Field(default=True, description="An inactive rule gives nothing.")
    conditions: list[SentCondition] = Field(
        [], max_length=20, description="All must hold for the rule to apply."
    )
    max_per_day: Annotated[int, Field(ge=1, le=1_000_000), Whole] | None = Field(
        None, description="How often it gives points on a UTC day."
    )
    max_points_per_day: float | None = Field(
        None, ge=0, le=1_000_000, description="How many points it gives on a UTC day."
    )
    once: bool = Field(default=False, description="Gives points to a lead only once, ever.")
    trust: Literal["any", "server"] = Field(
        "any", description="`server`: only events from a trusted caller score."
    )
    scope: Scope = Field("from-now", description="Whether the change counts for the past too.")
    note: Note | None = Field(None, description="Why the model was changed.")


_RULE_EXAMPLE: dict[str, Any] = {
    "eventType": "page_view",
    "name": "Pricing page viewed",
    "points": 10,
    "conditions": [{"field": "$path", "op": "contains", "value": "pricing"}],
    "maxPointsPerDay": 10,
}


class NewRule(_RuleFields):
    """A rule to add to the model."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULE_EXAMPLE]})

    event_type: Text = Field(
        min_length=1, max_length=128, description="Which events; spaces, hyphens and case are one."
    )
    points: float = Field(ge=-10_000, le=10_000, description="Points, at most 2 decimals.")


class RuleChanges(_RuleFields):
    """A rule with other values; what isn't given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"points": 12.5}]})

    id: Text | None = Field(None, description="The rule's id, as in the path.")
    event_type: Text = Field(
        default_factory=str, min_length=1, max_length=128, description="Which events."
    )
    points: float = Field(
        default_factory=float, ge=-10_000, le=10_000, description="Points, at most 2 decimals."
    )


class SentStage(Sent):
    """A stage and the score from which it begins."""

    name: Stage = Field(description="The four stages come in their order.")
    from_: float = Field(
        alias="from", ge=-1_000_000, le=1_000_000, description="The lowest score of the stage."
    )


class SentBounds(Sent):
    """Where the score ends."""

    min: float = Field(le=0, ge=-1_000_000, description="The lowest score, at most 0.")
    max: float = Field(ge=0, le=1_000_000, description="The highest score, at least 0.")


class SentDecay(Sent):
    """How an idle lead's score falls."""

    factor: float = Field(gt=0, lt=1, description="What a step multiplies the score with.")
    after_days: float = Field(ge=0, le=36_500, description="Idle days before the first step.")
    every_days: float = Field(
        ge=1 / 1440, le=36_500, description="Days between steps; a minute at least."
    )


class SentVelocity(Sent):
    """How velocity is computed."""

    factor: float = Field(ge=0, le=1_000, description="Velocity = acts in 24 h × factor.")


class SentRisk(Sent):
    """From how many idle days on a lead is at risk."""

    medium_days: float = Field(ge=0, le=36_500, description="More idle days than this: medium.")
    high_days: float = Field(ge=0, le=36_500, description="More idle days than this: high.")


class SentAction(Sent):
    """What to do with a lead in a certain state."""

    action: Text = Field(min_length=1, max_length=64, description="A stable word.")
    text: Text = Field(min_length=1, max_length=300, description="The sentence for people.")
    stages: list[Stage] = Field([], max_length=4, description="In these stages; none: in any.")
    risks: list[Risk] = Field([], max_length=3, description="At these risks; none: at any.")
    min_velocity: float | None = Field(None, ge=0, le=1e9, description="From this velocity on.")


class ModelRule(_RuleFields):
    """A rule inside a model."""

    scope: Literal["from-now"] = Field("from-now", exclude=True, description="Unused here.")
    note: None = Field(None, exclude=True, description="Unused here.")
    id: Text = Field(min_length=1, max_length=64, description="Counters go by it, over versions.")
    event_type: Text = Field(min_length=1, max_length=128, description="Which events.")
    points: float = Field(ge=-10_000, le=10_000, description="Points, at most 2 decimals.")


class NewModel(Sent):
    """A whole model to publish; begin with the answer of GET /api/model."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1), Whole] | None = Field(
        None, description="The version it is based on; 409 if that is old."
    )
    stages: list[SentStage] = Field(
        min_length=4, max_length=4, description="The four stages; the first at the lower bound."
    )
    bounds: SentBounds = Field(description="Where the score ends.")
    decay: SentDecay | None = Field(description="How an idle lead's score falls; null: it doesn't.")
    velocity: SentVelocity = Field(description="How velocity is computed.")
    risk: SentRisk = Field(description="When a lead is at risk.")
    next_actions: list[SentAction] = Field(max_length=50, description="The first that fits counts.")
    not_activity: list[Annotated[Text, Field(min_length=1, max_length=128)]] = Field(
        max_length=200, description="Types that don't end idling; `*_sent` is any ending so."
    )
    rules: list[ModelRule] = Field(max_length=1000, description="What gives points.")
    rescore: Any = Field(None, description="Ignored; it stands in the answer of GET.")
    scope: Scope = Field("from-now", description="Whether the change counts for the past too.")
    note: Note | None = Field(None, description="Why the model was changed.")


class RescoreAll(Sent):
    """Why everything is scored again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "New points for webinars"}]})

    note: Note | None = Field(None, description="Why.")
