"""The audit log: who did what to what, when and from where; written with the deed itself.

Who acts belongs to a call as a whole, as its request id does: the HTTP face and the command line
say it once, and no function on the way has to hand it on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import msgspec

from leadpulse.domain.spreadsheet import harmless
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.ids import uuid7
from leadpulse.postgres import audit as store
from leadpulse.postgres.audit import Line, Wanted
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import paging

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

COLUMNS: Final = (
    "id", "at", "actor", "actorName", "action", "target", "details", "address", "requestId",
)  # fmt: skip
_PORTION: Final = 500
# As the table bounds them.
_NAME: Final = 254
_TARGET: Final = 300
_SHORT: Final = 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `user:<id>`, `key:<id>`, `cli`, or `system` for what nobody asked for."""

    id: str
    name: str | None = None
    address: str | None = None
    request_id: str | None = None


_ACTING: ContextVar[Actor] = ContextVar("leadpulse_actor")
_SYSTEM: Final = Actor("system")


def act_as(who: Actor) -> None:
    """From here on, in this task, `who` is who does what is done."""
    _ACTING.set(who)


def actor() -> Actor:
    """Who acts."""
    return _ACTING.get(_SYSTEM)


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """The same, for a block."""
    before = _ACTING.set(who)
    try:
        yield
    finally:
        _ACTING.reset(before)


async def record(
    conn: Connection,
    project_id: str,
    action: str,
    target: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Writes down that the actor did something, in the transaction in which it is done.

    `action` is like `member.role_changed`, `target` like `member:<id>`. Details hold neither a
    secret nor what is known of a lead.
    """
    who = actor()
    line = store.NewLine(
        project_id=project_id,
        id=uuid7(),
        actor=who.id,
        actor_name=who.name and who.name[:_NAME],
        action=action,
        target=target and target[:_TARGET],
        details=details or {},
        address=who.address and who.address[:_SHORT],
        request_id=who.request_id and who.request_id[:_SHORT],
    )
    await store.add(conn, line)


async def record_alone(
    pool: Pool,
    project_id: str,
    action: str,
    target: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """The same in a transaction of its own, before something that only reads, like an export."""
    async with unit(pool, project_id) as (conn, _):
        await record(conn, project_id, action, target, details)


# ── Reading ──────────────────────────────────────────────────────────────────────────


async def list_lines(
    pool: Pool, project_id: str, wanted: Wanted, cursor: str | None, limit: int
) -> tuple[list[Line], str | None]:
    """What was done, newest first."""
    limit = paging.page_size(limit)
    before = None if cursor is None else str(paging.decode(cursor, "audit", (UUID,))[0])
    async with snapshot(pool, project_id) as (conn, _):
        found = await store.newest(conn, project_id, wanted, before, limit + 1)
    shown = found[:limit]
    return shown, paging.encode("audit", shown[-1].id) if len(found) > limit else None


async def export_lines(
    pool: Pool, project_id: str, wanted: Wanted, form: Literal["csv", "jsonl"]
) -> AsyncIterator[bytes]:
    """The whole log in portions, oldest first; that it was exported stands at its end."""
    await record_alone(pool, project_id, "audit.exported", details={"format": form})
    written = _csv if form == "csv" else _json_lines
    if form == "csv":
        yield _cells([COLUMNS])
    after: str | None = None
    while True:
        async with snapshot(pool, project_id) as (conn, _):
            found = await store.oldest(conn, project_id, wanted, after, _PORTION)
        if found:
            yield written(found)
        if len(found) < _PORTION:
            return
        after = found[-1].id


def document(line: Line) -> dict[str, Any]:
    """A line as clients see it."""
    values = (line.id, to_rfc3339(line.at), *line[2:])
    return dict(zip(COLUMNS, values, strict=True))


def _json_lines(lines: list[Line]) -> bytes:
    return b"".join(msgspec.json.encode(document(line)) + b"\n" for line in lines)


def _csv(lines: list[Line]) -> bytes:
    return _cells([_row(line) for line in lines])


def _row(line: Line) -> tuple[str, ...]:
    shown = document(line)
    shown["details"] = msgspec.json.encode(line.details).decode() if line.details else ""
    return tuple(harmless(shown[name] or "") for name in COLUMNS)


def _cells(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
