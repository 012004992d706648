"""How often something may be done: named rates, counted here or together with other processes.

    if (seconds := await throttle.hit("login.account", user_id, Rate(10, 300))) is not None:
        raise TooMany("Too many tries.", "too_many", seconds)

Counts of one name and key go over the last `seconds` of its rate, and what is refused is not
counted. Keys are anything that tells callers apart; they are kept as they are in the memory of a
process and as keyed digests elsewhere, and are gone after two windows.

**When Valkey is away** everything goes on, and each process counts by itself: what it accepted
it has counted all along, so nobody gets a fresh start from it. That is the safe way for both
uses. Events keep coming: refusing them would lose what the limit is there to protect, and the
ceilings of a project are in the database anyway. Logins keep being counted: refusing all of them
would lock everybody out for an outage that an attacker may have caused, and accepting all would
open the door to guessing; so the worst is the rate times the number of processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from leadpulse.domain.rates import Rate, Windows


class Together(Protocol):
    """Counts that several processes share. All of it raises SharedAway instead of waiting."""

    async def hit(self, key: str, rate: Rate, cost: int, /) -> int | None:
        """Counts, if it fits; else the seconds until it does."""

    async def peek(self, key: str, rate: Rate, cost: int, /) -> int | None:
        """The same without counting."""

    async def forget(self, key: str, rate: Rate, /) -> None:
        """Starts again from nothing."""


class SharedAway(Exception):
    """The shared counts can't be reached right now."""


class Throttle:
    """Rates of one process. `together`: where processes count together, if there are several."""

    def __init__(
        self, together: Together | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._together = together
        self._clock = clock
        self._windows: dict[int, Windows] = {}

    async def hit(self, name: str, key: str, rate: Rate, cost: int = 1) -> int | None:
        """Counts `cost` more of this; None if it fits in the rate, else it was not counted.

        Then the result is the seconds until it would fit. A rate of 0 is none.
        """
        if not rate.amount:
            return None
        windows, full = self._own(rate), f"{name}:{key}"
        # What this process alone has accepted is too much for all of them, too.
        wait = windows.seen(full, self._clock()).wait(rate, cost)
        if wait is None and self._together is not None:
            try:
                wait = await self._together.hit(full, rate, cost)
            except SharedAway:
                wait = windows.seen(full, self._clock()).wait(rate, cost)
        if wait is None:
            windows.turn(self._clock())
            windows.add(full, cost)
        return wait

    async def peek(self, name: str, key: str, rate: Rate, cost: int = 1) -> int | None:
        """What `hit` would answer, without counting."""
        if not rate.amount:
            return None
        full = f"{name}:{key}"
        wait = self._own(rate).seen(full, self._clock()).wait(rate, cost)
        if wait is None and self._together is not None:
            try:
                wait = await self._together.peek(full, rate, cost)
            except SharedAway:
                return None
        return wait

    async def forget(self, name: str, key: str, rate: Rate) -> None:
        """Starts again from nothing, as after a right password; what can't be reached stays."""
        full = f"{name}:{key}"
        self._own(rate).forget(full)
        if self._together is not None:
            try:
                await self._together.forget(full, rate)
            except SharedAway:
                return

    def _own(self, rate: Rate) -> Windows:
        windows = self._windows.get(rate.seconds)
        if windows is None:
            windows = self._windows[rate.seconds] = Windows(rate.seconds)
        return windows
