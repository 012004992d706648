"""Hints as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadpulse.domain.timestamps import to_rfc3339

if TYPE_CHECKING:
    from leadpulse.usecases.hints import EventHint, LeadHint, MutationHint

Json = dict[str, Any]


def lead_updated(hint: LeadHint) -> Json:
    """A lead as lists show it; `previousStage` only when it left one."""
    told: Json = {
        "leadId": hint.id,
        "version": hint.version,
        "currentScore": hint.score,
        "leadStage": hint.stage,
        "eventsLast24h": hint.acts_24h,
        "lastEventAt": _when(hint.last_event_at),
    }
    if hint.before is not None:
        told["previousStage"] = hint.before
    return told


def score_mutation(hint: MutationHint) -> Json:
    """A step of a score."""
    return {
        "leadId": hint.lead_id,
        "eventType": hint.event_type,
        "delta": hint.delta,
        "newScore": hint.score,
    }


def new_event(hint: EventHint) -> Json:
    """An event, accepted or scored."""
    return {
        "id": hint.id,
        "eventType": hint.event_type,
        "leadId": hint.lead_id,
        "anonymousId": hint.anonymous_id,
        "timestamp": to_rfc3339(hint.timestamp),
        "status": hint.status,
    }


def flood(leads: int, events: int) -> Json:
    """More than is told singly: whoever hears it asks again for what he shows."""
    return {"events": events, "leads": leads}


def _when(instant: int | None) -> str | None:
    return None if instant is None else to_rfc3339(instant)
