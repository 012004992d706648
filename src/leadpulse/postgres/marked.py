"""Leads that stand apart from others: of tests, and sample data with what it adds to figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, PROFILE
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.postgres.connect import Connection

Kind = Literal["test", "sample"]
KINDS: Final[tuple[Kind, ...]] = ("test", "sample")

# A round goes on until it is removed, so that whoever adds it twice adds it once.
_BEGIN: Final = """
insert into sample_data as s (project_id, added_at) values (%s, clock_timestamp())
on conflict (project_id) do update set
    round = case when s.removed_at is null then s.round else s.round + 1 end,
    added_at = case when s.removed_at is null then s.added_at else excluded.added_at end,
    removed_at = null
returning s.round, s.added_at
"""

_COUNT: Final = """
insert into sample_activity (project_id, hour, event_type, events, mutations)
select %(project)s, timestamptz 'epoch' + c.h * interval '1 microsecond', c.t, c.n, c.m
from jsonb_to_recordset(%(counts)s::jsonb) c (h bigint, t text, n bigint, m bigint)
order by c.h, c.t
on conflict (project_id, hour, event_type) do update set
    events = excluded.events, mutations = excluded.mutations
"""

_END: Final = """
with gone as (
    delete from sample_activity a where a.project_id = %(project)s
)
update sample_data s set removed_at = clock_timestamp()
where s.project_id = %(project)s and s.removed_at is null
"""

# A flag is a word of ours; the index of leads that stand apart finds them by it. Merged ones are
# part of another.
_STANDING: Final[Mapping[Kind, str]] = {
    kind: f"""
    select count(*) from leads l where l.project_id = %(project)s and l.{kind}
        and not exists (select from lead_roots r
                        where r.project_id = %(project)s and r.lead_id = l.id)
    """  # noqa: S608 - a constant of ours
    for kind in KINDS
}
_NEXT: Final[Mapping[Kind, str]] = {
    kind: f"""
    select l.id from leads l
    where l.project_id = %(project)s and l.{kind} and l.id > %(after)s::uuid
    order by l.id limit %(limit)s
    """  # noqa: S608 - a constant of ours
    for kind in KINDS
}

_TREES: Final = """
with roots as materialized (
    select distinct coalesce((select r.root_id from lead_roots r
        where r.project_id = %(project)s and r.lead_id = w.id), w.id) as id
    from unnest(%(leads)s::uuid[]) w (id)
), members as materialized (
    select roots.id as root, roots.id as lead from roots
    union all
    select roots.id, r.lead_id from roots cross join lateral (
        select r.lead_id from lead_roots r
        where r.project_id = %(project)s and r.root_id = roots.id
    ) r
)
select m.root, m.lead, l.test, l.sample from members m cross join lateral (
    select l.test, l.sample from leads l
    where l.project_id = %(project)s and l.id = m.lead limit 1
) l
"""

_MORE_THAN_TESTS: Final = f"""
select w.id from unnest(%(leads)s::uuid[]) w (id)
where exists (
    select from events e where e.project_id = %(project)s and e.lead_id = w.id and not e.test
        and e.event_type not in ('{ADJUSTMENT}', '{PROFILE}')
)
"""  # noqa: S608 - constants of ours

_COUNT_AGAIN: Final = "update figures set next_at = clock_timestamp() where project_id = %s"


class Round(NamedTuple):
    """Sample data of a project: how often it got some, and since when (µs) it has it."""

    number: int
    added_at: int


class HourCount(NamedTuple):
    """Events of a type in the hour that begins at an instant (µs), and how many of them score."""

    hour: int
    event_type: str
    events: int
    mutations: int


class Member(NamedTuple):
    """A lead of a tree with its survivor."""

    root_id: str
    lead_id: str
    test: bool
    sample: bool


async def begin_round(conn: Connection, project_id: str) -> Round:
    """The round of sample data that is there or begins now."""
    cursor = await conn.execute(_BEGIN, (project_id,))
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("an upsert gave no row")
    return Round(*row)


async def has_round(conn: Connection, project_id: str) -> bool:
    """Whether sample data was added and not removed since."""
    cursor = await conn.execute(
        "select from sample_data s where s.project_id = %s and s.removed_at is null", (project_id,)
    )
    return await cursor.fetchone() is not None


async def count_round(conn: Connection, project_id: str, counts: Iterable[HourCount]) -> None:
    """Adds to figures what sample events are in them."""
    document = [{"h": c.hour, "t": c.event_type, "n": c.events, "m": c.mutations} for c in counts]
    values = {"project": project_id, "counts": msgspec.json.encode(document).decode()}
    await conn.execute(_COUNT, values)


async def end_round(conn: Connection, project_id: str) -> None:
    """Takes sample events out of figures; the next ones will be of another round."""
    await conn.execute(_END, {"project": project_id})


async def standing(conn: Connection, project_id: str, kind: Kind) -> int:
    """How many leads of a kind there are, those that merged into another one left out."""
    row = await fetch_one(conn, _STANDING[kind], {"project": project_id})
    return 0 if row is None else int(row[0])


async def next_leads(
    conn: Connection, project_id: str, kind: Kind, after: str, limit: int
) -> list[str]:
    """The next leads of a kind, merged ones included."""
    values = {"project": project_id, "after": after, "limit": limit}
    return [lead for (lead,) in await fetch_all(conn, _NEXT[kind], values)]


async def trees(conn: Connection, project_id: str, leads: Sequence[str]) -> list[Member]:
    """Everybody who is one with any of these leads."""
    rows = await fetch_all(conn, _TREES, {"project": project_id, "leads": _ids(leads)})
    return [Member(*row) for row in rows]


async def more_than_tests(conn: Connection, project_id: str, leads: Sequence[str]) -> set[str]:
    """Those of these leads that have an event which is no test."""
    rows = await fetch_all(conn, _MORE_THAN_TESTS, {"project": project_id, "leads": _ids(leads)})
    return {lead for (lead,) in rows}


async def count_again(conn: Connection, project_id: str) -> None:
    """Has the leads of a project counted soon."""
    await conn.execute(_COUNT_AGAIN, (project_id,))


def _ids(leads: Iterable[str]) -> str:
    return "{" + ",".join(leads) + "}"
