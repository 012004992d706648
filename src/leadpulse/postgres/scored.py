"""What a scorer writes: ledger, checkpoints, leads and what people saw, a statement each.

The two tables that every event touches get their rows as array literals made by hand: a
driver that turns Python lists into arrays costs more than PostgreSQL's own work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.domain.fold import Entry
from leadpulse.domain.state import State, state_from_document
from leadpulse.ids import uuid7s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.domain.facts import Fact
    from leadpulse.domain.fold import Checkpoint
    from leadpulse.postgres.connect import Connection

ENTRY_FIELDS: Final = Entry._fields
_MICROSECOND: Final = "interval '1 microsecond'"

_CHECKPOINTS: Final = f"""
select w.o, c.entry, c.state
from (
    select o, p, l, g, timestamptz 'epoch' + before * {_MICROSECOND} as before
    from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, l uuid, g int, before bigint)
) w
cross join lateral (
    select c.entry, c.state from checkpoints c
    where c.project_id = w.p and c.lead_id = w.l and c.generation = w.g and c.at < w.before
    order by c.at desc, c.entry desc limit 1
) c
"""  # noqa: S608 - constants of ours

# Work can come twice for a fact that a longer fold has met already. Times are computed first:
# behind the wall no index serves a comparison with a sum (so the `offset 0`).
_KNOWN: Final = f"""
select w.e::text
from (
    select w.p, w.l, w.g, w.e, timestamptz 'epoch' + w.at * {_MICROSECOND} as at
    from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, g int, at bigint, e uuid) offset 0
) w
where exists (
    select from ledger g
    where g.project_id = w.p and g.lead_id = w.l and g.generation = w.g and g.kind <> 1
        and g.at = w.at and g.event = w.e
)
"""  # noqa: S608 - constants of ours

# What stands behind a checkpoint, or (entry 0) a whole generation.
_CUT_CHECKPOINTS: Final = """
w as materialized (
    select * from jsonb_to_recordset(%(cuts)s::jsonb) w (p uuid, l uuid, g int, e int)
), c as (
    delete from checkpoints c using w
    where c.project_id = w.p and c.lead_id = w.l and c.generation = w.g and c.entry > w.e
)
"""
_CUT_LEDGER: Final = """
delete from ledger g using w
where g.project_id = w.p and g.lead_id = w.l and g.generation = w.g and g.entry > w.e
"""
_CUT: Final = f"with {_CUT_CHECKPOINTS} {_CUT_LEDGER}"

# Entries name their lead by its place in three short arrays.
_MADE: Final = """
unnest(%(o)s::int[], %(at)s::bigint[], %(entry)s::int[], %(kind)s::smallint[],
    %(event)s::uuid[], %(old)s::float8[], %(delta)s::float8[], %(new)s::float8[],
    %(points)s::float8[], %(rules)s::jsonb[], %(steps)s::int[], %(decayed_at)s::bigint[],
    %(version)s::int[], %(acts)s::int[])
    w (o, at, entry, kind, event, old, delta, new, points, rules, steps, decayed, v, acts)
"""
_INSERT: Final = f"""
insert into ledger (project_id, lead_id, generation, at, entry, kind, event, old_score, delta,
    new_score, points, rules, steps, decayed_at, model_version, acts, claimed_at, recorded_at)
select (%(projects)s::uuid[])[w.o], (%(leads)s::uuid[])[w.o], (%(generations)s::int[])[w.o],
    timestamptz 'epoch' + w.at * {_MICROSECOND}, w.entry, w.kind, w.event, w.old, w.delta,
    w.new, w.points, w.rules, w.steps, timestamptz 'epoch' + w.decayed * {_MICROSECOND}, w.v,
    w.acts,
