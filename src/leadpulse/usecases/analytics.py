"""Figures of a project, each with the one of the period before where that is known."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakValueDictionary

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.facts import DAY
from leadpulse.postgres import analytics, leads_read
from leadpulse.postgres.analytics import Counts, Hour, Mutation, Queue, TypeCount
from leadpulse.postgres.leads_filter import LeadFilter
from leadpulse.postgres.leads_read import PageOrder
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import figures, paging
from leadpulse.usecases.figures import HOUR, Standing
from leadpulse.usecases.reading import LeadView, labels, stored_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.figures import Counted
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

LATENCY_OF: Final = 1_000
_TOP: Final = 5
_MOST_HOURS: Final = 24 * 31
_MOST_DAYS: Final = 366
By = Literal["hour", "day"]
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
    leads: Counted
    leads_before: Standing
    last_act: int | None
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


async def dashboard(pool: Pool, cache: ModelCache, project_id: str) -> Dashboard:
    """The figures of now, as of one snapshot."""
    async with snapshot(pool, project_id) as (connection, now):
        label = (await labels(connection, cache, project_id)).labels
        leads = await figures.present(connection, project_id, label.source)
        by_type = await analytics.counts_by_type(connection, project_id, now - DAY, now - 2 * DAY)
        waits = await analytics.newest_waits(connection, project_id, 2 * LATENCY_OF)
        top = await leads_read.lead_page(
            connection, project_id, LeadFilter(), PageOrder("score", "desc", _TOP, now)
        )
        return Dashboard(
            events=await analytics.event_counts(connection, project_id, now),
            events_last_day=sum(item.recent for item in by_type),
            by_type=by_type,
            leads=leads,
            leads_before=await figures.a_day_ago(connection, project_id, leads.sample, now),
            last_act=await analytics.last_act(connection, project_id),
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


async def throughput(pool: Pool, project_id: str, hours: int, by: By = "hour") -> list[Hour]:
    """Events and mutations of the last hours, the present one included, none left out.

    By day it is whole days of the project's time zone, from the one in which the hours begin.
    """
    most = _MOST_HOURS if by == "hour" else _MOST_DAYS * 24
    if not 1 <= hours <= most:
        raise Invalid([FieldError("hours", f"must be between 1 and {most} by {by}")])
    async with snapshot(pool, project_id) as (connection, now):
        first = now - now % HOUR - (hours - 1) * HOUR
        if by == "day":
            return await analytics.by_day(connection, project_id, first, now)
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
