"""What calls answer, for the documentation; tests hold every answer against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadpulse.http.schemas import Risk, Scope, Stage, Status


class Answer(BaseModel):
    """Base of everything that is answered: nothing beyond what is written here."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


Time = AwareDatetime


class FieldProblem(Answer):
    """One field that is wrong."""

    field: str = Field(description="Which field, as a path.")
    message: str = Field(description="What is wrong with it.")


class Problem(Answer):
    """Any error (RFC 9457)."""

    type: str = Field(description="Where the error is explained.")
    title: str = Field(description="What kind of error it is.")
    status: int = Field(description="The status again.")
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="A stable word for programs.")
    instance: str = Field(description="The request id, as in X-Request-Id.")
    success: Literal[False] = Field(description="For older clients.")
    error: str = Field(description="The detail again, for older clients.")
    message: str = Field(description="The detail again, for older clients.")
    errors: list[FieldProblem] = Field([], description="Every field that is wrong.")


class Listed(Answer):
    """Base of lists."""

    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")


# ── Leads ────────────────────────────────────────────────────────────────────────────


class Touch(Answer):
    """Where the person came from at their first or last event that tells it."""

    at: Time = Field(description="When.")
    event_type: str = Field(description="The event.")
    page: str | None = Field(description="Its landing_page, else its url or path.")
    referrer: str | None = Field(description="Its referrer.")
    utm: dict[str, str] = Field(description="source, medium, campaign, term, content.")


class Lead(Answer):
    """A person seen by a project, anonymous or known."""

    id: str = Field(description="The lead's id.")
    id_: str = Field(alias="_id", description="The id again, for clients of the older system.")
    anonymous_id: str | None = Field(description="The anonymousId shown.")
    anonymous_ids: list[str] = Field(description="The newest 100 anonymousIds.")
    user_id: str | None = Field(description="The id in your own system.")
    email: str | None = Field(description="The email shown.")
    name: str | None = Field(description="The person's name.")
    company: str | None = Field(description="Where the person works.")
    traits: dict[str, Any] = Field(description="Anything else that is known.")
    claimed: list[str] = Field(description="Names of fields that rest on a claim alone.")
    owner: str | None = Field(description="Who looks after the lead.")
    status: Status = Field(description="How far the sale is.")
    test: bool = Field(description="Made by test events alone; in no list and no figure.")
    sample: bool = Field(description="Made up, to look around with.")
    current_score: float = Field(description="The score; of a single lead decayed to now.")
    lead_stage: Stage = Field(description="By the newest model.")
    events_last24h: int = Field(alias="eventsLast24h", description="Acts in the last 24 hours.")
    velocity: float = Field(description="Acts in 24 hours × the model's factor.")
    velocity_score: int = Field(description="0 … 10.")
    risk: Risk | None = Field(description="How long it has been silent; null without an act.")
    next_action: str = Field(description="What to do, as a stable word.")
    next_best_action: str = Field(description="What to do, as a sentence.")
    last_event_at: Time | None = Field(description="The time of the last act.")
    first_seen_at: Time | None = Field(description="The time of the first event.")
    first_touch: Touch | None = Field(description="Where they came from first; null in lists.")
    last_touch: Touch | None = Field(description="Where they came from last; null in lists.")
    created_at: Time = Field(description="When the lead was made.")
    updated_at: Time = Field(description="When anything about it last changed.")
    merged_leads: list[str] = Field(description="Leads that were merged into this one.")
    version: int = Field(description="Counts visible changes.")
    as_of: Time = Field(description="The instant that the score is of.")


class LeadList(Listed):
    """A page of leads."""

    leads: list[Lead] = Field(description="The leads, in order.")
    total: int = Field(description="How many match.")
    total_is_capped: bool = Field(description="There are more than `total`.")


class TopLeads(Answer):
    """The leads with the highest scores."""

    leads: list[Lead] = Field(description="The best first.")


