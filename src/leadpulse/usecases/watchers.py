"""Who watches a project live, and whether he still may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from leadpulse.postgres import keeper
from leadpulse.postgres.session import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.session import Pool


class Watcher(NamedTuple):
    """A session that may read its project, and from where it came."""

    session_id: str
    user_id: str
    project_id: str


# Tells who opens a socket, by the request that opens it and the token that came with it. Raises
# an error of the domain for whom it may not be.
Admit = Callable[[MutableMapping[str, Any], str | None], Awaitable[Watcher]]


@dataclass(slots=True)
class LiveFigures:
    """Sockets that are open, and what happened since the start."""

    sockets: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    coalesced: int = 0
    # By why they were closed by us.
    dropped: Counter[str] = field(default_factory=Counter)


async def still_watching(pool: Pool, watchers: Sequence[Watcher]) -> tuple[set[str], int]:
    """The sessions among these that may go on, and the instant (µs). One question for all."""
    async with snapshot(pool, None, 2_000, wait=2.0) as (conn, now):
        pairs = sorted({(w.session_id, w.project_id) for w in watchers})
        return set(await keeper.sessions_in_force(conn, pairs)), now
