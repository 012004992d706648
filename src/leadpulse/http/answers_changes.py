"""What calls that change leads answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Listed, Time
from leadpulse.http.schemas import Stage, Status


class Adjusted(Answer):
    """A correction by hand; the scorer counts it a moment later."""

    id: str = Field(description="Our id of the adjustment, an event like others.")
    event_id: str = Field(description="Its eventId.")
    lead_id: str = Field(description="Whose score it corrects.")
    status: Literal["queued", "duplicate"] = Field(
        description="duplicate: the eventId was sent before, nothing changed."
    )


class Merge(Answer):
    """A merge."""

    id: str = Field(description="Its id.")
    child_id: str = Field(description="The lead that merged into the other.")
    parent_id: str = Field(description="The lead that stays.")
    cause: Literal["event", "manual"] = Field(description="What made it.")
    event: str | None = Field(description="The event that made it, by our id.")
    made_by: str = Field(description="Who made it.")
    made_at: Time = Field(description="When.")
    undone_at: Time | None = Field(description="When it was undone.")
    undone_by: str | None = Field(description="Who undid it.")


class Merges(Listed):
    """Merges, the oldest first."""

    merges: list[Merge] = Field(description="The merges, undone ones included.")


class Merged(Answer):
    """Two leads are one."""

    lead_id: str = Field(description="The survivor.")
    merge: Merge | None = Field(description="The merge; null if they were one already.")
    preview: Literal[False] = Field(description="It was done.")


class Profile(Answer):
    """What would be shown of the two together."""

    email: str | None = Field(description="The email.")
    user_id: str | None = Field(description="The userId.")
    name: str | None = Field(description="The name.")
    company: str | None = Field(description="The company.")
    traits: dict[str, Any] = Field(description="Everything else.")
    claimed: list[str] = Field(description="Fields that rest on a claim alone.")
    anonymous_id: str | None = Field(description="The anonymousId.")
    owner: str | None = Field(description="The owner.")
    status: Status = Field(description="The status.")


class MergePreview(Answer):
    """What a merge would make; nothing was changed."""

    lead_id: str = Field(description="The survivor it would have.")
    merged_id: str = Field(description="The lead that would merge into it.")
    score: float | None = Field(description="Their score; null with very many events.")
    stage: Stage | None = Field(description="Their stage.")
    events: int | None = Field(description="Their events.")
    profile: Profile = Field(description="Their profile.")
    preview: Literal[True] = Field(description="Nothing was done.")
