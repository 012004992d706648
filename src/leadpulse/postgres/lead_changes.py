"""Changes of single leads from inside: our own events, merges by hand, removal in portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.postgres.connect import Connection, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PROJECT: Final = "select digest_key, model_version from projects where id = %s"

# `for no key update`, as the scorer takes it: the second of two sees what the first wrote.
_LOCK_LEADS: Final = """
select l.id::text from leads l
where l.project_id = %s and l.id = any (string_to_array(%s, ',')::uuid[])
order by l.id
for no key update
"""

_INSERT_EVENT: Final = """
insert into events (project_id, id, lead_id, trusted, event_id, digest, fingerprint, event_type,
    ts, received_at, model_version, properties, traits)
values (%(project)s, %(id)s, %(lead)s, true, %(event_id)s, %(digest)s, %(fingerprint)s, %(type)s,
    %(now)s, %(now)s, %(version)s, %(properties)s::jsonb, %(traits)s::jsonb)
on conflict (project_id, trusted, digest) do nothing
"""

_QUEUE: Final = """
insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
    model_version)
values (%(project)s, %(lead)s, %(id)s, true, %(event_id)s, %(type)s, %(now)s, %(now)s,
    %(version)s)
"""

_INSERT_EVENTS: Final = """
insert into events (project_id, id, lead_id, trusted, event_id, digest, fingerprint, event_type,
    ts, received_at, model_version, properties, traits)
select n.p, n.id, n.l, true, n.e, decode(n.d, 'hex'), decode(n.f, 'hex'), n.k, %(now)s, %(now)s,
    n.v, n.o, n.t
from jsonb_to_recordset(%(events)s::jsonb) n (
    p uuid, id uuid, l uuid, e text, d text, f text, k text, v int, o jsonb, t jsonb)
"""

_STORED: Final = """
select e.id::text, e.fingerprint, e.lead_id::text
from events e where e.project_id = %s and e.trusted and e.digest = %s
"""

_TOUCH: Final = """
update leads set version = version + 1, updated_at = %s where project_id = %s and id = %s
"""

_TOUCH_ALL: Final = """
update leads l set version = l.version + 1, updated_at = %(now)s
where l.project_id = %(project)s and l.id = any (%(leads)s::uuid[])
"""

_DROP_NAMES: Final = """
delete from identifiers i
using jsonb_to_recordset(%s::jsonb) n (p uuid, k smallint, v text)
where i.project_id = n.p and i.kind = n.k and i.value = n.v
"""

_MERGES: Final = """
select g.id::text, g.child_id::text, g.parent_id::text, g.cause, g.event::text, g.made_by,
    g.made_at, g.undone_at, g.undone_by
from lead_merges g
where g.project_id = %(project)s
    and (g.child_id = any (%(leads)s::uuid[]) or g.parent_id = any (%(leads)s::uuid[]))
order by g.made_at, g.id
limit %(limit)s
"""

_MERGE_BY_ID: Final = """
select g.id::text, g.child_id::text, g.parent_id::text, g.cause, g.event::text, g.made_by,
    g.made_at, g.undone_at, g.undone_by
