"""Events about people, stored as intake stores them, for tests of identity and profiles."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from builders import HOUR, NOON, Event, add_events
from leadpulse.domain.identity import Named, Resolved
from leadpulse.postgres import models
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.resolve import resolve
from leadpulse.usecases.score import Desk, score_pass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

# Every event has a place of its own, an hour ago: nothing has decayed yet.
_numbers = count(1)
_START = time.time_ns() // 1_000 - HOUR


class Seen(NamedTuple):
    """Where an event went, and the eventId that it got."""

    lead_id: str
    created: bool
    linked: bool
    event_id: str


def named(project_id: str, *, trusted: bool = False, **names: Any) -> Named:
    """Whom an event names: user_id, email, anonymous_id, lead_id; also ts and traits."""
    number = next(_numbers)
    names.setdefault("ts", _START + number)
    return Named(project_id, trusted, event_id=f"e{number}", **names)


async def resolve_all(conn: Connection, items: Sequence[Named]) -> list[Resolved]:
    """Resolve a batch in a transaction of its own."""
    async with conn.transaction():
        return await resolve(conn, NOON, items)


async def see(conn: Connection, project_id: str, type_: str = "page_view", **names: Any) -> Seen:
    """Take one event in: resolve it and store it, in one transaction."""
    item = named(project_id, **names)
    traits = dict(item.traits or {})
    if item.email is not None:
        traits["email"] = item.email
    async with conn.transaction():
        (resolved,) = await resolve(conn, item.ts, [item])
        assert resolved.error is None
        shown = None if resolved.created else (traits or ({} if resolved.linked else None))
        event = Event(type_, item.ts, item.event_id, item.trusted, None, shown)
        await add_events(conn, project_id, [(resolved.lead_id, event)])
    return Seen(resolved.lead_id, resolved.created, resolved.linked, item.event_id)


async def score_all(conn: Connection) -> None:
    """Let a scorer work until nothing waits."""
    desk, rotation = Desk(conn, models.ModelCache()), Rotation()
    while not (await score_pass(desk, rotation, 1_000)).idle:
        pass
