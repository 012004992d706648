"""Believable journeys: people come, look around, come back, sign up, drop off; a few buy.

Everything is a pure function of a Scenario: the same one gives the same calls, byte for
byte, in the same order. Only calls that are still to come are held in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.journeys.people import Person, person, uuid_text

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR

# Calls that a person makes in all, on average: what turns a rate of calls into one of people.
CALLS_PER_PERSON: Final = 12

_SITE: Final = "https://www.example.com"
_PAGES: Final = (
    ("/", "Home"),
    ("/features", "Features"),
    ("/pricing", "Pricing"),
    ("/customers", "Customers"),
    ("/blog/lead-scoring-in-practice", "Lead scoring in practice"),
    ("/blog/why-leads-go-cold", "Why leads go cold"),
    ("/docs/getting-started", "Getting started"),
    ("/about", "About us"),
)
_INTEREST: Final = {
    "bouncer": (30, 10, 2, 3, 30, 20, 3, 2),
    "reader": (15, 12, 4, 6, 28, 24, 8, 3),
    "evaluator": (10, 24, 22, 14, 8, 6, 14, 2),
    "buyer": (8, 20, 32, 16, 4, 3, 15, 2),
}
_FILES: Final = ("buyers-guide.pdf", "roi-calculator.xlsx", "security-whitepaper.pdf")
_MAILS: Final = ("welcome", "product-news", "case-study", "webinar-invitation")
_CRAWLERS: Final = ("python-requests/2.32", "Mozilla/5.0 (compatible; AcmeBot/2.1)", "curl/8.9")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    `start`: when the first person turns up, µs since the epoch; then one every `every` µs on
    average, `people` in all (None: without end). `events`: end after so many calls; people
    then keep coming back until there are as many. `hurry` divides the pauses between visits.
    """

    seed: int = 1
    people: int | None = 1_000
    start: int = 0
    every: int = 40 * 60 * SECOND
    events: int | None = None
    hurry: float = 1.0


class Call(NamedTuple):
    """One event as it is sent, in the wire form.

    `at`: when it is sent, in µs. `trusted`: by a server with a secret key, else by a page
    with the write key.
    """

    at: int
    trusted: bool
    event: dict[str, object]


class _Visit(NamedTuple):
    """A visit that is still to come."""

    number: int
    visit: int


def wire_time(at: int) -> str:
    """RFC 3339 in UTC to the millisecond, as browsers write it."""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{at // 1000 % 1000:03d}Z"
    )


def calls(scenario: Scenario) -> Iterator[Call]:
    """All calls of a scenario, in the order of sending."""
    return islice(_endless(scenario), scenario.events)


def generate(seed: int, leads: int, events: int, start: int = 0) -> Iterator[dict[str, object]]:
    """Exactly `events` events of about `leads` people in the wire form, for loads.

    Everybody turns up early: with at least two events for each person nobody is missing.
    """
    scenario = Scenario(seed=seed, people=leads, start=start, every=1, events=events)
    return (call.event for call in calls(scenario))


def _endless(scenario: Scenario) -> Iterator[Call]:
    random = Random(f"arrivals/{scenario.seed}")  # noqa: S311 - reproducible on purpose
    space = Random()  # noqa: S311 - likewise
    # Everything to come: (when, tie-break, a call or a visit). At most one arrival is in it.
    ahead: list[tuple[int, int, Call | _Visit]] = []
    pushed = 0
    arrival, arrived = scenario.start, 0

    while True:
        while (scenario.people is None or arrived < scenario.people) and (
            not ahead or arrival <= ahead[0][0]
        ):
            pushed += 1
            heappush(ahead, (arrival, pushed, _Visit(arrived, 0)))
            arrived += 1
            arrival += max(1, round(random.expovariate(1.0) * scenario.every))
        if not ahead:
            return
        at, _, item = heappop(ahead)
        if isinstance(item, Call):
            yield item
            continue
        made, again = _Journey(scenario, space, item, at).run()
        for call in made:
            pushed += 1
            heappush(ahead, (call.at, pushed, call))
        if again is not None:
            pushed += 1
            heappush(ahead, (again, pushed, _Visit(item.number, item.visit + 1)))


