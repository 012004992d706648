"""The short way of the group commit: one statement for events about known people.

It looks up, places in time, stores and queues in one round trip. Whatever it can't decide by
itself (unknown or several people, somebody who is suppressed, a paused project, a lead near
its ceiling, an eventId that is taken) it leaves alone.
The place in time is computed as by `domain.timestamps.place_in_time`, because the receive time
is the database's clock; a test holds the two against each other.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.postgres.suppressing import NAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from leadpulse.postgres.connect import Connection

_ID_LENGTH: Final = 36
_TWO_IDS: Final = 2 * _ID_LENGTH

_encode: Final = msgspec.json.Encoder().encode

# When an event happened, in µs: c is the sent time, z sentAt, j the index.
PLACE: Final = """
case when c is null then r + j else least(c - greatest(coalesce(z, 0) - r, 0), r) end
"""

_TAKE: Final = """
with clock as materialized (
    select (extract(epoch from clock_timestamp()) * 1000000)::bigint as r
), item as materialized (
    select p, i, l, u, e, a, coalesce(t, false) as t, coalesce(v, 0) as v, b, d, f, y, c, z,
        coalesce(j, 0) as j, s, "P", "T", coalesce(x, false) as x, h, n
    from rows from (
        jsonb_to_recordset(%s::jsonb) as (
            p uuid, i uuid, l uuid, u text, e text, a text, t bool, v int, b text, d text, f text,
            y text, c bigint, z bigint, j int, s text, "P" jsonb, "T" jsonb, x bool, h text
        )
    ) with ordinality as g(
        p, i, l, u, e, a, t, v, b, d, f, y, c, z, j, s, "P", "T", x, h, n
    )
), found as materialized (
    select n, l, u, e, a,
        case when l is not null then (
            select g.id from leads g where g.project_id = p and g.id = l
        ) end as by_l,
        case when u is not null then (
            select case when g.confirmed or not (t or v = 1) then g.lead_id end
            from identifiers g where g.project_id = p and g.kind = 1 and g.value = u
        ) end as by_u,
        case when e is not null then (
            select case when g.confirmed or not (t or v = 2) then g.lead_id end
            from identifiers g where g.project_id = p and g.kind = 2 and g.value = e
        ) end as by_e,
        case when a is not null then (
            select case when g.confirmed or not t then g.lead_id end
            from identifiers g where g.project_id = p and g.kind = 3 and g.value = a
        ) end as by_a,
        (select g.model_version from projects g
         where g.id = p and not g.paused and g.deleted_at is null
             and (g.suppression_version = 0 {or_wanted})) as version,
        p, i, t, b, d, f, y, c, {place} as w, s, "P", "T", x, r
    from item, clock
), plain as (
    select n, p, i, t, b, d, f, y, c, w, s, "P", "T", x, r, version, lead
    from (select *, coalesce(by_l, by_u, by_e, by_a) as lead from found offset 0) found
    where version is not null and w >= 0
      and (l is null or by_l is not null) and (u is null or by_u is not null)
      and (e is null or by_e is not null) and (a is null or by_a is not null)
      and least(by_l, by_u, by_e, by_a) = greatest(by_l, by_u, by_e, by_a){and_unwatched}
), stored as (
    insert into events (
        project_id, id, lead_id, trusted, event_id, digest, fingerprint, event_type, ts,
        original_ts, received_at, model_version, session_id, properties, traits, test)
    select p, i, lead, t, b, decode(d, 'hex'), decode(f, 'hex'), y,
        timestamptz 'epoch' + w * interval '1 microsecond',
        case when c <> w then timestamptz 'epoch' + c * interval '1 microsecond' end,
        timestamptz 'epoch' + greatest(r, w) * interval '1 microsecond',
        version, s, "P", "T", x
    from plain order by n
    on conflict (project_id, trusted, digest) do nothing
    returning project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, traits is not null as has_traits, test
), queued as (
    insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, has_traits)
    select project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
        model_version, has_traits
    from stored
), counted as (
    insert into activity_deltas (project_id, hour, event_type, events)
    select project_id, date_trunc('hour', received_at, 'UTC'), event_type, count(*)
    from stored where not test group by 1, 2, 3
)
select (select r from clock),
    (select string_agg(id::text || lead_id::text{root}, ',') from stored)
