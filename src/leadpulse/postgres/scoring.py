"""What a scorer takes: whose turn it is, the leads nobody else holds, and their new facts.

Each statement fixes its own order of look-ups by lateral sub-selects: the inbox changes
faster than any statistics, and a plan that reads a table from end to end stops the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.retry import Failures
from leadpulse.postgres.facts import CONTENT
from leadpulse.postgres.identity import LOOK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leadpulse.postgres.connect import Connection

FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"

_DUE_ROWS: Final = "(i.not_before is null or i.not_before <= statement_timestamp())"

# A request to fold a lead from its first fact.
_WISH: Final = f"(i.kind = 1 and i.event_type is distinct from '{LOOK}')"

_PORTIONS: Final = f"""
    select r.project_id, r.lead_id, count(*)::int as rows, bool_or(r.wish) as refold
    from jsonb_to_recordset(%s::jsonb) w (p uuid, a uuid, n int, of int, share int)
    cross join lateral (
        select i.project_id, i.lead_id, {_WISH} as wish from inbox i
        where i.project_id = w.p and i.lead_id > w.a and {_DUE_ROWS}
            and (w.of = 1 or (uuid_hash(i.lead_id) & 65535) %% w.of = w.share
                 or i.received_at < statement_timestamp() - interval '1 second')
        order by i.lead_id, i.id limit w.n
    ) r
    group by r.project_id, r.lead_id
"""  # noqa: S608 - constants of ours

_NAMED: Final = f"""
    select w.p as project_id, w.l as lead_id, r.rows, r.refold
    from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, n int)
    cross join lateral (
        select count(*)::int as rows, coalesce(bool_or(i.wish), false) as refold from (
            select {_WISH} as wish from inbox i
            where i.project_id = w.p and i.lead_id = w.l and {_DUE_ROWS}
            order by i.id limit w.n
        ) i
    ) r
"""  # noqa: S608 - constants of ours

# The lock and the row come together, so that a row changed a moment ago is read as it is now.
_PICK: Final = """
with found as materialized ({found}),
rooted as materialized (
    select f.project_id, f.lead_id, f.rows, f.refold,
        coalesce((select r.root_id from lead_roots r
                  where r.project_id = f.project_id and r.lead_id = f.lead_id),
                 f.lead_id) as root_id
    from found f
)
select r.project_id::text, r.lead_id::text, r.root_id::text, r.rows, r.refold,
    l.score, l.stage, l.generation, l.entries, l.state, l.epoch, l.stale,
    l.merged_into is not null, l.refolds, l.refolds_since, l.test, l.sample,
    l.id is not null,
    f.attempts, f.crashes, f.solo_crashes
from rooted r
left join lateral (
    select f.* from scoring_failures f
    where f.project_id = r.project_id and f.lead_id = r.root_id
) f on true
left join lateral (
    select l.* from leads l
    where l.project_id = r.project_id and l.id = r.root_id
        and (f.retry_at is null or f.retry_at <= statement_timestamp())
        and not exists (select from refolds s
                        where s.project_id = r.project_id and s.lead_id = r.root_id)
    for no key update of l skip locked
) l on true
order by r.project_id, r.lead_id
"""
_PICK_PORTIONS: Final = _PICK.format(found=_PORTIONS)
_PICK_NAMED: Final = _PICK.format(found=_NAMED)

_VERSIONS: Final = """
select p.id::text, p.model_version, p.history_version, clock_timestamp()
from jsonb_array_elements_text(%s::jsonb) w (p)
cross join lateral (
    select p.id, p.model_version, p.history_version from projects p
    where p.id = w.p::uuid limit 1
) p
"""

_ROOTS: Final = """
select w.p::text, coalesce((select r.root_id from lead_roots r
                            where r.project_id = w.p and r.lead_id = w.l), w.l)::text
from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, l uuid) order by w.o
"""

# A lead that was merged since it was picked, or whose long fold began just then, is left: its
# turn comes again.
_MEMBERS: Final = """
select w.o,
    exists (select from lead_roots r where r.project_id = w.p and r.lead_id = w.l)
    or exists (select from refolds s where s.project_id = w.p and s.lead_id = w.l),
    coalesce((select max(g.generation) from old_generations g
              where g.project_id = w.p and g.lead_id = w.l), -1),
    m.lead_id::text, m.lead_id is not null and l.id is null,
    l.merged_into is distinct from w.l, l.generation, l.entries, l.stale
