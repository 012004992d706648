"""The rates of senders and callers, by what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from leadpulse.domain.errors import TooMany
from leadpulse.usecases.keys import Caller
from leadpulse.usecases.rates import Amounts, Rates
from leadpulse.usecases.tally import Count, Tally
from leadpulse.usecases.throttle import SharedAway
from support.intake import until

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = 1_000_000_020.0  # a multiple of 60


def caller(key: str = "k1", project: str = "p1", *, trusted: bool = False) -> Caller:
    return Caller(project, trusted, b"", b"", key_id=key)


def rates(tally: Tally | None = None, **amounts: int) -> Rates:
    return Rates(Amounts(**amounts), tally or Tally(clock=lambda: NOON))


def refused(what: Callable[[], object]) -> TooMany:
    with pytest.raises(TooMany) as caught:
        what()
    return caught.value


def test_requests_go_by_key_and_address() -> None:
    """Another visitor and another key have rates of their own; secret keys have none."""
    found = rates(requests=2)
    assert [found.request(caller(), "a") for _ in range(2)] == [1, 0]
    error = refused(lambda: found.request(caller(), "a"))
    assert error.standing is not None
    assert (error.code, error.standing.name, error.standing.left) == ("too_many", "requests", 0)
    assert error.retry_after == error.standing.reset
    found.request(caller(), "b")
    found.request(caller("k2"), "a")
    for _ in range(5):
        found.request(caller(trusted=True), "a")


def test_events_count_all_or_not_at_all() -> None:
    """A batch that does not fit leaves room for one that does."""
    found = rates(events=10)
    assert found.events(caller(), "a", 7) == 3
    assert refused(lambda: found.events(caller(), "a", 4)).standing == ("events", 10, 60, 3, 61)
    assert found.events(caller(), "a", 3) == 0
    too_large = refused(lambda: found.events(caller(), "b", 11))
    assert "11 events at once" in too_large.detail


def test_a_project_has_one_rate_for_all_its_write_keys() -> None:
    """Whatever the address; what it refuses is not counted to the sender, nor told to him."""
    found = rates(events=10, project=12)
    found.events(caller("k1"), "a", 8)
    found.events(caller("k2"), "b", 3)
    error = refused(lambda: found.events(caller("k3"), "c", 2))
    assert error.standing is not None
    assert (error.standing.name, error.standing.left) == ("project", 0)
    found.events(caller("k3"), "c", 1)
    assert found.events(caller("k9", "p2"), "c", 10) == 0
    found.events(caller("s1", trusted=True), "c", 1_000)


def test_secret_keys_have_a_rate_of_events() -> None:
    """Wherever they call from."""
    found = rates(server=5)
    assert found.events(caller(trusted=True), "a", 4) == 1
    refused(lambda: found.events(caller(trusted=True), "b", 2))
    assert found.events(caller("k2", trusted=True), "a", 5) == 0


def test_what_was_not_stored_is_not_counted() -> None:
    """Whoever has to send it again has not lost his rate."""
    found = rates(events=5, project=5, server=5)
    for who in (caller(), caller(trusted=True)):
        found.events(who, "a", 5)
        found.take_back(who, "a", 5)
        assert found.events(who, "a", 5) == 0


def test_calls_go_by_account() -> None:
    """And nothing is counted where no rate is set."""
    found = rates(api=1)
    assert found.call("user:1") == 0
    refused(lambda: found.call("user:1"))
    assert found.call("user:2") == 0
    without = rates()
    for _ in range(3):
        assert without.call("user:1") == without.events(caller(), "a", 9_999) == 0


class Shared:
    """Sums of several processes, which can be away."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, int], int] = {}
        self.away = False
        self.turned_away = 0

    async def add(self, counts: Sequence[Count]) -> list[tuple[int, int]]:
        if self.away:
            self.turned_away += 1
            raise SharedAway
        told = []
        for key, window, more, _ in counts:
            self.sums[key, window] = self.sums.get((key, window), 0) + more
            told.append((self.sums[key, window], self.sums.get((key, window - 1), 0)))
        return told


async def told(*tallies: Tally) -> None:
    """Waits until everything that was counted is handed over."""
    await until(lambda: all(tally._telling is None for tally in tallies))


async def test_processes_learn_what_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment later, the window before included."""
    monkeypatch.setattr("leadpulse.usecases.tally._REST", 0.01)
    shared, now = Shared(), NOON
    tallies = [Tally(shared, lambda: now) for _ in range(2)]
    one, two = (rates(tally, events=10) for tally in tallies)
    one.events(caller(), "a", 6)
    two.events(caller(), "a", 1)
    await told(*tallies)
    refused(lambda: two.events(caller(), "a", 4))
    assert two.events(caller(), "a", 3) == 0
    await told(*tallies)
    now += 90  # half of what was counted still counts
    tallies.append(Tally(shared, lambda: now))
    third = rates(tallies[2], events=10)
    third.events(caller(), "a", 1)
    await told(*tallies)
    assert third.events(caller(), "a", 1) == 3
    shared.away = True
    now += 120
    one.events(caller(), "a", 6)
    two.events(caller(), "a", 6)
    await until(lambda: shared.turned_away >= 2)
    shared.away = False
    await told(*tallies)
    one.events(caller(), "a", 1)  # a process learns when it counts something itself
    await told(*tallies)
    refused(lambda: one.events(caller(), "a", 1))
    for tally in tallies:
        await tally.close()
