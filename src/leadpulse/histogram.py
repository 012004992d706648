"""Durations counted in buckets, cheaply: a list of numbers, told to Prometheus when it asks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# From a quick look-up to the longest that anybody waits, in seconds.
QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0)
# From an event at once to one that waited for an outage.
SLOW: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


@dataclass(slots=True)
class Histogram:
    """How many durations fell into each bucket; the last bucket has no upper bound."""

    bounds: tuple[float, ...] = QUICK
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def note(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds

    def note_all(self, durations: Iterable[float]) -> None:
        """Count some more."""
        for seconds in durations:
            self.note(seconds)

    def buckets(self) -> list[tuple[str, float]]:
        """What Prometheus wants: the number up to each bound, that of all at the end."""
        return cumulated(self.bounds, self.counts)


def cumulated(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """The number of durations up to each bound; `counts` has one bucket more than bounds."""
    found: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        total += count
        found.append((bound, float(total)))
    return found
