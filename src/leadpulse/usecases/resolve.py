"""Finding the lead of each event of a batch, inside the transaction that stores the events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from leadpulse.domain.identity import Named, Resolved
from leadpulse.postgres.connect import Connection

# Told how many new leads the claims of a batch want, by project; says how many may be made.
Allowance = Callable[[Mapping[str, int]], Awaitable[Mapping[str, int]]]


async def resolve(
    conn: Connection, now: int, items: Sequence[Named], allowance: Allowance | None = None
) -> list[Resolved]:
    """Decides the leads of `items` in their order and writes what follows from it.

    Runs in the caller's transaction (READ COMMITTED), before its events are inserted; takes
    the identity lock of every project in which it may change a link, until the commit.
    `allowance` is asked at most once, before anything is written: claims that would make more
    leads than it allows answer `lead_ceiling` and have no effect.
    """
    raise NotImplementedError
