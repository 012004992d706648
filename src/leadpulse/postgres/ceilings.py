"""What write keys used up on a UTC day: new leads, event types, events of one lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from leadpulse.domain.timestamps import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.postgres.connect import Connection

_USED: Final = """
select project_id, new_leads from daily_usage
where day = %s::date
  and project_id = any (%s::uuid[])
"""

_ADD: Final = """
insert into daily_usage as u (project_id, day, new_leads)
select p, %s::date, c
from jsonb_to_recordset(%s::jsonb) as x(p uuid, c int)
order by p
on conflict (project_id, day) do update set new_leads = u.new_leads + excluded.new_leads
returning project_id, new_leads
"""

# Those that are new take the places that are left, in the order in which they came.
_ADD_TYPES: Final = """
with day as (
    select %(day)s::date as d
), used as materialized (
    select count(*) as c from daily_types, day where project_id = %(project)s and day = d
), fresh as materialized (
    select y, row_number() over (order by n) as place
    from rows from (unnest(%(types)s::text[])) with ordinality as x(y, n), day
    where not exists (
        select 1 from daily_types where project_id = %(project)s and day = d and event_type = y
    )
)
insert into daily_types (project_id, day, event_type)
select %(project)s, d, y from fresh, used, day where place <= %(ceiling)s - c
order by y
on conflict do nothing
"""

_TYPES: Final = """
select event_type from daily_types
where project_id = %s
  and day = %s::date
"""

# Of the survivor of a lead and of all that merged into it.
_CLAIMS: Final = """
select x.n, (
    select count(*) from (
        select 1
        from (
            select x.l as lead_id
            union all
            select g.lead_id from lead_roots g where g.project_id = x.p and g.root_id = x.l
        ) m
        cross join lateral (
            select 1 from events v
            where v.project_id = x.p and v.lead_id = m.lead_id and not v.trusted
              and v.received_at >= %s::date::timestamp at time zone 'UTC'
            offset 0
        ) v
        limit %s
    ) counted
)
from (
    select i.n, i.p, coalesce((
        select g.root_id from lead_roots g where g.project_id = i.p and g.lead_id = i.l
    ), i.l) as l
    from jsonb_to_recordset(%s::jsonb) as i(n int, p uuid, l uuid) offset 0
) x
"""


def _day(now: int) -> str:
    return to_rfc3339(now)[:10]


async def new_leads(conn: Connection, now: int, projects: Iterable[str]) -> dict[str, int]:
    """How many leads claims made today, by project; without a number: none yet."""
    cursor = await conn.execute(_USED, (_day(now), sorted(projects)))
    return dict(await cursor.fetchall())


async def add_new_leads(conn: Connection, now: int, made: Mapping[str, int]) -> dict[str, int]:
    """Adds to the numbers of today and tells the sums; locks their rows until the commit."""
    rows = msgspec.json.encode([{"p": p, "c": c} for p, c in made.items()]).decode()
    cursor = await conn.execute(_ADD, (_day(now), rows))
    return dict(await cursor.fetchall())


async def add_types(
    conn: Connection, now: int, project_id: str, types: Sequence[str], ceiling: int
) -> set[str]:
    """Adds types of today as long as there is room; tells all that have a place."""
    given = {"day": _day(now), "project": project_id, "types": list(types), "ceiling": ceiling}
    await conn.execute(_ADD_TYPES, given)
    cursor = await conn.execute(_TYPES, (project_id, _day(now)))
    return {row[0] for row in await cursor.fetchall()}


async def claims_of_leads(
    conn: Connection, now: int, leads: Sequence[tuple[str, str]], most: int
) -> list[int]:
    """How many claims of today are stored of each (project, lead), counted up to `most`.

    With those of all leads that are one with it.
    """
    asked = [{"n": n, "p": p, "l": lead} for n, (p, lead) in enumerate(leads)]
    cursor = await conn.execute(_CLAIMS, (_day(now), most, msgspec.json.encode(asked).decode()))
    counts = dict(await cursor.fetchall())
    return [counts.get(n, 0) for n in range(len(leads))]