from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, l uuid)
left join lateral (
    select r.lead_id from lead_roots r where r.project_id = w.p and r.root_id = w.l
) m on true
left join lateral (
    select l.id, l.merged_into, l.generation, l.entries, l.stale from leads l
    where l.project_id = w.p and l.id = m.lead_id
    for no key update of l skip locked
) l on true
order by w.o, m.lead_id
"""

# By ctid: the rows can't move, and the look-up of the delete costs nothing. Small properties
# of types that rules look into come along.
# A request to fold everything is taken by a pass that does (w.f), and by no other: it may have
# come since the lead was picked, and before rows that were there already in the order of ids.
_TAKE: Final = f"""
with picked as materialized (
    select r.c
    from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, r uuid, n int, v int, f boolean)
    cross join lateral (
        select i.ctid as c from inbox i
        where i.project_id = w.p and i.lead_id = w.l and {_DUE_ROWS}
            and (i.model_version <= w.v or (i.kind = 1 and (w.f or not {_WISH})))
        order by i.id limit w.n
    ) r
    where coalesce((select t.root_id from lead_roots t
                    where t.project_id = w.p and t.lead_id = w.l), w.l) = w.r
        and not exists (select from refolds s where s.project_id = w.p and s.lead_id = w.r)
)
delete from inbox i where i.ctid = any (array(select c from picked))
returning i.ts, i.event_id, (not i.trusted)::int, i.id::text, i.event_type, i.model_version,
    (select case when pg_column_size(e.properties) < 900 then {CONTENT} end
     from events e
     where i.event_type = any (%s::text[]) and e.project_id = i.project_id and e.id = i.id),
    i.lead_id::text, i.has_traits, i.kind,
    i.received_at
"""  # noqa: S608 - constants of ours

_PUT_BACK: Final = """
insert into inbox (project_id, lead_id, id, kind, trusted, event_id, event_type, ts, received_at,
    model_version, has_traits, not_before)
select w.p, w.l, w.id, w.k, w.c = 0, w.e, w.type,
    timestamptz 'epoch' + w.ts * interval '1 microsecond',
    coalesce(timestamptz 'epoch' + w.received * interval '1 microsecond', e.received_at,
             clock_timestamp()), w.v, w.traits,
    timestamptz 'epoch' + w.after * interval '1 microsecond'
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, id uuid, k smallint, c int, e text,
    type text, ts bigint, received bigint, v int, traits boolean, after bigint)
left join lateral (
    select e.received_at from events e where e.project_id = w.p and e.id = w.id
) e on true
order by w.p, w.l, w.id
on conflict do nothing
"""


class Portion(NamedTuple):
    """A project's share of a pass: at most `rows` inbox rows of leads behind `after`."""

    project_id: str
    after: str
    rows: int


class Share(NamedTuple):
    """The part of all leads that a scorer looks at first: `number` of `of`.

    Only so that scorers don't find each other's leads locked: after a second anybody takes
    whatever waits, so that no share depends on one scorer.
    """

    number: int
    of: int


EVERYTHING: Final = Share(0, 1)


class Candidate(NamedTuple):
    """A lead with rows in the inbox, and its root's row if this transaction got the lock.

    `rows` were found within the portion, `refold`: one asks for a fold from the first fact.
    """

    project_id: str
    lead_id: str
    root_id: str
    rows: int
    refold: bool
    score: float
    stage: int
    generation: int
    entries: int
    state: Any
    epoch: int
    stale: bool
    merged: bool
    refolds: int
    refolds_since: int | None
    test: bool
    sample: bool
    locked: bool
    failures: Failures


class Versions(NamedTuple):
    """A project's models in force, read at an instant."""

    project_id: str
    newest: int
    history: int
    now: int


class Member(NamedTuple):
    """A lead that is merged into a root; `fresh`: its row doesn't say so yet.

    `stale`: work of its own was given up.
    """

    lead_id: str
    fresh: bool
    generation: int
    entries: int
    stale: bool


class Tree(NamedTuple):
    """The leads below a root, locked; `held`: someone else has a part of it, or it is no root.

    `removing` is the newest generation of its ledger that is still being removed; -1: none.
    """

    held: bool
    removing: int
    members: list[Member]


class Take(NamedTuple):
    """Take at most `rows` of a lead's rows, if `root_id` is (still) its root.

    `full`: what is taken is folded with all the rest of the lead.
    """

    project_id: str
    lead_id: str
    root_id: str
    rows: int
    newest: int
    full: bool


