"""The bell: what became hot or qualified since I looked, mine first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from leadpulse.domain.facts import DAY
from leadpulse.postgres import rises as store
from leadpulse.postgres.rises import Looked, Rise
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import paging
from leadpulse.usecases.principals import Principal, who

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

# Whoever was away for longer looks at the list of leads.
KEPT: Final = 30 * DAY
# The newest rises of a project that are looked at.
MOST: Final = 1_000
_KIND: Final = "notifications"


class Bell(NamedTuple):
    """A page of what rang, and how many leads rang since I looked."""

    rises: list[Rise]
    unseen: int
    next_cursor: str | None


async def notifications(pool: Pool, caller: Principal, limit: int, cursor: str | None) -> Bell:
    """Leads that rose: those of mine that I haven't seen, other unseen ones, then the seen.

    A list goes on as it began, whatever is seen meanwhile.
    """
    limit = paging.page_size(limit)
    async with snapshot(pool, caller.project_id) as (conn, now):
        looked = await _looked(conn, caller, now)
        shown, after = looked, store.FIRST
        if cursor is not None:
            seen, *place = paging.decode(cursor, _KIND, (int, int, int, UUID))
            shown = looked._replace(seen=int(str(seen)))
            after = (int(str(place[0])), int(str(place[1])), str(place[2]))
        found = await store.rises(conn, shown, after, limit + 1)
        unseen = await store.unseen(conn, looked)
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = paging.encode(_KIND, shown.seen, last.part, last.at, last.id)
    return Bell(found[:limit], unseen, following)


async def see(pool: Pool, caller: Principal, until: int) -> int:
    """Notes that the caller has seen what rose up to an instant (µs); returns what he hasn't.

    What comes is never seen, whatever a client's clock says.
    """
    async with unit(pool, caller.project_id) as (conn, now):
        await store.see(conn, caller.project_id, who(caller), min(until, now))
        return await store.unseen(conn, await _looked(conn, caller, now))


async def _looked(conn: Connection, caller: Principal, now: int) -> Looked:
    person = caller.kind == "session"
    user = caller.id if person else None
    seen = await store.seen_until(conn, caller.project_id, who(caller), user)
    # Other programs may name an owner by the address.
    names = [caller.id, caller.name] if person else []
    return Looked(caller.project_id, names, seen, now - KEPT, MOST)
