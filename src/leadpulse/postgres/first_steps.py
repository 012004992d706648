"""How far a project has come: the first of everything, without tests and sample data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

# Of so many events that came in the first hour the first that counts is looked for.
_LOOKED_AT: Final = 5_000

# Sample data and tests are not among these counts.
_FIRST_HOUR: Final = """
select least(
    (select a.hour from activity a where a.project_id = %(project)s and a.events > 0
     order by a.hour limit 1),
    (select min(d.hour) from activity_deltas d where d.project_id = %(project)s and d.events > 0))
"""

_FIRST_EVENT: Final = """
select e.received_at from (
    select e.received_at, e.lead_id, e.test from events e
    where e.project_id = %(project)s and e.id >= %(first)s::uuid
    order by e.id limit %(most)s
) e
cross join lateral (
    select l.sample from leads l where l.project_id = %(project)s and l.id = e.lead_id limit 1
) l
where not e.test and not l.sample order by e.received_at limit 1
"""

# Each looks at rows in the order of an index, one after the other, until one counts.
_FIRST_LEADS: Final = """
select
    (select l.created_at from leads l
     where l.project_id = %(project)s and not l.test and not l.sample order by l.id limit 1),
    (select (select min(i.created_at) from identifiers i
             where i.project_id = %(project)s and i.lead_id = p.lead_id and i.kind in (1, 2))
     from lead_profiles p
     cross join lateral (
         select from leads l where l.project_id = %(project)s and l.id = p.lead_id
             and not l.test and not l.sample limit 1
     ) l
     where p.project_id = %(project)s and not p.hidden
        and (p.email is not null or p.user_id is not null)
     order by p.lead_id limit 1),
    (select s.at from stage_changes s
     cross join lateral (
         select from leads l where l.project_id = %(project)s and l.id = s.lead_id
             and not l.test and not l.sample limit 1
     ) l
     where s.project_id = %(project)s and s.to_stage = 3
     order by s.at limit 1)
"""


class Steps(NamedTuple):
    """When each came first (µs); None: not yet."""

    event: int | None
    lead: int | None
    identified: int | None
    qualified: int | None


async def steps(connection: Connection, project_id: str) -> Steps:
    """How far a project is. Costs the same however much it holds."""
    values = {"project": project_id}
    row = await fetch_one(connection, _FIRST_HOUR, values)
    event = None if row is None else row[0]
    if event is not None:
        asked = {**values, "first": first_id(event), "most": _LOOKED_AT}
        found = await fetch_one(connection, _FIRST_EVENT, asked)
        event = event if found is None else found[0]
    leads = await fetch_one(connection, _FIRST_LEADS, values)
    return Steps(event, *(leads or (None, None, None)))


def first_id(instant: int) -> str:
    """An id below every one made after an instant (µs), with a minute for clocks that differ."""
    milliseconds = max(0, instant // 1_000 - 60_000)
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


async def dismissed(connection: Connection, project_id: str, user_id: str) -> bool:
    """Whether a member has put the first steps away."""
    cursor = await connection.execute(
        "select m.steps_dismissed_at is not null from members m"
        " where m.project_id = %s and m.user_id = %s",
        (project_id, user_id),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def dismiss(connection: Connection, project_id: str, user_id: str, at: int | None) -> None:
    """Puts the first steps away for a member, or (None) shows them again."""
    await connection.execute(
        "update members m set steps_dismissed_at = %s where m.project_id = %s and m.user_id = %s",
        (None if at is None else Instant(at), project_id, user_id),
    )
