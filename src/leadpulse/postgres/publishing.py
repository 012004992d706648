"""Versions of a project's model: what is in force, what there was, and a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from leadpulse.domain.errors import NotFound
from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

Scope = Literal["from-now", "all-history"]


class InForceNow(NamedTuple):
    """The versions of a project that count: the newest, and the newest for all history."""

    newest: int
    history: int


class Rescore(NamedTuple):
    """How far a rescore of all history is."""

    version: int
    total: int
    done: int
    started_at: int


class Published(NamedTuple):
    """A version in the list of versions."""

    version: int
    scope: Scope
    published_at: int
    note: str | None


class NewVersion(NamedTuple):
    """What is to be published: the whole document under its new number."""

    version: int
    scope: Scope
    document: str
    note: str | None


async def in_force(
    connection: Connection, project_id: str, *, for_change: bool = False
) -> InForceNow:
    """The versions that count; `for_change` lets nobody else publish until the commit."""
    lock = " for no key update" if for_change else ""
    cursor = await connection.execute(
        f"select model_version, history_version from projects where id = %s::uuid{lock}",  # noqa: S608
        [project_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("project", project_id)
    return InForceNow(*row)


async def publish(connection: Connection, project_id: str, new: NewVersion) -> None:
    """Stores a version and puts it in force; for all history it starts a rescore."""
    await connection.execute(
        """
        insert into models (project_id, version, scope, document, note)
        values (%s, %s, %s, %s::jsonb, %s)
        """,
        [project_id, new.version, new.scope, new.document, new.note],
    )
    all_history = new.scope == "all-history"
    await connection.execute(
        """
        update projects set model_version = %(version)s,
            history_version = case when %(all)s then %(version)s else history_version end
        where id = %(project)s::uuid
        """,
        {"version": new.version, "all": all_history, "project": project_id},
    )
    if all_history:
        # An older rescore has nothing left to do: whoever is refolded now gets the newest.
        await connection.execute(
            """
            update rescores set finished_at = clock_timestamp()
            where project_id = %s and finished_at is null
            """,
            [project_id],
        )
        await connection.execute(
            """
            insert into rescores (project_id, history_version, total)
            select %(project)s, %(version)s, count(*) from leads
            where project_id = %(project)s and merged_into is null
            """,
            {"project": project_id, "version": new.version},
        )


async def rescore_under_way(connection: Connection, project_id: str) -> Rescore | None:
    """The rescore that is under way, if any."""
    row = await fetch_one(
        connection,
        """
        select history_version, total, done, started_at from rescores
        where project_id = %(project)s and finished_at is null
        order by history_version desc limit 1
        """,
        {"project": project_id},
    )
    return None if row is None else Rescore(*row)


async def versions(
    connection: Connection, project_id: str, before: int | None, limit: int
) -> list[Published]:
    """Published versions, newest first."""
    rows = await fetch_all(
        connection,
        """
        select version, scope, published_at, note from models
        where project_id = %(project)s and version < %(before)s
        order by version desc limit %(limit)s
        """,
        {"project": project_id, "before": before or 2**31 - 1, "limit": limit},
    )
    return [Published(*row) for row in rows]


async def stored(
    connection: Connection, project_id: str, version: int
) -> tuple[Published, dict[str, Any]] | None:
    """One version with its document, if there is such a one."""
    row = await fetch_one(
        connection,
        """
        select version, scope, published_at, note, document from models
        where project_id = %(project)s and version = %(version)s
        """,
        {"project": project_id, "version": version},
    )
    return None if row is None else (Published(*row[:4]), row[4])


async def idle_since(connection: Connection, project_id: str, instant: int) -> int:
    """How many leads with a score had their last act before an instant (µs)."""
    row = await fetch_one(
        connection,
        """
        select count(*) from leads where project_id = %(project)s and merged_into is null
            and not test and last_event_at < %(instant)s and score > 0
        """,
        {"project": project_id, "instant": Instant(instant)},
    )
    return 0 if row is None else int(row[0])


async def rule_use(
    connection: Connection, project_id: str, since: int, most: tuple[int, int]
) -> tuple[list[tuple[str, int, float]], bool]:
    """(rule id, hits, points) of ledger entries since an instant, and whether all were counted.

    Looks at the leads seen last: `most` gives how many of them and how many entries.
    """
    leads, entries = most
    parameters: dict[str, Any] = {
        "project": project_id,
        "since": Instant(since),
        "leads": leads,
        "entries": entries,
    }
    rows = await fetch_all(
        connection,
        """
        with recent as (
            select l.id, l.generation from leads l
            where l.project_id = %(project)s and l.merged_into is null and not l.test
                and l.last_event_at >= %(since)s
            order by l.last_event_at desc nulls last, l.id desc limit %(leads)s
        ), used as materialized (
            select g.rules from recent l cross join lateral (
                select g.rules from ledger g
                where g.project_id = %(project)s and g.lead_id = l.id
                    and g.generation = l.generation and g.at >= %(since)s
                    and g.rules is not null
                offset 0
            ) g limit %(entries)s
        )
        select r.key, count(*), sum(r.value::float8),
            (select count(*) from recent) < %(leads)s
                and (select count(*) from used) < %(entries)s
        from used u cross join lateral jsonb_each_text(u.rules) r
        group by r.key
        """,
        parameters,
    )
    return [(row[0], row[1], row[2]) for row in rows], all(row[3] for row in rows)
