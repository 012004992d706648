"""Explanations, work and the bell, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.domain.explanation import CAPS
from leadpulse.domain.model import STAGES
from leadpulse.http.render import Json, when

if TYPE_CHECKING:
    from leadpulse.domain.explanation import Next, Part
    from leadpulse.domain.model import Rule
    from leadpulse.postgres.rises import Rise
    from leadpulse.usecases.explanation import Explained
    from leadpulse.usecases.lead_work import LeadChange
    from leadpulse.usecases.notifications import Bell


def explanation(found: Explained) -> Json:
    """Why a score is what it is."""
    told = found.told
    rules = sorted(told.rules, key=lambda part: (-abs(part.share.points), part.share.rule))
    return {
        "leadId": found.lead_id,
        "at": when(told.at),
        "score": told.score,
        "stage": told.stage,
        "modelVersion": found.model_version,
        "asOf": when(found.as_of),
        "rules": [_rule(part, found.rules[part.share.rule]) for part in rules],
        "adjustments": {"count": told.adjustments, "points": told.adjusted},
        "decay": {
            "steps": told.steps,
            "points": told.decayed,
            "lastAt": when(told.decayed_at),
        },
        "bounds": {"points": told.bounded},
        "next": None if told.next is None else _next(told.next),
        "complete": found.cuts_since is None,
        "cutsSince": when(found.cuts_since),
    }


def _rule(part: Part, rule: Rule) -> Json:
    share, cut = part
    return {
        "id": share.rule,
        "name": rule.name,
        "eventType": rule.event_type,
        "hits": share.hits,
        "points": share.points,
        "cut": cut.points,
        "caps": [{"cap": cap, "times": cut.times[cap]} for cap in CAPS if cap in cut.times],
        "lastAt": when(share.last_at) if share.hits else None,
    }


def _next(change: Next) -> Json:
    return {
        "at": when(change.at),
        "score": change.score,
        "stage": change.stage,
        "stageChanges": change.stage_changes,
    }


def work_change(found: LeadChange) -> Json:
    """A change of owner or status."""
    change, by = found
    return {
        "id": change.id,
        "at": when(change.at),
        "field": change.field,
        "from": change.before,
        "to": change.after,
        "by": None if by is None else {"kind": by.kind, "id": by.id, "name": by.name},
    }


def notifications(bell: Bell) -> Json:
    """What rang."""
    return {
        "notifications": [_rise(rise) for rise in bell.rises],
        "unseen": bell.unseen,
        "nextCursor": bell.next_cursor,
    }


def _rise(rise: Rise) -> Json:
    return {
        "id": rise.id,
        "leadId": rise.lead_id,
        "name": rise.name,
        "email": rise.email,
        "company": rise.company,
        "owner": rise.owner,
        "mine": rise.mine,
        "from": STAGES[rise.before],
        "to": STAGES[rise.after],
        "score": rise.score,
        "at": when(rise.at),
        "seen": rise.seen,
    }