"""
_CLAIMED: Final = f"timestamptz 'epoch' + %(claimed)s::bigint * {_MICROSECOND}"
_LEDGER: Final = f"{_INSERT} {_CLAIMED}, clock_timestamp() from {_MADE}"

# A ledger written again: an event that was scored before keeps the times of its first scoring,
# from the entry that is removed here, or from a generation that goes later. The grouping sees
# to it that everything is removed before anything is inserted in its place.
_LEDGER_AGAIN: Final = f"""
with made as materialized (select * from {_MADE}), {_CUT_CHECKPOINTS}, gone as (
    {_CUT_LEDGER} returning g.event, g.kind, g.claimed_at, g.recorded_at
), known as materialized (
    select t.event, min(t.claimed_at) as claimed_at, min(t.recorded_at) as recorded_at
    from (
        select gone.event, gone.claimed_at, gone.recorded_at from gone where gone.kind <> 1
        union all
        select w.event, g.claimed_at, g.recorded_at
        from jsonb_to_recordset(%(older)s::jsonb) f (p uuid, l uuid, g int, heir uuid)
        join made w on (%(leads)s::uuid[])[w.o] = f.heir and w.kind <> 1
        cross join lateral (
            select g.claimed_at, g.recorded_at from ledger g
            where g.project_id = f.p and g.lead_id = f.l and g.generation = f.g
                and g.at = timestamptz 'epoch' + w.at * {_MICROSECOND} and g.event = w.event
                and g.kind <> 1
            limit 1
        ) g
    ) t group by t.event
)
{_INSERT} coalesce(k.claimed_at, {_CLAIMED}), coalesce(k.recorded_at, clock_timestamp())
from made w left join known k on k.event = w.event and w.kind <> 1
"""  # noqa: S608 - constants of ours

_LEADS: Final = f"""
update leads l set
    score = w.score, stage = w.stage, version = l.version + w.seen,
    last_event_at = timestamptz 'epoch' + w.last * {_MICROSECOND},
    due_at = timestamptz 'epoch' + w.due * {_MICROSECOND},
    as_of = timestamptz 'epoch' + w.as_of * {_MICROSECOND},
    generation = w.g, entries = w.entries, state = w.state, epoch = w.epoch, stale = false,
    merged_into = null, refolds = w.refolds,
    refolds_since = timestamptz 'epoch' + w.since * {_MICROSECOND},
    updated_at = clock_timestamp()
from unnest(%s::uuid[], %s::uuid[], %s::float8[], %s::smallint[], %s::int[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::json[], %s::int[], %s::int[],
    %s::bigint[])
    w (p, id, score, stage, seen, last, due, as_of, g, entries, state, epoch, refolds, since)
where l.project_id = w.p and l.id = w.id
"""  # noqa: S608 - constants of ours

_SAVE_CHECKPOINTS: Final = f"""
insert into checkpoints (project_id, lead_id, generation, at, entry, state)
select w.p, w.l, w.g, timestamptz 'epoch' + w.at * {_MICROSECOND}, w.e, w.s
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, g int, at bigint, e int, s json)
"""  # noqa: S608 - constants of ours

_STAGE_CHANGES: Final = f"""
insert into stage_changes (project_id, lead_id, id, at, from_stage, to_stage, score,
    model_version, cause, event)
select w.p, w.l, w.id, timestamptz 'epoch' + w.at * {_MICROSECOND}, w.f, w.t, w.score, w.v,
    w.cause, w.event
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, id uuid, at bigint, f smallint,
    t smallint, score float8, v int, cause text, event uuid)
"""  # noqa: S608 - constants of ours

_REVISIONS: Final = f"""
insert into score_revisions (project_id, lead_id, id, at, cause, event, before, after)
select w.p, w.l, w.id, timestamptz 'epoch' + w.at * {_MICROSECOND}, w.cause, w.event,
    w.before, w.after
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, id uuid, at bigint, cause text,
    event uuid, before float8, after float8)
"""  # noqa: S608 - constants of ours

_MUTATIONS: Final = f"""
insert into activity_deltas (project_id, hour, event_type, mutations)
select w.p, date_trunc('hour', timestamptz 'epoch' + w.at * {_MICROSECOND}, 'UTC'), w.type, w.n
from jsonb_to_recordset(%s::jsonb) w (p uuid, at bigint, type text, n bigint)
"""  # noqa: S608 - constants of ours

# A merged lead shows nothing any more; its facts count for the survivor. Should it come back,
# it begins behind the generation that a long fold of it may be at, and its next change of
# stage goes on from the stage that people saw last.
_MERGED: Final = """
with w as materialized (
    select * from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, root uuid)
), f as (
    update lead_profiles f set hidden = true from w where f.project_id = w.p and f.lead_id = w.l
)
update leads l set merged_into = w.root, score = 0, version = l.version + 1,
    last_event_at = null, due_at = null, entries = 0,
    generation = 1 + greatest(l.generation, (select r.generation from refolds r
        where r.project_id = l.project_id and r.lead_id = l.id)),
    state = '{}', stale = true, updated_at = clock_timestamp()
