"""Upkeep in bounded portions: totals, what has expired, old generations, the rescore walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.ids import uuid7s

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Advisory locks of ours, one per kind of work; the first number is the product's.
_LOCKS: Final = 0x6C65_6164

_ROLL_UP: Final = """
with d as (
    delete from activity_deltas
    where ctid = any (array(select ctid from activity_deltas order by project_id, id limit %s))
    returning project_id, hour, event_type, events, mutations
), t as (
    insert into activity (project_id, hour, event_type, events, mutations)
    select project_id, hour, event_type, sum(events), sum(mutations) from d
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (project_id, hour, event_type) do update set
        events = activity.events + excluded.events,
        mutations = activity.mutations + excluded.mutations
), e as (
    insert into activity_totals (project_id, event_type, events, mutations)
    select project_id, event_type, sum(events), sum(mutations) from d
    group by 1, 2 order by 1, 2
    on conflict (project_id, event_type) do update set
        events = activity_totals.events + excluded.events,
        mutations = activity_totals.mutations + excluded.mutations
)
select count(*)::int from d
"""

_EXPIRE_CONFLICTS: Final = """
with d as (
    delete from event_conflicts where ctid = any (array(
        select ctid from event_conflicts
        where received_at < clock_timestamp() - interval '7 days'
        order by received_at limit %s))
    returning 1
)
select count(*)::int from d
"""

# A long fold asks old generations for the times of first scorings.
_OLD: Final = """
select o.project_id::text, o.lead_id::text, o.generation from old_generations o
where not exists (
    select from refolds r where r.project_id = o.project_id and r.lead_id = o.lead_id
) and not exists (
    select from lead_roots t
    join refolds r on r.project_id = t.project_id and r.lead_id = t.root_id
    where t.project_id = o.project_id and t.lead_id = o.lead_id
)
order by o.project_id, o.lead_id, o.generation limit 1 for update of o skip locked
"""

_DROP: Final = """
with c as (
    delete from checkpoints
    where project_id = %(p)s and lead_id = %(l)s and generation = %(g)s
), d as (
    delete from ledger where ctid = any (array(
        select ctid from ledger
        where project_id = %(p)s and lead_id = %(l)s and generation = %(g)s limit %(n)s))
    returning 1
)
select count(*)::int from d
"""

# What a walk has asked for is done when neither a request nor a long fold is left.
_RESCORES: Final = """
select r.project_id::text, r.history_version, r.cursor::text, r.everything, p.history_version,
    w.waiting, w.asked or exists (select from refolds f where f.project_id = r.project_id)
