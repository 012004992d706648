"""Erasing people: what is noted of it, and the traces of them in what belongs to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from leadpulse.postgres.connect import Connection, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.domain.identity import Name

Phase = Literal["rows", "conflicts", "imports", "events", "profiles", "done"]

FIRST: Final = "00000000-0000-0000-0000-000000000000"

_ADD: Final = """
with e as (
    insert into erasures (project_id, id, root_id, leads, names, made_at, made_by)
    values (%(project)s, %(id)s, %(root)s, %(leads)s, %(names)s::jsonb, %(now)s, %(by)s)
), p as (
    update projects set suppression_version = suppression_version + 1
    where id = %(project)s::uuid
)
insert into suppressions (project_id, kind, digest, id, created_at, created_by)
select %(project)s, left(m, 1)::smallint, decode(substr(m, 2), 'hex'), %(id)s, %(now)s, %(by)s
from unnest(string_to_array(%(digests)s, ',')) m
order by m
on conflict do nothing
"""

_COLUMNS: Final = """
select e.project_id::text, e.id::text, e.root_id::text, e.leads::text[], e.names, e.phase,
    e.cursor::text, e.made_at, e.made_by, e.finished_at
from erasures e
"""
_OF_LEAD: Final = f"""
{_COLUMNS} where e.project_id = %s and e.leads @> array[%s::uuid]
order by e.made_at desc limit 1
"""
_ONE: Final = f"{_COLUMNS} where e.project_id = %s and e.id = %s for update"
_OPEN: Final = """
select e.id::text from erasures e
where e.project_id = %s and e.finished_at is null order by e.made_at limit 1
"""

_GO_ON: Final = """
update erasures set phase = %(phase)s, cursor = %(cursor)s::uuid,
    names = case when %(phase)s = 'done' then null else names end,
    finished_at = case when %(phase)s = 'done' then clock_timestamp() end
where project_id = %(project)s and id = %(id)s
"""

# Which identifiers people hold who are not among these leads.
_HELD: Final = """
select i.kind, i.value from jsonb_to_recordset(%(names)s::jsonb) n (k smallint, v text)
join identifiers i on i.project_id = %(project)s and i.kind = n.k and i.value = n.v
where i.lead_id <> all (%(leads)s::uuid[])
"""

# Names that events gave leads; of very many the latest.
_SAID: Final = """
select distinct t.user_id, t.email from unnest(%(leads)s::uuid[]) l
cross join lateral (
    select e.traits ->> 'userId' as user_id, e.traits ->> 'email' as email
    from events e where e.project_id = %(project)s and e.lead_id = l
    order by e.ts desc limit 20000
) t
where t.user_id is not null or t.email is not null
limit 1000
"""

# A walk looks at the next rows of a project, and picks out those that may hold a trace: its
# needles are no more than part of an address, since letters beyond ASCII fold otherwise here.
_WALK: Final = """
with names as materialized (
    select array(select jsonb_array_elements_text(n -> 'users')) as users,
        array(select to_jsonb(u)::text from jsonb_array_elements_text(n -> 'users') u) as quoted,
        array(select jsonb_array_elements_text(n -> 'anonymous')) as anonymous,
        array(select jsonb_array_elements_text(n -> 'leads')) as leads,
        array(select jsonb_array_elements_text(n -> 'needles')) as needles
    from (select %(names)s::jsonb as n) n
), seen as materialized (
    {seen}
), found as (
    select s.id, {found}
    from seen s cross join names n cross join lower({text} collate "C") said
    where {named} or exists (select from unnest(n.needles) m where strpos(said, m) > 0)
    order by s.id limit %(most)s
)
select (select count(*)::int from seen),
    (select s.id::text from seen s order by s.id desc limit 1), f.id::text, {columns}
from (select) one left join found f on true
order by f.id
"""

# Conflicts hold whole events of whoever sent them, and stand with the lead of another.
_NAMED: Final = """
(s.body ->> 'userId' = any (n.users) or s.body -> 'traits' ->> 'userId' = any (n.users)
    or s.body ->> 'anonymousId' = any (n.anonymous) or s.body ->> 'leadId' = any (n.leads))
