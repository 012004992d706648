"""What calls about privacy answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Listed, Time


class ErasedPerson(Answer):
    """A person who was erased; events that come later are answered as ever, and not kept."""

    lead_id: str = Field(description="The id of the lead; it stands for nobody any more.")
    leads: list[str] = Field(description="The ids of all leads that had merged.")
    erased_at: Time = Field(description="When.")
    status: Literal["done", "running"] = Field(
        description="running: the lead is gone, and its rows are being removed, or traces of it "
        "looked for among those of others, in the background. Ask again to see."
    )


class Suppression(Answer):
    """Somebody of whom nothing is kept, known by keyed digests only."""

    id: str = Field(description="Its id.")
    kinds: list[Literal["leadId", "userId", "email", "anonymousId"]] = Field(
        description="What he is recognised by; one for each identifier."
    )
    leads: list[str] | None = Field(description="The ids of the leads that were erased.")
    created_at: Time = Field(description="When it began.")
    created_by: str = Field(description="Who erased the person: user: or key:.")


class Suppressions(Listed):
    """Suppressions."""

    suppressions: list[Suppression] = Field(description="The newest first.")


class Retention(Answer):
    """How long events keep their content."""

    days: int | None = Field(description="So many days after they happened; null: for ever.")


class DeletedProject(Answer):
    """A project that nobody can use any more."""

    id: str = Field(description="Its id.")
    deleted_at: Time = Field(description="Since when.")
    removed_at: Time = Field(description="Until then an owner can restore it.")


class Person(Answer):
    """Everything that is stored about a person, with all leads that merged into one."""

    format: Literal["leadpulse-person"] = Field(description="What this is.")
    version: Literal[1] = Field(description="Of this form; fields may be added to it.")
    exported_at: Time = Field(description="When.")
    project_id: str = Field(description="Of which project.")
    lead_id: str = Field(description="The lead that answers for the person.")
    leads: list[dict[str, Any]] = Field(
        description="Each lead: profile, score, and each fact with who said it when."
    )
    identifiers: list[dict[str, Any]] = Field(description="leadId, kind, value, confirmed.")
    merges: list[dict[str, Any]] = Field(description="Which leads merged, undone ones included.")
    events: list[dict[str, Any]] = Field(
        description="What the person did, with properties and traits. `blanked`: they were "
        "removed when the event became old; `held` and `excluded` ones are not scored."
    )
    adjustments: list[dict[str, Any]] = Field(description="Points by hand, with their notes.")
    changes: list[dict[str, Any]] = Field(description="Changes of the profile by hand.")
    ledger: list[dict[str, Any]] = Field(description="How the score came about.")
    stage_changes: list[dict[str, Any]] = Field(description="Changes of stage that people saw.")
    work_changes: list[dict[str, Any]] = Field(description="Changes of owner and status.")
    score_revisions: list[dict[str, Any]] = Field(description="Scores that were told anew.")
    failures: list[dict[str, Any]] = Field(description="Work that failed and is tried again.")
    dead_letters: list[dict[str, Any]] = Field(description="Work that failed for good.")
    conflicts: list[dict[str, Any]] = Field(
        description="Events of the last week with an eventId that stood for another one. Those "
        "that also name somebody else are left out."
    )