class ByStage(Answer):
    """How many leads each stage has."""

    cold: int = Field(description="Leads in stage cold.")
    warm: int = Field(description="Leads in stage warm.")
    hot: int = Field(description="Leads in stage hot.")
    qualified: int = Field(description="Leads in stage qualified.")


class RuleGave(Answer):
    """A rule and what it gave."""

    id: str = Field(description="The rule's id.")
    name: str = Field(description="Its name at that time.")
    points: float = Field(description="Points, after caps.")


class HistoryEntry(Answer):
    """An entry of the ledger."""

    kind: Literal["event", "decay", "adjustment"] = Field(description="What changed the score.")
    id: str | None = Field(description="The event by our id; null for decay.")
    event_id: str | None = Field(description="The event by its sender's id; null for decay.")
    event_type: str | None = Field(description="Its type; null for decay.")
    timestamp: Time = Field(description="When; of decay the last due time.")
    old_score: float = Field(description="The score before.")
    delta: float = Field(description="What was added, after bounds.")
    new_score: float = Field(description="The score after.")
    points: float = Field(description="Points of the rules, before bounds.")
    rules: list[RuleGave] = Field(description="Where the points come from.")
    stage: Stage = Field(description="The stage of the new score, by the newest model.")
    steps: int = Field(description="Steps of decay.")
    model_version: int = Field(description="The model that it was scored by.")
    recorded_at: Time | None = Field(description="When it was written; null while open.")
    open: bool = Field(description="Decay that goes on: computed now, not stored yet.")


class History(Listed):
    """A page of the ledger, oldest first."""

    entries: list[HistoryEntry] = Field(description="The entries.")


class TimelineEvent(Answer):
    """An event of a lead and what it did."""

    id: str = Field(description="Our id of the event.")
    event_id: str = Field(description="The sender's id of the event.")
    event_type: str = Field(description="What happened.")
    timestamp: Time = Field(description="When.")
    session_id: str | None = Field(description="The visit it belongs to.")
    properties: dict[str, Any] = Field(description="As sent.")
    score_delta: float = Field(description="What it added to the score.")
    new_score: float = Field(description="The score after it.")


class Timeline(Listed):
    """A page of events, newest first."""

    events: list[TimelineEvent] = Field(description="The events.")


class Session(Answer):
    """Events of one visit."""

    session_id: str | None = Field(description="As sent; null: 30 idle minutes end it.")
    started_at: Time = Field(description="Its first event.")
    ended_at: Time = Field(description="Its last event.")
    score_delta: float = Field(description="What its events added to the score.")
    events: list[TimelineEvent] = Field(description="Newest first.")


class Sessions(Listed):
    """A page of visits, newest first."""

    sessions: list[Session] = Field(description="The visits.")


class Recommendation(Answer):
    """Something to do."""

    code: str = Field(description="A stable word.")
    text: str = Field(description="The sentence for people.")


class Intelligence(Answer):
    """What a lead's score and activity mean now."""

    score: float = Field(description="The score, decayed to now.")
    stage: Stage = Field(description="Its stage.")
    velocity: float = Field(description="Acts in 24 hours × the model's factor.")
    velocity_score: int = Field(description="0 … 10.")
    velocity_trend: Literal["increasing", "steady", "decreasing"] = Field(
        description="The last 24 hours against those before."
    )
    events_last24h: int = Field(alias="eventsLast24h", description="Acts in the last 24 hours.")
    risk: Risk | None = Field(description="How long it has been silent.")
    risk_level: Risk | None = Field(description="The risk again.")
    days_since_last_event: float | None = Field(description="Days since the last act.")
    engagement_score: float = Field(description="0 … 10, one decimal.")
    churn_probability: float | None = Field(description="Null: not estimated honestly yet.")
    next_action: str = Field(description="What to do, as a stable word.")
    next_best_action: str = Field(description="What to do, as a sentence.")
    recommendations: list[Recommendation] = Field(description="What else to do.")
    model_version: int = Field(description="The model in force.")
    as_of: Time = Field(description="The instant that this is of.")


# ── Events ───────────────────────────────────────────────────────────────────────────


