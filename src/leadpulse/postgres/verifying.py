"""What `verify` reads: leads with all that was made of them, and the raw facts beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from leadpulse.domain.facts import PROFILE, Fact
from leadpulse.domain.fold import Entry
from leadpulse.postgres.connect import Connection
from leadpulse.postgres.facts import CONTENT

LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class StoredLead(NamedTuple):
    """A survivor as it is stored. `pending`: work for it waits, so it may differ for now."""

    id: str
    score: float
    as_of: int
    entries: int
    epoch: int
    state: list[Any] | None
    last_event_at: int | None
    pending: bool


# Everything below is read under one snapshot, so that a scorer at work is no difference.
_LEADS: Final = """
    select l.id, l.score, l.as_of, l.entries, l.epoch, l.state, l.last_event_at,
           l.stale
           or l.epoch < p.history_version
           or exists (select from refolds f where f.project_id = l.project_id
                        and f.lead_id = l.id)
           or exists (select from inbox i where i.project_id = l.project_id
                        and i.lead_id = l.id)
           or exists (select from lead_roots r join inbox i
                        on i.project_id = r.project_id and i.lead_id = r.lead_id
                       where r.project_id = l.project_id and r.root_id = l.id)
           or exists (select from lead_roots r where r.project_id = l.project_id
                        and r.lead_id = l.id)
      from leads l join projects p on p.id = l.project_id
     where l.project_id = %(project)s and l.id > %(after)s and l.merged_into is null
     order by l.id limit %(limit)s
"""

_FACTS: Final = f"""
    with tree as materialized (
        select l.id as root, l.id as lead_id from unnest(%(leads)s::uuid[]) l(id)
        union all
        select r.root_id, r.lead_id from lead_roots r
         where r.project_id = %(project)s and r.root_id = any (%(leads)s::uuid[])
    )
    select t.root, e.ts, e.event_id, (not e.trusted)::int, e.id, e.event_type, e.model_version,
           {CONTENT}
      from tree t join events e on e.project_id = %(project)s and e.lead_id = t.lead_id
     where not e.excluded and not e.quarantined and e.event_type <> %(profile)s
"""  # noqa: S608 - a constant of ours

_LEDGER: Final = """
    select g.lead_id, g.kind, g.at, g.entry, g.event, g.old_score, g.delta, g.new_score,
           g.points, g.rules, g.steps, g.decayed_at, g.model_version, g.acts
      from leads l
      join ledger g on g.project_id = l.project_id and g.lead_id = l.id
                   and g.generation = l.generation
     where l.project_id = %(project)s and l.id = any (%(leads)s::uuid[])
     order by g.lead_id, g.at, g.entry
"""

# What is left of a lead that was removed goes in portions, and is no stray.
_STRAYS: Final = """
    select count(*)
      from events e
     where e.project_id = %(project)s
       and not exists (select from leads l
                        where l.project_id = e.project_id and l.id = e.lead_id)
       and not exists (select from lead_removals d
                        where d.project_id = e.project_id and d.lead_id = e.lead_id)
"""

_WORK: Final = """
    select (select count(*) from inbox where project_id = %(project)s),
           (select count(*) from dead_letters
             where project_id = %(project)s and state = 'open')
"""


async def leads_after(
    connection: Connection, project_id: str, after: str | None, limit: int
) -> list[StoredLead]:
    """The next survivors in the order of their ids; `after` None begins."""
    cursor = await connection.execute(
        _LEADS,
        {
            "project": project_id,
            "after": after or "00000000-0000-0000-0000-000000000000",
            "limit": limit,
        },
    )
    return [StoredLead._make(row) for row in await cursor.fetchall()]


async def facts_of(
    connection: Connection, project_id: str, leads: list[str]
) -> Mapping[str, list[Fact]]:
    """All facts of these survivors, those of their merged leads included, each in order."""
    cursor = await connection.execute(
        _FACTS, {"project": project_id, "leads": _ids(leads), "profile": PROFILE}
    )
    found: dict[str, list[Fact]] = {lead: [] for lead in leads}
    async for root, *fact in cursor:
        found[root].append(Fact._make(fact))
    for facts in found.values():
        facts.sort()
    return found


async def ledgers_of(
    connection: Connection, project_id: str, leads: list[str]
) -> Mapping[str, list[Entry]]:
    """The ledgers that readers of these leads see, each in order."""
    cursor = await connection.execute(_LEDGER, {"project": project_id, "leads": _ids(leads)})
    found: dict[str, list[Entry]] = {lead: [] for lead in leads}
    async for lead, *entry in cursor:
        found[lead].append(Entry._make(entry))
    return found


async def stray_events(connection: Connection, project_id: str) -> int:
    """How many stored events belong to no lead at all."""
    cursor = await connection.execute(_STRAYS, {"project": project_id})
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def waiting_and_failed(connection: Connection, project_id: str) -> tuple[int, int]:
    """Rows in the inbox, and open dead letters."""
    cursor = await connection.execute(_WORK, {"project": project_id})
    row = await cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _ids(leads: list[str]) -> str:
    return "{" + ",".join(leads) + "}"
