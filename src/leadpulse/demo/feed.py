"""Plays a scenario against a running server: what is past at once, the rest as it happens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from leadpulse.demo.sender import Line, Sent, Target, bodies
from leadpulse.journeys.visits import CALLS_PER_PERSON, DAY, SECOND, Call, Scenario, calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

HISTORY: Final = 30 * DAY
_BATCH: Final = 400
_TICK: Final = 0.25
# Between visits lie days; a demo shows them within minutes.
_HURRY: Final = 600.0


@dataclass(frozen=True, slots=True)
class Keys:
    """Where to send, and as whom: pages send with the write key, servers with the secret one.

    `headers` go with every request.
    """

    url: str
    write_key: str
    secret_key: str
    headers: Mapping[str, str] = field(default_factory=dict)


def history(seed: int, people: int, now: int) -> Scenario:
    """People who turned up during the last 30 days."""
    return Scenario(
        seed=seed, people=people, start=now - HISTORY, every=max(1, HISTORY // max(1, people))
    )


def live(seed: int, rate: float, now: int) -> Scenario:
    """People who turn up from now on, about `rate` calls a second in all."""
    return Scenario(
        seed=seed,
        people=None,
        start=now,
        every=max(1, round(CALLS_PER_PERSON / rate * SECOND)),
        hurry=_HURRY,
    )


async def fill(keys: Keys, scenario: Scenario, now: int, progress: Callable[[int], None]) -> Sent:
    """Sends every call of a scenario that lies before `now` (µs)."""
    feeder = _Feeder(keys)
    try:
        past = takewhile(lambda call: call.at < now, calls(scenario))
        for portion in _portions(past, _BATCH):
            await feeder.send(portion)
            progress(len(portion))
    finally:
        feeder.close()
    return feeder.sent


async def keep_coming(keys: Keys, scenario: Scenario) -> None:
    """Sends calls when their time has come, until cancelled."""
    feeder = _Feeder(keys, patience=float("inf"))
    source = calls(scenario)
    following = next(source)
    try:
        while True:
            due: list[Call] = []
            now = time.time_ns() // 1_000
            while following.at <= now and len(due) < _BATCH:
                due.append(following)
                following = next(source)
            if due:
                await feeder.send(due)
            else:
                await asyncio.sleep(_TICK)
    finally:
        feeder.close()


class _Feeder:
    """Two lines to one server: one for pages, one for servers of a customer."""

    def __init__(self, keys: Keys, patience: float = 60.0) -> None:
        self.sent = Sent()
        pages, servers = (
            Target(keys.url, key, patience=patience, headers=keys.headers)
            for key in (keys.write_key, keys.secret_key)
        )
        self._pages, self._servers = Line(pages, self.sent), Line(servers, self.sent)

    async def send(self, portion: list[Call]) -> None:
        # Pages first: a server speaks of people that a page has named.
        for line, trusted in ((self._pages, False), (self._servers, True)):
            events = [call.event for call in portion if call.trusted is trusted]
            for body in bodies(events, _BATCH):
                await line.deliver(body)

    def close(self) -> None:
        self._pages.close()
        self._servers.close()


def _portions(source: Iterable[Call], size: int) -> Iterator[list[Call]]:
    portion: list[Call] = []
    for call in source:
        portion.append(call)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion
