"""How much work waits, cheaply: depth is counted to a bound, age is found by a bounded look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_BOUND: Final = 100_000

_STATE: Final = """
select waiting.n, coalesce(extract(epoch from clock_timestamp() - waiting.oldest), 0)::float8,
    (select count(*) from scoring_failures where retry_at > clock_timestamp())::int,
    (select count(*) from dead_letters where state = 'open')::int,
    (select count(*) from refolds)::int
from (
    select count(*)::int as n, min(i.received_at) as oldest
    from (select received_at from inbox limit %s) i
) waiting
"""


class QueueState(NamedTuple):
    """Rows waiting (up to 100,000 are counted), the oldest of them, and what is in trouble."""

    waiting: int
    oldest_seconds: float
    retrying: int
    failed: int
    long_folds: int


async def queue_state(conn: Connection) -> QueueState:
    """Look at the queue of the whole installation."""
    cursor = await conn.execute(_STATE, (_BOUND,))
    row = await cursor.fetchone()
    return QueueState(0, 0.0, 0, 0, 0) if row is None else QueueState(*row)
