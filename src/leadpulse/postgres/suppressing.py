"""What is not to be kept: identifiers of erased people, and what callers know of their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from leadpulse.postgres.connect import Connection

# Names come as text: the kind, then the digest in hexadecimal; several with commas. They are read
# before they are compared, or behind the wall no index serves (so the `offset 0`).
NAMED: Final = """
exists (
    select from (
        select left(m, 1)::smallint as kind, decode(substr(m, 2), 'hex') as digest
        from unnest(string_to_array({names}, ',')) m offset 0
    ) m
    join suppressions s on s.project_id = {project} and s.kind = m.kind and s.digest = m.digest
)
"""

_ASK: Final = f"""
select a.n, a.named, a.by_lead, f.event::text, f.fingerprint
from (
    select x.n, x.p, x.t, x.d, {NAMED.format(names="x.h", project="x.p")} as named,
        {NAMED.format(names="x.l", project="x.p")} as by_lead
    from jsonb_to_recordset(%s::jsonb) as x(n int, p uuid, t bool, d text, h text, l text)
) a
left join lateral (
    select f.event, f.fingerprint from forgotten_events f
    where f.project_id = a.p and f.trusted = a.t and f.digest = decode(a.d, 'hex') limit 1
) f on true
where a.named or a.by_lead or f.event is not null
"""  # noqa: S608 - constants of ours

_REMEMBER: Final = """
insert into forgotten_events (project_id, trusted, digest, fingerprint, event, expires_at)
select x.p, x.t, decode(x.d, 'hex'), decode(x.f, 'hex'), x.e,
    clock_timestamp() + %(days)s * interval '1 day'
from jsonb_to_recordset(%(events)s::jsonb) as x(p uuid, t bool, d text, f text, e uuid)
order by x.p, x.t, x.d
on conflict do nothing
returning event::text
"""

_ANY_OF: Final = f"""
select {NAMED.format(names="%(names)s", project="%(project)s::uuid")}
"""

_WHICH_OF: Final = """
select m.code from (
    select m as code, left(m, 1)::smallint as kind, decode(substr(m, 2), 'hex') as digest
    from unnest(string_to_array(%(names)s, ',')) m offset 0
) m
join suppressions s on s.project_id = %(project)s and s.kind = m.kind and s.digest = m.digest
"""

_EXPIRE: Final = """
with p as (
    select %(project)s::uuid as id
), over as (
    select coalesce((
        select f.expires_at from forgotten_events f, p
        where f.project_id = p.id and f.expires_at is not null
        order by f.expires_at desc offset %(most)s limit 1
    ), '-infinity') as upto
)
delete from forgotten_events where ctid = any (array(
    select f.ctid from forgotten_events f, p, over
    where f.project_id = p.id and f.expires_at is not null
        and f.expires_at <= greatest(over.upto, clock_timestamp())
    order by f.expires_at limit %(limit)s))
"""


class Question(msgspec.Struct, omit_defaults=True):
    """An event that came: its number, project, class, digest; h its names, l its leadId."""

    n: int
    p: str
    t: bool
    d: str
    h: str = ""
    l: str = ""  # noqa: E741 - short names keep the parameter small


class Forgotten(NamedTuple):
    """Why an event is not kept.

    `named`: it names somebody who is suppressed; `by_lead`: it names an erased lead by its id.
    `event` and `fingerprint` (in hexadecimal) tell of an earlier one with its eventId that was
    not kept either.
    """

    named: bool
    by_lead: bool
    event: str | None
    fingerprint: str | None


class Unkept(msgspec.Struct):
    """An event of which only this stays: p project, t class, d digest, f fingerprint, e id."""

    p: str
    t: bool
    d: str
    f: str
    e: str


async def ask(conn: Connection, questions: Sequence[Question]) -> dict[int, Forgotten]:
    """Which of these events must not be kept, by their numbers."""
    cursor = await conn.execute(_ASK.encode(), (_json(questions),))
    return {
        n: Forgotten(named, by_lead, event, None if mark is None else mark.hex())
        for n, named, by_lead, event, mark in await cursor.fetchall()
    }


async def remember(conn: Connection, events: Sequence[Unkept], days: int) -> frozenset[str]:
    """Keeps the digests of events that are not kept; the ids of those that are new."""
    parameters = {"events": _json(events), "days": days}
    cursor = await conn.execute(_REMEMBER, parameters)
    return frozenset(event for (event,) in await cursor.fetchall())


async def any_suppressed(conn: Connection, project_id: str, names: Collection[str]) -> bool:
    """True if one of these names (kind and digest) is suppressed."""
    parameters = {"project": project_id, "names": ",".join(names)}
    cursor = await conn.execute(_ANY_OF.encode(), parameters)
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def any_at_all(conn: Connection, project_id: str) -> bool:
    """True if a project keeps nothing of somebody."""
    cursor = await conn.execute(
        "select exists (select from suppressions s where s.project_id = %s)", (project_id,)
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def which_suppressed(
    conn: Connection, project_id: str, names: Collection[str]
) -> frozenset[str]:
    """Those of these names (kind and digest) that are suppressed."""
    parameters = {"project": project_id, "names": ",".join(names)}
    cursor = await conn.execute(_WHICH_OF, parameters)
    return frozenset(code for (code,) in await cursor.fetchall())


async def expire(conn: Connection, project_id: str, most: int, limit: int) -> int:
    """Forgets what has expired, and of the rest all but the newest `most`; returns how many."""
    parameters = {"project": project_id, "most": most, "limit": limit}
    return (await conn.execute(_EXPIRE, parameters)).rowcount


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()