"""
# The parts that follow are left out where nothing asks for them: the mere preparation of what
# isn't asked takes a tenth of the time that a single event needs.
# Where a project suppresses anybody, h holds the names of the event; without it the long way
# is taken, which finds them out.
_WANTED: Final = f"""
or h is not null and not {NAMED.format(names="h", project="p")} and not exists (
    select from forgotten_events w where w.project_id = p and w.trusted = t
        and w.digest = decode(d, 'hex'))
"""
# Leads are watched with all that is one with them by now; trusted callers have no ceiling.
_UNWATCHED: Final = """
      and (t or coalesce((
            select g.root_id from lead_roots g
            where g.project_id = p and g.lead_id = lead
        ), lead) <> all (array(
            select coalesce((
                select g.root_id from lead_roots g where g.project_id = w.p and g.lead_id = w.l
            ), w.l) from unnest(%s::uuid[], %s::uuid[]) w(p, l))))
"""
_ROOT: Final = """ || coalesce((
        select g.root_id::text from lead_roots g
        where g.project_id = stored.project_id and g.lead_id = stored.lead_id
    ), '')"""


@cache
def _statement(*, wanted: bool, watched: bool, rooted: bool) -> bytes:
    return _TAKE.format(
        place=PLACE,
        or_wanted=_WANTED if wanted else "",
        and_unwatched=_UNWATCHED if watched else "",
        root=_ROOT if rooted else "",
    ).encode()


class Event(msgspec.Struct, omit_defaults=True):
    """An event whose lead the statement may find.

    p project, i id, l leadId, u userId, e email, a anonymousId, t trusted, v verified kind,
    b eventId, d digest and f fingerprint in hex, y type, c sent time and z sentAt in µs,
    j index, s session, P properties and T traits as JSON, x test, h digests of its names where
    the project suppresses any.
    """

    p: str
    i: str
    b: str
    d: str
    f: str
    y: str
    P: msgspec.Raw
    l: str | None = None  # noqa: E741
    u: str | None = None
    e: str | None = None
    a: str | None = None
    t: bool = False
    v: int = 0
    c: int | None = None
    z: int | None = None
    j: int = 0
    s: str | None = None
    T: msgspec.Raw | None = None
    x: bool = False
    h: str | None = None


class Taken(NamedTuple):
    """The receive time (µs), and the lead of each event that was stored, by the event's id.

    `roots` has the survivors of those leads that merged.
    """

    now: int
    leads: dict[str, str]
    roots: dict[str, str]


def _in_order(event: Event) -> tuple[str, bool, str]:
    return (event.p, event.t, event.d)


async def take(
    conn: Connection,
    events: Sequence[Event],
    watched: Collection[tuple[str, str]],
    *,
    rooted: bool,
) -> Taken:
    """Stores those events whose lead is plain to see, and no claims about `watched` leads.

    These are given by (project, lead). One statement, and so a transaction of its own. Survivors
    are told if `rooted`.
    """
    parameters = [_encode(sorted(events, key=_in_order)).decode()]
    if watched:
        parameters += ["{" + ",".join(part) + "}" for part in zip(*sorted(watched), strict=True)]
    wanted = any(event.h is not None for event in events)
    statement = _statement(wanted=wanted, watched=bool(watched), rooted=rooted)
    cursor = await conn.execute(statement, parameters)
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a select without a table gave no row")
    stored = row[1].split(",") if row[1] else ()
    leads = {one[:_ID_LENGTH]: one[_ID_LENGTH:_TWO_IDS] for one in stored}
    roots = {one[_ID_LENGTH:_TWO_IDS]: one[_TWO_IDS:] for one in stored if len(one) > _TWO_IDS}
    return Taken(row[0], leads, roots)
