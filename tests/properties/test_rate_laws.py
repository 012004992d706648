"""Laws of rates, whatever comes when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.rates import Rate, Seen, Windows

AMOUNTS = st.integers(1, 300)
# A cost, and the seconds that pass before it comes.
HITS = st.lists(st.tuples(st.integers(1, 120), st.floats(0, 45)), max_size=60)


@given(AMOUNTS, HITS, st.floats(0, 1e9))
def test_no_running_window_holds_more_than_the_rate(
    amount: int, hits: list[tuple[int, float]], start: float
) -> None:
    """And over any length of a window not twice as much; what doesn't fit is not counted."""
    windows, now, taken = Windows(60), start, dict[int, int]()
    for cost, pause in hits:
        now += pause
        left = windows.spend("key", now, amount, cost)
        if left >= 0:
            number = int(now // 60)
            taken[number] = taken.get(number, 0) + cost
            assert windows.seen("key", now).used(60) == amount - left
    assert all(count <= amount for count in taken.values())


@given(AMOUNTS, st.integers(0, 400), st.integers(0, 400), st.floats(0, 59.99), st.integers(1, 300))
def test_whoever_waits_as_long_as_told_gets_in(
    amount: int, before: int, current: int, into: float, cost: int
) -> None:
    """And nobody is told to wait a second longer than that."""
    rate, seen = Rate(amount), Seen(before, current, into)
    wait = seen.wait(rate, cost)
    if wait is None:
        assert seen.used(60) + cost <= amount
        return
    assert wait >= 1
    if cost > amount:
        assert wait == 60
        return
    assert _later(seen, wait).wait(rate, cost) is None
    if wait > 1:
        assert _later(seen, wait - 1.001).wait(rate, cost) is not None


def _later(seen: Seen, seconds: float) -> Seen:
    """What is seen when nothing happens for so long."""
    into = seen.into + seconds
    if into < 60:
        return seen._replace(into=into)
    if into < 120:
        return Seen(seen.current, 0, into - 60)
    return Seen(0, 0, 0)


@given(AMOUNTS, HITS)
def test_the_quick_way_counts_like_the_plain_one(
    amount: int, hits: list[tuple[int, float]]
) -> None:
    """`spend` is `seen`, `wait` and `add` in one."""
    quick, plain, now = Windows(60), Windows(60), 0.0
    for cost, pause in hits:
        now += pause
        fits = plain.seen("key", now).wait(Rate(amount), cost) is None
        if fits:
            plain.add("key", cost)
        left = quick.spend("key", now, amount, cost)
        assert (left >= 0) == fits
        assert quick.seen("key", now) == plain.seen("key", now)
