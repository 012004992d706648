"""The history of work on a lead: owner and status, from when to when, by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from leadpulse.postgres import work as store
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import paging
from leadpulse.usecases.leads import survivor

if TYPE_CHECKING:
    from leadpulse.postgres.session import Pool
    from leadpulse.postgres.work import Change


class By(NamedTuple):
    """Who did something: a person, a key, the command line; `name` where it is known."""

    kind: str
    id: str
    name: str | None


class LeadChange(NamedTuple):
    """A change and who made it; None: an event that merged two leads."""

    change: Change
    by: By | None


async def lead_changes(
    pool: Pool, lead: tuple[str, str], cursor: str | None, limit: int
) -> tuple[list[LeadChange], str | None]:
    """A page of what changed of a lead (project, id) and what merged into it, newest first.

    Raises NotFound.
    """
    limit = paging.page_size(limit)
    before = store.LAST
    if cursor is not None:
        (place,) = paging.decode(cursor, "changes", (UUID,))
        before = str(place)
    async with snapshot(pool, lead[0]) as (conn, _):
        root = await survivor(conn, *lead)
        found = await store.changes(conn, (lead[0], root), before, limit + 1)
        names = await store.names_of(conn, lead[0], {c.by for c in found if c.by})
    shown = [LeadChange(c, None if c.by is None else _by(c.by, names)) for c in found[:limit]]
    more = len(found) > limit
    return shown, paging.encode("changes", found[limit - 1].id) if more else None


def _by(who: str, names: dict[str, str]) -> By:
    kind, _, own = who.partition(":")
    return By(kind, own or who, names.get(who))
