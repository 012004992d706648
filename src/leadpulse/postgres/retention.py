"""Events that have become too old for their content: a walk over a project, in portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, PROFILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.connect import Connection

# With another number of days the events behind `settled` are looked through again.
_BEGIN: Final = """
insert into retention_walks as w (project_id, days)
select p.id, p.retention_days from projects p
where p.id = %s::uuid and p.retention_days is not null
on conflict (project_id) do update set
    cursor = case when w.days = excluded.days then w.cursor else w.settled end,
    days = excluded.days
returning w.days, w.settled::text, w.cursor::text, w.seen,
    (select p.model_version from projects p where p.id = w.project_id),
    (select p.history_version from projects p where p.id = w.project_id), clock_timestamp()
"""

# What waits for its scorer keeps its content: what it says of the person isn't shown yet.
_NEXT: Final = """
select e.id::text, e.event_type, e.model_version, e.ts, e.received_at, e.matched is not null,
    exists (select from inbox i where i.project_id = e.project_id and i.lead_id = e.lead_id
            and i.id = e.id)
from events e
where e.project_id = %s and e.id > %s order by e.id limit %s
"""

# Behind the wall no index serves a comparison with a cast (so the `offset 0`).
_BLANK: Final = f"""
update events e set
    properties = case when e.event_type in ('{ADJUSTMENT}', '{PROFILE}')
        then e.properties - 'note' else '{{}}' end,
    traits = null, session_id = null, original_ts = null,
    matched = array(select jsonb_array_elements_text(w.value))
from (select key::uuid as id, value from jsonb_each(%(marks)s::jsonb) offset 0) w
where e.project_id = %(project)s and e.id = w.id and e.matched is null
"""  # noqa: S608 - constants of ours

_GO_ON: Final = """
update retention_walks set cursor = %(cursor)s, settled = %(settled)s,
    seen = seen + %(seen)s, blanked = blanked + %(blanked)s
where project_id = %(project)s
"""

# The more there was to look at, the longer the pause: a thousandth of the time at most.
_END: Final = """
update retention_walks set cursor = settled, seen = 0,
    next_at = clock_timestamp() + greatest(600, seen * 0.002) * interval '1 second'
where project_id = %s
"""

_CONFLICTS: Final = """
delete from event_conflicts where project_id = %s
    and received_at < clock_timestamp() - %s * interval '1 day'
"""

_COUNT: Final = """
select e.event_type, count(*)::bigint from events e
where e.project_id = %s and e.matched is not null group by 1
"""


class Walk(NamedTuple):
    """How far a project was looked through; all up to `settled` is done for good."""

    days: int
    settled: str
    cursor: str
    seen: int
    newest: int
    history: int
    now: int


class Aged(NamedTuple):
    """An event on the walk (times in µs); `blanked`: its content is gone, `waiting`: unscored."""

    id: str
    type: str
    version: int
    ts: int
    received_at: int
    blanked: bool
    waiting: bool


class Progress(NamedTuple):
    """What a portion did."""

    cursor: str
    settled: str
    seen: int
    blanked: int


async def begin(conn: Connection, project_id: str) -> Walk | None:
    """How far the walk over a project is; None if its events keep their content."""
    row = await (await conn.execute(_BEGIN, (project_id,))).fetchone()
    return None if row is None else Walk(*row)


async def next_events(conn: Connection, project_id: str, after: str, limit: int) -> list[Aged]:
    """The next events in the order of their arrival."""
    cursor = await conn.execute(_NEXT, (project_id, after, limit))
    return [Aged(*row) for row in await cursor.fetchall()]


async def blank(conn: Connection, project_id: str, marks: Mapping[str, list[str]]) -> int:
    """Takes the content of events away, and leaves which rules held for each; returns how many."""
    document = msgspec.json.encode(marks).decode()
    return (await conn.execute(_BLANK, {"project": project_id, "marks": document})).rowcount


async def go_on(conn: Connection, project_id: str, progress: Progress) -> None:
    """Notes how far the walk is."""
    await conn.execute(_GO_ON, {"project": project_id, **progress._asdict()})


async def end(conn: Connection, project_id: str) -> None:
    """The end of the events is reached; the walk rests a while."""
    await conn.execute(_END, (project_id,))


async def expire_conflicts(conn: Connection, project_id: str, days: int) -> int:
    """Removes conflicts that are older than the content of events may be."""
    return (await conn.execute(_CONFLICTS, (project_id, days))).rowcount


async def blanked_by_type(conn: Connection, project_id: str) -> dict[str, int]:
    """How many events have lost their content, by type."""
    return dict(await (await conn.execute(_COUNT, (project_id,))).fetchall())


async def days_of(conn: Connection, project_id: str) -> int | None:
    """After how many days events lose their content; None: never."""
    cursor = await conn.execute("select retention_days from projects where id = %s", (project_id,))
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def set_days(conn: Connection, project_id: str, days: int | None) -> None:
    """Sets that."""
    await conn.execute("update projects set retention_days = %s where id = %s", (days, project_id))
