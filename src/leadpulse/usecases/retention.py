"""Retention: after so many days events lose their content, and no score changes by it.

What goes: properties, traits, session and the time as it was sent, and the note of an
adjustment. What stays: eventId, type, time, lead, the keyed digest of what was sent, and which
rules with conditions held. What a profile shows stays too: it is what is known of the person by
now, not what one event said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.blanking import conditional_types, marks_of
from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import type_key
from leadpulse.postgres import facts, keeper, maintenance
from leadpulse.postgres import retention as store
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.domain.compiled import Models
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.retention import Aged, Walk
    from leadpulse.postgres.session import Pool

LONGEST: Final = 36_500
# The kind of work, as maintenance counts them.
_RETENTION: Final = 5
_AMONG: Final = 20


async def get_days(pool: Pool, project_id: str) -> int | None:
    """After how many days events lose their content; None: never."""
    async with snapshot(pool, project_id) as (conn, _):
        return await store.days_of(conn, project_id)


async def set_days(pool: Pool, project_id: str, days: int | None) -> None:
    """Sets that; the next pass begins at once, and nothing that is gone comes back."""
    if days is not None and not 1 <= days <= LONGEST:
        raise Invalid([FieldError("days", f"must be between 1 and {LONGEST}")])
    async with unit(pool, project_id) as (conn, _):
        old = await store.days_of(conn, project_id)
        if old != days:
            await store.set_days(conn, project_id, days)
            said = {"days": [old, days]}
            await audit.record(
                conn, project_id, "project.retention_changed", f"project:{project_id}", said
            )


async def retention_pass(conn: Connection, cache: ModelCache, limit: int = 2_000) -> int:
    """Looks through the next events of a project whose turn it is; returns how many."""
    async with conn.transaction():
        if not await maintenance.try_alone(conn, _RETENTION):
            return 0
        for project_id in await keeper.reach_retaining(conn, _AMONG):
            walk = await store.begin(conn, project_id)
            if walk is not None:
                return await _walk_on(conn, cache, (project_id, walk), limit)
    return 0


async def _walk_on(conn: Connection, cache: ModelCache, where: tuple[str, Walk], limit: int) -> int:
    project_id, walk = where
    if walk.cursor == walk.settled:
        await store.expire_conflicts(conn, project_id, walk.days)
    events = await store.next_events(conn, project_id, walk.cursor, limit)
    oldest = walk.now - walk.days * DAY
    due = [
        event
        for event in events
        if event.ts < oldest
        and event.version <= walk.newest
        and not (event.blanked or event.waiting)
    ]
    blanked = 0
    if due:
        models = await cache.get(
            conn, project_id, walk.newest, walk.history,
            versions_needed={event.version for event in due},
        )  # fmt: skip
        blanked = await store.blank(conn, project_id, await _marks(conn, project_id, due, models))
    if events:
        settled = _settled(walk, events, oldest)
        last = events[-1].id
        progress = store.Progress(last, settled, len(events), blanked)
        await store.go_on(conn, project_id, progress)
    if len(events) < limit:
        await store.end(conn, project_id)
    # Even a walk that found nothing was one; others may wait.
    return len(events) + 1


def _settled(walk: Walk, events: Sequence[Aged], oldest: int) -> str:
    """The last event before which nothing can be left to do, also when the clock goes on.

    What arrives later has a later id, but for clocks of hosts that differ; a day is plenty.
    """
    settled = walk.settled
    if settled != walk.cursor:
        return settled
    for event in events:
        if event.received_at >= oldest - DAY or (event.waiting and not event.blanked):
            break
        settled = event.id
    return settled


async def _marks(
    conn: Connection, project_id: str, due: Sequence[Aged], models: Models
) -> Mapping[str, list[str]]:
    """Which rules with conditions hold for each event, under the version in force for it."""
    looked_into: dict[int, set[str]] = {}
    asked = []
    for event in due:
        model = models.in_force(event.version)
        types = looked_into.get(model.version)
        if types is None:
            types = looked_into[model.version] = conditional_types(model.source)
        if type_key(event.type) in types:
            asked.append((project_id, event.id))
    found = await facts.load_properties(conn, asked) if asked else {}
    marks: dict[str, list[str]] = {}
    for event in due:
        properties = found.get(event.id)
        model = models.in_force(event.version)
        marks[event.id] = (
            marks_of(model.source, event.type, properties) if isinstance(properties, dict) else []
        )
    return marks


async def events_concerned(conn: Connection, project_id: str, model: ScoringModel) -> int:
    """Events without content of types of which the model has a rule with conditions.

    They match such a rule only if it held before the content went, with the same conditions.
    """
    types = conditional_types(model)
    counts = await store.blanked_by_type(conn, project_id)
    return sum(count for name, count in counts.items() if type_key(name) in types)
