"""Figures of a project, each with the one of the period before where that is known."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.facts import DAY
from leadpulse.postgres import analytics, leads_read
from leadpulse.postgres.analytics import Counts, Hour, Mutation, People, Queue, Scores, TypeCount
from leadpulse.postgres.leads_read import LeadFilter, PageOrder
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import paging
from leadpulse.usecases.reading import LeadView, labels, stored_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

HOUR: Final = DAY // 24
LATENCY_OF: Final = 1_000
_TOP: Final = 5
_MOST_HOURS: Final = 24 * 31
# Seconds that figures may take before they are kept, and for how long they are.
_SLOW: Final = 0.25
_SHOWN_FOR: Final = 5.0


@dataclass(frozen=True, slots=True)
class Latency:
    """From received to scored, in milliseconds: by our clock, never a client's."""

    average: float | None = None
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the first page of a project shows."""

    events: Counts
    events_last_day: int
    by_type: list[TypeCount]
    scores: Scores
    people: People
    latency: Latency
    latency_before: Latency
    top: list[LeadView]


def latency_of(waits: Sequence[float]) -> Latency:
    """Average and percentiles (nearest rank) of what events waited; None without any."""
    if not waits:
        return Latency()
    took = sorted(waits)

    def rank(share: float) -> float:
        return took[max(0, math.ceil(share * len(took)) - 1)]

    return Latency(sum(took) / len(took), rank(0.5), rank(0.99))


def bucket_width(low: float, qualified: float) -> float:
    """A round width of which ten reach well beyond the highest stage."""
    wanted = max(qualified - low, 1.0) * 1.5 / 10
    unit = 10.0 ** math.floor(math.log10(wanted))
    return next(unit * step for step in (1, 2, 5, 10) if unit * step >= wanted * (1 - 1e-9))


async def dashboard(pool: Pool, cache: ModelCache, project_id: str) -> Dashboard:
    """The figures of now, as of one snapshot."""
    async with snapshot(pool, project_id) as (connection, now):
        label = (await labels(connection, cache, project_id)).labels
        stages = label.source.stages
        by_type = await analytics.counts_by_type(connection, project_id, now - DAY, now - 2 * DAY)
        waits = await analytics.newest_waits(connection, project_id, 2 * LATENCY_OF)
        top = await leads_read.lead_page(
            connection, project_id, LeadFilter(), PageOrder("score", "desc", _TOP, now)
        )
        return Dashboard(
            events=await analytics.event_counts(connection, project_id, now),
            events_last_day=sum(item.recent for item in by_type),
            by_type=by_type,
            scores=await analytics.scores(
                connection, project_id, stages[0], bucket_width(stages[0], stages[3]), stages[3]
            ),
            people=await analytics.people(connection, project_id, now - DAY),
            latency=latency_of(waits[:LATENCY_OF]),
            latency_before=latency_of(waits[LATENCY_OF:]),
            top=[stored_view(item.row, label, now) for item in top],
        )


@dataclass(slots=True)
class Dashboards:
    """Dashboards of a process. One that takes long to gather is shown for five seconds.

    Everybody who looks at a large project then costs as much as one does; a small project is
    always told as it is now.
    """

    slow: float = _SLOW
    _kept: dict[str, tuple[float, Dashboard]] = field(default_factory=dict)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def get(self, pool: Pool, cache: ModelCache, project_id: str) -> Dashboard:
        """The figures of a project, at most five seconds old."""
        lock = self._locks.setdefault(project_id, asyncio.Lock())
        async with lock:
            began = time.monotonic()
            self._kept = {p: kept for p, kept in self._kept.items() if kept[0] > began}
            if project_id in self._kept:
                return self._kept[project_id][1]
            found = await dashboard(pool, cache, project_id)
            if time.monotonic() - began > self.slow:
                self._kept[project_id] = (began + _SHOWN_FOR, found)
            return found


async def throughput(pool: Pool, project_id: str, hours: int) -> list[Hour]:
    """Events and mutations of the last hours, the present one included, none left out."""
    if not 1 <= hours <= _MOST_HOURS:
        raise Invalid([FieldError("hours", f"must be between 1 and {_MOST_HOURS}")])
    async with snapshot(pool, project_id) as (connection, now):
        first = now - now % HOUR - (hours - 1) * HOUR
        found = await analytics.by_hour(connection, project_id, first)
    known = {hour.begins: hour for hour in found}
    times = (first + index * HOUR for index in range(hours))
    return [known.get(begins, Hour(begins, 0, 0)) for begins in times]


async def queue_health(pool: Pool, project_id: str) -> tuple[Queue, float]:
    """The queue of a project, and the age in seconds of what waits longest."""
    async with snapshot(pool, project_id) as (connection, now):
        found = await analytics.queue(connection, project_id, now)
    age = 0.0 if found.oldest is None else max(0, now - found.oldest) / 1_000_000
    return found, age


async def score_mutations(pool: Pool, project_id: str, limit: int) -> list[Mutation]:
    """The newest scored events with their lead."""
    limit = paging.page_size(limit)
    async with snapshot(pool, project_id) as (connection, _):
        return await analytics.newest_scored(connection, project_id, limit)
