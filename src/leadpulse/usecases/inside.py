"""Events that the product itself writes: changes by hand, stored like any other fact."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.errors import NotFound
from leadpulse.ids import uuid7
from leadpulse.postgres import lead_changes as store

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_DIGEST_SIZE: Final = 16


class Saying(NamedTuple):
    """What an event of ours says; without an `event_id` it gets one of its own.

    Whoever `by` sends it again, it is the same event.
    """

    type: str
    by: str
    properties: Mapping[str, Any] = {}
    traits: Mapping[str, Any] | None = None
    event_id: str | None = None


def _digest(text: str, key: bytes) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_SIZE, key=key).digest()


async def own_event(
    conn: Connection, project_id: str, lead_id: str, saying: Saying, now: int
) -> store.OwnEvent:
    """An event of ours about a lead, ready to be stored. Raises NotFound for no project."""
    (event,) = await own_events(conn, project_id, [(lead_id, saying)], now)
    return event


async def own_events(
    conn: Connection, project_id: str, said: Sequence[tuple[str, Saying]], now: int
) -> list[store.OwnEvent]:
    """The same of many leads, in their order."""
    project = await store.project_facts(conn, project_id)
    if project is None:
        raise NotFound("project", project_id)
    return [_event(project, project_id, one, now) for one in said]


def _event(
    project: tuple[bytes, int], project_id: str, one: tuple[str, Saying], now: int
) -> store.OwnEvent:
    key, version = project
    lead_id, saying = one
    id_ = uuid7()
    event_id = saying.event_id or id_
    said = "\0".join((saying.type, *(f"{k}={v}" for k, v in sorted(saying.properties.items()))))
    return store.OwnEvent(
        project_id, id_, lead_id, event_id, saying.type, _digest(event_id, key),
        _digest(said, key), version, now, {**saying.properties, "by": saying.by}, saying.traits,
    )  # fmt: skip
