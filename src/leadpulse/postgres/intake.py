"""The statements of the group commit: one JSON parameter each, whatever the number of events.

Look-ups are scalar sub-queries or lateral ones with a limit: as joins, their first plans would
read whole tables, and behind the wall a join's condition may call nothing but trusted operators
if it is to use an index. Rows go in sorted (two processes with the same ids would deadlock
otherwise).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.postgres.connect import Connection

# Marks of a look-up, where it found no single lead.
UNKNOWN_LEAD_ID: Final = "!"
NOT_PLAIN: Final = "?"
_ID_LENGTH: Final = 36

_encode: Final = msgspec.json.Encoder().encode

_PREPARE: Final = """
select set_config('lock_timeout', '2s', false), set_config('statement_timeout', '15s', false),
       set_config('idle_in_transaction_session_timeout', '20s', false),
       set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)
"""

# An identifier counts as found only if it is also confirmed where this caller confirms it.
_LOOK_UP: Final = """
with item as materialized (
    select p, l, u, e, a, n, coalesce(t, false) as t, coalesce(v, 0) as v from rows from (
        jsonb_to_recordset(%s::jsonb) as (p uuid, l uuid, u text, e text, a text, t bool, v int)
    ) with ordinality as x(p, l, u, e, a, t, v, n)
), found as materialized (
    select n, p, l, u, e, a, t,
        case when l is not null then (
            select d.id from leads d where d.project_id = p and d.id = l
        ) end as by_l,
        case when u is not null then (
            select case when i.confirmed or not (t or v = 1) then i.lead_id end
            from identifiers i where i.project_id = p and i.kind = 1 and i.value = u
        ) end as by_u,
        case when e is not null then (
            select case when i.confirmed or not (t or v = 2) then i.lead_id end
            from identifiers i where i.project_id = p and i.kind = 2 and i.value = e
        ) end as by_e,
        case when a is not null then (
            select case when i.confirmed or not t then i.lead_id end
            from identifiers i where i.project_id = p and i.kind = 3 and i.value = a
        ) end as by_a
    from item
), answered as (
    select n, case
        when l is not null and by_l is null then '!'
        when u is not null and by_u is null then '?'
        when e is not null and by_e is null then '?'
        when a is not null and by_a is null then '?'
        when least(by_l, by_u, by_e, by_a) = greatest(by_l, by_u, by_e, by_a)
          or 1 = (
            select count(distinct coalesce((
                select r.root_id from lead_roots r where r.project_id = p and r.lead_id = z
            ), z))
            from unnest(array[by_l, by_u, by_e, by_a]) z where z is not null
        ) then lead::text || case when t then '' else coalesce((
            select r.root_id::text from lead_roots r
            where r.project_id = p and r.lead_id = lead
        ), '') end
        else '?' end as answer
    from (select *, coalesce(by_l, by_u, by_e, by_a) as lead from found offset 0) found
)
select clock_timestamp(),
    (select string_agg(answer, ',' order by n) from answered),
    (select jsonb_object_agg(j.id, jsonb_build_array(
         j.model_version, j.paused or j.deleted_at is not null, j.suppression_version))
     from projects j where j.id = any (array(select distinct p from item)))
