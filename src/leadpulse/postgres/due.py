"""Leads whose shown score or stage changes without an event: by decay, or by a new model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

_MICROSECOND: Final = "interval '1 microsecond'"

# Strictly before now: a step counts for every instant after its due time. Looked at again
# under the lock, because a scorer may just have been at the lead. A sub-select makes the clock
# one value: an index can't be searched for a function that changes from row to row.
_DUE: Final = """
select l.project_id::text, l.id::text, l.score, l.stage, l.state, p.model_version,
    p.history_version, clock_timestamp()
from (
    select project_id, id from leads
    where due_at < (select clock_timestamp()) and merged_into is null
    order by due_at limit %s
) d
cross join lateral (
    select l.* from leads l
    where l.project_id = d.project_id and l.id = d.id and l.merged_into is null
        and l.due_at < clock_timestamp()
    for no key update of l skip locked
) l
cross join lateral (
    select p.model_version, p.history_version from projects p where p.id = l.project_id
) p
order by l.project_id, l.id
"""

_SAVE: Final = f"""
update leads l set
    score = w.score, stage = w.stage, version = l.version + w.seen,
    due_at = timestamptz 'epoch' + w.due * {_MICROSECOND},
    as_of = timestamptz 'epoch' + w.as_of * {_MICROSECOND}, updated_at = clock_timestamp()
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, score float8, stage smallint, seen int,
    due bigint, as_of bigint)
where l.project_id = w.p and l.id = w.l
"""  # noqa: S608 - constants of ours

_TO_RELABEL: Final = """
select p.id::text, p.model_version, p.history_version, m.published_at
from projects p
cross join lateral (
    select m.published_at from models m
    where m.project_id = p.id and m.version = p.model_version limit 1
) m
where p.labelled_version < p.model_version order by p.id limit 1
"""

# A lead that a scorer holds is waited for: it may be putting the old label on.
_WRONGLY_LABELLED: Final = """
select l.project_id::text, l.id::text, l.score, l.stage, clock_timestamp()
from (
    select l.project_id, l.id from leads l
    where l.project_id = %(project)s and l.id > %(after)s and l.merged_into is null
        and l.stage <> case when l.score >= %(qualified)s then 3
            when l.score >= %(hot)s then 2 when l.score >= %(warm)s then 1 else 0 end
    order by l.id limit %(limit)s
) w
cross join lateral (
    select l.* from leads l
    where l.project_id = w.project_id and l.id = w.id and l.merged_into is null
    for no key update of l
) l
order by l.id
"""

_RELABEL: Final = """
update leads l set stage = w.stage, version = l.version + 1, updated_at = clock_timestamp()
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid, stage smallint)
where l.project_id = w.p and l.id = w.l
"""


class Due(NamedTuple):
    """A locked lead whose next decay step has come."""

    project_id: str
    id: str
    score: float
    stage: int
    state: Any
    newest: int
    history: int
    now: int


class Aged(NamedTuple):
    """A lead as it shows from now on. `seen` is 1 if people see a difference."""

    project_id: str
    id: str
    score: float
    stage: int
    seen: int
    due: int | None
    as_of: int


class Relabelling(NamedTuple):
    """A project whose leads may still show stages of an older version."""

    project_id: str
    newest: int
    history: int
    published_at: int


class Mislabelled(NamedTuple):
    """A locked lead; `stage` is the one it shows."""

    project_id: str
    id: str
    score: float
    stage: int
    now: int


async def due_leads(conn: Connection, limit: int) -> list[Due]:
    """Lock leads that are due and that nobody holds."""
    cursor = await conn.execute(_DUE, (limit,))
    return [Due(*row) for row in await cursor.fetchall()]


async def save_aged(conn: Connection, leads: Sequence[Aged]) -> None:
    """Write what decay made of locked leads."""
    document = [
        {
            "p": a.project_id, "l": a.id, "score": a.score, "stage": a.stage, "seen": a.seen,
            "due": a.due, "as_of": a.as_of,
        }
        for a in leads
    ]  # fmt: skip
    await conn.execute(_SAVE.encode(), (msgspec.json.encode(document).decode(),))


async def project_to_relabel(conn: Connection) -> Relabelling | None:
    """Return a project with a model newer than its labels; None if there is none."""
    cursor = await conn.execute(_TO_RELABEL)
    row = await cursor.fetchone()
    return None if row is None else Relabelling(*row)


async def mislabelled(
    conn: Connection, project_id: str, stages: Sequence[float], after: str, limit: int
) -> list[Mislabelled]:
    """Lock leads whose stage is not the one of their score, by id from `after` on."""
    cursor = await conn.execute(
        _WRONGLY_LABELLED,
        {
            "project": project_id,
            "after": after,
            "warm": stages[1],
            "hot": stages[2],
            "qualified": stages[3],
            "limit": limit,
        },
    )
    return [Mislabelled(*row) for row in await cursor.fetchall()]


async def save_labels(conn: Connection, leads: Sequence[tuple[str, str, int]]) -> None:
    """Write stages: (project, lead, stage)."""
    document = [{"p": p, "l": lead, "stage": stage} for p, lead, stage in leads]
    await conn.execute(_RELABEL, (msgspec.json.encode(document).decode(),))


async def labelled(conn: Connection, project_id: str, version: int) -> None:
    """All leads of a project show the stages of a version, or newer ones."""
    await conn.execute(
        "update projects set labelled_version = greatest(labelled_version, %s) where id = %s",
        (version, project_id),
    )
