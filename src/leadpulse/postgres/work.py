"""Work on leads: who changed owner and status and when, and which leads are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.ids import uuid7s
from leadpulse.postgres.connect import Connection, Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

_RECORD: Final = """
with w as materialized (
    select * from jsonb_to_recordset(%(changes)s::jsonb) w (
        p uuid, l uuid, id uuid, field text, f text, t text)
), opened as (
    update leads l set open = w.t = 'open' from w
    where l.project_id = w.p and l.id = w.l and w.field = 'status'
)
insert into lead_changes (project_id, lead_id, id, at, field, from_value, to_value, made_by)
select w.p, w.l, w.id, %(now)s, w.field, w.f, w.t, %(by)s from w
"""

# Of a survivor and of those that merged into it: of each the newest, then the newest of all.
_CHANGES: Final = """
select c.id::text, c.at, c.field, c.from_value, c.to_value, c.made_by
from (
    select %(lead)s::uuid as lead_id
    union all
    select r.lead_id from lead_roots r
    where r.project_id = %(project)s and r.root_id = %(lead)s::uuid
) m
cross join lateral (
    select c.* from lead_changes c
    where c.project_id = %(project)s and c.lead_id = m.lead_id and c.id < %(before)s::uuid
    order by c.id desc limit %(limit)s
) c
order by c.id desc limit %(limit)s
"""

# Whoever left the project still has a name.
_NAMES: Final = """
select 'user:' || u.id, u.name from users u
where u.id = any (string_to_array(%(users)s, ',')::uuid[])
union all
select 'key:' || k.id, k.name from api_keys k
where k.project_id = %(project)s and k.id = any (string_to_array(%(keys)s, ',')::uuid[])
"""

LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Changed(NamedTuple):
    """A field of a lead that has another value now: `owner` or `status`."""

    project_id: str
    lead_id: str
    field: str
    before: str | None
    after: str | None


class Change(NamedTuple):
    """The same as it is recorded (µs); `by` is None for what an event did."""

    id: str
    at: int
    field: str
    before: str | None
    after: str | None
    by: str | None


async def record(conn: Connection, now: int, changes: Sequence[Changed], by: str | None) -> None:
    """Write down what changed, and let the leads' rows say which are open."""
    document = [
        {"p": c.project_id, "l": c.lead_id, "id": id_, "field": c.field, "f": c.before,
         "t": c.after}
        for c, id_ in zip(changes, uuid7s(len(changes)), strict=True)
    ]  # fmt: skip
    values = {"changes": msgspec.json.encode(document).decode(), "now": Instant(now), "by": by}
    await conn.execute(_RECORD, values)


async def changes(conn: Connection, lead: tuple[str, str], before: str, limit: int) -> list[Change]:
    """What changed of a survivor (project, lead) and of what merged into it, newest first."""
    values = {"project": lead[0], "lead": lead[1], "before": before, "limit": limit}
    cursor = await conn.execute(_CHANGES, values)
    return [Change(*row) for row in await cursor.fetchall()]


async def names_of(conn: Connection, project_id: str, who: set[str]) -> dict[str, str]:
    """The names behind `user:<id>` and `key:<id>`."""
    of = {kind: ",".join(w[len(kind) :] for w in who if w.startswith(kind))
          for kind in ("user:", "key:")}  # fmt: skip
    if not any(of.values()):
        return {}
    values = {"project": project_id, "users": of["user:"], "keys": of["key:"]}
    return dict(await (await conn.execute(_NAMES, values)).fetchall())