from w where l.project_id = w.p and l.id = w.l
"""

_SHOWN_AGAIN: Final = """
update lead_profiles f set hidden = false
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid)
where f.project_id = w.p and f.lead_id = w.l
"""

_OLD_GENERATIONS: Final = """
insert into old_generations (project_id, lead_id, generation)
select w.p, w.l, w.g from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, g int)
on conflict do nothing
"""


class CheckpointWanted(NamedTuple):
    """The newest checkpoint of a lead's generation strictly before an instant (µs)."""

    project_id: str
    lead_id: str
    generation: int
    before: int


class Cut(NamedTuple):
    """Remove the ledger of a generation behind an entry; 0 removes all of it."""

    project_id: str
    lead_id: str
    generation: int
    after_entry: int


class Older(NamedTuple):
    """A generation that stays for now and holds events which are scored again, for `heir_id`."""

    project_id: str
    lead_id: str
    generation: int
    heir_id: str


class LeadUpdate(NamedTuple):
    """A lead as it is from now on. `seen` is 1 if people see a difference."""

    project_id: str
    id: str
    score: float
    stage: int
    seen: int
    due: int | None
    as_of: int
    generation: int
    state: State
    epoch: int
    refolds: int
    refolds_since: int | None


class StageChange(NamedTuple):
    """A change of stage that people saw."""

    project_id: str
    lead_id: str
    at: int
    before: int
    after: int
    score: float
    version: int
    cause: str
    event: str | None


class Revision(NamedTuple):
    """A score that a re-fold changed, before and after at one and the same instant."""

    project_id: str
    lead_id: str
    at: int
    cause: str
    event: str | None
    before: float
    after: float


@dataclass(slots=True)
class Writes:
    """Everything a pass changes, gathered while it folds."""

    cuts: list[Cut] = field(default_factory=list)
    older: list[Older] = field(default_factory=list)
    entries: list[tuple[str, str, int, list[Entry]]] = field(default_factory=list)
    checkpoints: list[tuple[str, str, int, Checkpoint]] = field(default_factory=list)
    leads: list[LeadUpdate] = field(default_factory=list)
    stage_changes: list[StageChange] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    mutations: dict[tuple[str, str], int] = field(default_factory=dict)
    merged: list[tuple[str, str, str]] = field(default_factory=list)
    shown_again: list[tuple[str, str]] = field(default_factory=list)
    old_generations: list[tuple[str, str, int]] = field(default_factory=list)


async def nearest_checkpoints(conn: Connection, wanted: Sequence[CheckpointWanted]) -> list[State]:
    """Return the states to fold from: a fresh one where there is no checkpoint."""
    asked = [
        {"o": o, "p": w.project_id, "l": w.lead_id, "g": w.generation, "before": w.before}
        for o, w in enumerate(wanted)
    ]
    found = [State() for _ in wanted]
    cursor = await conn.execute(_CHECKPOINTS.encode(), (_json(asked),))
    for o, _, state in await cursor.fetchall():
        found[o] = state_from_document(state)
    return found


async def known_facts(conn: Connection, facts: Sequence[tuple[str, str, int, Fact]]) -> set[str]:
    """Return the ids of those facts that stand in the ledger: (project, lead, generation, fact)."""
    asked = [
        {"p": p, "l": lead, "g": generation, "at": fact.ts, "e": fact.id}
        for p, lead, generation, fact in facts
    ]
    cursor = await conn.execute(_KNOWN.encode(), (_json(asked),))
    return {event for (event,) in await cursor.fetchall()}


async def save(conn: Connection, writes: Writes, claimed_at: int) -> None:
    """Write all of it; the statements go out together and are answered together."""
    async with conn.pipeline():
        await _save_ledger(conn, writes, claimed_at)
        if writes.checkpoints:
            await conn.execute(_SAVE_CHECKPOINTS.encode(), (_json([
                {"p": p, "l": lead, "g": g, "at": c.at, "e": c.entry, "s": c.state.to_document()}
                for p, lead, g, c in writes.checkpoints
            ]),))  # fmt: skip
        if writes.leads:
            await conn.execute(_LEADS.encode(), _lead_columns(writes.leads))
        await _save_seen(conn, writes, claimed_at)


