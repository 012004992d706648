"""From what use cases return to what clients read: names, instants as text, nothing decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import Response

from leadpulse.domain import presets
from leadpulse.domain.model import model_document, rule_document
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.usecases.figures import Standing

if TYPE_CHECKING:
    from leadpulse.domain.model import Rule, ScoringModel
    from leadpulse.postgres.admin_read import FailedJob, StoredConflict
    from leadpulse.postgres.analytics import Mutation
    from leadpulse.postgres.events_read import Beside, EventRow
    from leadpulse.postgres.figures import Counted
    from leadpulse.postgres.history_read import TimelineLine
    from leadpulse.postgres.leads_read import Touch
    from leadpulse.postgres.publishing import Published, Rescore
    from leadpulse.usecases.admin import SystemHealth
    from leadpulse.usecases.analytics import Dashboard, Latency
    from leadpulse.usecases.events_read import EventView
    from leadpulse.usecases.lead_history import HistoryEntry, Meaning, Session
    from leadpulse.usecases.models import CurrentModel, Publication, RuleUse
    from leadpulse.usecases.reading import LeadView

Json = dict[str, Any]

_UTM: Final = ("source", "medium", "campaign", "term", "content")
_LONGEST_TOUCH: Final = 500


def answer(body: Any, status: int = 200) -> Response:
    """JSON as fast as it gets; the documentation says what is in it."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def when(instant: int | None) -> str | None:
    """An instant for people and programs."""
    return None if instant is None else to_rfc3339(instant)


def lead(view: LeadView) -> Json:
    """A lead as clients see it."""
    row = view.row
    return {
        "id": row.id,
        "_id": row.id,
        "anonymousId": row.anonymous_id,
        "anonymousIds": row.anonymous_ids,
        "userId": row.user_id,
        "email": row.email,
        "name": row.name,
        "company": row.company,
        "traits": row.traits,
        "claimed": row.claimed,
        "owner": row.owner,
        "status": row.status,
        "test": row.test,
        "sample": row.sample,
        "currentScore": view.score,
        "leadStage": view.stage,
        "eventsLast24h": row.acts_24h,
        "velocity": view.velocity,
        "velocityScore": view.velocity_score,
        "risk": view.risk,
        "nextAction": view.next_action,
        "nextBestAction": view.next_action_text,
        "lastEventAt": when(row.last_act),
        "firstSeenAt": when(row.first_seen_at),
        "firstTouch": _touch(view.first_touch),
        "lastTouch": _touch(view.last_touch),
        "createdAt": when(row.created_at),
        "updatedAt": when(row.updated_at),
        "mergedLeads": row.merged,
        "version": row.version,
        "asOf": when(view.as_of),
    }


def _touch(touch: Touch | None) -> Json | None:
    if touch is None:
        return None
    properties = touch.properties
    pages = ("landing_page", "url", "path")
    page = next((found for name in pages if (found := _text(properties.get(name)))), None)
    given = properties.get("utm")
    utm = given if isinstance(given, dict) else {}
    return {
        "at": when(touch.at),
        "eventType": touch.event_type,
        "page": page,
        "referrer": _text(properties.get("referrer")),
        "utm": {
            name: value
            for name in _UTM
            if (value := _text(properties.get(f"utm_{name}")) or _text(utm.get(name))) is not None
        },
    }


def _text(value: Any) -> str | None:
    return value[:_LONGEST_TOUCH] if isinstance(value, str) and value else None


def history_entry(entry: HistoryEntry) -> Json:
    """An entry of the ledger."""
    return {
        "kind": entry.kind,
        "id": entry.event,
        "eventId": entry.event_id,
        "eventType": entry.event_type,
        "timestamp": when(entry.timestamp),
        "oldScore": entry.old,
        "delta": entry.delta,
        "newScore": entry.new,
        "points": entry.points,
        "rules": [{"id": r.id, "name": r.name, "points": r.points} for r in entry.rules],
        "stage": entry.stage,
        "steps": entry.steps,
        "modelVersion": entry.model_version,
        "recordedAt": when(entry.recorded_at),
        "open": entry.open,
    }


def timeline_event(line: TimelineLine) -> Json:
    """An event of a timeline."""
    return {
        "id": line.event,
        "eventId": line.event_id,
        "eventType": line.event_type,
        "timestamp": when(line.at),
        "sessionId": line.session_id,
        "properties": line.properties,
        "scoreDelta": line.delta,
        "newScore": line.new,
    }


