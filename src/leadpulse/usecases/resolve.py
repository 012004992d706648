"""Finding the lead of each event of a batch, inside the transaction that stores the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leadpulse.domain.errors import Overloaded, TooMany
from leadpulse.domain.facts import DAY, SECOND
from leadpulse.domain.identity import (
    MOST_PEOPLE,
    Decision,
    Graph,
    Name,
    Named,
    Resolved,
    apply,
    decide,
    vouched,
)
from leadpulse.domain.profile import Held, Source, stated, view
from leadpulse.ids import uuid7s
from leadpulse.postgres import identity as store
from leadpulse.postgres.connect import Connection

# Told how many new leads the claims of a batch want, by project; says how many may be made.
Allowance = Callable[[Mapping[str, int]], Awaitable[Mapping[str, int]]]

# Each try is lost only to somebody who got an identifier first and has committed.
_TRIES: Final = 20


class _LostError(Exception):
    """Another transaction was first with an identifier."""


@dataclass
class _Plan:
    """What a batch changes, in the order in which it was decided."""

    resolved: list[Resolved] = field(default_factory=list)
    leads: list[store.NewLead] = field(default_factory=list)
    names: list[store.NewName] = field(default_factory=list)
    changed: dict[tuple[str, Name], store.ChangedName] = field(default_factory=dict)
    merges: list[store.NewMerge] = field(default_factory=list)
    # Leads that lost an anonymousId, and may have shown it.
    left: list[tuple[str, str]] = field(default_factory=list)
    claimed_leads: Counter[str] = field(default_factory=Counter)


async def resolve(
    conn: Connection, now: int, items: Sequence[Named], allowance: Allowance | None = None
) -> list[Resolved]:
    """Decides the leads of `items` in their order and writes what follows from it.

    Runs in the caller's transaction (READ COMMITTED), before its events are inserted; takes
    the identity lock of every project in which it may change a link, until the commit.
    `allowance` is asked at most once, before anything is written: claims that would make more
    leads than it allows answer `lead_ceiling` and have no effect.
    """
    if not items:
        return []
    locked, graphs = await _lock(conn, items)
    granted: Mapping[str, int] | None = None
    for _ in range(_TRIES):
        plan = _decide_all(graphs, items, locked, granted, now)
        if allowance is not None and granted is None and plan.claimed_leads:
            granted = await allowance(dict(plan.claimed_leads))
            if any(granted.get(p, 0) < n for p, n in plan.claimed_leads.items()):
                graphs = await _load(conn, items, locked)
                plan = _decide_all(graphs, items, locked, granted, now)
        try:
            async with conn.transaction():
                await _write(conn, now, plan)
        except _LostError:
            graphs = await _load(conn, items, locked)
            continue
        return plan.resolved
    raise Overloaded("Too many requests create the same leads at once.")


def _links(named: Named) -> bool:
    return named.lead_id is not None or len(named.names()) > 1


async def _load(
    conn: Connection, items: Sequence[Named], locked: frozenset[str]
) -> dict[str, Graph]:
    return await store.load_graphs(
        conn,
        [(item.project_id, name) for item in items for name in item.names()],
        [(item.project_id, item.lead_id) for item in items if item.lead_id is not None],
        locked,
    )


async def _lock(
    conn: Connection, items: Sequence[Named]
) -> tuple[frozenset[str], dict[str, Graph]]:
    """Takes the locks that the batch needs, all at once, and reads under them."""
    linking = {item.project_id for item in items if _links(item)}
    sure = [item for item in items if not _links(item) and vouched(item, item.names()[0][0])]
    graphs: dict[str, Graph] | None = None
    if sure:
        graphs = await _load(conn, items, frozenset())
        for item in sure:
            graph = graphs.get(item.project_id)
            known = graph.identifiers.get(item.names()[0]) if graph is not None else None
            if known is not None and not known.confirmed:
                linking.add(item.project_id)
    locked = frozenset(linking)
    if locked:
        await store.lock_identities(conn, locked)
        graphs = None
    return locked, await _load(conn, items, locked) if graphs is None else graphs


def _decide_all(
    graphs: dict[str, Graph],
    items: Sequence[Named],
    locked: frozenset[str],
    granted: Mapping[str, int] | None,
    now: int,
) -> _Plan:
    plan = _Plan()
    for item, fresh in zip(items, uuid7s(len(items)), strict=True):
        graph = graphs.setdefault(item.project_id, Graph())
        decision = decide(graph, item, fresh)
        if item.project_id not in locked:
            # Only a lead that another process made a moment ago can be unconfirmed here.
            decision.confirmed = []
        if decision.created and not item.trusted and decision.error is None:
            left = None if granted is None else granted.get(item.project_id, 0)
            if left is not None and plan.claimed_leads[item.project_id] >= left:
                decision = Decision(error=_ceiling(now))
            else:
                plan.claimed_leads[item.project_id] += 1
        if decision.error is not None:
            plan.resolved.append(Resolved("", error=decision.error))
            continue
        if decision.moved is not None:
            plan.left.append((item.project_id, graph.identifiers[decision.moved].lead))
        apply(graph, item, decision)
        _note(plan, item, decision)
        plan.resolved.append(
            Resolved(
                decision.lead, decision.created, decision.changes_links,
                root=graph.root(decision.lead), merged=bool(decision.merges),
            )
        )  # fmt: skip
    if plan.merges:
        plan.resolved = [
            one._replace(root=graphs[item.project_id].root(one.lead_id))
            for item, one in zip(items, plan.resolved, strict=True)
        ]
    return plan


def _ceiling(now: int) -> TooMany:
    return TooMany(
        "This project has taken as many new leads from write keys as it may in a day.",
        "lead_ceiling",
        retry_after=(DAY - now % DAY) // SECOND + 1,
    )


def _note(plan: _Plan, item: Named, decision: Decision) -> None:
    """Adds what one decision changes to the plan."""
    project, lead = item.project_id, decision.lead
    if decision.created:
        plan.leads.append(_new_lead(item, decision))
    for name in decision.attached:
        plan.names.append(store.NewName(project, name, lead, vouched(item, name[0])))
    cause = "trusted" if item.trusted else "claim"
    for merge in decision.merges:
        plan.merges.append(
            store.NewMerge(project, merge.child, merge.parent, "event", cause, item.event)
        )
    for name in decision.confirmed:
        _change(plan, store.ChangedName(project, name, None, confirmed=True))
    if decision.moved is not None:
        people = decision.people
        _change(plan, store.ChangedName(project, decision.moved, lead, None, len(people), people))
    if decision.worn_out is not None:
        worn_out = store.ChangedName(project, decision.worn_out, None, None, MOST_PEOPLE + 1)
        _change(plan, worn_out)


def _change(plan: _Plan, change: store.ChangedName) -> None:
    """Lays a change of an identifier over an earlier one of the same batch."""
    key = (change.project_id, change.name)
    before = plan.changed.get(key)
    if before is not None:
        change = store.ChangedName(
            *key,
            before.lead_id if change.lead_id is None else change.lead_id,
            before.confirmed if change.confirmed is None else change.confirmed,
            before.links if change.links is None else change.links,
            before.people if change.people is None else change.people,
        )
    plan.changed[key] = change


def _new_lead(item: Named, decision: Decision) -> store.NewLead:
    """The first profile of a lead, from the event that made it."""
    traits = dict(item.traits or {})
    if item.email is not None:
        traits["email"] = item.email
    facts = stated(traits, Source(item.ts, item.event_id, item.trusted))
    names = [*decision.attached, *([decision.moved] if decision.moved is not None else [])]
    held = [Held(kind, value, vouched(item, kind), own=True) for kind, value in names]
    return store.NewLead(
        item.project_id, decision.lead, facts, view(facts, held), item.ts, item.test, item.sample
    )


async def _write(conn: Connection, now: int, plan: _Plan) -> None:
    if not await store.create(conn, now, plan.leads, plan.names):
        raise _LostError
    await store.change_names(conn, list(plan.changed.values()))
    await store.add_merges(conn, now, plan.merges)
    await store.ask_refold(conn, now, plan.left, store.LOOK)
