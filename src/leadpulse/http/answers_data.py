"""What calls about sample data, test leads, the simulator and first steps answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Time


class AddedSample(Answer):
    """Sample data that is there now."""

    leads: int = Field(description="How many leads.")
    events: int = Field(description="How many events they have; most are scored in a moment.")


class SampleData(Answer):
    """Whether a project has sample data."""

    present: bool = Field(description="It has.")
    leads: int = Field(description="How many leads of it.")


class TestLeads(Answer):
    """Leads made by test events."""

    leads: int = Field(description="How many there are.")


class RemovedLeads(Answer):
    """Leads that are gone."""

    removed: int = Field(description="How many.")
    remaining: int = Field(description="More than 0 where there were very many: call again.")


class Simulated(Answer):
    """The event is stored for good."""

    status: Literal["queued", "duplicate", "conflict"] = Field(
        description="duplicate: was sent before · conflict: its eventId stands for another one."
    )
    event_id: str = Field(description="As sent, or made.")
    id: str | None = Field(
        description="The stored event by our id, for GET /api/events/{id}; null for somebody who "
        "was erased, of whom nothing is kept."
    )
    lead_id: str | None = Field(description="The lead that it belongs to.")


class FirstSteps(Answer):
    """How far a project has come; tests and sample data don't count."""

    first_event_at: Time | None = Field(description="When the first event came in.")
    first_lead_at: Time | None = Field(description="When the first lead was made.")
    first_identified_at: Time | None = Field(
        description="When the first lead that has an email or userId got it."
    )
    first_qualified_at: Time | None = Field(description="When a lead first became qualified.")
    dismissed: bool = Field(description="Whoever asks has put this away.")
