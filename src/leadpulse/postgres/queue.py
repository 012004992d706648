"""How much work waits, cheaply: depth is counted to a bound, age is found by a bounded look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from leadpulse.postgres.connect import Connection

_BOUND: Final = 100_000

# A worker row is refreshed every five seconds. Who waits for a lock stands in pg_locks, which
# tells it to everybody; that a session waits at all, others are not told.
_STATE: Final = """
select q.waiting, coalesce(extract(epoch from clock_timestamp() - q.oldest), 0)::float8,
    q.retrying, q.failed, q.long_folds,
    scorers.alive, scorers.stopped, scorers.reason, scorers.seen,
    locks.waiting, coalesce(extract(epoch from clock_timestamp() - locks.since), 0)::float8
from keeper.queue(%s) q, (
    select count(*) filter (where age < 30)::int as alive,
        count(*) filter (where age < 30 and state = 'stopped')::int as stopped,
        max(detail) filter (where age < 30 and state = 'stopped') as reason,
        min(age)::float8 as seen
    from (select state, detail, extract(epoch from clock_timestamp() - seen_at) as age
          from workers) w
) scorers, (
    select count(distinct a.pid)::int as waiting, min(l.waitstart) as since
    from pg_stat_activity a join pg_locks l on l.pid = a.pid and not l.granted
    where a.datname = current_database() and a.application_name like 'leadpulse-%%'
) locks
"""


class QueueState(NamedTuple):
    """Rows waiting (up to 100,000 are counted), the oldest of them, and what is in trouble.

    `workers`: scorers that gave a sign of life in the last 30 seconds; `stopped`: those of
    them that take no work because nearly everything failed, and `stopped_because` what one of
    them says. `last_sign`: seconds since the latest of such signs, None if there never was one.
    `lock_waits`: our sessions that wait for a lock, and for how long the first of them does.
    """

    waiting: int
    oldest_seconds: float
    retrying: int
    failed: int
    long_folds: int
    workers: int
    stopped: int
    stopped_because: str | None
    last_sign: float | None
    lock_waits: int
    lock_wait_seconds: float

    @property
    def stuck(self) -> bool:
        """True if work waits and nobody does it."""
        idle = self.workers <= self.stopped
        return self.stopped > 0 or (idle and self.oldest_seconds > TOO_LONG)


# Names for Prometheus, each with the field it shows and what that is. API and worker tell the
# same: either may be the one that is scraped.
_FIGURES: Final = {
    "leadpulse_queue_waiting": ("waiting", "Events not scored yet; counting ends at 100,000."),
    "leadpulse_queue_oldest_seconds": ("oldest_seconds", "Age of the event that waits longest."),
    "leadpulse_queue_retrying": ("retrying", "Leads whose scoring failed and is tried again."),
    "leadpulse_queue_failed": ("failed", "Dead letters that are open."),
    "leadpulse_queue_long_folds": ("long_folds", "Leads folded anew over several passes."),
    "leadpulse_workers": ("workers", "Scorers that gave a sign of life in the last 30 seconds."),
    "leadpulse_workers_stopped": (
        "stopped", "Those of them that take no work because nearly everything fails.",
    ),
    "leadpulse_lock_waits": ("lock_waits", "Our sessions that wait for a lock."),
    "leadpulse_lock_wait_seconds": (
        "lock_wait_seconds", "For how long the first of them has been waiting.",
    ),
}  # fmt: skip

# Work that waits longer than this (seconds) while nobody works: something is wrong.
TOO_LONG: Final = 30.0


async def queue_state(conn: Connection) -> QueueState:
    """Look at the queue of the whole installation."""
    cursor = await conn.execute(_STATE, (_BOUND,))
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("an aggregate has one row")
    return QueueState(*row)


def queue_metrics(queue: QueueState | None) -> Iterator[Metric]:
    """The same for Prometheus; without `queue` the database did not answer."""
    yield GaugeMetricFamily(
        "leadpulse_database_up", "1 if the database answered this scrape.", value=queue is not None
    )
    if queue is not None:
        for name, (field, text) in _FIGURES.items():
            yield GaugeMetricFamily(name, text, value=getattr(queue, field))
