"""How much may happen in how long: counts over a window that slides.

The count of the running window plus the part of the one before that still lies within the
length of a window: the last minute, taking what happened in the minute before as spread evenly.
Two numbers a key, and never more than a rate in any one running window.
"""

from __future__ import annotations

from math import floor
from typing import Final, NamedTuple

_MOST_KEYS: Final = 100_000


class Rate(NamedTuple):
    """So many in so many seconds; an amount of 0 sets no limit."""

    amount: int
    seconds: int = 60


class Seen(NamedTuple):
    """What was counted of one key.

    `into`: seconds of the running window that have passed; the one before counts for the rest.
    """

    before: int
    current: int
    into: float

    def used(self, seconds: int) -> int:
        """What counts now, rounded down."""
        return floor(self.before * (1 - self.into / seconds)) + self.current

    def wait(self, rate: Rate, cost: int) -> int | None:
        """None if `cost` more still fits in the rate; else the whole seconds until it does.

        What is more than the rate by itself never fits, and is told to wait for a window.
        """
        amount, length = rate
        if not amount or self.used(length) + cost <= amount:
            return None
        if cost > amount:
            return length
        room = amount - cost
        if self.current <= room:  # the window before has to fade
            fits = _fading(self.before, room - self.current, length) - self.into
        else:
            fits = length - self.into + _fading(self.current, room, length)
        return max(1, floor(fits) + 1)


def _fading(count: int, room: int, length: int) -> float:
    """Seconds into the next window after which no more than `room` of a count is left."""
    return length * (1 - (room + 1) / count) if count > room else 0.0


class Windows:
    """Counts of any number of keys in windows of one length. No clock of its own.

    Bounded: with too many keys, those that were seen least are forgotten. Whoever floods
    stands out, so of the rest nothing need be known.
    """

    __slots__ = ("_before", "_current", "_index", "_most", "seconds")

    def __init__(self, seconds: int = 60, most: int = _MOST_KEYS) -> None:
        self.seconds = seconds
        self._most = most
        self._index = 0
        self._current: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def turn(self, now: float) -> float:
        """Goes on to the window of an instant; returns the seconds of it that have passed.

        A clock that is set back by less than a window makes the running one longer.
        """
        index = int(now // self.seconds)
        if index != self._index:
            if index == self._index - 1:
                return 0.0
            self._before = self._current if index == self._index + 1 else {}
            self._current = {}
            self._index = index
        return now - index * self.seconds

    @property
    def index(self) -> int:
        """The number of the running window."""
        return self._index

    def seen(self, key: str, now: float) -> Seen:
        into = self.turn(now)
        return Seen(self._before.get(key, 0), self._current.get(key, 0), into)

    def spend(self, key: str, now: float, amount: int, cost: int) -> int:
        """Counts `cost` if it fits in an amount; what is left then, or -1 if it does not fit.

        The same as `seen`, `used` and `add`, for those who count with every request.
        """
        into = self.turn(now)
        current = self._current
        count = current.get(key, 0)
        left = amount - count - cost
        before = self._before.get(key)
        if before:
            left -= floor(before * (1 - into / self.seconds))
        if left < 0:
            return -1
        if not count and len(current) >= self._most:
            current = self._shrink()
        current[key] = count + cost
        return left

    def add(self, key: str, cost: int) -> None:
        """Counts in the window that `turn` or `seen` last went to; less than nothing is 0."""
        current = self._current
        count = current.get(key, 0) + cost
        if key not in current and len(current) >= self._most:
            current = self._shrink()
        current[key] = max(count, 0)

    def raise_to(self, key: str, current: int, before: int) -> None:
        """Makes the counts of the running window and the one before at least these."""
        if current > self._current.get(key, 0):
            self._current[key] = current
        if before > self._before.get(key, 0):
            self._before[key] = before

    def forget(self, key: str) -> None:
        self._current.pop(key, None)
        self._before.pop(key, None)

    def __len__(self) -> int:
        return max(len(self._current), len(self._before))

    def _shrink(self) -> dict[str, int]:
        middle = sorted(self._current.values())[len(self._current) // 2]
        self._current = {key: n for key, n in self._current.items() if n > middle}
        return self._current
