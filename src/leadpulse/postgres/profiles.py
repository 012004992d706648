"""Profiles: the facts of each lead, and what the survivor of a tree shows of them.

Callers hold the row locks of the survivors, so that of two changes of one profile the second
sees the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.profile import Facts, Source, View, stated, union, view
from leadpulse.postgres import work
from leadpulse.postgres.connect import Connection, Instant
from leadpulse.postgres.identity import load_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LOAD: Final = """
select n.p::text, n.l::text, f.lead_id::text, f.facts, f.email, f.user_id, f.name, f.company,
    f.traits, f.claimed, f.anonymous_id, f.owner, f.status
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid)
cross join lateral (
    select n.l as lead_id
    union all
    select r.lead_id from lead_roots r where r.project_id = n.p and r.root_id = n.l
) m
cross join lateral (
    select * from lead_profiles f where f.project_id = n.p and f.lead_id = m.lead_id limit 1
) f
"""

_SAVE_FACTS: Final = """
update lead_profiles f set facts = n.f
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid, f jsonb)
where f.project_id = n.p and f.lead_id = n.l
"""

_SAVE_VIEWS: Final = """
update lead_profiles f set
    email = n.e, user_id = n.u, name = n.n, company = n.c, traits = n.t, claimed = n.cl,
    anonymous_id = n.a, owner = n.o, status = n.s, updated_at = %(now)s
from jsonb_to_recordset(%(views)s::jsonb) n (
    p uuid, l uuid, e text, u text, n text, c text, t jsonb, cl text[], a text, o text, s text)
where f.project_id = n.p and f.lead_id = n.l
"""

Key = tuple[str, str]


class Said(NamedTuple):
    """What one event says about a person; no traits: look at the identifiers again.

    `lead_id` is the event's lead, `root_id` its survivor. `inside`: a change made in the
    product itself, which may set our own `$` fields.
    """

    project_id: str
    lead_id: str
    root_id: str
    source: Source
    traits: Mapping[str, Any] | None
    inside: bool = False


async def apply_traits(
    conn: Connection, now: int, items: Sequence[Said], by: str | None = None
) -> set[Key]:
    """Add what events say to the facts of their leads and show it.

    `by` is who changes it, for the history of owner and status.

    Returns (project, survivor) of the leads of which a shown field changed. Any order of
    events and any split into calls ends in the same profiles.
    """
    return await _apply(conn, (now, by), items, {(s.project_id, s.root_id) for s in items})


async def refresh_views(
    conn: Connection, now: int, roots: Iterable[Key], by: str | None = None
) -> set[Key]:
    """Show of each survivor what its tree says now, after a merge, an undo or a lost name.

    Returns those of which a shown field changed.
    """
    return await _apply(conn, (now, by), (), set(roots))


async def facts_of(conn: Connection, roots: Sequence[Key]) -> dict[str, list[Facts]]:
    """Return the facts of each lead in the trees of survivors, by survivor."""
    found: dict[str, list[Facts]] = {root: [] for _, root in roots}
    asked = [{"p": p, "l": root} for p, root in roots]
    cursor = await conn.execute(_LOAD, (msgspec.json.encode(asked).decode(),))
    for row in await cursor.fetchall():
        found[row[1]].append(row[3])
    return found


async def _apply(
    conn: Connection, stamp: tuple[int, str | None], items: Sequence[Said], roots: set[Key]
) -> set[Key]:
    if not roots:
        return set()
    facts: dict[Key, dict[str, Facts]] = {key: {} for key in roots}
    shown: dict[Key, View] = {}
    asked = [{"p": p, "l": root} for p, root in sorted(roots)]
    cursor = await conn.execute(_LOAD, (msgspec.json.encode(asked).decode(),))
    for p, root, lead, of_lead, *columns in await cursor.fetchall():
        facts[p, root][lead] = of_lead
        if lead == root:
            shown[p, root] = View(*columns)
    await _save_facts(conn, _add(facts, items))
    held = await load_held(conn, sorted(shown))
    changed: dict[Key, View] = {}
    for key, before in shown.items():
        after = view(union(facts[key].values()), held[key])
        if after != before:
            changed[key] = after
    now, by = stamp
    await _save_views(conn, now, changed)
    worked = [
        work.Changed(*key, field, was, now_is)
        for key, after in changed.items()
        for field, was, now_is in _work_done(shown[key], after)
    ]
    if worked:
        await work.record(conn, now, worked, by)
    return set(changed)


def _work_done(before: View, after: View) -> list[tuple[str, str | None, str | None]]:
    """What of owner and status is different: the field, its value before and after."""
    both = (("owner", before.owner, after.owner), ("status", before.status, after.status))
    return [(field, was, now_is) for field, was, now_is in both if was != now_is]


def _add(facts: dict[Key, dict[str, Facts]], items: Sequence[Said]) -> dict[Key, Facts]:
    """Adds to the loaded facts; returns those of the leads that changed by it."""
    changed: dict[Key, Facts] = {}
    for said in items:
        leads = facts[said.project_id, said.root_id]
        before = leads.get(said.lead_id)
        # A lead that was deleted meanwhile has no profile to add to.
        if before is None or not said.traits:
            continue
        after = union((before, stated(said.traits, said.source, inside=said.inside)))
        if after != before:
            leads[said.lead_id] = changed[said.project_id, said.lead_id] = after
    return changed


async def _save_facts(conn: Connection, changed: Mapping[Key, Facts]) -> None:
    if changed:
        document = [{"p": p, "l": lead, "f": facts} for (p, lead), facts in changed.items()]
        await conn.execute(_SAVE_FACTS, (msgspec.json.encode(document).decode(),))


async def _save_views(conn: Connection, now: int, changed: Mapping[Key, View]) -> None:
    if not changed:
        return
    document = [
        {
            "p": p, "l": root, "e": v.email, "u": v.user_id, "n": v.name, "c": v.company,
            "t": v.traits, "cl": v.claimed, "a": v.anonymous_id, "o": v.owner, "s": v.status,
        }
        for (p, root), v in changed.items()
    ]  # fmt: skip
    views = msgspec.json.encode(document).decode()
    await conn.execute(_SAVE_VIEWS, {"views": views, "now": Instant(now)})
