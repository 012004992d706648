"""Folds longer than one pass: their progress, in a generation of the ledger that nobody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.postgres.scored import Older

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.domain.state import State
    from leadpulse.postgres.connect import Connection

# The number of a generation that is still being removed can't be used again.
_START: Final = """
with w as materialized (
    select * from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, g int, epoch int)
), l as (
    update leads l set merged_into = null from w
    where l.project_id = w.p and l.id = w.l and l.merged_into is not null
)
insert into refolds (project_id, lead_id, generation, epoch, state, started_at)
select w.p, w.l,
    greatest(w.g, (select max(o.generation) + 1 from old_generations o
                   where o.project_id = w.p and o.lead_id = w.l)),
    w.epoch, '{}', clock_timestamp()
from w
"""

# The lead first: every scorer locks leads before anything else of theirs.
_NEXT: Final = """
select l.project_id::text, l.id::text, l.score, l.stage, l.generation, l.entries, l.state,
    l.epoch, r.generation, r.epoch, r.state, r.entries, p.model_version, p.history_version,
    clock_timestamp(), false
from (select * from refolds order by started_at limit %s) r
join projects p on p.id = r.project_id
cross join lateral (
    select l.* from leads l
    where l.project_id = r.project_id and l.id = r.lead_id
        and not exists (select from scoring_failures f
                        where f.project_id = l.project_id and f.lead_id = l.id
                            and f.retry_at > statement_timestamp())
    for no key update of l skip locked
) l
limit 1
"""

_REREAD: Final = """
select r.generation, r.epoch, r.state, r.entries,
    l.merged_into is not null
    or exists (select from lead_roots t where t.project_id = r.project_id and t.lead_id = r.lead_id)
from refolds r join leads l on l.project_id = r.project_id and l.id = r.lead_id
where r.project_id = %s and r.lead_id = %s
"""


_OLDER: Final = """
select o.lead_id::text, o.generation from old_generations o
where o.project_id = %(p)s and (o.lead_id = %(l)s or o.lead_id in (
    select r.lead_id from lead_roots r where r.project_id = %(p)s and r.root_id = %(l)s))
order by o.generation desc limit 20
"""


class Refold(NamedTuple):
    """A locked lead and how far its long fold is. `shadow` is the generation it is made in.

    `merged`: the lead is merged into another one, or was until a moment ago; then the request
    that waits for it folds it and shows it again.
    """

    project_id: str
    lead_id: str
    score: float
    stage: int
    generation: int
    entries: int
    state: Any
    epoch: int
    shadow: int
    shadow_epoch: int
    shadow_state: Any
    shadow_entries: int
    newest: int
    history: int
    now: int
    merged: bool


async def start(conn: Connection, leads: Sequence[tuple[str, str, int, int]]) -> None:
    """Begin long folds of locked leads: (project, lead, least new generation, epoch)."""
    asked = [{"p": p, "l": lead, "g": g, "epoch": epoch} for p, lead, g, epoch in leads]
    await conn.execute(_START, (msgspec.json.encode(asked).decode(),))


async def next_refold(conn: Connection, among: int) -> Refold | None:
    """Lock the lead of the oldest long fold within reach that nobody is at; None if there is none.

    Looks at so many of the oldest.
    """
    cursor = await conn.execute(_NEXT, (among,))
    row = await cursor.fetchone()
    if row is None:
        return None
    return await read_again(conn, Refold(*row))


async def read_again(conn: Connection, found: Refold) -> Refold | None:
    """How far a long fold is, now that its lead is ours; None if it is over.

    What the statement that got the lock says of other tables may be older than the lock.
    """
    cursor = await conn.execute(_REREAD, (found.project_id, found.lead_id))
    row = await cursor.fetchone()
    if row is None:
        return None
    return found._replace(
        shadow=row[0],
        shadow_epoch=row[1],
        shadow_state=row[2],
        shadow_entries=row[3],
        merged=row[4],
    )


async def older_ledgers(conn: Connection, found: Refold) -> list[Older]:
    """Where the events of a long fold may have been scored before.

    That is the generation that readers see, and those that wait for their removal: of leads
    that were merged into it, and of the lead itself.
    """
    cursor = await conn.execute(_OLDER, {"p": found.project_id, "l": found.lead_id})
    generations = [(found.lead_id, found.generation), *await cursor.fetchall()]
    return [
        Older(found.project_id, lead_id, generation, found.lead_id)
        for lead_id, generation in generations
    ]


async def advance(conn: Connection, refold: Refold, state: State) -> None:
    """Note how far a long fold is."""
    await conn.execute(
        "update refolds set state = %s::json, entries = %s where project_id = %s and lead_id = %s",
        (
            msgspec.json.encode(state.to_document()).decode(),
            state.entries,
            refold.project_id,
            refold.lead_id,
        ),
    )


async def finish(conn: Connection, refold: Refold) -> None:
    """A long fold is over, or pointless; its lead is open to others again."""
    await conn.execute(
        "delete from refolds where project_id = %s and lead_id = %s",
        (refold.project_id, refold.lead_id),
    )


async def any_waiting(conn: Connection) -> bool:
    """Tell whether a long fold is under way, in whatever project."""
    cursor = await conn.execute("select exists (select keeper.refolding_projects(1))")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