"""

# Nothing is stored if in one of the projects it was changed meanwhile what is to be kept.
_STORE: Final = """
with known as materialized (
    select not exists (
        select from jsonb_each_text(%s::jsonb) k
        cross join lateral (
            select j.suppression_version as v from projects j where j.id = k.key::uuid limit 1
        ) j
        where j.v <> k.value::int
    ) as still
), item as materialized (
    select p, i, l, t, e, d, f, y, k, m, o, s, "P", "T", x, q, h, u, n,
        timestamptz 'epoch' + w * interval '1 microsecond' as ts,
        timestamptz 'epoch' + r * interval '1 microsecond' as received_at
    from rows from (
        jsonb_to_recordset(%s::jsonb) as (
            p uuid, i uuid, l uuid, t bool, e text, d text, f text, y text, k text, m int,
            w bigint, r bigint, o timestamptz, s text, "P" jsonb, "T" jsonb, x bool, q bool, h bool,
            u bool
        )
    ) with ordinality as g(p, i, l, t, e, d, f, y, k, m, w, r, o, s, "P", "T", x, q, h, u, n)
), stored as (
    insert into events (
        project_id, id, lead_id, trusted, event_id, digest, fingerprint, event_type, ts,
        original_ts, received_at, model_version, session_id, properties, traits, test, quarantined)
    select p, i, l, t, e, decode(d, 'hex'), decode(f, 'hex'), y, ts, o, received_at, m, s, "P",
        "T", coalesce(x, false), coalesce(q, false)
    from item where (select still from known) order by n
    on conflict (project_id, trusted, digest) do nothing
    returning id
), fresh as materialized (
    select item.* from item join stored on stored.id = item.i
), queued as (
    insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, has_traits)
    select p, l, i, t, e, y, ts, received_at, m, coalesce(h, false)
    from fresh where q is not true
), counted as (
    insert into activity_deltas (project_id, hour, event_type, events)
    select p, date_trunc('hour', received_at, 'UTC'), k, count(*) from fresh
    where u is not true group by 1, 2, 3
)
select (select string_agg(id::text, ',') from stored), (select still from known)
"""

_STORED: Final = """
select x.n, v.id, v.fingerprint
from jsonb_to_recordset(%s::jsonb) as x(n int, p uuid, t bool, d text)
cross join lateral (
    select id, fingerprint from events
    where project_id = x.p and trusted = x.t and digest = decode(x.d, 'hex') limit 1
) v
"""

_CONFLICTS: Final = """
insert into event_conflicts (project_id, id, event_id, trusted, event, body, received_at)
select p, i, e, t, v, b, timestamptz 'epoch' + r * interval '1 microsecond'
from jsonb_to_recordset(%s::jsonb) as x(
    p uuid, i uuid, e text, t bool, v uuid, b jsonb, r bigint, s int
)
where (select j.suppression_version from projects j where j.id = p) = s
order by p, i
on conflict do nothing
"""


class Ask(msgspec.Struct, omit_defaults=True):
    """Whom an event names: project, leadId, userId, email, anonymousId; trusted; verified kind."""

    p: str
    l: str | None = None  # noqa: E741 - short names keep the parameter small
    u: str | None = None
    e: str | None = None
    a: str | None = None
    t: bool = False
    v: int = 0


class Row(msgspec.Struct, omit_defaults=True):
    """An event to store.

    p project, i id, l lead, t trusted, e eventId, d digest and f fingerprint in hex, y type,
    k type in figures, m model version, w when and r received in µs, o the sent time as text,
    s session, P properties and T traits as JSON, x test, q quarantined, h has traits to apply,
    u not in figures.
    """

    p: str
    i: str
    l: str  # noqa: E741
    t: bool
    e: str
    d: str
    f: str
    y: str
    k: str
    m: int
    w: int
    r: int
    o: str | None
    s: str | None
    P: msgspec.Raw
    T: msgspec.Raw | None
    x: bool = False
    q: bool = False
    h: bool = False
    u: bool = False


class Key(NamedTuple):
    """What an event is known by: project, class, digest in hex."""

    project_id: str
    trusted: bool
    digest: str


class Conflict(NamedTuple):
    """An event that took the id of another; `event` is the stored one.

    It is kept if `suppressions` is still the project's.
    """

    key: Key
    id: str
    event_id: str
    event: str
    body: Mapping[str, Any]
    received: int
    suppressions: int


class State(NamedTuple):
    """A project at the moment: `closed` to events, and the version of what it suppresses."""

    model_version: int
    closed: bool
    suppressions: int


class Found(NamedTuple):
    """The answer to a look-up.

    `now` is the database's clock (µs); `leads` has for each item its lead, UNKNOWN_LEAD_ID or
    NOT_PLAIN; `projects`, without those that are gone; `roots` the survivors of those leads that
    merged, as far as claims are about them.
    """

    now: int
    leads: list[str]
    projects: dict[str, State]
    roots: dict[str, str]


class Stored(NamedTuple):
    """A stored event: the server's id and the fingerprint in hex."""

    id: str
    fingerprint: str


async def prepare(conn: Connection) -> None:
    """Makes a fresh connection fit for intake: nothing may wait long, plans use indexes."""
    await conn.execute(_PREPARE)


async def look_up(conn: Connection, items: Sequence[Ask]) -> Found:
    """The clock, the leads that items name, and their projects; locks nothing."""
    cursor = await conn.execute(_LOOK_UP, (_encode(items).decode(),))
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a select without a table gave no row")
    now, given, projects = row
    states = {p: State(*state) for p, state in (projects or {}).items()}
    answers = given.split(",") if given else []
    leads = [answer[:_ID_LENGTH] for answer in answers]
    roots = {one[:_ID_LENGTH]: one[_ID_LENGTH:] for one in answers if len(one) > _ID_LENGTH}
    return Found(now, leads, states, roots)


def _in_order(row: Row) -> tuple[str, bool, str]:
    return (row.p, row.t, row.d)


async def store(
    conn: Connection, rows: Sequence[Row], suppressions: Mapping[str, int]
) -> frozenset[str] | None:
    """Stores events, puts them into the inbox and counts them; the ids of those that are new.

    None, and nothing is stored, if the versions of what projects suppress are no longer these.
    """
    # Sorted here: a tenth of what PostgreSQL needs for it.
    ordered = sorted(rows, key=_in_order)
    parameters = (_encode(suppressions).decode(), _encode(ordered).decode())
    cursor = await conn.execute(_STORE, parameters)
    row = await cursor.fetchone()
    if row is None or not row[1]:
        return None
    return frozenset(row[0].split(",")) if row[0] else frozenset()


async def stored(conn: Connection, keys: Sequence[Key]) -> dict[int, Stored]:
    """What is stored under these keys, by their index."""
    asked = [
        {"n": n, "p": key.project_id, "t": key.trusted, "d": key.digest}
        for n, key in enumerate(keys)
    ]
    cursor = await conn.execute(_STORED, (_encode(asked).decode(),))
    return {n: Stored(id_, mark.hex()) for n, id_, mark in await cursor.fetchall()}


async def keep_conflicts(conn: Connection, conflicts: Sequence[Conflict]) -> None:
    """Keeps events that took the id of another, for people to look at."""
    rows = [
        {
            "p": c.key.project_id, "i": c.id, "e": c.event_id, "t": c.key.trusted,
            "v": c.event, "b": c.body, "r": c.received, "s": c.suppressions,
        }
        for c in conflicts
    ]  # fmt: skip
    await conn.execute(_CONFLICTS, (_encode(rows).decode(),))
