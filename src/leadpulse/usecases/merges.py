"""Merging leads by hand, looking at what was merged, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.fold import at, fold
from leadpulse.domain.intelligence import stage_of
from leadpulse.domain.profile import Facts, View, union, view
from leadpulse.domain.state import State
from leadpulse.postgres import facts as fact_store
from leadpulse.postgres import identity, profiles
from leadpulse.postgres import lead_changes as store
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.leads import survivor
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.reading import labels

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.domain.facts import Fact
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

MERGES_SHOWN: Final = 1_000
# A preview folds while somebody waits.
_LONGEST_PREVIEW: Final = 50_000


class Preview(NamedTuple):
    """What a merge would make: the score of both together, and their shown profile.

    The score is None where there are too many facts to fold while somebody waits.
    """

    lead_id: str
    merged_id: str
    score: float | None
    stage: str | None
    events: int | None
    profile: View


class Merged(NamedTuple):
    """A merge by hand; `known`: the two were one already."""

    lead_id: str
    merge: store.MergeRow | None
    known: bool


async def _two(conn: Connection, project_id: str, lead_id: str, into_id: object) -> tuple[str, str]:
    """The survivors that a merge is about. Raises NotFound and Invalid."""
    child = await survivor(conn, project_id, lead_id)
    if not isinstance(into_id, str) or not is_id(into_id):
        raise Invalid([FieldError("intoId", "must be the id of a lead")])
    parent = await identity.resolve_lead(conn, project_id, into_id)
    if parent is None:
        raise Invalid([FieldError("intoId", "is no lead of this project")])
    if lead_id.lower() == into_id.lower():
        raise Invalid([FieldError("intoId", "is the lead itself")])
    return child, parent


async def merge(pool: Pool, project_id: str, lead_id: str, into_id: object, by: str) -> Merged:
    """Merges a lead into another one, whoever they are: a person decides. Can be undone.

    Two that are one already stay so. Raises NotFound and Invalid.
    """
    async with unit(pool, project_id) as (conn, _):
        await identity.lock_identities(conn, [project_id])
        child, parent = await _two(conn, project_id, lead_id, into_id)
        if child == parent:
            return Merged(parent, None, known=True)
        await store.lock_leads(conn, project_id, [child, parent])
        now = await store.clock(conn)
        new = identity.NewMerge(project_id, child, parent, "manual", by)
        (merge_id,) = await identity.add_merges(conn, now, [new])
        await _show(conn, (project_id, now, by), [parent])
        row = await store.one_merge(conn, project_id, merge_id)
        said = {"merge": merge_id, "into": parent}
        await audit.record(conn, project_id, "lead.merged", f"lead:{child}", said)
    return Merged(parent, row, known=False)


async def _show(conn: Connection, stamp: tuple[str, int, str], roots: list[str]) -> None:
    """Shows the profiles at once; the scorer folds the scores a moment later."""
    project_id, now, by = stamp
    keys = [(project_id, root) for root in roots]
    for _, root in await profiles.refresh_views(conn, now, keys, by):
        await store.count_change(conn, project_id, root, now)


async def list_merges(pool: Pool, project_id: str, lead_id: str) -> list[store.MergeRow]:
    """Every merge of a lead and of those that merged into it, undone ones included.

    Raises NotFound.
    """
    async with snapshot(pool, project_id) as (conn, _):
        root = await survivor(conn, project_id, lead_id)
        leads = await identity.members(conn, project_id, root)
        return await store.merges_of(conn, project_id, leads, MERGES_SHOWN)


async def undo(pool: Pool, project_id: str, merge_id: str, by: str) -> store.MergeRow:
    """Takes a merge back: both are leads of their own again, and no event joins them any more.

    Raises NotFound, and Conflict if it was undone already.
    """
    async with unit(pool, project_id) as (conn, _):
        await identity.lock_identities(conn, [project_id])
        found = await store.one_merge(conn, project_id, merge_id) if is_id(merge_id) else None
        if found is None:
            raise NotFound("merge", merge_id)
        if found.undone_at is not None:
            raise Conflict("This merge was undone already.", code="already_undone")
        root = await survivor(conn, project_id, found.child_id)
        await store.lock_leads(conn, project_id, [root, found.child_id])
        now = await store.clock(conn)
        await store.undo_merge(conn, project_id, found, (now, by))
        await identity.ask_refold(conn, now, [(project_id, root), (project_id, found.child_id)])
        await _show(conn, (project_id, now, by), [root, found.child_id])
        said = {"merge": merge_id, "parent": found.parent_id}
        await audit.record(conn, project_id, "lead.unmerged", f"lead:{found.child_id}", said)
    return found._replace(undone_at=now, undone_by=by)


# ── Preview ──────────────────────────────────────────────────────────────────────────


async def preview(
    pool: Pool, cache: ModelCache, project_id: str, leads: tuple[str, object]
) -> Preview:
    """What merging the first lead into the second would make; writes nothing.

    Raises NotFound and Invalid.
    """
    async with snapshot(pool, project_id) as (conn, now):
        child, parent = await _two(conn, project_id, *leads)
        newest = await labels(conn, cache, project_id)
        wanted = [
            fact_store.Wanted(project_id, root, 0, newest.newest, _LONGEST_PREVIEW)
            for root in sorted({child, parent})
        ]
        facts = await _facts(conn, wanted)
        models = newest
        if facts is not None:
            versions = {fact.version for fact in facts}
            models = await cache.get(
                conn, project_id, newest.newest, newest.history, versions_needed=versions
            )
            await fact_store.with_properties(conn, [(project_id, facts)], lambda _: models)
        profile = await _profile(conn, project_id, (child, parent))
    if facts is None:
        return Preview(parent, child, None, None, None, profile)
    score = _score(facts, models, now)
    stage = stage_of(newest.labels.source, score)
    return Preview(parent, child, score, stage, len(facts), profile)


def _score(facts: list[Fact], models: Models, now: int) -> float:
    state = fold(State(), facts, models).state
    return at(state, max(now, state.last[0]) if state.last else now).score


async def _facts(conn: Connection, wanted: list[fact_store.Wanted]) -> list[Fact] | None:
    """The facts of both in their order; None if they are too many."""
    found = [fact for facts in await fact_store.load_facts(conn, wanted) for fact in facts]
    return sorted(found) if len(found) < _LONGEST_PREVIEW else None


async def _profile(conn: Connection, project_id: str, leads: tuple[str, str]) -> View:
    """What would be shown: the facts and identifiers of both together."""
    parent = leads[1]
    keys = [(project_id, root) for root in dict.fromkeys(leads)]
    parts: Mapping[str, list[Facts]] = await profiles.facts_of(conn, keys)
    held = await identity.load_held(conn, keys)
    names = [
        one if root == parent else one._replace(own=False)
        for (_, root), of_root in held.items()
        for one in of_root
    ]
    return view(union(facts for of_root in parts.values() for facts in of_root), names)