async def _save_ledger(conn: Connection, writes: Writes, claimed_at: int) -> None:
    again = {
        "cuts": _json([
            {"p": c.project_id, "l": c.lead_id, "g": c.generation, "e": c.after_entry}
            for c in writes.cuts
        ]),
        "older": _json([
            {"p": o.project_id, "l": o.lead_id, "g": o.generation, "heir": o.heir_id}
            for o in writes.older
        ]),
    }  # fmt: skip
    if not writes.entries:
        if writes.cuts:
            await conn.execute(_CUT.encode(), again)
        return
    columns = _ledger_columns(writes, claimed_at)
    if writes.cuts or writes.older:
        await conn.execute(_LEDGER_AGAIN.encode(), columns | again)
    else:
        await conn.execute(_LEDGER.encode(), columns)


async def _save_seen(conn: Connection, writes: Writes, now: int) -> None:
    if writes.stage_changes:
        await conn.execute(_STAGE_CHANGES.encode(), (_json([
            {
                "p": c.project_id, "l": c.lead_id, "id": id_, "at": c.at, "f": c.before,
                "t": c.after, "score": c.score, "v": c.version, "cause": c.cause,
                "event": c.event,
            }
            for id_, c in zip(uuid7s(len(writes.stage_changes)), writes.stage_changes, strict=True)
        ]),))  # fmt: skip
    if writes.revisions:
        await conn.execute(_REVISIONS.encode(), (_json([
            {
                "p": r.project_id, "l": r.lead_id, "id": id_, "at": r.at, "cause": r.cause,
                "event": r.event, "before": r.before, "after": r.after,
            }
            for id_, r in zip(uuid7s(len(writes.revisions)), writes.revisions, strict=True)
        ]),))  # fmt: skip
    if writes.mutations:
        await conn.execute(_MUTATIONS.encode(), (_json([
            {"p": p, "type": name, "n": n, "at": now}
            for (p, name), n in writes.mutations.items()
        ]),))  # fmt: skip
    if writes.merged:
        await conn.execute(_MERGED.encode(), (_json([
            {"p": p, "l": child, "root": root} for p, child, root in writes.merged
        ]),))  # fmt: skip
    if writes.shown_again:
        await conn.execute(_SHOWN_AGAIN.encode(), (_json([
            {"p": p, "l": lead} for p, lead in writes.shown_again
        ]),))  # fmt: skip
    if writes.old_generations:
        await conn.execute(_OLD_GENERATIONS.encode(), (_json([
            {"p": p, "l": lead, "g": g} for p, lead, g in writes.old_generations
        ]),))  # fmt: skip


def _ledger_columns(writes: Writes, claimed_at: int) -> dict[str, object]:
    owners: list[int] = []
    entries: list[Entry] = []
    for number, (_, _, _, made) in enumerate(writes.entries, start=1):
        owners += [number] * len(made)
        entries += made
    columns = dict(zip(ENTRY_FIELDS, zip(*entries, strict=True), strict=True))
    literals: dict[str, object] = {
        name: _numbers(values) for name, values in columns.items() if name not in ("event", "rules")
    }
    return literals | {
        "projects": _ids([project_id for project_id, _, _, _ in writes.entries]),
        "leads": _ids([lead_id for _, lead_id, _, _ in writes.entries]),
        "generations": _numbers([generation for _, _, generation, _ in writes.entries]),
        "claimed": claimed_at,
        "o": _numbers(owners),
        "event": _ids(columns["event"]),
        "rules": _documents(columns["rules"]),
    }


def _lead_columns(leads: Sequence[LeadUpdate]) -> list[object]:
    project, lead, score, stage, seen, due, as_of, generation, state, epoch, refolds, since = zip(
        *leads, strict=True
    )
    return [
        _ids(project), _ids(lead), _numbers(score), _numbers(stage), _numbers(seen),
        _numbers([s.last_act for s in state]), _numbers(due), _numbers(as_of),
        _numbers(generation), _numbers([s.entries for s in state]),
        _documents([s.to_document() for s in state]), _numbers(epoch), _numbers(refolds),
        _numbers(since),
    ]  # fmt: skip


# ── Array literals ───────────────────────────────────────────────────────────────────


def _ids(values: Sequence[str]) -> str:
    return "{" + ",".join(values) + "}"


def _numbers(values: Sequence[float | None]) -> str:
    # JSON's numbers are PostgreSQL's too: the shortest text that reads back as the same double.
    return "{" + msgspec.json.encode(values)[1:-1].decode() + "}"


def _documents(values: Sequence[object]) -> str:
    encode = msgspec.json.encode
    return "{" + ",".join([
        "null" if v is None
        else '"' + encode(v).decode().replace("\\", "\\\\").replace('"', '\\"') + '"'
        for v in values
    ]) + "}"  # fmt: skip


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()