def session(found: Session) -> Json:
    """A session of a timeline."""
    return {
        "sessionId": found.session_id,
        "startedAt": when(found.started_at),
        "endedAt": when(found.ended_at),
        "scoreDelta": found.score_delta,
        "events": [timeline_event(line) for line in found.events],
    }


def intelligence(meaning: Meaning) -> Json:
    """What a lead's score means. Churn can't be told honestly before it was learnt."""
    told = meaning.told
    return {
        "score": meaning.score,
        "stage": told.stage,
        "velocity": told.velocity,
        "velocityScore": told.velocity_score,
        "velocityTrend": told.velocity_trend,
        "eventsLast24h": meaning.activity.last_24h,
        "risk": told.risk,
        "riskLevel": told.risk,
        "daysSinceLastEvent": told.days_since_last_event,
        "engagementScore": told.engagement_score,
        "churnProbability": None,
        "nextAction": told.next_action,
        "nextBestAction": told.next_action_text,
        "recommendations": [{"code": told.next_action, "text": told.next_action_text}],
        "modelVersion": meaning.model_version,
        "asOf": when(meaning.as_of),
    }


def event(row: EventRow, beside: Beside | None) -> Json:
    """A stored event, whom it is about, and what it changed."""
    return {
        "id": row.id,
        "eventId": row.event_id,
        "eventType": row.event_type,
        "leadId": row.lead_id,
        "lead": {
            "name": None if beside is None else beside.name,
            "email": None if beside is None else beside.email,
            "company": None if beside is None else beside.company,
        },
        "timestamp": when(row.ts),
        "originalTimestamp": when(row.original_ts),
        "receivedAt": when(row.received_at),
        "sessionId": row.session_id,
        "properties": row.properties,
        "traits": row.traits,
        "test": row.test,
        "trusted": row.trusted,
        "modelVersion": row.model_version,
        "status": row.status,
        "delta": None if beside is None else beside.delta,
    }


def event_with_pipeline(
    view: EventView, rule_names: dict[str, str], delivered_at: int | None = None
) -> Json:
    """An event with its way through the pipeline and what it scored."""
    scored = view.scored
    return {
        **event(view.event, view.beside),
        "pipeline": {
            "receivedAt": when(view.event.received_at),
            "committedAt": when(view.committed_at),
            "claimedAt": None if scored is None else when(scored.claimed_at),
            "scoredAt": None if scored is None else when(scored.recorded_at),
            "deliveredAt": when(delivered_at),
        },
        "scored": None
        if scored is None
        else {
            "oldScore": scored.old,
            "delta": scored.delta,
            "newScore": scored.new,
            "points": scored.points,
            "rules": [
                {"id": rule, "name": rule_names.get(rule, rule), "points": points}
                for rule, points in (scored.rules or {}).items()
            ],
            "stage": view.stage,
            "modelVersion": scored.version,
        },
    }


def rescore(found: Rescore | None) -> Json | None:
    """How far a rescore is."""
    if found is None:
        return None
    percent = 100.0 if not found.total else min(100.0, 100 * found.done / found.total)
    return {
        "version": found.version,
        "total": found.total,
        "done": found.done,
        "percent": percent,
        "startedAt": when(found.started_at),
    }


def model(current: CurrentModel) -> Json:
    """The model in force."""
    return {**model_document(current.model), "rescore": rescore(current.rescore)}


def rule(found: Rule) -> Json:
    """A rule of the model."""
    return rule_document(found)


def published(version: Published) -> Json:
    """A version in the list of versions."""
    return {
        "version": version.version,
        "scope": version.scope,
        "publishedAt": when(version.published_at),
        "note": version.note,
    }


def stored_model(version: Published, of: ScoringModel) -> Json:
    """A version with its model."""
    return {**model_document(of), **published(version)}


def preset(name: str) -> Json:
    """A model that a project can start from."""
    document = model_document(presets.preset(name))
    return {"name": name, **{key: document[key] for key in document if key != "version"}}


def publication(made: Publication) -> Json:
    """What was published."""
    return {
        **model_document(made.model),
        "scope": made.scope,
        "idleLeads": made.idle_leads,
        "blankedEvents": made.blanked_events,
    }


