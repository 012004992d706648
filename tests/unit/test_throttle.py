"""Rates counted in one process."""

from __future__ import annotations

from leadpulse.domain.rates import Rate, Windows
from leadpulse.usecases.throttle import SharedAway, Throttle


class Clock:
    def __init__(self, at: float = 1_000_000_020.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Away:
    """Shared counts that can't be reached."""

    async def hit(self, *_: object) -> int | None:
        raise SharedAway

    async def peek(self, *_: object) -> int | None:
        raise SharedAway

    async def forget(self, *_: object) -> None:
        raise SharedAway


async def test_a_rate_is_kept_for_each_name_and_key() -> None:
    """What is beyond is refused, not counted, and told when to come again."""
    clock = Clock()
    throttle = Throttle(clock=clock)
    rate = Rate(3, 60)
    assert [await throttle.hit("login", "ann", rate) for _ in range(3)] == [None] * 3
    wait = await throttle.hit("login", "ann", rate)
    assert wait is not None
    assert await throttle.peek("login", "ann", rate) == wait
    assert await throttle.hit("login", "bob", rate) is None
    assert await throttle.hit("reset", "ann", rate) is None
    clock.at += wait - 1
    assert await throttle.peek("login", "ann", rate) is not None
    clock.at += 1
    assert await throttle.peek("login", "ann", rate) is None
    assert await throttle.hit("login", "ann", rate) is None
    assert await throttle.hit("login", "ann", rate) is not None


async def test_peeking_counts_nothing_and_forgetting_starts_again() -> None:
    """After a right password nothing is left of the tries before it."""
    throttle = Throttle(clock=Clock())
    rate = Rate(1, 60)
    for _ in range(5):
        assert await throttle.peek("login", "ann", rate) is None
    assert await throttle.hit("login", "ann", rate) is None
    assert await throttle.hit("login", "ann", rate) is not None
    await throttle.forget("login", "ann", rate)
    assert await throttle.hit("login", "ann", rate) is None


async def test_no_rate_counts_nothing() -> None:
    """An amount of 0 is no limit."""
    throttle = Throttle(clock=Clock())
    for _ in range(1_000):
        assert await throttle.hit("any", "one", Rate(0), 1_000) is None


async def test_what_is_more_than_the_rate_never_fits() -> None:
    """It is refused at any time, and leaves room for what is smaller."""
    throttle = Throttle(clock=Clock())
    assert await throttle.hit("events", "key", Rate(10), 11) == 60
    assert await throttle.hit("events", "key", Rate(10), 10) is None


async def test_without_the_shared_counts_a_process_counts_by_itself() -> None:
    """Nothing is refused for an outage, and nothing is let through without being counted."""
    throttle = Throttle(Away(), Clock())
    rate = Rate(2, 60)
    assert [await throttle.hit("login", "ann", rate) for _ in range(2)] == [None] * 2
    assert await throttle.hit("login", "ann", rate) is not None
    assert await throttle.peek("login", "bob", rate) is None
    await throttle.forget("login", "ann", rate)
    assert await throttle.hit("login", "ann", rate) is None


def test_memory_is_bounded_and_floods_are_remembered() -> None:
    """With too many keys, those that were seen least are forgotten."""
    windows = Windows(60, most=1_000)
    windows.turn(0.0)
    windows.add("flood", 50)
    for number in range(20_000):
        windows.add(f"stranger-{number}", 1)
    assert len(windows) <= 1_000
    assert windows.seen("flood", 0.0).current == 50
    windows.turn(60.0)
    windows.turn(180.0)
    assert len(windows) == 0


def test_a_clock_that_is_set_back_opens_and_closes_nothing() -> None:
    """By a little the running window goes on; by much, counting begins anew."""
    windows = Windows(60)
    windows.turn(600.0)
    windows.add("key", 5)
    assert windows.seen("key", 590.0).used(60) == 5
    assert windows.seen("key", 601.0).used(60) == 5
    assert windows.seen("key", 10.0).used(60) == 0
