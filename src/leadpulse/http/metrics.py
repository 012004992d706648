"""Figures for Prometheus: what this process did, and the work that waits in the database.

`docs/reference/metrics.md` names all of them; a test holds the page against this code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)

from leadpulse.exposition import exposed
from leadpulse.histogram import cumulated
from leadpulse.http.intake import BUCKETS
from leadpulse.postgres.queue import queue_metrics
from leadpulse.postgres.session import TIMINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from leadpulse.http.intake import IntakeRoute
    from leadpulse.postgres.queue import QueueState
    from leadpulse.usecases.watchers import LiveFigures

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0)


class Metrics:
    """One set per process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "leadpulse_http_requests",
            "Requests answered but for event calls, by the path as the API documents it.",
            ["method", "path", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "leadpulse_http_request_seconds",
            "Time until the answer was sent.",
            ["method", "path"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def page(
        self, queue: QueueState | None, intake: IntakeRoute, live: LiveFigures | None = None
    ) -> bytes:
        """All figures as text; without `queue` the database did not answer."""
        return generate_latest(self.registry) + exposed(
            [
                *_event_calls(intake), *_intake(intake), *_use_cases(), *_live(live),
                *queue_metrics(queue),
            ]
        )  # fmt: skip


def _event_calls(intake: IntakeRoute) -> Iterator[Metric]:
    figures = intake.figures
    calls = CounterMetricFamily("leadpulse_event_calls", "Event calls answered.", labels=["status"])
    for status, number in sorted(figures.statuses.items()):
        calls.add_metric([str(status)], number)
    yield calls
    yield HistogramMetricFamily(
        "leadpulse_event_call_seconds",
        "Time until an event call was answered: after the commit of its events.",
        buckets=cumulated(BUCKETS, figures.buckets),
        sum_value=figures.seconds,
    )


def _intake(intake: IntakeRoute) -> Iterator[Metric]:
    buffer = intake.buffer
    figures = buffer.figures
    events = CounterMetricFamily(
        "leadpulse_events", "Events answered, by what became of them.", labels=["outcome"]
    )
    for outcome, number in (
        ("queued", figures.queued),
        ("duplicate", figures.duplicates),
        ("conflict", figures.conflicts),
        ("rejected", figures.rejected),
    ):
        events.add_metric([outcome], number)
    yield events
    yield CounterMetricFamily(
        "leadpulse_event_calls_postponed",
        "Event calls told to come again: too much waited, or the database was away.",
        value=figures.overloaded,
    )
    yield SummaryMetricFamily(
        "leadpulse_intake_commit_seconds",
        "Group commits of events: how many, and the time that they took.",
        count_value=figures.commits,
        sum_value=figures.commit_seconds,
    )
    yield CounterMetricFamily(
        "leadpulse_intake_splits",
        "Groups of events that were tried again in halves.",
        value=figures.splits,
    )
    yield CounterMetricFamily(
        "leadpulse_intake_reconnects",
        "Times that the intake connected to the database anew.",
        value=figures.reconnects,
    )
    yield GaugeMetricFamily(
        "leadpulse_intake_waiting", "Events that wait for their commit.", value=buffer.waiting
    )


def _live(figures: LiveFigures | None) -> Iterator[Metric]:
    if figures is None:
        return
    yield GaugeMetricFamily(
        "leadpulse_live_sockets", "Pages that get live updates.", value=figures.sockets
    )
    messages = CounterMetricFamily(
        "leadpulse_live_messages",
        "Messages to the pages of a project, by name.",
        labels=["message"],
    )
    for name, number in sorted(figures.messages.items()):
        messages.add_metric([name], number)
    yield messages
    yield CounterMetricFamily(
        "leadpulse_live_coalesced",
        "Hints that were told as counts, for there were too many.",
        value=figures.coalesced,
    )
    dropped = CounterMetricFamily(
        "leadpulse_live_dropped", "Live connections that were ended or refused.", labels=["why"]
    )
    for why, number in sorted(figures.dropped.items()):
        dropped.add_metric([why], number)
    yield dropped


def _use_cases() -> Iterator[Metric]:
    seconds = HistogramMetricFamily(
        "leadpulse_transaction_seconds",
        "Time that a transaction held its connection, by what it was for.",
        labels=["use_case"],
    )
    for use_case, found in sorted(TIMINGS.use_cases.items()):
        seconds.add_metric([use_case], found.buckets(), found.seconds)
    yield seconds
    yield HistogramMetricFamily(
        "leadpulse_connection_wait_seconds",
        "Time that a transaction waited for a free connection.",
        buckets=TIMINGS.waits.buckets(),
        sum_value=TIMINGS.waits.seconds,
    )
