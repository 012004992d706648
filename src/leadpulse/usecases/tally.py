"""Counts for what is called too often to ask anybody: kept here, told to others afterwards.

What was counted here is handed to the other processes' counts together, a few dozen times a
second, and comes back as what all have counted. So nobody waits, and between several processes a
rate may be passed by what arrives meanwhile. When Valkey is away each process goes by what it
knows: callers are let in rather than turned away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, NamedTuple, Protocol

from leadpulse.domain.rates import Seen, Windows
from leadpulse.usecases.throttle import SharedAway

# Seconds between two handings-over, and after one that failed.
_PAUSE: Final = 0.02
_REST: Final = 1.0
_AT_ONCE: Final = 500


class Count(NamedTuple):
    """So much more of a key in a window of so many seconds, by the window's number."""

    key: str
    window: int
    more: int
    seconds: int


class Ledger(Protocol):
    """Where several processes add up."""

    async def add(self, counts: Sequence[Count]) -> list[tuple[int, int]]:
        """Adds, and returns each sum with that of the window before; raises SharedAway."""


class Tally:
    """Counts over a minute. Made and used inside one event loop."""

    def __init__(
        self, ledger: Ledger | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.windows = Windows()
        self._ledger = ledger
        self._clock = clock
        self._fresh: dict[str, int] = {}
        self._window = 0
        self._telling: asyncio.Task[None] | None = None

    def seen(self, key: str) -> Seen:
        """What is known of a key by now."""
        return self.windows.seen(key, self._clock())

    def spend(self, key: str, amount: int, cost: int) -> int:
        """Counts `cost` if it fits in an amount; what is left then, or -1 if it does not fit."""
        left = self.windows.spend(key, self._clock(), amount, cost)
        if left >= 0 and self._ledger is not None:
            self._note(self._ledger, key, cost)
        return left

    def take_back(self, key: str, cost: int) -> None:
        """Counts so much less."""
        self.windows.turn(self._clock())
        self.windows.add(key, -cost)
        if self._ledger is not None:
            self._note(self._ledger, key, -cost)

    @property
    def reset(self) -> int:
        """Whole seconds until the running window ends."""
        length = self.windows.seconds
        return length - int(self._clock() % length)

    def _note(self, ledger: Ledger, key: str, cost: int) -> None:
        if self._window != self.windows.index:
            # What is not told yet of a window that is over concerns nobody any more.
            self._window = self.windows.index
            self._fresh.clear()
        self._fresh[key] = self._fresh.get(key, 0) + cost
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell(ledger), name="rates")

    async def close(self) -> None:
        """Ends; what is not told yet is lost with the counts of this process."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self, ledger: Ledger) -> None:
        try:
            while self._fresh:
                await asyncio.sleep(_PAUSE)
                told = dict(islice(self._fresh.items(), _AT_ONCE))
                for key in told:
                    del self._fresh[key]
                if not await self._told(ledger, told):
                    await asyncio.sleep(_REST)
        finally:
            self._telling = None

    async def _told(self, ledger: Ledger, told: dict[str, int]) -> bool:
        window, seconds = self._window, self.windows.seconds
        try:
            sums = await ledger.add([Count(k, window, n, seconds) for k, n in told.items()])
        except SharedAway:
            if window == self._window:
                # Perhaps it arrived all the same: then it counts twice, in this window only.
                for key, count in told.items():
                    self._fresh[key] = self._fresh.get(key, 0) + count
            return False
        if window == self.windows.index:
            for key, (current, before) in zip(told, sums, strict=True):
                self.windows.raise_to(key, current + self._fresh.get(key, 0), before)
        return True
