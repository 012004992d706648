"""The text that Prometheus reads, of figures that are counted elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric


def exposed(metrics: Iterable[Metric]) -> bytes:
    """The metrics as text, in their order."""

    class Collector:
        def collect(self) -> Iterable[Metric]:
            return metrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry)