def rule_use(use: RuleUse) -> Json:
    """What a rule gave."""
    return {
        "id": use.id,
        "name": use.name,
        "active": use.active,
        "hits": use.hits,
        "points": use.points,
    }


def mutation(found: Mutation) -> Json:
    """A change of a score with its lead."""
    return {
        "id": found.event,
        "eventId": found.event_id,
        "eventType": found.event_type,
        "timestamp": when(found.timestamp),
        "leadId": found.lead_id,
        "email": found.email,
        "name": found.name,
        "oldScore": found.old,
        "delta": found.delta,
        "newScore": found.new,
        "points": found.points,
        "recordedAt": when(found.recorded_at),
    }


def _latency(latency: Latency) -> Json:
    return {
        "avgLatency": latency.average,
        "p50LatencyMs": latency.p50,
        "p99LatencyMs": latency.p99,
    }


def dashboard(found: Dashboard) -> Json:
    """The figures of a project; `previous` holds those of a day before, where they are known."""
    return {
        "totalEvents": found.events.total,
        "eventsToday": found.events.today,
        **_standing(Standing.of(found.leads.all)),
        **_latency(found.latency),
        "eventsByType": [
            {"eventType": item.event_type, "events": item.events} for item in found.by_type
        ],
        "scoreDistribution": _distribution(found.leads),
        "topLeads": [lead(view) for view in found.top],
        "lastEventAt": when(found.last_act),
        "previous": {
            "totalEvents": max(0, found.events.total - found.events_last_day),
            "eventsToday": found.events.yesterday,
            **_standing(found.leads_before),
            **_latency(found.latency_before),
            "eventsByType": [
                {"eventType": item.event_type, "events": item.events - item.recent}
                for item in found.by_type
            ],
        },
    }


def _standing(found: Standing) -> Json:
    return {
        "totalLeads": found.leads,
        "identifiedLeads": found.identified,
        "identityResolutions": found.resolutions,
        "qualifiedLeads": found.qualified,
        "averageScore": found.average,
    }


def _distribution(found: Counted) -> list[Json]:
    low, width, last = found.bounds[0], found.width, len(found.buckets) - 1
    return [
        {
            "from": low + width * index,
            "to": low + width * (index + 1) if index < last else None,
            "leads": leads,
        }
        for index, leads in enumerate(found.buckets)
    ]


def failed_job(job: FailedJob) -> Json:
    """Work that failed for good."""
    return {
        "id": job.id,
        "leadId": job.lead_id,
        "kind": job.kind,
        "error": job.error,
        "attempts": job.attempts,
        "event": job.event,
        "firstFailedAt": when(job.first_failed_at),
        "failedAt": when(job.failed_at),
        "state": job.state,
        "settledAt": when(job.settled_at),
    }


def conflict(found: StoredConflict) -> Json:
    """A call that used an eventId again for something else."""
    return {
        "id": found.id,
        "eventId": found.event_id,
        "trusted": found.trusted,
        "event": found.event,
        "body": found.body,
        "receivedAt": when(found.received_at),
    }


def milliseconds(seconds: float) -> float:
    """A duration as answers have it: to the thousandth of a millisecond."""
    return round(seconds * 1_000, 3)


def system_health(found: SystemHealth, api: Json, valkey: Json) -> Json:
    """What an administrator sees first; `api` and `valkey` are what the process knows itself."""
    system = found.system
    return {
        "api": api,
        "valkey": valkey,
        "database": {
            "startedAt": when(found.contact.started_at),
            "latencyMs": milliseconds(found.contact.seconds),
            "version": system.server_version,
            "bytes": system.database_bytes,
            "connections": system.connections,
        },
        "queue": {
            "waiting": system.waiting,
            "oldestSeconds": found.oldest_seconds,
            "retrying": system.retrying,
            "failed": system.failed,
        },
        "workers": [
            {
                "host": worker.host,
                "pid": worker.pid,
                "startedAt": when(worker.started_at),
                "seenAt": when(worker.seen_at),
            }
            for worker in found.workers
        ],
        "heldLeads": system.held_leads,
        "conflicts": system.conflicts,
        "modelVersion": system.newest_model,
        "rescore": rescore(found.rescore),
        "paused": system.paused,
    }