from lead_merges g where g.project_id = %s and g.id = %s
"""

_UNDO: Final = """
update lead_merges set undone_at = %s, undone_by = %s
where project_id = %s and id = %s and undone_at is null
"""

# What hangs below the child goes with it; the child is a survivor again.
_SPLIT: Final = """
with recursive below (id) as (
    select %(child)s::uuid
    union all
    select g.child_id from below b
    join lead_merges g on g.project_id = %(project)s and g.parent_id = b.id
        and g.undone_at is null
), own as (
    delete from lead_roots where project_id = %(project)s and lead_id = %(child)s
)
update lead_roots r set root_id = %(child)s
from below b
where r.project_id = %(project)s and r.lead_id = b.id and b.id <> %(child)s
"""

_REMOVE: Final = """
with gone as (
    delete from leads l
    where l.project_id = %(project)s and l.id = any (%(leads)s::uuid[])
    returning l.id
)
insert into lead_removals (project_id, lead_id, removed_at, erased)
select %(project)s, id, %(now)s, %(erased)s from gone
"""

_SETTLING: Final = """
select r.project_id::text, r.lead_id::text, r.removed_at, r.erased from lead_removals r
where r.erased or r.removed_at < clock_timestamp() - %s * interval '1 microsecond'
order by r.removed_at, r.project_id, r.lead_id
limit %s
"""

_REMOVED: Final = "delete from lead_removals where project_id = %s and lead_id = %s"

# Conflicts name the event, not the lead, and so go first.
_PORTIONS: Final = (
    """delete from event_conflicts c where (c.project_id, c.id) in (
           select c.project_id, c.id from event_conflicts c
           join events e on e.project_id = c.project_id and e.id = c.event
           where c.project_id = %(project)s and e.lead_id = %(lead)s limit %(n)s)""",
    *(
        f"""delete from {table} where ctid = any (array(
                select ctid from {table}
                where project_id = %(project)s and lead_id = %(lead)s limit %(n)s))"""  # noqa: S608
        for table in (
            "inbox", "events", "ledger", "checkpoints", "stage_changes", "score_revisions",
            "lead_changes", "scoring_failures", "dead_letters",
        )
    ),
)  # fmt: skip

_EVENTS: Final = next(n for n, text in enumerate(_PORTIONS) if "delete from events " in text)
# Erased events leave what callers know of them. Counts what was inserted: one for each event.
_FORGET: Final = """
with gone as (
    delete from events where ctid = any (array(
        select ctid from events
        where project_id = %(project)s and lead_id = %(lead)s limit %(n)s))
    returning trusted, digest, fingerprint, id
)
insert into forgotten_events (project_id, trusted, digest, fingerprint, event)
select %(project)s, trusted, digest, fingerprint, id from gone order by trusted, digest
on conflict (project_id, trusted, digest) do update set
    fingerprint = excluded.fingerprint, event = excluded.event, expires_at = null
"""
_ERASURE: Final = (*_PORTIONS[:_EVENTS], _FORGET, *_PORTIONS[_EVENTS + 1 :])


class OwnEvent(NamedTuple):
    """A trusted event that the product itself writes, at the instant it is received."""

    project_id: str
    id: str
    lead_id: str
    event_id: str
    type: str
    digest: bytes
    fingerprint: bytes
    model_version: int
    now: int
    properties: Mapping[str, Any] = {}
    traits: Mapping[str, Any] | None = None


class StoredEvent(NamedTuple):
    """What is stored under an eventId already."""

    id: str
    fingerprint: bytes
    lead_id: str


class MergeRow(NamedTuple):
    """A merge as it is recorded; times in µs."""

    id: str
    child_id: str
    parent_id: str
    cause: str
    event: str | None
    made_by: str
    made_at: int
    undone_at: int | None
    undone_by: str | None


async def clock(conn: Connection) -> int:
    """Return the database's clock: after waiting for a lock, later than all that it guards."""
    cursor = await conn.execute("select clock_timestamp()")
    row = await cursor.fetchone()
    return 0 if row is None else row[0]


async def project_facts(conn: Connection, project_id: str) -> tuple[bytes, int] | None:
    """Return the key of eventId digests and the model version in force."""
    cursor = await conn.execute(_PROJECT, (project_id,))
    row = await cursor.fetchone()
    return None if row is None else (bytes(row[0]), row[1])


async def lock_leads(conn: Connection, project_id: str, lead_ids: Iterable[str]) -> list[str]:
    """Take the row locks of leads, in order, as the scorer does; return those that exist."""
    cursor = await conn.execute(_LOCK_LEADS, (project_id, ",".join(lead_ids)))
    return [row[0] for row in await cursor.fetchall()]


async def insert_event(conn: Connection, event: OwnEvent, *, scored: bool) -> bool:
    """Store an event of ours, and put it before the scorer; False if its eventId is known."""
    values = {
        "project": event.project_id, "id": event.id, "lead": event.lead_id,
        "event_id": event.event_id, "digest": event.digest, "fingerprint": event.fingerprint,
        "type": event.type, "now": Instant(event.now), "version": event.model_version,
        "properties": msgspec.json.encode(event.properties).decode(),
        "traits": None if event.traits is None else msgspec.json.encode(event.traits).decode(),
    }  # fmt: skip
    cursor = await conn.execute(_INSERT_EVENT, values)
    if cursor.rowcount == 0:
        return False
    if scored:
        await conn.execute(_QUEUE, values)
    return True