"""
_CONFLICTS: Final = _WALK.format(
    seen="""select c.id, c.body from event_conflicts c
    where c.project_id = %(project)s and c.id > %(cursor)s order by c.id limit %(n)s""",
    text="s.body::text",
    named=_NAMED,
    found=f"{_NAMED} is true as named, s.body",
    columns="f.named, f.body",
)
_DROP: Final = """
delete from event_conflicts c
where c.project_id = %(project)s and c.id = any (%(conflicts)s::uuid[])
"""

# Which of the cells is a userId is seen later, by the columns of the import.
_IMPORTED: Final = _WALK.format(
    seen="""select i.id, i.import_id, i.cells from import_rows i
    where i.project_id = %(project)s and i.id > %(cursor)s order by i.id limit %(n)s""",
    text="s.cells::text",
    named="""exists (select from jsonb_array_elements_text(s.cells) c
        where ltrim(btrim(c), '''') = any (n.users))""",
    found="s.import_id, s.cells",
    columns="f.import_id::text, f.cells",
)

_EVENTS: Final = _WALK.format(
    seen="""select e.id, e.lead_id, e.traits from events e
    where e.project_id = %(project)s and e.id > %(cursor)s order by e.id limit %(n)s""",
    text="s.traits::text",
    named="s.traits ->> 'userId' = any (n.users)",
    found="s.lead_id, s.traits",
    columns="f.lead_id::text, f.traits",
)
# Those that lost their content meanwhile stay without it.
_SAVE_TRAITS: Final = """
update events e set traits = w.t from jsonb_to_recordset(%(traits)s::jsonb) w (id uuid, t jsonb)
where e.project_id = %(project)s and e.id = w.id and e.traits is not null
"""

# A merged lead still has what it showed last.
_PROFILES: Final = _WALK.format(
    seen="""select f.lead_id as id, f.facts, jsonb_build_array(
        f.facts, f.traits, f.name, f.company, f.email, f.user_id)::text as whole
    from lead_profiles f
    where f.project_id = %(project)s and f.lead_id > %(cursor)s order by f.lead_id limit %(n)s""",
    text="s.whole",
    named="exists (select from unnest(n.quoted) m where strpos(s.facts ->> 'userId', m) > 0)",
    found="1 as one",
    columns="null",
)

_ROOTS: Final = """
select m::text, coalesce((select r.root_id from lead_roots r
                          where r.project_id = %(project)s and r.lead_id = m), m)::text
from unnest(%(leads)s::uuid[]) m
"""

_FACTS: Final = "select facts from lead_profiles where project_id = %s and lead_id = %s for update"
_SAVE: Final = "update lead_profiles set facts = %s::jsonb where project_id = %s and lead_id = %s"

# It is told anew, should the lead ever be shown again.
_SHOW_NOTHING: Final = """
update lead_profiles set name = null, company = null, email = null, user_id = null, traits = '{}',
    claimed = '{}'
where project_id = %s and lead_id = %s
"""

_SUPPRESSIONS: Final = """
select s.id::text, min(s.created_at), min(s.created_by),
    array_agg(s.kind::int order by s.kind),
    (select e.leads::text[] from erasures e where e.project_id = s.project_id and e.id = s.id)
from suppressions s
where s.project_id = %(project)s and s.id < %(before)s::uuid
    and (%(named)s::text is null or s.id in (
        select w.id from (
            select left(m, 1)::smallint as kind, decode(substr(m, 2), 'hex') as digest
            from unnest(string_to_array(%(named)s, ',')) m offset 0
        ) m
        join suppressions w on w.project_id = %(project)s and w.kind = m.kind
            and w.digest = m.digest))
group by s.project_id, s.id
order by s.id desc limit %(limit)s
"""

_LIFT: Final = """
with gone as (
    delete from suppressions where project_id = %(project)s and id = %(id)s returning 1
), p as (
    update projects set suppression_version = suppression_version + 1
    where id = %(project)s::uuid and exists (select from gone)
)
select count(*)::int from gone
"""


class Names(NamedTuple):
    """The identifiers of a person, as they stand; emails in lower case."""

    users: Sequence[str]
    emails: Sequence[str]
    anonymous: Sequence[str]


class Erasure(NamedTuple):
    """An erased person (times in µs). `names` are there for as long as it takes."""

    project_id: str
    id: str
    root_id: str
    leads: list[str]
    names: dict[str, list[str]] | None
    phase: Phase
    cursor: str
    made_at: int
    made_by: str
    finished_at: int | None


class Suppression(NamedTuple):
    """What is suppressed because of one erasure; `kinds` 0 leadId, 1 userId, 2 email."""

    id: str
    created_at: int
    created_by: str
    kinds: list[int]
    leads: list[str] | None


async def add(conn: Connection, erasure: Erasure, names: Names, digests: Iterable[str]) -> None:
    """Notes that a person is erased, and suppresses what his names (kind and digest) are in."""
    await conn.execute(
        _ADD,
        {
            "project": erasure.project_id,
            "id": erasure.id,
            "root": erasure.root_id,
            "leads": _ids(erasure.leads),
            "names": _json({**names._asdict(), "leads": erasure.leads}),
            "now": Instant(erasure.made_at),
            "by": erasure.made_by,
            "digests": ",".join(digests),
        },
    )


async def of_lead(conn: Connection, project_id: str, lead_id: str) -> Erasure | None:
    """The erasure that a lead was part of."""
    return await _one(conn, _OF_LEAD, (project_id, lead_id))


async def held(conn: Connection, project_id: str, erasure_id: str) -> Erasure | None:
    """An erasure, which nobody else goes on with until the commit."""
    return await _one(conn, _ONE, (project_id, erasure_id))


async def oldest_open(conn: Connection, project_id: str) -> str | None:
    """The erasure of a project that has waited longest for its end."""
    row = await (await conn.execute(_OPEN, (project_id,))).fetchone()
    return None if row is None else row[0]


async def _one(conn: Connection, statement: str, values: tuple[str, str]) -> Erasure | None:
    row = await (await conn.execute(statement.encode(), values)).fetchone()
    return None if row is None else Erasure(*row)


async def go_on(conn: Connection, erasure: Erasure, phase: Phase, cursor: str = FIRST) -> None:
    """Notes how far an erasure is; at its end the names are forgotten."""
    values = {"phase": phase, "cursor": cursor, "project": erasure.project_id, "id": erasure.id}
    await conn.execute(_GO_ON, values)


class Portion(NamedTuple):
    """How far a walk goes: rows that are looked at, and of them at most so many to be changed."""

    rows: int
    found: int


class Walked(NamedTuple):
    """Rows that may hold a trace, each with its id in front; `upto`: the last that was looked at.

    Without it the walk is over.
    """

    upto: str | None
    found: list[tuple[Any, ...]]


async def conflicts(
    conn: Connection, erasure: Erasure, needles: Sequence[str], portion: Portion
) -> Walked:
    """Walks through conflicts: (id, whether it names the person by an identifier, body)."""
    return await _walk(conn, _CONFLICTS, (erasure, needles), portion)


async def imported(
    conn: Connection, erasure: Erasure, needles: Sequence[str], portion: Portion
) -> Walked:
    """Walks through rows of imports: (id, import, cells)."""
    return await _walk(conn, _IMPORTED, (erasure, needles), portion)


async def events(
    conn: Connection, erasure: Erasure, needles: Sequence[str], portion: Portion
) -> Walked:
    """Walks through events: (id, lead, traits)."""
    return await _walk(conn, _EVENTS, (erasure, needles), portion)


async def profiles(
    conn: Connection, erasure: Erasure, needles: Sequence[str], portion: Portion
) -> Walked:
    """Walks through profiles: their leads."""
    return await _walk(conn, _PROFILES, (erasure, needles), portion)


async def _walk(
    conn: Connection, statement: str, whom: tuple[Erasure, Sequence[str]], portion: Portion
) -> Walked:
    erasure, needles = whom
    values = {
        "project": erasure.project_id, "cursor": erasure.cursor, "n": portion.rows,
        "most": portion.found, "names": _json({**(erasure.names or {}), "needles": needles}),
    }  # fmt: skip
    rows = await (await conn.execute(statement.encode(), values)).fetchall()
    found = [tuple(row[2:]) for row in rows if row[2] is not None]
    if len(found) == portion.found:
        return Walked(found[-1][0], found)
    seen, last = rows[0][:2]
    return Walked(last if seen == portion.rows else None, found)


async def drop_conflicts(conn: Connection, project_id: str, ids: Sequence[str]) -> None:
    """Removes conflicts."""
    await conn.execute(_DROP, {"project": project_id, "conflicts": _ids(ids)})


async def save_traits(
    conn: Connection, project_id: str, left: Mapping[str, Mapping[str, Any]]
) -> None:
    """Puts what is left of the traits of events, by their ids, in their place."""
    said = [{"id": event, "t": traits} for event, traits in left.items()]
    await conn.execute(_SAVE_TRAITS, {"project": project_id, "traits": _json(said)})


async def roots(conn: Connection, project_id: str, leads: Sequence[str]) -> dict[str, str]:
    """The survivors of leads, whether there are such leads or not."""
    values = {"project": project_id, "leads": _ids(leads)}
    return dict(await (await conn.execute(_ROOTS, values)).fetchall())


async def names_said(
    conn: Connection, project_id: str, leads: Sequence[str]
) -> list[tuple[str | None, str | None]]:
    """The userIds and emails that events gave leads, as they were sent."""
    values = {"project": project_id, "leads": _ids(leads)}
    return await (await conn.execute(_SAID, values)).fetchall()


async def held_by_others(
    conn: Connection, project_id: str, names: Iterable[Name], leads: Sequence[str]
) -> set[Name]:
    """Which of these names leads hold that are not among those."""
    asked = [{"k": kind, "v": value} for kind, value in names]
    values = {"project": project_id, "names": _json(asked), "leads": _ids(leads)}
    return set(await (await conn.execute(_HELD, values)).fetchall())


async def facts(conn: Connection, project_id: str, lead_id: str) -> dict[str, Any] | None:
    """What a lead's own events said about it, locked."""
    row = await (await conn.execute(_FACTS, (project_id, lead_id))).fetchone()
    return None if row is None else row[0]


async def save_facts(
    conn: Connection, project_id: str, lead_id: str, left: Mapping[str, Any]
) -> None:
    """Puts what is left of them in their place."""
    await conn.execute(_SAVE, (_json(left), project_id, lead_id))


async def show_nothing(conn: Connection, project_id: str, lead_id: str) -> None:
    """Takes away what a lead showed before it was merged."""
    await conn.execute(_SHOW_NOTHING, (project_id, lead_id))


async def suppressions(
    conn: Connection, project_id: str, named: str | None, before: str | None, limit: int
) -> list[Suppression]:
    """Suppressions, newest first; `named`: only those of one name (kind and digest)."""
    values = {
        "project": project_id, "named": named, "limit": limit,
        "before": before or "ffffffff-ffff-ffff-ffff-ffffffffffff",
    }  # fmt: skip
    cursor = await conn.execute(_SUPPRESSIONS, values)
    return [Suppression(*row) for row in await cursor.fetchall()]


async def lift(conn: Connection, project_id: str, suppression_id: str) -> bool:
    """Ends a suppression; False if there is none with this id."""
    cursor = await conn.execute(_LIFT, {"project": project_id, "id": suppression_id})
    row = await cursor.fetchone()
    return row is not None and row[0] > 0


def _ids(ids: Iterable[str]) -> str:
    return "{" + ",".join(ids) + "}"


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()
