"""People who do exactly what is asked: one act a day, the last of them a few hours ago."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from leadpulse.journeys.people import person, uuid_text
from leadpulse.journeys.visits import DAY, HOUR, wire_time

if TYPE_CHECKING:
    from collections.abc import Sequence

_SITE: Final = "https://www.example.com/"


def chosen(seed: int, number: int, acts: Sequence[str], now: int) -> list[dict[str, Any]]:
    """The events of person `number` in the wire form, before `now` (µs), oldest first.

    Every other one comes on two devices, and is known on the second only from the last day on.
    """
    random = Random(f"chosen/{seed}/{number}")  # noqa: S311 - reproducible on purpose
    who = person(random, seed, number)
    random.seed(f"acts/{seed}/{number}")
    other = uuid_text(random)
    traits = {"name": who.name, "company": who.company}
    known = {"anonymousId": who.browser, "email": who.email}
    at = now - len(acts) * DAY - random.randint(2, 9) * HOUR
    source, medium, campaign, referrer = who.source
    came = {"path": "/", "url": _SITE, "referrer": referrer, "utm_source": source,
            "utm_medium": medium, "utm_campaign": campaign}  # fmt: skip
    arrival = {name: value for name, value in came.items() if value is not None}
    made: list[dict[str, Any]] = []

    def say(name: str, at: int, who: dict[str, Any], properties: dict[str, Any]) -> None:
        made.append({
            "event": name, "eventId": f"{number}-{len(made)}", "timestamp": wire_time(at),
            "sessionId": f"chosen-{number}-{(now - at) // DAY}", "properties": properties, **who,
        })  # fmt: skip

    say("identify", at, {**known, "traits": traits}, arrival)
    for act in acts:
        at += DAY
        if number % 2 and act is acts[-1]:
            say("page_view", at - HOUR, {"anonymousId": other}, {"path": "/customers"})
            say("identify", at - HOUR // 2, {"anonymousId": other, "email": who.email}, {})
        say(act, at, known, {"path": "/", "url": _SITE})
    return made
