"""The audit log: lines are added and read, and never anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_INSERT: Final = """
insert into audit_log
    (project_id, id, actor, actor_name, action, target, details, address, request_id)
values (%(project_id)s, %(id)s, %(actor)s, %(actor_name)s, %(action)s, %(target)s,
        %(details)s::jsonb, %(address)s, %(request_id)s)
"""

_READ: Final = """
select id, at, actor, actor_name, action, target, details, address, request_id
from audit_log
where project_id = %(project)s
    and (%(actor)s::text is null or actor = %(actor)s)
    and (%(action)s::text is null or action = %(action)s
        or starts_with(action, %(action)s || '.'))
    and (%(target)s::text is null or target = %(target)s)
    and (%(since)s::timestamptz is null or at >= %(since)s)
    and (%(until)s::timestamptz is null or at < %(until)s)
"""
_NEWEST: Final = _READ + "and id < %(place)s::uuid order by id desc limit %(limit)s"
_OLDEST: Final = _READ + "and id > %(place)s::uuid order by id limit %(limit)s"

_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class NewLine(NamedTuple):
    """What somebody did, to be written down. `details` hold no secret."""

    project_id: str
    id: str
    actor: str
    actor_name: str | None
    action: str
    target: str | None
    details: Mapping[str, Any]
    address: str | None
    request_id: str | None


class Line(NamedTuple):
    """What somebody did, and when (µs)."""

    id: str
    at: int
    actor: str
    actor_name: str | None
    action: str
    target: str | None
    details: dict[str, Any]
    address: str | None
    request_id: str | None


class Wanted(NamedTuple):
    """Which lines; an action may also be the part before the dot. Instants in µs."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: int | None = None
    until: int | None = None


async def add(conn: Connection, line: NewLine) -> None:
    """Writes a line, in the caller's transaction."""
    details = msgspec.json.encode(line.details).decode()
    await conn.execute(_INSERT, line._asdict() | {"details": details})


async def newest(
    conn: Connection, project_id: str, wanted: Wanted, before: str | None, limit: int
) -> list[Line]:
    """A page of lines, newest first, before the line with an id."""
    return await _read(conn, _NEWEST, wanted, (project_id, before or _LAST, limit))


async def oldest(
    conn: Connection, project_id: str, wanted: Wanted, after: str | None, limit: int
) -> list[Line]:
    """A page of lines, oldest first, after the line with an id."""
    return await _read(conn, _OLDEST, wanted, (project_id, after or _FIRST, limit))


async def _read(
    conn: Connection, statement: str, wanted: Wanted, page: tuple[str, str, int]
) -> list[Line]:
    project, place, limit = page
    values: dict[str, Any] = {
        **wanted._asdict(),
        "since": None if wanted.since is None else Instant(wanted.since),
        "until": None if wanted.until is None else Instant(wanted.until),
        "project": project,
        "place": place,
        "limit": limit,
    }
    return [Line(*row) for row in await fetch_all(conn, statement, values)]
