"""From what changing use cases return to what clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.http.render import Json, when

if TYPE_CHECKING:
    from leadpulse.postgres.lead_changes import MergeRow
    from leadpulse.usecases.leads import Adjusted
    from leadpulse.usecases.merges import Merged, Preview


def adjusted(made: Adjusted) -> Json:
    """A correction by hand."""
    return {
        "id": made.id,
        "eventId": made.event_id,
        "leadId": made.lead_id,
        "status": "duplicate" if made.known else "queued",
    }


def merge(row: MergeRow) -> Json:
    """A merge as it is recorded."""
    return {
        "id": row.id,
        "childId": row.child_id,
        "parentId": row.parent_id,
        "cause": row.cause,
        "event": row.event,
        "madeBy": row.made_by,
        "madeAt": when(row.made_at),
        "undoneAt": when(row.undone_at),
        "undoneBy": row.undone_by,
    }


def merged(made: Merged) -> Json:
    """A merge that was done."""
    return {
        "leadId": made.lead_id,
        "merge": None if made.merge is None else merge(made.merge),
        "preview": False,
    }


def preview(seen: Preview) -> Json:
    """A merge that could be done."""
    profile = seen.profile
    return {
        "leadId": seen.lead_id,
        "mergedId": seen.merged_id,
        "score": seen.score,
        "stage": seen.stage,
        "events": seen.events,
        "profile": {
            "email": profile.email,
            "userId": profile.user_id,
            "name": profile.name,
            "company": profile.company,
            "traits": profile.traits,
            "claimed": profile.claimed,
            "anonymousId": profile.anonymous_id,
            "owner": profile.owner,
            "status": profile.status,
        },
        "preview": True,
    }
