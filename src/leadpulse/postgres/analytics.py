"""Figures of a project's events: sums kept by the hour, and what becomes of the newest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.facts import DAY, PROFILE
from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Totals by the hour since an instant, those of ever, what was added since they were last added
# up, and what sample data adds.
_HOURS: Final = """
    (select hour, event_type, events, mutations from activity
     where project_id = %(project)s and hour >= %(since)s
     union all
     select hour, event_type, events, mutations from activity_deltas
     where project_id = %(project)s and hour >= %(since)s
     union all
     select hour, event_type, events, mutations from sample_activity
     where project_id = %(project)s and hour >= %(since)s) a
"""
_EVER: Final = """
    (select event_type, events, mutations from activity_totals where project_id = %(project)s
     union all
     select event_type, events, mutations from activity_deltas
     where project_id = %(project)s
     union all
     select event_type, events, mutations from sample_activity
     where project_id = %(project)s) a
"""


class Hour(NamedTuple):
    """What happened in the hour, or day, that begins at an instant (µs)."""

    begins: int
    events: int
    mutations: int


class TypeCount(NamedTuple):
    """Events of a type: ever, since an instant, and in the period before that."""

    event_type: str
    events: int
    recent: int
    before: int


class Counts(NamedTuple):
    """Events ever, today, and yesterday (calendar days of the project's time zone)."""

    total: int
    today: int
    yesterday: int


class Mutation(NamedTuple):
    """A scored event with its lead (instants in µs)."""

    event: str
    event_id: str
    event_type: str
    timestamp: int
    received_at: int
    lead_id: str
    email: str | None
    name: str | None
    old: float
    delta: float
    new: float
    points: float
    recorded_at: int


class Queue(NamedTuple):
    """The inbox of a project and who works on it."""

    waiting: int
    oldest: int | None
    retrying: int
    failed: int
    scored: int
    workers: int
    active: int


async def event_counts(connection: Connection, project_id: str, now: int) -> Counts:
    """Events ever, today and yesterday."""
    row = await fetch_one(
        connection,
        f"""
        with day as materialized (
            select date_trunc('day', %(now)s at time zone p.time_zone) as begins, p.time_zone
            from projects p where p.id = %(project)s
        ), recent as (
            select coalesce(sum(a.events) filter (
                    where a.hour >= day.begins at time zone day.time_zone), 0)::bigint as today,
                coalesce(sum(a.events) filter (
                    where a.hour < day.begins at time zone day.time_zone
                    and a.hour >= (day.begins - interval '1 day') at time zone day.time_zone
                ), 0)::bigint as yesterday
            from day left join {_HOURS} on true
        )
        select (select coalesce(sum(a.events), 0)::bigint from {_EVER}), today, yesterday
        from recent
        """,  # noqa: S608 - a constant of ours
        # A day may have 25 hours where clocks are put back.
        {"project": project_id, "now": Instant(now), "since": Instant(now - 3 * DAY)},
    )
    return Counts(0, 0, 0) if row is None else Counts(*row)


async def counts_by_type(
    connection: Connection, project_id: str, since: int, before: int
) -> list[TypeCount]:
    """The fifty most frequent types; the rest is one line named `other`."""
    rows = await fetch_all(
        connection,
        f"""
        with types as (
            select a.event_type, sum(a.events)::bigint as events from {_EVER}
            group by a.event_type having sum(a.events) > 0
        ), newest as (
            select a.event_type,
                coalesce(sum(a.events) filter (where a.hour >= %(day)s), 0)::bigint as recent,
                coalesce(sum(a.events) filter (where a.hour < %(day)s), 0)::bigint as earlier
            from {_HOURS} group by a.event_type
        ), ranked as (
            select t.*, coalesce(n.recent, 0) as recent, coalesce(n.earlier, 0) as earlier,
                row_number() over (
                    order by t.event_type = 'other', t.events desc, t.event_type) as place
            from types t left join newest n using (event_type)
        )
        select name, sum(events)::bigint, sum(recent)::bigint, sum(earlier)::bigint
        from (select *, case when place <= 50 then event_type else 'other' end as name
              from ranked) r
        group by name order by name = 'other', sum(events) desc, name
        """,  # noqa: S608 - a constant of ours
        {"project": project_id, "day": Instant(since), "since": Instant(before)},
    )
    return [TypeCount(*row) for row in rows]


async def by_hour(connection: Connection, project_id: str, since: int) -> list[Hour]:
    """Hours since an instant that had any events or mutations, oldest first."""
    rows = await fetch_all(
        connection,
        f"""
        select a.hour, sum(a.events)::bigint, sum(a.mutations)::bigint
        from {_HOURS} group by a.hour order by a.hour
        """,  # noqa: S608 - a constant of ours
        {"project": project_id, "since": Instant(since)},
    )
    return [Hour(*row) for row in rows]


async def by_day(connection: Connection, project_id: str, first: int, last: int) -> list[Hour]:
    """Days of the project's time zone from that of an instant to that of another, oldest first.

    Each counts the hours that begin in it.
    """
    rows = await fetch_all(
        connection,
        f"""
        with zone as materialized (
            select p.time_zone as name from projects p where p.id = %(project)s
        ), days as materialized (
            select d.begins, zone.name as zone
            from zone cross join lateral generate_series(
                date_trunc('day', %(first)s at time zone zone.name),
                date_trunc('day', %(last)s at time zone zone.name), interval '1 day') d (begins)
        ), counted as materialized (
            select date_trunc('day', a.hour at time zone zone.name) as day,
                sum(a.events) as events, sum(a.mutations) as mutations
            from zone cross join {_HOURS} group by 1
        )
        select d.begins at time zone d.zone, coalesce(c.events, 0)::bigint,
            coalesce(c.mutations, 0)::bigint
        from days d left join counted c on c.day = d.begins
        order by d.begins
        """,  # noqa: S608 - a constant of ours
        # A day may begin a day earlier than the same day of UTC.
        {
            "project": project_id,
            "first": Instant(first),
            "last": Instant(last),
            "since": Instant(first - 2 * DAY),
        },
    )
    return [Hour(*row) for row in rows]


async def last_act(connection: Connection, project_id: str) -> int | None:
    """The newest act of a lead that counts (µs)."""
    row = await fetch_one(
        connection,
        """
        select l.last_event_at from leads l where l.project_id = %(project)s
            and l.merged_into is null and l.last_event_at is not null and not l.test
        order by l.last_event_at desc nulls last, l.id desc limit 1
        """,
        {"project": project_id},
    )
    return None if row is None else row[0]


# The entry of each of the newest events, and the lead that answers for it. A survivor is found
# first and compared then: behind the wall no index serves a coalesce (so the `offset 0`).
_OF_NEWEST: Final = """
    from newest n
    cross join lateral (
        select coalesce((select r.root_id from lead_roots r
            where r.project_id = %(project)s and r.lead_id = n.lead_id), n.lead_id) as id
        offset 0
    ) r
    join leads l on l.project_id = %(project)s and l.id = r.id
    cross join lateral (
        select g.* from ledger g
        where g.project_id = %(project)s and g.lead_id = l.id and g.generation = l.generation
            and g.at = n.ts and g.event = n.id and g.kind <> 1
        limit 1
    ) g
"""

_NEWEST_SCORED: Final = f"""
    with newest as materialized (
        select e.id, e.event_id, e.event_type, e.lead_id, e.ts, e.received_at from events e
        where e.project_id = %(project)s and not e.excluded and not e.quarantined
            and e.event_type <> '{PROFILE}'
        order by e.id desc limit %(looked_at)s
    )
    select n.id, n.event_id, n.event_type, n.ts, n.received_at, l.id, p.email, p.name,
        g.old_score, g.delta, g.new_score, g.points, g.recorded_at
    {_OF_NEWEST}
    left join lead_profiles p on p.project_id = %(project)s and p.lead_id = l.id
    order by n.id desc limit %(limit)s
"""  # noqa: S608 - constants of ours

# The same events, of which only two instants are wanted.
_WAITS: Final = f"""
    with newest as materialized (
        select e.id, e.lead_id, e.ts, e.received_at from events e
        where e.project_id = %(project)s and not e.excluded and not e.quarantined
            and e.event_type <> '{PROFILE}'
        order by e.id desc limit %(looked_at)s
    )
    select greatest(0, extract(epoch from g.recorded_at - n.received_at) * 1000)::float8
    {_OF_NEWEST}
    order by n.id desc limit %(limit)s
"""  # noqa: S608 - constants of ours

# While a flood waits in the inbox the newest events are not scored yet: those of the leads
# that were seen last are.
_OF_RECENT_LEADS: Final = """
    select e.id, e.event_id, e.event_type, e.ts, e.received_at, l.id, p.email, p.name,
        g.old_score, g.delta, g.new_score, g.points, g.recorded_at
    from (
        select id, generation from leads
        where project_id = %(project)s and merged_into is null and not test
            and last_event_at is not null
        order by last_event_at desc nulls last, id desc limit %(limit)s
    ) l cross join lateral (
        select * from ledger g where g.project_id = %(project)s and g.lead_id = l.id
            and g.generation = l.generation and g.kind <> 1
        order by g.at desc, g.entry desc limit 3
    ) g
    join events e on e.project_id = %(project)s and e.id = g.event
    left join lead_profiles p on p.project_id = %(project)s and p.lead_id = l.id
    order by g.recorded_at desc, e.id desc limit %(limit)s
"""


async def newest_scored(connection: Connection, project_id: str, limit: int) -> list[Mutation]:
    """The newest scored events with what they did, newest first."""
    values: dict[str, Any] = {
        "project": project_id,
        "limit": limit,
        "looked_at": max(500, limit * 2),
    }
    rows = await fetch_all(connection, _NEWEST_SCORED, values)
    if not rows:
        rows = await fetch_all(connection, _OF_RECENT_LEADS, values)
    return [Mutation(*row) for row in rows]


async def newest_waits(connection: Connection, project_id: str, limit: int) -> list[float]:
    """From received to scored of the newest scored events (ms), newest first."""
    values = {"project": project_id, "limit": limit, "looked_at": max(500, limit * 2)}
    rows = await fetch_all(connection, _WAITS, values)
    if rows:
        return [wait for (wait,) in rows]
    scored = await newest_scored(connection, project_id, limit)
    return [max(0, one.recorded_at - one.received_at) / 1_000 for one in scored]


async def queue(connection: Connection, project_id: str, now: int) -> Queue:
    """The inbox of a project. Rows that wait for their time (gathered, in backoff) wait too."""
    row = await fetch_one(
        connection,
        f"""
        select i.waiting, i.oldest,
            (select count(*) from scoring_failures where project_id = %(project)s),
            (select count(*) from dead_letters
                where project_id = %(project)s and state = 'open'),
            (select coalesce(sum(a.mutations), 0)::bigint from {_EVER}),
            (select count(*) from workers where seen_at > %(alive)s),
            (select count(*) from pg_stat_activity a where datname = current_database()
                and application_name like 'leadpulse-scorer%%'
                -- That a session is in a transaction others learn from its lock alone.
                and exists (select from pg_locks k where k.pid = a.pid
                            and k.locktype = 'virtualxid' and k.granted))
        from (select count(*) as waiting, min(received_at) as oldest from inbox
              where project_id = %(project)s) i
        """,  # noqa: S608 - a constant of ours
        {"project": project_id, "alive": Instant(now - 30_000_000)},
    )
    return Queue(0, None, 0, 0, 0, 0, 0) if row is None else Queue(*row)
