"""What calls about single leads answer: why a score is what it is, who worked on it, what rang."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Listed, Time
from leadpulse.http.schemas import Stage

# ── Explanation ──────────────────────────────────────────────────────────────────────


class CapHit(Answer):
    """A cap of a rule that cut points."""

    cap: Literal["maxPerDay", "maxPointsPerDay", "once"] = Field(description="Which.")
    times: int = Field(description="How many events it cut.")


class RulePart(Answer):
    """What a rule contributed."""

    id: str = Field(description="The rule's id.")
    name: str = Field(description="Its name, now or when it was last part of the model.")
    event_type: str = Field(description="The events that it scores.")
    hits: int = Field(description="How many events it gave points for.")
    points: float = Field(description="The points that it gave, after caps.")
    cut: float = Field(description="The points that caps cut.")
    caps: list[CapHit] = Field(description="Which caps did.")
    last_at: Time | None = Field(description="When it gave last; null: never.")


class AdjustmentsPart(Answer):
    """Corrections by hand."""

    count: int = Field(description="How many.")
    points: float = Field(description="Their points in all.")


class DecayPart(Answer):
    """What decay took."""

    steps: int = Field(description="How many steps fell due.")
    points: float = Field(description="What they took, so never above 0.")
    last_at: Time | None = Field(description="When the last one fell due.")


class BoundsPart(Answer):
    """What the bounds of the model cut or added."""

    points: float = Field(description="Below 0 at the upper bound, above it at the lower one.")


class NextChange(Answer):
    """What decay does next if nothing else happens."""

    at: Time = Field(description="The score changes right after it.")
    score: float = Field(description="What it will be.")
    stage: Stage = Field(description="Its stage.")
    stage_changes: bool = Field(description="The stage will be another one.")


class Explanation(Answer):
    """A score and the parts that add up to it: rules, adjustments, decay, bounds."""

    lead_id: str = Field(description="The lead, of a merged one its survivor.")
    at: Time = Field(description="The instant that is explained.")
    score: float = Field(description="The score at that instant, by what is known now.")
    stage: Stage = Field(description="Its stage, by the newest model.")
    model_version: int = Field(description="The newest model.")
    as_of: Time = Field(description="When this was made.")
    rules: list[RulePart] = Field(description="Rules that gave points or were cut, most first.")
    adjustments: AdjustmentsPart = Field(description="Corrections by hand.")
    decay: DecayPart = Field(description="What decay took.")
    bounds: BoundsPart = Field(description="What the bounds cut.")
    next: NextChange | None = Field(description="Null: nothing will change by itself.")
    complete: bool = Field(
        description="False: with very many events cuts by caps are told of the newest only."
    )
    cuts_since: Time | None = Field(description="From when on cuts are told; null: all are.")


# ── Work ─────────────────────────────────────────────────────────────────────────────


class By(Answer):
    """Who did something."""

    kind: Literal["user", "key", "cli", "system"] = Field(description="What kind of caller.")
    id: str = Field(description="The id of the user or key.")
    name: str | None = Field(description="The name, where it is known.")


class WorkChange(Answer):
    """Owner or status from one value to another."""

    id: str = Field(description="Its id.")
    at: Time = Field(description="When.")
    field: Literal["owner", "status"] = Field(description="What changed.")
    from_: str | None = Field(alias="from", description="The value before; null: none.")
    to: str | None = Field(description="The value after; null: none.")
    by: By | None = Field(description="Who changed it; null: an event that merged two leads.")


class WorkChanges(Listed):
    """What changed of owner and status."""

    changes: list[WorkChange] = Field(description="The newest first.")


# ── The bell ─────────────────────────────────────────────────────────────────────────


class Notification(Answer):
    """A lead that became hot or qualified, and still is."""

    id: str = Field(description="Its id.")
    lead_id: str = Field(description="The lead.")
    name: str | None = Field(description="The lead's name.")
    email: str | None = Field(description="The lead's email.")
    company: str | None = Field(description="The lead's company.")
    owner: str | None = Field(description="Who looks after the lead.")
    mine: bool = Field(description="That is me.")
    from_: Stage = Field(alias="from", description="The stage before.")
    to: Literal["hot", "qualified"] = Field(description="The stage after.")
    score: float = Field(description="The score that made it so.")
    at: Time = Field(description="When people could see it.")
    seen: bool = Field(description="I have looked since.")


class Notifications(Listed):
    """Leads that became hot or qualified."""

    notifications: list[Notification] = Field(
        description="Mine that I haven't seen, other unseen ones, then the seen; newest first."
    )
    unseen: int = Field(description="How many leads rose since I looked.")


class Unseen(Answer):
    """What is left to see."""

    unseen: int = Field(description="How many leads rose since I looked.")