async def insert_events(conn: Connection, events: Sequence[OwnEvent], now: int) -> None:
    """Store events of ours that are all new, of one instant, and that score nothing."""
    document = [
        {
            "p": e.project_id, "id": e.id, "l": e.lead_id, "e": e.event_id, "d": e.digest.hex(),
            "f": e.fingerprint.hex(), "k": e.type, "v": e.model_version, "o": e.properties,
            "t": e.traits,
        }
        for e in events
    ]  # fmt: skip
    said = msgspec.json.encode(document).decode()
    await conn.execute(_INSERT_EVENTS, {"events": said, "now": Instant(now)})


async def stored_event(conn: Connection, project_id: str, digest: bytes) -> StoredEvent | None:
    """Return the trusted event that has an eventId."""
    cursor = await conn.execute(_STORED, (project_id, digest))
    row = await cursor.fetchone()
    return None if row is None else StoredEvent(row[0], bytes(row[1]), row[2])


async def count_change(conn: Connection, project_id: str, lead_id: str, now: int) -> None:
    """Count a visible change of a lead."""
    await conn.execute(_TOUCH, (Instant(now), project_id, lead_id))


async def count_changes(
    conn: Connection, project_id: str, lead_ids: Iterable[str], now: int
) -> None:
    """Count a visible change of each of these leads."""
    values = {"now": Instant(now), "project": project_id, "leads": _ids(lead_ids)}
    await conn.execute(_TOUCH_ALL, values)


async def drop_names(conn: Connection, project_id: str, gone: Sequence[tuple[int, str]]) -> None:
    """Forget identifiers. Needs the identity lock."""
    if gone:
        document = [{"p": project_id, "k": kind, "v": value} for kind, value in gone]
        await conn.execute(_DROP_NAMES, (msgspec.json.encode(document).decode(),))


# ── Merges ───────────────────────────────────────────────────────────────────────────


async def merges_of(
    conn: Connection, project_id: str, leads: Sequence[str], limit: int
) -> list[MergeRow]:
    """Return the merges of these leads, undone ones included, oldest first."""
    parameters = {"project": project_id, "leads": _ids(leads), "limit": limit}
    cursor = await conn.execute(_MERGES, parameters)
    return [MergeRow(*row) for row in await cursor.fetchall()]


async def one_merge(conn: Connection, project_id: str, merge_id: str) -> MergeRow | None:
    """Return a merge by its id."""
    cursor = await conn.execute(_MERGE_BY_ID, (project_id, merge_id))
    row = await cursor.fetchone()
    return None if row is None else MergeRow(*row)


async def undo_merge(
    conn: Connection, project_id: str, merge: MergeRow, stamp: tuple[int, str]
) -> None:
    """Take an edge out and derive the survivors anew; `stamp` is when and by whom.

    Needs the identity lock.
    """
    now, undone_by = stamp
    await conn.execute(_UNDO, (Instant(now), undone_by, project_id, merge.id))
    await conn.execute(_SPLIT, {"project": project_id, "child": merge.child_id})


# ── Removal ──────────────────────────────────────────────────────────────────────────


def _ids(leads: Iterable[str]) -> str:
    return "{" + ",".join(leads) + "}"


async def remove_leads(
    conn: Connection, project_id: str, leads: Sequence[str], now: int, *, erased: bool = False
) -> None:
    """Remove leads with profiles and identifiers, and note that their rows are to go."""
    values = {"project": project_id, "leads": _ids(leads), "now": Instant(now), "erased": erased}
    await conn.execute(_REMOVE, values)


class Removal(NamedTuple):
    """A lead of which rows may be left, since an instant (µs); `erased` ones leave digests."""

    project_id: str
    lead_id: str
    removed_at: int
    erased: bool


async def settling(conn: Connection, stragglers: int, limit: int) -> list[Removal]:
    """Return removed leads whose rows are to be looked for now.

    After `stragglers` (µs) nothing more can arrive.
    """
    cursor = await conn.execute(_SETTLING, (stragglers, limit))
    return [Removal(*row) for row in await cursor.fetchall()]


async def remove_rows(
    conn: Connection, project_id: str, lead_id: str, rows: int, *, erased: bool = False
) -> int:
    """Remove up to `rows` rows of a removed lead; returns how many: fewer if that was all."""
    removed = 0
    for statement in _ERASURE if erased else _PORTIONS:
        parameters = {"project": project_id, "lead": lead_id, "n": rows - removed}
        removed += (await conn.execute(statement.encode(), parameters)).rowcount
        if removed >= rows:
            break
    return removed


async def removal_done(conn: Connection, project_id: str, lead_id: str) -> None:
    """Forget a removal of which nothing is left."""
    await conn.execute(_REMOVED, (project_id, lead_id))