# A row that was taken out of the inbox, as it comes: there are too many to dress them up.
# The first seven columns are those of a domain Fact (properties only where they are known).
# Of kind 1 (a request to fold everything) the fact is empty but for its id.
Row = tuple[int, str, int, str, str, int, Any, str, bool, int, int]
ID: Final = 3
TYPE: Final = 4
LEAD: Final = 7
HAS_TRAITS: Final = 8
KIND: Final = 9
RECEIVED: Final = 10


class PutBack(NamedTuple):
    """A row that goes back, to be taken not before an instant (µs; None: at once)."""

    project_id: str
    row: Row
    not_before: int | None


async def prepare_session(conn: Connection) -> None:
    """Set up a connection for passes: whatever statistics say, tables grow within a second."""
    await conn.execute("set enable_seqscan = off")


async def pick_portions(
    conn: Connection, portions: Sequence[Portion], share: Share | None = None
) -> list[Candidate]:
    """Find whose turn it is and lock the leads nobody holds; never waits for a lock."""
    share = share or EVERYTHING
    asked = [
        {"p": p.project_id, "a": p.after, "n": p.rows, "of": share.of, "share": share.number}
        for p in portions
    ]
    return await _pick(conn, _PICK_PORTIONS, asked)


async def pick_named(
    conn: Connection, leads: Iterable[tuple[str, str]], rows: int
) -> list[Candidate]:
    """Lock leads, given as (project, lead), that nobody holds, whether or not rows wait."""
    asked = [{"p": project_id, "l": lead_id, "n": rows} for project_id, lead_id in leads]
    return await _pick(conn, _PICK_NAMED, asked)


async def _pick(
    conn: Connection, statement: str, asked: Sequence[dict[str, object]]
) -> list[Candidate]:
    cursor = await conn.execute(statement.encode(), (_json(asked),))
    return [
        Candidate._make([*row[:18], _NO_FAILURES if row[18] is None else Failures(*row[18:])])
        for row in await cursor.fetchall()
    ]


_NO_FAILURES: Final = Failures()


async def versions_of(conn: Connection, projects: Iterable[str]) -> dict[str, Versions]:
    """Return the models in force, and the time."""
    cursor = await conn.execute(_VERSIONS, (_json(list(projects)),))
    return {row[0]: Versions(*row) for row in await cursor.fetchall()}


async def lock_trees(conn: Connection, roots: Sequence[tuple[str, str]]) -> list[Tree]:
    """Lock all leads that are merged into these (project, root) leads; waits for no lock."""
    asked = [{"o": o, "p": project_id, "l": root} for o, (project_id, root) in enumerate(roots)]
    cursor = await conn.execute(_MEMBERS, (_json(asked),))
    held, removing = [False] * len(roots), [-1] * len(roots)
    members: list[list[Member]] = [[] for _ in roots]
    for o, not_now, old, lead_id, taken, *rest in await cursor.fetchall():
        held[o] = held[o] or not_now or taken
        removing[o] = old
        if lead_id is not None and not taken:
            members[o].append(Member(lead_id, *rest))
    return [Tree(*tree) for tree in zip(held, removing, members, strict=True)]


async def roots_of(conn: Connection, leads: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the survivors of leads, given and returned as (project, lead)."""
    asked = [{"o": o, "p": project_id, "l": lead} for o, (project_id, lead) in enumerate(leads)]
    cursor = await conn.execute(_ROOTS, (_json(asked),))
    return [(project_id, root) for project_id, root in await cursor.fetchall()]


async def take_rows(
    conn: Connection, takes: Sequence[Take], looked_into: Iterable[str]
) -> list[Row]:
    """Take rows of locked leads out of the inbox, in no particular order.

    Rows of the types in `looked_into` bring their properties if these are small.
    """
    asked = [
        {
            "p": t.project_id, "l": t.lead_id, "r": t.root_id, "n": t.rows, "v": t.newest,
            "f": t.full,
        }
        for t in takes
    ]  # fmt: skip
    cursor = await conn.execute(_TAKE, (_json(asked), list(looked_into)))
    return await cursor.fetchall()


async def put_back(conn: Connection, rows: Sequence[PutBack]) -> None:
    """Put rows that were taken back where they were."""
    asked = [
        {
            "p": back.project_id, "l": row[LEAD], "id": row[ID], "k": row[KIND], "c": row[2],
            "e": row[1], "type": row[TYPE], "ts": row[0], "v": row[5],
            "traits": row[HAS_TRAITS], "received": row[RECEIVED], "after": back.not_before,
        }
        for back in rows
        for row in (back.row,)
    ]  # fmt: skip
    await conn.execute(_PUT_BACK, (_json(asked),))


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()
