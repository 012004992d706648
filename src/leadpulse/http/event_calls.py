"""The event calls for the documentation; they are answered by the bare route, not from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from leadpulse.domain.names import MAX_EVENT_NAME, MAX_ID
from leadpulse.http.answers import Answer
from leadpulse.http.deps import LAST_MILLISECOND
from leadpulse.http.documented import Responses, problems

router = APIRouter(tags=["events"])

_EXAMPLE: dict[str, Any] = {
    "anonymousId": "8b2c1f0e",
    "userId": "u-1",
    "eventId": "c0ffee00-0000-4000-8000-000000000001",
    "timestamp": "2026-01-31T09:30:00Z",
    "properties": {"path": "/pricing"},
}


# Integers become texts; an empty text means that there is none.
Id = Annotated[str, Field(max_length=MAX_ID)] | int
# Likewise; the bare route reads all of this, which is here to be described.
When = Annotated[
    str | int,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "maxLength": 0},
                {"type": "integer", "minimum": 0, "maximum": LAST_MILLISECOND},
            ]
        }
    ),
]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_EVENT_NAME,
        pattern="^[^$]",
        description="What happened, in printable characters; not beginning with $.",
    ),
]


class _Identified(BaseModel):
    """At least one of userId, email, anonymousId and leadId is needed."""

    # Nobody is turned away for what he sends too much.
    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    anonymous_id: Id | bool | None = Field(None, description="A browser or device.")
    user_id: Id | bool | None = Field(None, description="The person's id in your own system.")
    email: Id | bool | None = Field(
        None, description="Trimmed and lower-cased; what is no address stays a trait."
    )
    lead_id: Id | bool | None = Field(
        None, description="A lead of the project; a merged one counts."
    )
    user_hash: Annotated[str, Field(pattern="^([ -~]{64})?$")] | None = Field(
        None, description="Hex HMAC-SHA256 of userId or email, where the project asks for it."
    )
    event_id: Id | None = Field(
        None, description="Makes a retry safe: the same eventId counts once, for ever."
    )
    timestamp: When | None = Field(
        None, description="When it happened: RFC 3339 or epoch milliseconds; default: now."
    )
    sent_at: When | None = Field(None, description="The client's clock when it was sent.")
    session_id: Id | None = Field(None, description="The visit it belongs to.")
    properties: dict[str, Any] | None = Field(
        None, description="Anything about the event; with traits 32,768 bytes, 10 levels."
    )
    traits: dict[str, Any] | None = Field(None, description="Anything about the person.")
    test: bool | None = Field(None, description="A test event.")


class SentEvent(_Identified):
    """An event."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event": "page_view", **_EXAMPLE}]})

    event: Name


class SentOlderEvent(_Identified):
    """An event, in the words of the older interface."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"eventType": "page_view", **_EXAMPLE}]}
    )

    event_type: Name


class _WithKey(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    # Of any type, since nobody looks at them after a key in a header.
    api_key: Any = Field(None, description="The key, if it is in no header.")
    write_key: Any = Field(None, description="The same.")


class KeyedEvent(SentEvent, _WithKey):
    """An event, with the key where no header can be set."""


class KeyedOlderEvent(SentOlderEvent, _WithKey):
    """The same in the words of the older interface."""


class SentBatch(_WithKey):
    """Up to a thousand events; the good ones are taken, the bad ones named."""

    sent_at: When | None = Field(None, description="For events without a sentAt.")
    events: list[SentEvent] = Field(min_length=1, max_length=1000, description="The events.")


class SentOlderBatch(_WithKey):
    """The same in the words of the older interface."""

    sent_at: When | None = Field(None, description="For events without a sentAt.")
    events: list[SentOlderEvent] = Field(min_length=1, max_length=1000, description="The events.")


class Taken(Answer):
    """The event is stored for good."""

    status: Literal["queued", "duplicate", "conflict"] = Field(
        description="duplicate: was sent before · conflict: its eventId stands for another one."
    )
    event_id: str = Field(description="As sent, or made.")


class OlderTaken(Taken):
    """The same in the words of the older interface."""

    message: str = Field(description="For people.")


class Rejected(Answer):
    """An event that can't be taken."""

    index: int = Field(description="Its place in the batch.")
    error: str = Field(description="What is wrong with it.")
    code: str = Field(description="A stable word.")


class BatchTaken(Answer):
    """The good events are stored for good."""

    accepted: int = Field(description="New events.")
    duplicates: int = Field(description="Events that were sent before.")
    conflicts: int = Field(description="Events whose eventId stands for another one.")
    event_ids: list[str | None] = Field(description="In order; null for rejected ones.")
    rejected: list[Rejected] = Field(description="Events that can't be taken.")


class OlderBatchTaken(BatchTaken):
    """The same in the words of the older interface."""

    message: str = Field(description="For people.")
    count: int = Field(description="Accepted and duplicates.")


def _responses(model: type[BaseModel]) -> Responses:
    return {202: {"model": model}} | problems(
        "malformed", "missing_key", "unknown_key", "expired_key", "project_paused",
        "missing_scope", "origin_not_allowed", "too_slow", "too_large", "unreadable_encoding",
        "invalid", "unknown_lead", "lead_ceiling", "too_many", "overloaded",
    )  # fmt: skip


def _elsewhere() -> None:
    raise NotImplementedError("Event calls are answered by the bare route.")


@router.post("/api/ingest/event", status_code=202, responses=_responses(Taken))
async def ingest_event(event: KeyedEvent) -> None:  # noqa: ARG001 - documents the body
    """Takes an event; answers after it is durable."""
    _elsewhere()


@router.post("/api/ingest/batch", status_code=202, responses=_responses(BatchTaken))
async def ingest_batch(batch: SentBatch) -> None:  # noqa: ARG001 - documents the body
    """Takes up to a thousand events; answers after they are durable."""
    _elsewhere()


@router.post("/api/events/ingest", status_code=202, responses=_responses(OlderTaken))
@router.post("/api/events", status_code=202, responses=_responses(OlderTaken))
async def send_event(event: KeyedOlderEvent) -> None:  # noqa: ARG001 - documents the body
    """Takes an event, in the words of the older interface."""
    _elsewhere()


@router.post("/api/events/batch", status_code=202, responses=_responses(OlderBatchTaken))
async def send_batch(batch: SentOlderBatch) -> None:  # noqa: ARG001 - documents the body
    """Takes up to a thousand events, in the words of the older interface."""
    _elsewhere()
