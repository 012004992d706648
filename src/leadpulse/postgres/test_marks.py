"""Which leads are tests: made by test events, with nothing real known of them since.

A lead's own mark stands in its profile; the mark that counts is the survivor's, in its row: the
whole tree has to be a test. One real event makes a lead real for good, so that nobody who tried a
form himself stays out of sight when he comes back as a customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

# Ours say nothing about a person being real: somebody may assign a test lead to try that.
_REAL: Final = """
not e.test and not e.excluded and not e.quarantined and not starts_with(e.event_type, '$')
"""

_HAPPENED: Final = f"""
update lead_profiles f set test = false
from jsonb_to_recordset(%s::jsonb) w (p uuid, e uuid)
cross join lateral (
    select e.lead_id from events e
    where e.project_id = w.p and e.id = w.e and {_REAL} offset 0
) e
where f.project_id = w.p and f.lead_id = e.lead_id and f.test
"""  # noqa: S608 - constants of ours

_TREE: Final = """
select w.p, w.l as root, m.lead_id
from jsonb_to_recordset(%s::jsonb) w (p uuid, l uuid)
cross join lateral (
    select w.l as lead_id
    union all
    select r.lead_id from lead_roots r where r.project_id = w.p and r.root_id = w.l
) m
"""

_LOOK: Final = f"""
with m as materialized ({_TREE})
update lead_profiles f set test = false from m
where f.project_id = m.p and f.lead_id = m.lead_id and f.test and exists (
    select from events e where e.project_id = m.p and e.lead_id = m.lead_id and {_REAL})
"""  # noqa: S608 - constants of ours

_SHOW: Final = f"""
with m as materialized ({_TREE}), w as materialized (
    select m.p, m.root, bool_and(f.test) as test
    from m join lead_profiles f on f.project_id = m.p and f.lead_id = m.lead_id
    group by m.p, m.root
), shown as (
    update lead_profiles f set hidden = w.test from w
    where f.project_id = w.p and f.lead_id = w.root and f.hidden <> w.test
)
update leads l set test = w.test, version = l.version + 1 from w
where l.project_id = w.p and l.id = w.root and l.test <> w.test
"""  # noqa: S608 - constants of ours

_MAKE_REAL: Final = f"""
with m as materialized ({_TREE})
update lead_profiles f set test = false from m
where f.project_id = m.p and f.lead_id = m.lead_id and f.test
"""  # noqa: S608 - constants of ours


class Marked(NamedTuple):
    """A survivor that was folded: wholly anew, or with these new events."""

    project_id: str
    root_id: str
    events: Sequence[str] | None


async def follow(conn: Connection, folded: Sequence[Marked]) -> None:
    """Bring the marks of survivors, which the caller holds, in line with their events."""
    fresh = [{"p": m.project_id, "e": event} for m in folded for event in m.events or ()]
    whole = [{"p": m.project_id, "l": m.root_id} for m in folded if m.events is None]
    if fresh:
        await conn.execute(_HAPPENED, (_json(fresh),))
    if whole:
        await conn.execute(_LOOK, (_json(whole),))
    await _show(conn, [(m.project_id, m.root_id) for m in folded])


async def make_real(conn: Connection, project_id: str, roots: Sequence[str]) -> None:
    """Somebody said that these leads, which the caller holds, are real."""
    await conn.execute(_MAKE_REAL, (_json([{"p": project_id, "l": root} for root in roots]),))
    await _show(conn, [(project_id, root) for root in roots])


async def _show(conn: Connection, roots: Sequence[tuple[str, str]]) -> None:
    await conn.execute(_SHOW, (_json([{"p": p, "l": root} for p, root in roots]),))


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()
