"""What calls about figures and administration answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Lead, Listed, Rescore, Time


class TypeEvents(Answer):
    """Events of a type."""

    event_type: str = Field(description="The type; `other` for all beyond the fifty largest.")
    events: int = Field(description="How many.")


class ScoreRange(Answer):
    """Leads in a range of scores."""

    from_: float = Field(alias="from", description="From this score on.")
    to: float | None = Field(description="Below this score; null: no end.")
    leads: int = Field(description="How many.")


class _Figures(Answer):
    total_events: int = Field(description="Events ever.")
    events_today: int = Field(description="Events received on this calendar day.")
    avg_latency: float | None = Field(
        description="Milliseconds from received to scored, of the newest 1,000 events."
    )
    p50_latency_ms: float | None = Field(alias="p50LatencyMs", description="Half are faster.")
    p99_latency_ms: float | None = Field(alias="p99LatencyMs", description="99 % are faster.")
    events_by_type: list[TypeEvents] = Field(description="Events ever, by type.")
    average_score: float | None = Field(description="Of all leads; null: there are none.")


class PreviousFigures(_Figures):
    """The same a day before; latency of the 1,000 events before.

    Of a project that is younger than a day everything was 0. Null is what nobody counted then,
    because no worker ran.
    """

    total_leads: int | None = Field(description="Leads.")
    identified_leads: int | None = Field(description="Leads with an email or userId.")
    identity_resolutions: int | None = Field(description="Merges in force.")
    qualified_leads: int | None = Field(description="Leads in stage qualified.")


class Dashboard(_Figures):
    """The figures of a project. Test leads and their events are in none of them."""

    total_leads: int = Field(description="Leads.")
    identified_leads: int = Field(description="Leads with an email or userId.")
    identity_resolutions: int = Field(description="Merges in force.")
    qualified_leads: int = Field(description="Leads in stage qualified, by the newest model.")
    score_distribution: list[ScoreRange] = Field(description="How the scores are spread.")
    top_leads: list[Lead] = Field(description="The five highest scores.")
    last_event_at: Time | None = Field(description="The newest act of any lead.")
    previous: PreviousFigures = Field(description="The figures of the period before.")


class HourPoint(Answer):
    """An hour or a day."""

    from_: Time = Field(alias="from", description="Its beginning.")
    events: int = Field(description="Events received.")
    mutations: int = Field(description="Events scored.")


class Throughput(Answer):
    """Events and mutations by the hour or day."""

    hours: int = Field(description="How many hours.")
    by: Literal["hour", "day"] = Field(description="What a point stands for.")
    points: list[HourPoint] = Field(description="Oldest first, the present one last.")


class QueueHealth(Answer):
    """The queue of a project."""

    waiting: int = Field(description="Events not scored yet.")
    active: int = Field(description="Passes of scorers under way.")
    completed: int = Field(description="Events scored, ever.")
    failed: int = Field(description="Leads whose scoring was given up.")
    workers: int = Field(description="Scorers alive.")
    max_workers: int = Field(description="Scorers that are meant to run.")
    oldest_seconds: float = Field(description="Age of the event that waits longest.")
    retrying: int = Field(description="Leads whose scoring is tried again.")


class Mutation(Answer):
    """A change of a score with its lead."""

    id: str = Field(description="The event by our id.")
    event_id: str = Field(description="The event by its sender's id.")
    event_type: str = Field(description="What happened.")
    timestamp: Time = Field(description="When.")
    lead_id: str = Field(description="Whose score.")
    email: str | None = Field(description="The lead's email.")
    name: str | None = Field(description="The lead's name.")
    old_score: float = Field(description="The score before.")
    delta: float = Field(description="What was added.")
    new_score: float = Field(description="The score after.")
    points: float = Field(description="Points of the rules, before bounds.")
    recorded_at: Time = Field(description="When it was written.")


class ScoreMutations(Listed):
    """The newest changes of scores."""

    mutations: list[Mutation] = Field(description="Newest first.")


class Serving(Answer):
    """The process that answers."""

    version: str = Field(description="The version that runs.")
    started_at: Time = Field(description="Since when.")


class Shared(Answer):
    """Valkey, over which several processes share what they count and tell."""

    state: Literal["up", "down", "none"] = Field(description="none: it does without.")
    latency_ms: float | None = Field(description="In which time it answers, when it does.")


class Database(Answer):
    """The database."""

    started_at: Time = Field(description="Since when it runs.")
    latency_ms: float = Field(description="In which time it answers.")
    version: str = Field(description="PostgreSQL's version.")
    bytes: int = Field(description="Its size on disk.")
    connections: int = Field(description="Sessions open.")


class Waiting(Answer):
    """What waits in a project."""

    waiting: int = Field(description="Events not scored yet.")
    oldest_seconds: float = Field(description="Age of the one that waits longest.")
    retrying: int = Field(description="Leads whose scoring is tried again.")
    failed: int = Field(description="Leads whose scoring was given up.")


class Worker(Answer):
    """A scorer."""

    host: str = Field(description="Where it runs.")
    pid: int = Field(description="Its process.")
    started_at: Time = Field(description="Since when.")
    seen_at: Time = Field(description="Its last sign of life.")


class SystemHealth(Answer):
    """The state of a project and of what serves it."""

    api: Serving = Field(description="The process that answers.")
    database: Database = Field(description="The database.")
    valkey: Shared = Field(description="Valkey.")
    queue: Waiting = Field(description="What waits in this project.")
    workers: list[Worker] = Field(description="Scorers alive.")
    held_leads: int = Field(description="Leads with events beyond the daily ceiling.")
    conflicts: int = Field(description="Calls that used an eventId again for something else.")
    model_version: int = Field(description="The model in force.")
    rescore: Rescore | None = Field(description="A rescore under way.")
    paused: bool = Field(description="The project takes no events.")


class FailedJob(Answer):
    """Work that failed for good."""

    id: str = Field(description="Its id.")
    lead_id: str = Field(description="Whose scoring failed.")
    kind: Literal["scoring"] = Field(description="What failed.")
    error: str = Field(description="The last error.")
    attempts: int = Field(description="How often it was tried.")
    event: str | None = Field(description="The event it failed at, by our id.")
    first_failed_at: Time = Field(description="The first failure.")
    failed_at: Time = Field(description="The last failure.")
    state: Literal["open", "replayed", "discarded"] = Field(description="What became of it.")
    settled_at: Time | None = Field(description="When it was replayed or discarded.")


class FailedJobs(Listed):
    """Work that failed for good."""

    jobs: list[FailedJob] = Field(description="Newest first.")


class ConflictingCall(Answer):
    """A call that used an eventId again for something else; kept for a week."""

    id: str = Field(description="Its id.")
    event_id: str = Field(description="The eventId.")
    trusted: bool = Field(description="False: a write key sent it.")
    event: str = Field(description="The event that was stored first, by our id.")
    body: Any = Field(description="What was sent.")
    received_at: Time = Field(description="When it came in.")


class Conflicts(Listed):
    """Conflicting calls."""

    conflicts: list[ConflictingCall] = Field(description="Newest first.")


class HeldLead(Answer):
    """A lead with events beyond the daily ceiling."""

    lead_id: str = Field(description="The lead.")
    events: int = Field(description="How many events are held.")


class Quarantine(Listed):
    """Leads with held events."""

    leads: list[HeldLead] = Field(description="By id.")


class Difference(Answer):
    """A lead that differs from its events."""

    lead_id: str | None = Field(description="The lead.")
    what: str = Field(description="The first thing that differs.")


class VerifyReport(Answer):
    """Every score held against a fold of the raw events."""

    leads_checked: int = Field(description="How many leads.")
    pending: int = Field(description="Leads with waiting work, not checked.")
    failed: int = Field(description="Work that failed for good.")
    differing_count: int = Field(description="How many leads differ.")
    differing: list[Difference] = Field(description="The first thousand of them.")
    ok: bool = Field(description="Nothing differs and nothing failed.")


class Done(Answer):
    """It was done, or begun."""

    success: Literal[True] = Field(description="True.")
    message: str = Field(description="What was done.")
    leads: int = Field(description="How many leads it concerns.")


class Queue(Answer):
    """The queue, as health tells it."""

    waiting: int = Field(description="Events of this project not scored yet.")
    oldest_seconds: float = Field(description="Age of the one that waits longest.")
    workers: int = Field(description="Scorers alive.")


class Health(Answer):
    """Whether it works; strangers get the status only."""

    status: Literal["ok", "degraded", "down"] = Field(
        description="degraded: events are taken, but nobody scores them."
    )
    database: Literal["up", "down"] | None = Field(None, description="The database.")
    redis: Literal["up", "down", "none"] | None = Field(
        None, description="Where processes count rates together; down: each counts by itself."
    )
    live: Literal["up", "down"] | None = Field(
        None, description="Live updates of other processes; down: pages don't change by themselves."
    )
    queue: Queue | None = Field(None, description="The queue of the caller's project.")
    version: str | None = Field(None, description="The version of LeadPulse.")


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"] = Field(description="ok.")
