"""What a scorer did since it started, as its parent reads it and tells Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from leadpulse.histogram import QUICK, SLOW, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from leadpulse.usecases.score import PassResult


@dataclass(slots=True)
class ChoreCounters:
    """Upkeep of one kind: how often it ran, what it found to do, how often it failed."""

    runs: int = 0
    found: int = 0
    failures: int = 0


@dataclass(slots=True)
class Counters:
    """Passes that found work with all they did, and upkeep.

    `passes`: their durations. `waits`: from received to scored, of every event that was scored
    for the first time. `passed_at`: when a pass last came to its end, work or none (seconds
    since 1970), `worked_at` the same of those that found work; 0 if there was none yet.
    """

    leads: int = 0
    events: int = 0
    failed: int = 0
    passes: Histogram = field(default_factory=lambda: Histogram(QUICK))
    waits: Histogram = field(default_factory=lambda: Histogram(SLOW))
    chores: dict[str, ChoreCounters] = field(default_factory=dict)
    passed_at: float = 0.0
    worked_at: float = 0.0
    state: str = "scoring"
    detail: str | None = None

    def note(self, result: PassResult, took: float) -> None:
        """Count a pass."""
        self.passed_at = time.time()
        if result.idle:
            return
        self.worked_at = self.passed_at
        self.leads += result.leads
        self.events += result.events
        self.failed += len(result.failed)
        self.passes.note(took)
        self.waits.note_all(result.waits)

    def note_chore(self, name: str, found: int, *, failed: bool = False) -> None:
        """Count a run of upkeep."""
        chore = self.chores.setdefault(name, ChoreCounters())
        chore.runs += 1
        chore.found += found
        chore.failures += failed


class Status(NamedTuple):
    """The counters of a scorer as it left them at an instant (seconds since 1970)."""

    counters: Counters
    at: float

    def document(self) -> dict[str, Any]:
        return {"counters": self.counters, "at": self.at}


def status_from_document(document: Any) -> Status | None:
    """Read a status back; None if it isn't one."""
    try:
        counters = msgspec.convert(document["counters"], Counters)
        return Status(counters, float(document["at"]))
    except (TypeError, KeyError, ValueError):
        return None


_SCORER: Final = ["scorer"]


def metrics_of(statuses: Mapping[int, Status]) -> Iterator[Metric]:
    """Figures of scorers by their number: each begins at zero again when it is started anew."""
    told = {str(index): status.counters for index, status in sorted(statuses.items())}
    for name, text, counted in (
        ("leadpulse_scored_events", "Events scored.", "events"),
        ("leadpulse_scored_leads", "Leads folded.", "leads"),
        ("leadpulse_scoring_failures", "Folds of a lead that failed.", "failed"),
    ):
        family = CounterMetricFamily(name, text, labels=_SCORER)
        for scorer, counters in told.items():
            family.add_metric([scorer], getattr(counters, counted))
        yield family
    for name, text, timed in (
        (
            "leadpulse_pass_seconds",
            "Duration of passes that found work, from claim to commit.",
            "passes",
        ),
        (
            "leadpulse_score_latency_seconds",
            "From receiving an event to the commit of its score, first scoring only.",
            "waits",
        ),
    ):
        durations = HistogramMetricFamily(name, text, labels=_SCORER)
        for scorer, counters in told.items():
            found: Histogram = getattr(counters, timed)
            durations.add_metric([scorer], found.buckets(), found.seconds)
        yield durations
    for name, text, when in (
        ("leadpulse_last_pass_timestamp_seconds", "When a pass last came to its end.", "passed_at"),
        ("leadpulse_last_work_timestamp_seconds", "When a pass last found work.", "worked_at"),
    ):
        instant = GaugeMetricFamily(name, text, labels=_SCORER)
        for scorer, counters in told.items():
            instant.add_metric([scorer], getattr(counters, when))
        yield instant
    yield from _upkeep(told)


def _upkeep(told: Mapping[str, Counters]) -> Iterator[Metric]:
    for name, text, counted in (
        ("leadpulse_upkeep_runs", "Looks for work that time drives.", "runs"),
        ("leadpulse_upkeep_found", "What they found and did: leads, rows or entries.", "found"),
        ("leadpulse_upkeep_failures", "Runs that failed.", "failures"),
    ):
        family = CounterMetricFamily(name, text, labels=["scorer", "chore"])
        for scorer, counters in told.items():
            for chore, figures in sorted(counters.chores.items()):
                family.add_metric([scorer, chore], getattr(figures, counted))
        yield family