class EventLead(Answer):
    """Whom an event is about, as far as is known by now."""

    name: str | None = Field(description="What the person is called.")
    email: str | None = Field(description="The lead's address.")
    company: str | None = Field(description="Where the person works.")


class Event(Answer):
    """A stored event."""

    id: str = Field(description="Our id.")
    event_id: str = Field(description="The sender's id.")
    event_type: str = Field(description="What happened.")
    lead_id: str = Field(description="Whom it is about.")
    lead: EventLead = Field(description="What that lead is called.")
    timestamp: Time = Field(description="When it happened.")
    original_timestamp: Time | None = Field(description="As sent, if that was corrected.")
    received_at: Time = Field(description="When it came in.")
    session_id: str | None = Field(description="The visit it belongs to.")
    properties: dict[str, Any] = Field(description="As sent.")
    traits: dict[str, Any] | None = Field(description="What it says about the person.")
    test: bool = Field(description="A test event.")
    trusted: bool = Field(description="False: a write key sent it.")
    model_version: int = Field(description="The model in force when it came in.")
    status: Literal["queued", "scored", "held", "excluded"] = Field(
        description="queued: waits · scored · held: beyond a ceiling · excluded: discarded."
    )
    delta: float | None = Field(description="By how much it changed the score; null until then.")


class EventList(Listed):
    """A page of events."""

    events: list[Event] = Field(description="Newest first.")


class Pipeline(Answer):
    """The way of an event through the pipeline."""

    received_at: Time = Field(description="It came in.")
    committed_at: Time | None = Field(description="It was durable; null if not known.")
    claimed_at: Time | None = Field(description="A scorer took it.")
    scored_at: Time | None = Field(description="Its score was written.")
    delivered_at: Time | None = Field(
        description="That it was scored left for the pages that are connected to the process that "
        "answers; null if there were none, or too much happened to tell it singly."
    )


class Scored(Answer):
    """What an event did to the score."""

    old_score: float = Field(description="The score before.")
    delta: float = Field(description="What was added, after bounds.")
    new_score: float = Field(description="The score after.")
    points: float = Field(description="Points of the rules, before bounds.")
    rules: list[RuleGave] = Field(description="Where the points come from.")
    stage: Stage | None = Field(description="The stage of the new score.")
    model_version: int = Field(description="The model that it was scored by.")


class EventDetail(Event):
    """An event with its pipeline times and what it scored."""

    pipeline: Pipeline = Field(description="Its way through the pipeline.")
    scored: Scored | None = Field(description="Null until it is scored.")


# ── Model ────────────────────────────────────────────────────────────────────────────


class Condition(Answer):
    """A test on a property."""

    field: str = Field(description="The property.")
    op: str = Field(description="How it is compared.")
    value: Any = Field(description="With what.")


class Rule(Answer):
    """Points for events of a type."""

    id: str = Field(description="Its id, the same over versions.")
    event_type: str = Field(description="Which events.")
    name: str = Field(description="Its name for people.")
    description: str = Field(description="What it is for.")
    points: float = Field(description="Points.")
    active: bool = Field(description="Whether it gives anything.")
    conditions: list[Condition] = Field(description="All must hold.")
    max_per_day: int | None = Field(description="Times a UTC day.")
    max_points_per_day: float | None = Field(description="Points a UTC day.")
    once: bool = Field(description="Only once per lead.")
    trust: Literal["any", "server"] = Field(description="Whose events it scores.")


class RuleList(Listed):
    """The rules of the model in force."""

    rules: list[Rule] = Field(description="The rules.")
    model_version: int = Field(description="The version that they are of.")


class ChangedRule(Rule):
    """A rule as it was published."""

    model_version: int = Field(description="The version that was published.")


class RemovedRule(Answer):
    """A rule was removed."""

    id: str = Field(description="Its id.")
    model_version: int = Field(description="The version that was published.")


class StageFrom(Answer):
    """A stage."""

    name: Stage = Field(description="Its name.")
    from_: float = Field(alias="from", description="Its lowest score.")