from rescores r
join projects p on p.id = r.project_id
cross join lateral (
    select count(*)::int as waiting, coalesce(bool_or(i.kind = 1), false) as asked
    from (select i.kind from inbox i where i.project_id = r.project_id limit %s) i
) w
where r.finished_at is null order by r.started_at limit %s for update of r skip locked
"""

# A lead that waits anyway is folded under the newest models when its turn comes, and so is one
# whose work was given up, at its next success.
_OLDER_LEFT: Final = """
select exists (
    select from leads l
    where l.project_id = %s and l.epoch < %s and l.merged_into is null and not l.stale
        and not exists (
            select from inbox i where i.project_id = l.project_id and i.lead_id = l.id)
)
"""

_NEXT_LEADS: Final = """
select l.id::text, l.epoch from leads l
where l.project_id = %s and l.id > %s and l.merged_into is null
order by l.id limit %s
"""

_REQUEST: Final = """
insert into inbox (project_id, lead_id, id, kind, event_type, received_at)
select w.p, w.l, w.id, 1, w.cause, clock_timestamp()
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, id uuid, cause text)
order by w.p, w.l
"""


class Rescoring(NamedTuple):
    """A walk over the leads of a project.

    `waiting` inbox rows are counted up to a limit. `folding`: some of them, or a fold that goes
    on in later passes, are about a lead's whole history.
    """

    project_id: str
    version: int
    cursor: str
    everything: bool
    history: int
    waiting: int
    folding: bool


class Sign(NamedTuple):
    """A sign of life of a scorer."""

    id: str
    host: str
    pid: int
    started_at: int
    state: str
    detail: str | None


async def clock(conn: Connection) -> int:
    """The time, in µs."""
    cursor = await conn.execute("select clock_timestamp()")
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def try_alone(conn: Connection, work: int) -> bool:
    """Be the only one at a kind of work until the end of the transaction, or learn that not."""
    cursor = await conn.execute("select pg_try_advisory_xact_lock(%s, %s)", (_LOCKS, work))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def roll_up(conn: Connection, limit: int) -> int:
    """Fold changes into hourly totals; every reader sums both, so nothing is seen twice."""
    return await _count(conn, _ROLL_UP, limit)


async def expire_conflicts(conn: Connection, limit: int) -> int:
    """Remove conflicts that are a week old."""
    return await _count(conn, _EXPIRE_CONFLICTS, limit)


async def _count(conn: Connection, statement: str, limit: int) -> int:
    cursor = await conn.execute(statement.encode(), (limit,))
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def drop_old_generation(conn: Connection, limit: int) -> int:
    """Remove some entries of a ledger that nobody reads; returns how many."""
    cursor = await conn.execute(_OLD)
    row = await cursor.fetchone()
    if row is None:
        return 0
    which = {"p": row[0], "l": row[1], "g": row[2], "n": limit}
    cursor = await conn.execute(_DROP, which)
    gone = await cursor.fetchone()
    removed = 0 if gone is None else int(gone[0])
    if removed < limit:
        await conn.execute(
            "delete from old_generations"
            " where project_id = %(p)s and lead_id = %(l)s and generation = %(g)s",
            which,
        )
    return max(1, removed)


async def rescores_under_way(conn: Connection, most: tuple[int, int]) -> list[Rescoring]:
    """Lock unfinished walks, the oldest first; most: rows counted of an inbox, and walks."""
    cursor = await conn.execute(_RESCORES, most)
    return [Rescoring(*row) for row in await cursor.fetchall()]


async def next_leads(
    conn: Connection, project_id: str, after: str, limit: int
) -> list[tuple[str, int]]:
    """Return (lead, epoch) in the order of ids."""
    cursor = await conn.execute(_NEXT_LEADS, (project_id, after, limit))
    return [(lead, epoch) for lead, epoch in await cursor.fetchall()]


async def older_left(conn: Connection, project_id: str, version: int) -> bool:
    """Tell whether a lead is folded under an older model than `version`, with nothing to come."""
    cursor = await conn.execute(_OLDER_LEFT, (project_id, version))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def request_refolds(conn: Connection, project_id: str, leads: list[str], cause: str) -> None:
    """Ask scorers to fold leads from their first fact; `cause` goes into what people saw."""
    document = [
        {"p": project_id, "l": lead, "id": id_, "cause": cause}
        for lead, id_ in zip(leads, uuid7s(len(leads)), strict=True)
    ]
    await conn.execute(_REQUEST, (msgspec.json.encode(document).decode(),))


async def walked(conn: Connection, walk: Rescoring, cursor: str, leads: int) -> None:
    """Note how far a walk is."""
    await conn.execute(
        "update rescores set cursor = %s, done = done + %s"
        " where project_id = %s and history_version = %s",
        (cursor, leads, walk.project_id, walk.version),
    )


async def finish_walk(conn: Connection, walk: Rescoring) -> None:
    """A walk is over."""
    await conn.execute(
        "update rescores set finished_at = clock_timestamp()"
        " where project_id = %s and history_version = %s",
        (walk.project_id, walk.version),
    )


async def start_rebuild(conn: Connection, project_id: str) -> bool:
    """Begin a walk over every lead of a project; returns False if there is no such project."""
    cursor = await conn.execute(
        """
        insert into rescores (project_id, history_version, total, everything)
        select p.id, p.history_version,
            (select count(*) from leads l where l.project_id = p.id and l.merged_into is null), true
        from projects p where p.id = %s
        on conflict (project_id, history_version) do update set
            cursor = '00000000-0000-0000-0000-000000000000', done = 0, total = excluded.total,
            everything = true, started_at = clock_timestamp(), finished_at = null
        returning 1
        """,
        (project_id,),
    )
    return await cursor.fetchone() is not None


async def sign_of_life(conn: Connection, sign: Sign) -> None:
    """Say that a scorer is alive and how it does; forgets those that fell silent long ago."""
    await conn.execute(
        """
        insert into workers (id, host, pid, started_at, seen_at, state, detail)
        values (%(id)s, %(host)s, %(pid)s,
            timestamptz 'epoch' + %(started)s * interval '1 microsecond', clock_timestamp(),
            %(state)s, %(detail)s)
        on conflict (id) do update set
            seen_at = excluded.seen_at, state = excluded.state, detail = excluded.detail
        """,
        {
            "id": sign.id,
            "host": sign.host,
            "pid": sign.pid,
            "started": sign.started_at,
            "state": sign.state,
            "detail": sign.detail,
        },
    )
    await conn.execute("delete from workers where seen_at < clock_timestamp() - interval '1 hour'")


async def end_stuck_scorers(conn: Connection, seconds: float) -> list[int]:
    """End backends of scorers whose transaction is older than that; returns their numbers."""
    cursor = await conn.execute(
        """
        -- Conditions are tried cheapest first, so the one that ends a backend stands apart.
        with stuck as materialized (
            select pid from pg_stat_activity
            where datname = current_database() and application_name like 'leadpulse-scorer%%'
                and pid <> pg_backend_pid()
                and xact_start < clock_timestamp() - %s * interval '1 second'
        )
        select pid from stuck where pg_terminate_backend(pid)
        """,
        (seconds,),
    )
    return [pid for (pid,) in await cursor.fetchall()]


async def say_goodbye(conn: Connection, worker_id: str) -> None:
    """A scorer ended on purpose."""
    await conn.execute("delete from workers where id = %s", (worker_id,))
