"""Erasing people: what is noted of it, and the traces of them in what belongs to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from leadpulse.postgres.connect import Connection, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Phase = Literal["rows", "conflicts", "profiles", "done"]

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

# Conflicts hold whole events of whoever sent them, and stand with the lead of another.
_CONFLICTS: Final = """
with names as materialized (
    select array(select jsonb_array_elements_text(n -> 'users')) as users,
        array(select to_jsonb(u)::text from jsonb_array_elements_text(n -> 'emails') u) as emails,
        array(select jsonb_array_elements_text(n -> 'anonymous')) as anonymous,
        array(select jsonb_array_elements_text(n -> 'leads')) as leads
    from (select %(names)s::jsonb as n) n
), seen as materialized (
    select c.id, c.body, row_number() over (order by c.id) as place from event_conflicts c
    where c.project_id = %(project)s and c.id > %(cursor)s order by c.id limit %(n)s
), gone as (
    delete from event_conflicts c using seen s, names n
    where c.project_id = %(project)s and c.id = s.id and (
        s.body ->> 'userId' = any (n.users)
        or s.body -> 'traits' ->> 'userId' = any (n.users)
        or s.body ->> 'anonymousId' = any (n.anonymous)
        or s.body ->> 'leadId' = any (n.leads)
        or exists (select from unnest(n.emails) m
                   where strpos(lower(s.body::text), m) > 0))
)
select count(*)::int, (select s.id::text from seen s order by s.id desc limit 1) from seen
"""

_PROFILES: Final = """
with names as materialized (
    select array(select to_jsonb(u)::text from jsonb_array_elements_text(n -> 'users') u) as users,
        array(select to_jsonb(u)::text from jsonb_array_elements_text(n -> 'emails') u) as emails
    from (select %(names)s::jsonb as n) n
), seen as materialized (
    select f.lead_id, f.facts from lead_profiles f
    where f.project_id = %(project)s and f.lead_id > %(cursor)s order by f.lead_id limit %(n)s
)
select count(*)::int, (select s.lead_id::text from seen s order by s.lead_id desc limit 1),
    coalesce((
        select array_agg(s.lead_id::text) from seen s, names n
        where exists (select from unnest(n.emails) m where strpos(lower(s.facts::text), m) > 0)
            or exists (select from unnest(n.users) m where strpos(s.facts ->> 'userId', m) > 0)
    ), '{}')
from seen
"""

_FACTS: Final = "select facts from lead_profiles where project_id = %s and lead_id = %s for update"
_SAVE: Final = "update lead_profiles set facts = %s::jsonb where project_id = %s and lead_id = %s"

_TRAITS: Final = """
with names as materialized (
    select array(select jsonb_array_elements_text(n -> 'users')) as users,
        array(select to_jsonb(u)::text from jsonb_array_elements_text(n -> 'emails') u) as emails
    from (select %(names)s::jsonb as n) n
)
update events e set traits = (
    select coalesce(jsonb_object_agg(t.key, t.value), '{}')
    from jsonb_each(e.traits) t, names n
    where not (t.key = 'userId' and t.value #>> '{}' = any (n.users))
        and not exists (select from unnest(n.emails) m where strpos(lower(t.value::text), m) > 0)
)
where e.project_id = %(project)s and e.lead_id = %(lead)s and e.traits is not null and exists (
    select from names n
    where e.traits ->> 'userId' = any (n.users)
        or exists (select from unnest(n.emails) m where strpos(lower(e.traits::text), m) > 0))
"""

_SUPPRESSIONS: Final = """
select s.id::text, min(s.created_at), min(s.created_by),
    array_agg(s.kind::int order by s.kind),
    (select e.leads::text[] from erasures e where e.project_id = s.project_id and e.id = s.id)
from suppressions s
where s.project_id = %(project)s and s.id < %(before)s::uuid
    and (%(named)s::text is null or s.id in (
        select w.id from suppressions w
        join unnest(string_to_array(%(named)s, ',')) m on w.kind = left(m, 1)::smallint
            and w.digest = decode(substr(m, 2), 'hex')
        where w.project_id = %(project)s))
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
            "leads": "{" + ",".join(erasure.leads) + "}",
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


async def drop_conflicts(conn: Connection, erasure: Erasure, limit: int) -> tuple[int, str | None]:
    """Removes conflicts that name the person from among the next so many.

    Returns how many were looked at, and the last one.
    """
    row = await (await conn.execute(_CONFLICTS, _portion(erasure, limit))).fetchone()
    return (0, None) if row is None else (row[0], row[1])


async def profiles_with_traces(
    conn: Connection, erasure: Erasure, limit: int
) -> tuple[int, str | None, list[str]]:
    """Of the next so many profiles: how many, the last one, and those that may name the person."""
    row = await (await conn.execute(_PROFILES, _portion(erasure, limit))).fetchone()
    return (0, None, []) if row is None else (row[0], row[1], row[2])


def _portion(erasure: Erasure, limit: int) -> dict[str, Any]:
    return {
        "project": erasure.project_id, "cursor": erasure.cursor, "n": limit,
        "names": _json(erasure.names),
    }  # fmt: skip


async def facts(conn: Connection, project_id: str, lead_id: str) -> dict[str, Any] | None:
    """What a lead's own events said about it, locked."""
    row = await (await conn.execute(_FACTS, (project_id, lead_id))).fetchone()
    return None if row is None else row[0]


async def save_facts(
    conn: Connection, project_id: str, lead_id: str, left: Mapping[str, Any]
) -> None:
    """Puts what is left of them in their place."""
    await conn.execute(_SAVE, (_json(left), project_id, lead_id))


async def clean_traits(conn: Connection, erasure: Erasure, lead_id: str) -> None:
    """Takes the person's names out of the traits of another lead's events."""
    values = {"project": erasure.project_id, "lead": lead_id, "names": _json(erasure.names)}
    await conn.execute(_TRAITS, values)


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


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()