class Bounds(Answer):
    """Where the score ends."""

    min: float = Field(description="The lowest score.")
    max: float = Field(description="The highest score.")


class Decay(Answer):
    """How an idle lead's score falls."""

    factor: float = Field(description="What a step multiplies the score with.")
    after_days: float = Field(description="Idle days before the first step.")
    every_days: float = Field(description="Days between steps.")


class Velocity(Answer):
    """How velocity is computed."""

    factor: float = Field(description="Velocity = acts in 24 h × factor.")


class RiskDays(Answer):
    """When a lead is at risk."""

    medium_days: float = Field(description="More idle days than this: medium.")
    high_days: float = Field(description="More idle days than this: high.")


class NextAction(Answer):
    """What to do with a lead in a certain state."""

    action: str = Field(description="A stable word.")
    text: str = Field(description="The sentence for people.")
    stages: list[Stage] = Field(description="In these stages; none: in any.")
    risks: list[Risk] = Field(description="At these risks; none: at any.")
    min_velocity: float | None = Field(description="From this velocity on.")


class Rescore(Answer):
    """A rescore of all history that is under way."""

    version: int = Field(description="The version that is being applied.")
    total: int = Field(description="Leads there were at its start.")
    done: int = Field(description="Leads looked at.")
    percent: float = Field(description="How far it is.")
    started_at: Time = Field(description="When it began.")


class ModelParts(Answer):
    """What a scoring model consists of."""

    stages: list[StageFrom] = Field(description="The four stages.")
    bounds: Bounds = Field(description="Where the score ends.")
    decay: Decay | None = Field(description="How an idle lead's score falls.")
    velocity: Velocity = Field(description="How velocity is computed.")
    risk: RiskDays = Field(description="When a lead is at risk.")
    next_actions: list[NextAction] = Field(description="The first that fits counts.")
    not_activity: list[str] = Field(description="Types that don't end idling.")
    rules: list[Rule] = Field(description="What gives points.")


class ModelFields(ModelParts):
    """A scoring model."""

    version: int = Field(description="Its version.")


class Model(ModelFields):
    """The model in force."""

    rescore: Rescore | None = Field(description="A rescore under way.")


class Publication(ModelFields):
    """The model as it was published."""

    scope: Scope = Field(description="Whether it counts for the past.")
    idle_leads: int | None = Field(
        description="How many leads a changed decay concerns; null if it did not change."
    )
    blanked_events: int | None = Field(
        description="Of a model for all history: how many events have lost their content and are "
        "of a type with conditions. They match a rule with conditions only if they did before, "
        "and the conditions are the same. Null where nothing is scored again."
    )


class ModelVersion(Answer):
    """A published version."""

    version: int = Field(description="Its number.")
    scope: Scope = Field(description="Whether it counts for the past.")
    published_at: Time = Field(description="Since when.")
    note: str | None = Field(description="Why.")


class ModelVersions(Listed):
    """Published versions, newest first."""

    models: list[ModelVersion] = Field(description="The versions.")


class StoredModel(ModelFields):
    """A version as it was published, with its model."""

    scope: Scope = Field(description="Whether it counts for the past.")
    published_at: Time = Field(description="Since when.")
    note: str | None = Field(description="Why.")


class Preset(ModelParts):
    """A model that a project can start from."""

    name: Literal["leadpulse", "classic", "sales"] = Field(description="Its name.")


class Presets(Answer):
    """The models that a project can start from."""

    presets: list[Preset] = Field(description="A project's own rules have other ids.")


class RuleUse(Answer):
    """What a rule gave."""

    id: str = Field(description="The rule.")
    name: str = Field(description="Its name.")
    active: bool = Field(description="Whether it is in force.")
    hits: int = Field(description="How often it gave points.")
    points: float = Field(description="How many, before bounds.")


class RuleStats(Answer):
    """What the rules gave."""

    days: int = Field(description="In so many days.")
    rules: list[RuleUse] = Field(description="Rules in force first, then those that were.")
    complete: bool = Field(
        description="False: only the 20,000 leads seen last and 200,000 entries were counted."
    )
