"""The bell: leads that became hot or qualified, as people saw it, and who has looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.postgres.connect import Connection, Instant
from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from collections.abc import Sequence

# A lead rings once, with its newest rise to a stage that it still has. The newest rises are looked
# at, in the words of their index; the rest of the statement is about no more than these.
_RISES: Final = """
with newest as materialized (
    select c.lead_id, c.id, c.at, c.from_stage, c.to_stage, c.score from stage_changes c
    where c.project_id = %(project)s and c.to_stage > 1 and c.to_stage > c.from_stage
        and c.cause in ('event', 'late', 'merge') and c.at > %(since)s
    order by c.at desc, c.id desc limit %(most)s
), held as (
    select distinct on (n.lead_id) n.*
    from newest n
    cross join lateral (
        select l.stage from leads l
        where l.project_id = %(project)s and l.id = n.lead_id and l.merged_into is null
            and not l.test and l.stage >= n.to_stage
        offset 0
    ) l
    order by n.lead_id, n.at desc, n.id desc
), told as materialized (
    select h.*, p.name, p.email, p.company, p.owner,
        coalesce(p.owner = any (%(me)s::text[]), false) as mine, h.at > %(seen)s as fresh
    from held h
    join lead_profiles p on p.project_id = %(project)s and p.lead_id = h.lead_id
), ranked as (
    select t.*, case when not t.fresh then 2 when t.mine then 0 else 1 end as part from told t
)
select r.part, r.id::text, r.at, r.lead_id::text, r.name, r.email, r.company, r.owner, r.mine,
    r.from_stage, r.to_stage, r.score, not r.fresh
from ranked r
where r.part > %(part)s or (r.part = %(part)s and (r.at, r.id) < (%(at)s, %(id)s::uuid))
order by r.part, r.at desc, r.id desc limit %(limit)s
"""

_UNSEEN: Final = """
with newest as materialized (
    select c.lead_id, c.to_stage from stage_changes c
    where c.project_id = %(project)s and c.to_stage > 1 and c.to_stage > c.from_stage
        and c.cause in ('event', 'late', 'merge') and c.at > %(since)s and c.at > %(seen)s
    order by c.at desc, c.id desc limit %(most)s
)
select count(distinct n.lead_id)
from newest n
cross join lateral (
    select l.stage from leads l
    where l.project_id = %(project)s and l.id = n.lead_id and l.merged_into is null
        and not l.test and l.stage >= n.to_stage
    offset 0
) l
"""

# Nobody has to look at what was there before he came.
_SEEN: Final = """
select greatest(
    (select s.seen_until from seen_marks s
     where s.project_id = %(project)s and s.reader = %(reader)s),
    (select m.created_at from members m
     where m.project_id = %(project)s and m.user_id = %(user)s::uuid))
"""

_SEE: Final = """
insert into seen_marks (project_id, reader, seen_until)
values (%(project)s, %(reader)s, %(until)s)
on conflict (project_id, reader) do update set
    seen_until = greatest(seen_marks.seen_until, excluded.seen_until)
"""

FIRST: Final = (-1, 0, "00000000-0000-0000-0000-000000000000")


class Rise(NamedTuple):
    """A lead that became hot or qualified. `part`: 0 mine and unseen, 1 unseen, 2 seen."""

    part: int
    id: str
    at: int
    lead_id: str
    name: str | None
    email: str | None
    company: str | None
    owner: str | None
    mine: bool
    before: int
    after: int
    score: float
    seen: bool


class Looked(NamedTuple):
    """Who looks (`names` are those that an owner is called by), and at what: instants in µs."""

    project_id: str
    names: Sequence[str]
    seen: int
    since: int
    most: int


async def rises(
    connection: Connection, looked: Looked, after: tuple[int, int, str], limit: int
) -> list[Rise]:
    """Rises behind a place (part, at, id): mine that are unseen, unseen, seen; newest first."""
    part, at, id_ = after
    values = {**_values(looked), "me": list(looked.names), "part": part, "at": Instant(at),
              "id": id_, "limit": limit}  # fmt: skip
    return [Rise(*row) for row in await fetch_all(connection, _RISES, values)]


async def unseen(connection: Connection, looked: Looked) -> int:
    """How many leads rose since somebody looked."""
    ((count,),) = await fetch_all(connection, _UNSEEN, _values(looked))
    return int(count)


def _values(looked: Looked) -> dict[str, object]:
    return {
        "project": looked.project_id, "seen": Instant(looked.seen), "most": looked.most,
        "since": Instant(looked.since),
    }  # fmt: skip


async def seen_until(
    connection: Connection, project_id: str, reader: str, user_id: str | None
) -> int:
    """Up to when a reader has seen what rose; of a member at least since he is one."""
    cursor = await connection.execute(
        _SEEN, {"project": project_id, "reader": reader, "user": user_id}
    )
    row = await cursor.fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


async def see(connection: Connection, project_id: str, reader: str, until: int) -> None:
    """Note that a reader has seen everything up to an instant (µs); never less than before."""
    values = {"project": project_id, "reader": reader, "until": Instant(until)}
    await connection.execute(_SEE, values)
