"""Figures for Prometheus: requests of this process, and the work that waits in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from leadpulse.usecases.admin import Health

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0)


class Metrics:
    """One set per process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "leadpulse_http_requests",
            "Requests answered, by the path as the API documents it.",
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
        self._work = {
            name: Gauge(f"leadpulse_{name}", text, registry=self.registry)
            for name, text in (
                ("database_up", "1 if the database answered this scrape."),
                ("inbox_waiting", "Events not scored yet; counting ends at 100,000."),
                ("inbox_oldest_seconds", "Age of the event that waits longest."),
                ("failed_jobs", "Dead letters that are open."),
                ("retrying_leads", "Leads whose scoring failed and is tried again."),
                ("workers", "Scorers that gave a sign of life in the last 30 seconds."),
                ("lock_waits", "Database sessions that wait for a lock."),
            )
        }

    def page(self, health: Health | None) -> bytes:
        """All figures as text; without `health` the database did not answer."""
        self._work["database_up"].set(0 if health is None else 1)
        if health is not None:
            depth = health.depth
            for name, value in (
                ("inbox_waiting", depth.waiting),
                ("inbox_oldest_seconds", health.oldest_seconds),
                ("failed_jobs", depth.failed),
                ("retrying_leads", depth.retrying),
                ("workers", depth.workers),
                ("lock_waits", depth.lock_waits),
            ):
                self._work[name].set(value)
        return generate_latest(self.registry)
