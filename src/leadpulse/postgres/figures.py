"""All leads of a project counted: now, as it was kept, and as it was an hour or a day before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

BUCKETS: Final = 10
_KEPT_DAYS: Final = 40

# Test leads are in no figure; sample data is told apart, since it goes as a whole.
_SPREAD: Final = f"""
select l.sample, greatest(1, least({BUCKETS}, width_bucket(
        l.score, %(low)s::float8, %(high)s::float8, {BUCKETS}))),
    case when l.score >= %(qualified)s then 3 when l.score >= %(hot)s then 2
        when l.score >= %(warm)s then 1 else 0 end,
    count(*), sum(l.score)
from leads l
where l.project_id = %(project)s and l.merged_into is null and not l.test
group by 1, 2, 3
"""  # noqa: S608 - a constant of ours

_KNOWN: Final = """
with marked as materialized (
    select l.id, l.sample from leads l
    where l.project_id = %(project)s and (l.test or l.sample)
), named as (
    select m.sample, count(*) as n from marked m
    join lead_profiles p on p.project_id = %(project)s and p.lead_id = m.id
    where not p.hidden and (p.email is not null or p.user_id is not null)
    group by 1
), joined as (
    select m.sample, count(*) as n from marked m
    join lead_merges g on g.project_id = %(project)s and g.child_id = m.id
    where g.undone_at is null
    group by 1
)
select
    (select count(*) from lead_profiles p where p.project_id = %(project)s and not p.hidden
        and (p.email is not null or p.user_id is not null))
        - coalesce((select sum(n)::bigint from named), 0),
    coalesce((select n from named where sample), 0),
    (select count(*) from lead_merges g where g.project_id = %(project)s
        and g.undone_at is null) - coalesce((select sum(n)::bigint from joined), 0),
    coalesce((select n from joined where sample), 0)
"""

_MANY: Final = """
select count(*) from (
    select from leads l where l.project_id = %(project)s limit %(most)s
) found
"""

_KEEP: Final = """
update figures set counted_at = %(now)s, next_at = %(next)s, counts = %(counts)s::jsonb
where project_id = %(project)s
"""

_KEEP_HOUR: Final = """
insert into figures_hourly (project_id, hour, leads, identified, resolutions, qualified, score)
values (%(project)s, %(hour)s, %(leads)s, %(identified)s, %(resolutions)s, %(qualified)s,
    %(score)s)
on conflict (project_id, hour) do nothing
"""

_FORGET: Final = "delete from figures_hourly where project_id = %s and hour < %s"

_BEFORE: Final = """
select p.created_at, s.added_at, h.leads, h.identified, h.resolutions, h.qualified, h.score
from projects p
left join lateral (
    select s.added_at from sample_data s
    where s.project_id = %(project)s and s.removed_at is null
) s on true
left join lateral (
    select f.leads, f.identified, f.resolutions, f.qualified, f.score from figures_hourly f
    where f.project_id = %(project)s and f.hour <= %(until)s and f.hour > %(since)s
    order by f.hour desc limit 1
) h on true
where p.id = %(project)s
"""


class Part(msgspec.Struct, array_like=True):
    """Leads, those with an email or userId, merges in force, qualified ones, sum of scores."""

    leads: int = 0
    identified: int = 0
    resolutions: int = 0
    qualified: int = 0
    score: float = 0.0


class Counted(msgspec.Struct):
    """A project's leads without those of tests; `sample` are not among the `real` ones.

    `stages` and `buckets` count both, by the thresholds in `bounds` and from `bounds[0]` on in
    steps of `width`. `large`: so many rows were looked at that it is to be kept.
    """

    real: Part
    sample: Part
    bounds: tuple[float, float, float, float]
    width: float
    stages: list[int]
    buckets: list[int]
    large: bool = False

    @property
    def all(self) -> Part:
        """Everybody who counts."""
        return added(self.real, self.sample)


def added(one: Part, other: Part) -> Part:
    """Two groups of leads together."""
    return Part(
        one.leads + other.leads, one.identified + other.identified,
        one.resolutions + other.resolutions, one.qualified + other.qualified,
        one.score + other.score,
    )  # fmt: skip


class Before(NamedTuple):
    """When a project was made and got sample data (µs), and its real leads a while ago."""

    made_at: int
    sample_since: int | None
    real: Part | None


async def count(
    connection: Connection, project_id: str, bounds: Sequence[float], width: float
) -> Counted:
    """Counts every lead of a project: as long as there are many of them, it takes its time."""
    low, warm, hot, qualified = bounds
    rows = await fetch_all(
        connection,
        _SPREAD,
        {
            "project": project_id, "low": low, "high": low + width * BUCKETS, "warm": warm,
            "hot": hot, "qualified": qualified,
        },
    )  # fmt: skip
    parts = (Part(), Part())
    stages, buckets = [0] * 4, [0] * BUCKETS
    for sample, bucket, stage, leads, score in rows:
        part = parts[int(sample)]
        part.leads += leads
        part.score += score
        part.qualified += leads if stage == len(stages) - 1 else 0
        stages[stage] += leads
        buckets[bucket - 1] += leads
    known = await fetch_one(connection, _KNOWN, {"project": project_id})
    real, made_up = parts
    if known is not None:
        real.identified, made_up.identified, real.resolutions, made_up.resolutions = known
    return Counted(real, made_up, (low, warm, hot, qualified), width, stages, buckets)


async def has_more(connection: Connection, project_id: str, most: int) -> bool:
    """Whether a project has more leads than so many, merged ones included."""
    row = await fetch_one(connection, _MANY, {"project": project_id, "most": most + 1})
    return row is not None and row[0] > most


async def kept(connection: Connection, project_id: str) -> Counted | None:
    """What the last count was; None without one."""
    cursor = await connection.execute(
        "select f.counts from figures f where f.project_id = %s and f.counts is not null",
        (project_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else msgspec.convert(row[0], Counted)


async def keep(
    connection: Connection, project_id: str, counted: Counted, times: tuple[int, int, int]
) -> None:
    """Keeps a count. `times`: of now, of the next count, and of the hour that it is (µs)."""
    now, following, hour = times
    values: dict[str, Any] = {
        "project": project_id, "now": Instant(now), "next": Instant(following),
        "counts": msgspec.json.encode(counted).decode(),
    }  # fmt: skip
    await connection.execute(_KEEP, values)
    real = {name: getattr(counted.real, name) for name in Part.__struct_fields__}
    made = await connection.execute(
        _KEEP_HOUR, {"project": project_id, "hour": Instant(hour), **real}
    )
    if made.rowcount:
        oldest = hour - _KEPT_DAYS * 86_400_000_000
        await connection.execute(_FORGET, (project_id, Instant(oldest)))


async def before(connection: Connection, project_id: str, until: int, since: int) -> Before | None:
    """How a project stood at an instant, by the newest hour since another one (µs)."""
    row = await fetch_one(
        connection,
        _BEFORE,
        {"project": project_id, "until": Instant(until), "since": Instant(since)},
    )
    if row is None:
        return None
    return Before(row[0], row[1], None if row[2] is None else Part(*row[2:]))
