"""Everything that is stored about a person, in portions: a section and a lead at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.facts import ADJUSTMENT, PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

FIRST_TIME: Final = "-infinity"
FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"

_EVENT: Final = """
select e.ts, e.id, e.id, e.event_id, e.event_type, e.lead_id, e.ts, e.original_ts, e.received_at,
    e.session_id, e.properties, e.traits, e.test, e.trusted, e.quarantined, e.excluded,
    e.matched is not null, e.model_version
from events e
where e.project_id = %(project)s and e.lead_id = %(lead)s
    and e.ts >= %(a)s::timestamptz and (e.ts, e.id) > (%(a)s::timestamptz, %(b)s::uuid)
    and {types}
order by e.ts, e.id limit %(n)s
"""
_EVENT_FIELDS: Final = (
    "id", "eventId", "eventType", "leadId", "timestamp", "originalTimestamp", "receivedAt",
    "sessionId", "properties", "traits", "test", "trusted", "held", "excluded", "blanked",
    "modelVersion",
)  # fmt: skip


class Section(NamedTuple):
    """A list of the document: a statement for one lead, whose rows begin with their place.

    The place has two parts, of which the first may be a time or a number. `times` are the
    fields that are instants.
    """

    name: str
    statement: str
    first: tuple[Any, Any]
    fields: tuple[str, ...]
    times: frozenset[str] = frozenset()
    # Looked for once and not for each lead.
    whole: bool = False


_EVENT_TIMES: Final = frozenset(("timestamp", "originalTimestamp", "receivedAt"))


def _events(name: str, types: str) -> Section:
    statement = _EVENT.format(types=types)
    return Section(name, statement, (FIRST_TIME, FIRST_ID), _EVENT_FIELDS, _EVENT_TIMES)


SECTIONS: Final = (
    Section(
        "leads",
        """
        select 0, l.id, l.id, l.created_at, f.first_seen_at, l.merged_into, l.score,
            l.stage, l.version, l.last_event_at, l.as_of, f.name, f.email, f.user_id, f.company,
            f.traits, f.claimed, f.owner, f.status, f.test, f.facts
        from leads l join lead_profiles f on f.project_id = l.project_id and f.lead_id = l.id
        where l.project_id = %(project)s and l.id = %(lead)s
            and (0, l.id) > (%(a)s::int, %(b)s::uuid) limit %(n)s
        """,
        (0, FIRST_ID),
        (
            "id",
            "createdAt",
            "firstSeenAt",
            "mergedInto",
            "score",
            "stage",
            "version",
            "lastEventAt",
            "asOf",
            "name",
            "email",
            "userId",
            "company",
            "traits",
            "claimed",
            "owner",
            "status",
            "test",
            "facts",
        ),
        frozenset(("createdAt", "firstSeenAt", "lastEventAt", "asOf")),
    ),
    Section(
        "identifiers",
        """
        select i.kind, i.value, i.lead_id,
            (array['userId', 'email', 'anonymousId'])[i.kind], i.value, i.confirmed, i.links,
            i.created_at
        from identifiers i
        where i.project_id = %(project)s and i.lead_id = %(lead)s
            and (i.kind, i.value) > (%(a)s::smallint, %(b)s::text)
        order by i.kind, i.value limit %(n)s
        """,
        (0, ""),
        ("leadId", "kind", "value", "confirmed", "people", "createdAt"),
        frozenset(("createdAt",)),
    ),
    Section(
        "merges",
        """
        select 0, g.id, g.id, g.child_id, g.parent_id, g.cause, g.event, g.made_by, g.made_at,
            g.undone_at, g.undone_by
        from lead_merges g
        where g.project_id = %(project)s and g.id > %(b)s::uuid and %(a)s::int = 0
            and (g.child_id = any (%(leads)s::uuid[]) or g.parent_id = any (%(leads)s::uuid[]))
        order by g.id limit %(n)s
        """,
        (0, FIRST_ID),
        (
            "id",
            "childId",
            "parentId",
            "cause",
            "event",
            "madeBy",
            "madeAt",
            "undoneAt",
            "undoneBy",
        ),
        frozenset(("madeAt", "undoneAt")),
        whole=True,
    ),
    _events("events", "not starts_with(e.event_type, '$')"),
    _events("adjustments", f"e.event_type = '{ADJUSTMENT}'"),
    _events("changes", f"e.event_type = '{PROFILE}'"),
    Section(
        "ledger",
        """
        select g.at, g.entry, g.entry, (array['event', 'decay', 'adjustment'])[g.kind + 1],
            g.at, g.event, g.old_score, g.delta, g.new_score, g.points, g.rules, g.steps,
            g.decayed_at, g.model_version, g.recorded_at
        from leads l join ledger g on g.project_id = l.project_id and g.lead_id = l.id
            and g.generation = l.generation
        where l.project_id = %(project)s and l.id = %(lead)s
            and (g.at, g.entry) > (%(a)s::timestamptz, %(b)s::int)
        order by g.at, g.entry limit %(n)s
        """,
        (FIRST_TIME, 0),
        (
            "entry",
            "kind",
            "timestamp",
            "event",
            "oldScore",
            "delta",
            "newScore",
            "points",
            "rules",
            "steps",
            "decayedAt",
            "modelVersion",
            "recordedAt",
        ),
        frozenset(("timestamp", "decayedAt", "recordedAt")),
    ),
    Section(
        "stageChanges",
        """
        select 0, c.id, c.id, c.lead_id, c.at, c.from_stage, c.to_stage, c.score,
            c.model_version, c.cause, c.event
        from stage_changes c
        where c.project_id = %(project)s and c.lead_id = %(lead)s and c.id > %(b)s::uuid
            and %(a)s::int = 0
        order by c.id limit %(n)s
        """,
        (0, FIRST_ID),
        ("id", "leadId", "timestamp", "from", "to", "score", "modelVersion", "cause", "event"),
        frozenset(("timestamp",)),
    ),
    Section(
        "workChanges",
        """
        select 0, c.id, c.id, c.lead_id, c.at, c.field, c.from_value, c.to_value, c.made_by
        from lead_changes c
        where c.project_id = %(project)s and c.lead_id = %(lead)s and c.id > %(b)s::uuid
            and %(a)s::int = 0
        order by c.id limit %(n)s
        """,
        (0, FIRST_ID),
        ("id", "leadId", "timestamp", "field", "from", "to", "madeBy"),
        frozenset(("timestamp",)),
    ),
    Section(
        "scoreRevisions",
        """
        select 0, c.id, c.id, c.lead_id, c.at, c.cause, c.event, c.before, c.after
        from score_revisions c
        where c.project_id = %(project)s and c.lead_id = %(lead)s and c.id > %(b)s::uuid
            and %(a)s::int = 0
        order by c.id limit %(n)s
        """,
        (0, FIRST_ID),
        ("id", "leadId", "timestamp", "cause", "event", "before", "after"),
        frozenset(("timestamp",)),
    ),
    Section(
        "failures",
        """
        select 0, f.lead_id, f.lead_id, f.attempts, f.error, f.event, f.first_failed_at,
            f.last_failed_at, f.retry_at
        from scoring_failures f
        where f.project_id = %(project)s and f.lead_id = %(lead)s and f.lead_id > %(b)s::uuid
            and %(a)s::int = 0
        limit %(n)s
        """,
        (0, FIRST_ID),
        ("leadId", "attempts", "error", "event", "firstFailedAt", "lastFailedAt", "retryAt"),
        frozenset(("firstFailedAt", "lastFailedAt", "retryAt")),
    ),
    Section(
        "deadLetters",
        """
        select 0, d.id, d.id, d.lead_id, d.kind, d.error, d.attempts, d.event,
            d.first_failed_at, d.failed_at, d.state, d.settled_at
        from dead_letters d
        where d.project_id = %(project)s and d.lead_id = any (%(leads)s::uuid[])
            and d.id > %(b)s::uuid and %(a)s::int = 0
        order by d.id limit %(n)s
        """,
        (0, FIRST_ID),
        (
            "id",
            "leadId",
            "kind",
            "error",
            "attempts",
            "event",
            "firstFailedAt",
            "failedAt",
            "state",
            "settledAt",
        ),
        frozenset(("firstFailedAt", "failedAt", "settledAt")),
        whole=True,
    ),
    # The one whose eventId it had may be anybody: a conflict is about whom it names, and is left
    # out where that are several.
    Section(
        "conflicts",
        """
        with names as materialized (
            select i.kind, i.value from identifiers i
            where i.project_id = %(project)s and i.lead_id = any (%(leads)s::uuid[])
        )
        select 0, c.id, c.id, c.event_id, c.event, c.trusted, c.received_at, c.body
        from event_conflicts c
        where c.project_id = %(project)s and c.id > %(b)s::uuid and %(a)s::int = 0
            and (c.body ->> 'leadId' = any (%(leads)s::text[])
                or exists (select from names n where n.value = case n.kind
                    when 1 then c.body ->> 'userId' when 2 then c.body ->> 'email'
                    else c.body ->> 'anonymousId' end))
            and (c.body ->> 'leadId' = any (%(leads)s::text[])) is not false
            and not exists (
                select from (values (1, c.body ->> 'userId'), (2, c.body ->> 'email'),
                    (3, c.body ->> 'anonymousId')) b (kind, value)
                join identifiers i on i.project_id = %(project)s and i.kind = b.kind
                    and i.value = b.value
                where i.lead_id <> all (%(leads)s::uuid[]))
        order by c.id limit %(n)s
        """,
        (0, FIRST_ID),
        ("id", "eventId", "event", "trusted", "receivedAt", "sent"),
        frozenset(("receivedAt",)),
        whole=True,
    ),
)


class Where(NamedTuple):
    """Whose rows, and behind which place."""

    project_id: str
    lead_id: str
    leads: Sequence[str]
    after: tuple[Any, Any]


async def portion(
    conn: Connection, section: Section, where: Where, limit: int
) -> list[tuple[Any, ...]]:
    """The next rows of a section, each with its place in front."""
    values = {
        "project": where.project_id, "lead": where.lead_id, "n": limit,
        "leads": "{" + ",".join(where.leads) + "}", "a": where.after[0], "b": where.after[1],
    }  # fmt: skip
    cursor = await conn.execute(section.statement.encode(), values)
    return await cursor.fetchall()