class _Journey:
    """One visit of one person, with what happens around it (mails, a contract)."""

    def __init__(self, scenario: Scenario, random: Random, coming: _Visit, at: int) -> None:
        self.scenario = scenario
        self.who: Person = person(random, scenario.seed, coming.number)
        self.visit = coming.visit
        self.now = at
        self.random = random
        self.made: list[Call] = []
        random.seed(f"visit/{scenario.seed}/{coming.number}/{coming.visit}")
        self.session = uuid_text(random)
        # People say who they are on their last visit but one at the latest.
        decided = max(0, self.who.visits - 2)
        interested = self.who.kind in ("evaluator", "buyer")
        self.converts = interested and self.visit == decided
        self.known = interested and self.visit > decided

    def run(self) -> tuple[list[Call], int | None]:
        """The calls of this visit, and when the person comes back."""
        if self.who.kind == "bot":
            self._crawl()
        else:
            self._look_around()
            if self.converts:
                self._convert()
            if self.known:
                self._go_on()
        self._deliver()
        more = self.visit + 1 < self.who.visits
        if not more and self.scenario.events is None:
            return self.made, None
        pause = self.random.expovariate(1 / (2.5 * DAY)) / self.scenario.hurry
        return self.made, self.now + max(HOUR if self.scenario.hurry == 1 else SECOND, int(pause))

    # What a person does ------------------------------------------------------------------

    def _look_around(self) -> None:
        who, random = self.who, self.random
        pages = 1 + min(int(random.expovariate(0.9 if who.kind == "bouncer" else 0.3)), 12)
        for index in range(pages):
            path, title = random.choices(_PAGES, _INTEREST[who.kind])[0]
            properties: dict[str, object] = {"path": path, "url": _SITE + path, "title": title}
            if index == 0:
                self._arrive(properties)
            self._act("page_view", properties)
            if path == "/pricing" and random.random() < 0.3:
                self._act("pricing_page_visit", {"plan": random.choice(("team", "business"))})
        if who.kind != "bouncer" and random.random() < 0.18:
            self._act("download", {"file": random.choice(_FILES)})

    def _arrive(self, properties: dict[str, object]) -> None:
        source, medium, campaign, referrer = self.who.source
        if self.visit > 0 and self.random.random() < 0.5:
            source = medium = campaign = referrer = None  # came back by a bookmark
        named = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign,
                 "referrer": referrer}  # fmt: skip
        properties.update({key: value for key, value in named.items() if value is not None})
        properties["device"] = "mobile" if self.who.mobile else "desktop"

    def _convert(self) -> None:
        """Begins a form; most who do also send it."""
        who, random = self.who, self.random
        form = random.choice(("newsletter", "contact", "ebook"))
        self._act("form_start", {"form": form})
        if who.kind != "buyer" and random.random() < 0.35:
            self._act("form_abandon", {"form": form})
            return
        self.known = True
        traits = {"name": who.name, "company": who.company}
        self._call("identify", {}, {"email": who.email, "traits": traits})
        self._act("form_submit", {"form": form, "fields": ["email", "name", "company"]})
        self._mail("welcome")

    def _go_on(self) -> None:
        """What people who gave their address do on this and later visits."""
        who, random = self.who, self.random
        chance = random.random()
        if chance < 0.2:
            self._call("identify", {}, {"email": who.email, "userId": who.user_id})
            self._act("signup", {"plan": "free"})
        elif chance < 0.3:
            self._act("webinar_attendance", {"minutes": random.randint(12, 55)})
        if random.random() < 0.5:
            self._mail(random.choice(_MAILS))
        if random.random() < 0.01:
            self._serve("unsubscribe", {"list": "news"}, random.randint(1, 48) * HOUR)
        if who.kind == "buyer" and self.visit == who.visits - 1:
            self._act("demo_request", {"team_size": random.choice((5, 20, 80, 300))})
            if random.random() < 0.7:
                value = random.choice((1_200, 4_800, 19_000))
                after = random.randint(20, 200) * HOUR
                self._serve("contract_signed", {"plan": "business", "value": value}, after)

    def _crawl(self) -> None:
        random = self.random
        agent = random.choice(_CRAWLERS)
        for number in range(random.randint(15, 60)):
            path = f"{_PAGES[number % len(_PAGES)][0]}?page={number}"
            self._call("page_view", {"path": path, "url": _SITE + path, "userAgent": agent}, {})
            self.now += random.randint(SECOND // 10, SECOND)

    # How it is sent ----------------------------------------------------------------------

    def _act(self, name: str, properties: dict[str, object]) -> None:
        self._call(name, properties, {"email": self.who.email} if self.known else {})
        self.now += int((2 + self.random.expovariate(1 / 35)) * SECOND)

    def _call(self, name: str, properties: dict[str, object], who: dict[str, object]) -> None:
        event: dict[str, object] = {
            "event": name,
            "eventId": uuid_text(self.random),
            "timestamp": wire_time(self.now),
            "anonymousId": self.who.browser,
            "sessionId": self.session,
            **who,
        }
        if properties:
            event["properties"] = properties
        self.made.append(Call(self.now, trusted=False, event=event))

    def _serve(self, name: str, properties: dict[str, object], after: int) -> None:
        """Something that a server of the customer says about a known person."""
        at = self.now + int(after / self.scenario.hurry)
        event: dict[str, object] = {
            "event": name,
            "eventId": uuid_text(self.random),
            "timestamp": wire_time(at),
            "email": self.who.email,
            "properties": properties,
        }
        self.made.append(Call(at, trusted=True, event=event))

    def _mail(self, campaign: str) -> None:
        self._serve("email_sent", {"campaign": campaign}, 60 * SECOND)
        if self.random.random() < 0.45:
            after = HOUR + int(self.random.expovariate(1 / (6 * HOUR)))
            self._serve("email_open", {"campaign": campaign}, after)

    def _deliver(self) -> None:
        """Networks: phones send late and out of order, and some calls are sent twice."""
        random = self.random
        if self.who.mobile and random.random() < 0.4:
            back = self.now + int(random.expovariate(1 / (5 * HOUR)) / self.scenario.hurry)
            late = [call if call.trusted else call._replace(at=max(call.at, back))
                    for call in self.made]  # fmt: skip
            random.shuffle(late)
            self.made = late
        again = [call for call in self.made if random.random() < 0.02]
        self.made += [call._replace(at=call.at + random.randint(1, 30) * SECOND) for call in again]
