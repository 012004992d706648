"""Retry is arithmetic: when failed work is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

# Seconds before the second to sixth try.
DELAYS: Final = (3, 6, 12, 24, 48)

# What to do with a lead that failed before: fold it among others, in a small group, alone,
# alone in a child process with a memory limit, or not at all any more.
Treatment = Literal["normal", "group", "alone", "child", "dead"]


@dataclass(frozen=True, slots=True)
class Failures:
    """What a lead did to its scorers.

    `attempts`: errors of this lead; `crashes`: deaths of a scorer with it in its batch;
    `solo_crashes`: deaths with it alone.
    """

    attempts: int = 0
    crashes: int = 0
    solo_crashes: int = 0


def delay_after(failures: int, jitter: float) -> float | None:
    """Seconds until the next try after so many failures; None: no more tries.

    `jitter` in [0, 1) spreads by up to a tenth, so that leads don't come back all at once.
    """
    if failures > len(DELAYS):
        return None
    return DELAYS[max(1, failures) - 1] * (1 + jitter / 10)


def treatment(failures: Failures) -> Treatment:
    """How the next try of a lead is made."""
    if failures.attempts > len(DELAYS) or failures.solo_crashes > 2:
        return "dead"
    if failures.solo_crashes == 2:
        return "child"
    if failures.solo_crashes or failures.crashes > 1:
        return "alone"
    return "group" if failures.crashes else "normal"
