"""Removing all leads of a kind that stands apart: those of tests, or sample data.

They go as if each was removed by hand, with everything that hangs on them. Where people merged
one of them with somebody else by hand, he stays, and is folded without it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.postgres import identity, profiles
from leadpulse.postgres import lead_changes as leads_store
from leadpulse.postgres import marked as store
from leadpulse.postgres.scoring import FIRST_ID
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.marked import Kind, Member
    from leadpulse.postgres.session import Pool

# Leads that one transaction removes, and seconds after which the caller is answered.
_PORTION: Final = 200
_PATIENCE: Final = 20.0
# Of so many the rows are removed at once; of others beside the scorers.
_AT_ONCE: Final = 300
_ROWS: Final = 10_000
_MERGES: Final = 10_000


class Removed(NamedTuple):
    """How many leads are gone (those that had merged into others not counted), and are left."""

    removed: int
    remaining: int


class _Parting(NamedTuple):
    """Who goes, who stays and has to be folded again, and the edges between the two."""

    gone: list[str]
    staying: list[str]
    cut: list[leads_store.MergeRow]


async def count_marked(pool: Pool, project_id: str, kind: Kind) -> int:
    """How many leads of a kind there are, those that merged into another one left out."""
    async with snapshot(pool, project_id) as (conn, _):
        return await store.standing(conn, project_id, kind)


async def remove_marked(pool: Pool, project_id: str, kind: Kind, by: str) -> Removed:
    """Removes every lead of a kind, with all that is known of it.

    Of very many some may remain when the caller has waited long enough: call again.
    """
    until = time.monotonic() + _PATIENCE
    removed, last = 0, FIRST_ID
    rows_of: list[str] = []
    while last and time.monotonic() < until:
        async with unit(pool, project_id) as (conn, _):
            gone, survivors, last = await _portion(conn, project_id, (kind, last), by)
        removed += survivors
        rows_of += gone[: _AT_ONCE - len(rows_of)]
    for lead in rows_of:
        if time.monotonic() > until:
            break
        async with unit(pool, project_id) as (conn, _):
            await leads_store.remove_rows(conn, project_id, lead, _ROWS)
    async with unit(pool, project_id) as (conn, _):
        await store.count_again(conn, project_id)
        remaining = await store.standing(conn, project_id, kind)
        if removed:
            action = "test_leads.removed" if kind == "test" else "sample_data.removed"
            await audit.record(conn, project_id, action, None, {"leads": removed})
    return Removed(removed, remaining)


async def _portion(
    conn: Connection, project_id: str, which: tuple[Kind, str], by: str
) -> tuple[list[str], int, str]:
    """Removes some leads of a kind behind an id.

    Tells which, how many of them were survivors, and where to go on; nowhere at the end.
    """
    kind, after = which
    await identity.lock_identities(conn, [project_id])
    found = await store.next_leads(conn, project_id, kind, after, _PORTION)
    if not found:
        return [], 0, ""
    members = await store.trees(conn, project_id, found)
    await leads_store.lock_leads(conn, project_id, sorted(m.lead_id for m in members))
    if kind == "test":
        gone = await _only_tests(conn, project_id, members)
    else:
        gone = [m.lead_id for m in members if m.sample]
    parting = await _parting(conn, project_id, members, gone)
    now = await leads_store.clock(conn)
    for edge in parting.cut:
        await leads_store.undo_merge(conn, project_id, edge, (now, by))
    await leads_store.remove_leads(conn, project_id, gone, now)
    if parting.staying:
        keys = [(project_id, lead) for lead in parting.staying]
        await identity.ask_refold(conn, now, keys)
        for _, root in await profiles.refresh_views(conn, now, keys):
            await leads_store.count_change(conn, project_id, root, now)
    survivors = {m.root_id for m in members} & set(gone)
    return gone, len(survivors), found[-1] if len(found) == _PORTION else ""


async def _only_tests(conn: Connection, project_id: str, members: Sequence[Member]) -> list[str]:
    """The leads of those trees of which nothing but tests is known, scored or not."""
    leads = [m.lead_id for m in members]
    more = await store.more_than_tests(conn, project_id, leads)
    real = {m.root_id for m in members if m.lead_id in more or not m.test}
    return [m.lead_id for m in members if m.root_id not in real]


async def _parting(
    conn: Connection, project_id: str, members: Sequence[Member], gone: Sequence[str]
) -> _Parting:
    """What has to be taken apart: a tree stays one only where nobody in it goes."""
    going = set(gone)
    mixed = {m.root_id for m in members if m.lead_id in going}
    mixed &= {m.root_id for m in members if m.lead_id not in going}
    if not mixed:
        return _Parting(list(gone), [], [])
    of_mixed = [m.lead_id for m in members if m.root_id in mixed]
    edges = await leads_store.merges_of(conn, project_id, of_mixed, _MERGES)
    cut = [
        edge
        for edge in edges
        if edge.undone_at is None and edge.parent_id in going and edge.child_id not in going
    ]
    staying = {root for root in mixed if root not in going} | {edge.child_id for edge in cut}
    return _Parting(list(gone), sorted(staying), cut)
