"""Rows for tests, put straight into the tables in the way that intake leaves them there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, DAY, Fact
from leadpulse.domain.model import model_document
from leadpulse.domain.presets import preset
from leadpulse.ids import uuid7, uuid7s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection

# A Tuesday noon in the past, so that tests can put events before and after it.
NOON: Final = 1_767_700_800_000_000
MINUTE: Final = 60_000_000
HOUR: Final = 3_600_000_000

__all__ = ["ADJUSTMENT", "DAY", "HOUR", "MINUTE", "NOON", "Event", "Fact"]


class Event(NamedTuple):
    """An event as a test thinks of it; the id follows from `event_id`."""

    type: str
    ts: int
    event_id: str
    trusted: bool = True
    properties: Mapping[str, Any] | None = None
    traits: Mapping[str, Any] | None = None
    version: int = 1


_EVENTS: Final = """
with w as materialized (
    select *, timestamptz 'epoch' + ts * interval '1 microsecond' as at
    from jsonb_to_recordset(%(events)s::jsonb) w (id uuid, lead uuid, trusted boolean,
        event_id text, digest text, type text, ts bigint, v int, props jsonb, traits jsonb)
), e as (
    insert into events (project_id, id, lead_id, trusted, event_id, digest, fingerprint,
        event_type, ts, received_at, model_version, properties, traits)
    select %(project)s::uuid, id, lead, trusted, event_id, decode(digest, 'hex'),
        decode(digest, 'hex'), type, at, greatest(at, clock_timestamp()), v,
        coalesce(props, '{}'), traits
    from w order by trusted, digest
    on conflict (project_id, trusted, digest) do nothing
    returning *
)
insert into inbox (project_id, lead_id, id, trusted, event_id, event_type, ts, received_at,
    model_version, has_traits)
select project_id, lead_id, id, trusted, event_id, event_type, ts, received_at, model_version,
    traits is not null
from e where %(waiting)s
"""


async def add_project(
    conn: Connection, model: ScoringModel | None = None, name: str = "classic"
) -> str:
    """A project with one model: a preset, or a given one."""
    project_id = uuid7()
    model = model or preset(name)
    async with conn.transaction():
        await conn.execute(
            """
            insert into projects (id, name, preset, digest_key, identity_secret)
            values (%s, 'test', 'classic', sha256('a'), sha256('b'))
            """,
            (project_id,),
        )
        await _insert_model(conn, project_id, model, 1, "all-history")
    return project_id


async def publish(
    conn: Connection, project_id: str, model: ScoringModel, *, all_history: bool
) -> int:
    """Publish one more version, as the use case does but for the rescore row."""
    async with conn.transaction():
        cursor = await conn.execute(
            "select model_version + 1 from projects where id = %s for no key update", (project_id,)
        )
        (version,) = await cursor.fetchone() or (0,)
        scope = "all-history" if all_history else "from-now"
        await _insert_model(conn, project_id, model, version, scope)
        await conn.execute(
            """
            update projects set model_version = %(v)s,
                history_version = case when %(all)s then %(v)s else history_version end
            where id = %(p)s::uuid
            """,
            {"v": version, "all": all_history, "p": project_id},
        )
        if all_history:
            await conn.execute(
                """
                insert into rescores (project_id, history_version, total)
                select %(p)s::uuid, %(v)s, count(*) from leads where project_id = %(p)s::uuid
                """,
                {"v": version, "p": project_id},
            )
    return int(version)


async def _insert_model(
    conn: Connection, project_id: str, model: ScoringModel, version: int, scope: str
) -> None:
    document = msgspec.json.encode(model_document(replace(model, version=version))).decode()
    await conn.execute(
        "insert into models (project_id, version, scope, document) values (%s, %s, %s, %s::jsonb)",
        (project_id, version, scope, document),
    )


async def add_leads(conn: Connection, project_id: str, count: int) -> list[str]:
    """Fresh leads with empty profiles."""
    ids = uuid7s(count)
    await conn.execute(
        """
        with l as (
            insert into leads (project_id, id, as_of, epoch, created_at, updated_at)
            select %(p)s::uuid, w::uuid, now(), p.history_version, now(), now()
            from jsonb_array_elements_text(%(l)s::jsonb) w, projects p where p.id = %(p)s::uuid
            returning project_id, id
        )
        insert into lead_profiles (project_id, lead_id, updated_at)
        select project_id, id, now() from l
        """,
        {"p": project_id, "l": msgspec.json.encode(ids).decode()},
    )
    return ids


async def add_lead(conn: Connection, project_id: str) -> str:
    (lead_id,) = await add_leads(conn, project_id, 1)
    return lead_id


async def add_events(
    conn: Connection,
    project_id: str,
    events: Sequence[tuple[str, Event]],
    *,
    waiting: bool = True,
) -> list[str]:
    """Store events of leads and put them into the inbox; the same event counts once."""
    ids = uuid7s(len(events))
    document = [
        {
            "id": id_, "lead": lead_id, "trusted": e.trusted, "event_id": e.event_id,
            "digest": hashlib.blake2b(e.event_id.encode(), digest_size=16).hexdigest(),
            "type": e.type, "ts": e.ts, "v": e.version, "props": e.properties,
            "traits": e.traits,
        }
        for id_, (lead_id, e) in zip(ids, events, strict=True)
    ]  # fmt: skip
    await conn.execute(
        _EVENTS,
        {
            "project": project_id,
            "events": msgspec.json.encode(document).decode(),
            "waiting": waiting,
        },
    )
    return ids


async def request_refold(conn: Connection, project_id: str, *leads: str) -> None:
    """Ask for a fold from the first fact, as a merge or a release does."""
    for lead_id in leads:
        await conn.execute(
            "insert into inbox (project_id, lead_id, id, kind, received_at)"
            " values (%s, %s, %s, 1, clock_timestamp())",
            (project_id, lead_id, uuid7()),
        )


async def link(conn: Connection, project_id: str, child: str, parent: str) -> str:
    """Merge a lead without children into a root, as intake records it."""
    edge = uuid7()
    async with conn.transaction():
        await conn.execute(
            """
            insert into lead_merges (project_id, id, child_id, parent_id, cause, made_by, made_at)
            values (%s, %s, %s, %s, 'manual', 'test', clock_timestamp())
            """,
            (project_id, edge, child, parent),
        )
        await conn.execute(
            "insert into lead_roots (project_id, lead_id, root_id) values (%s, %s, %s)",
            (project_id, child, parent),
        )
        await request_refold(conn, project_id, parent, child)
    return edge


async def unlink(conn: Connection, project_id: str, edge: str) -> None:
    """Undo such a merge."""
    async with conn.transaction():
        cursor = await conn.execute(
            """
            update lead_merges set undone_at = clock_timestamp(), undone_by = 'test'
            where project_id = %s and id = %s returning child_id::text, parent_id::text
            """,
            (project_id, edge),
        )
        child, parent = await cursor.fetchone() or ("", "")
        await conn.execute(
            "delete from lead_roots where project_id = %s and lead_id = %s", (project_id, child)
        )
        await request_refold(conn, project_id, parent, child)
