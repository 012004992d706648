"""Who turns up: a person is a pure function of the seed and a number."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Kind = Literal["bouncer", "reader", "evaluator", "buyer", "bot"]

# How many of a hundred people are what.
_KINDS: Final[tuple[tuple[Kind, int], ...]] = (
    ("bouncer", 42), ("reader", 30), ("evaluator", 19), ("buyer", 4), ("bot", 5),
)  # fmt: skip
_VISITS: Final[dict[Kind, tuple[int, int]]] = {
    "bouncer": (1, 1), "reader": (1, 4), "evaluator": (2, 6), "buyer": (3, 7), "bot": (1, 2),
}  # fmt: skip
_FIRST: Final = (
    "Ada", "Amara", "Anna", "Ben", "Carlos", "Chen", "Chidi", "Dana", "Elif", "Emma", "Farid",
    "Greta", "Hana", "Ivan", "Jonas", "Julia", "Kofi", "Lars", "Leila", "Luca", "Maria", "Mateo",
    "Mei", "Nadia", "Noah", "Olga", "Omar", "Priya", "Rosa", "Sam", "Sofia", "Tariq", "Yuki", "Zoe",
)  # fmt: skip
_LAST: Final = (
    "Abebe", "Andersen", "Bauer", "Costa", "Dubois", "Eriksson", "Fischer", "Garcia", "Haddad",
    "Ito", "Jansen", "Kaya", "Keller", "Kowalski", "Lindqvist", "Marino", "Mensah", "Moreau",
    "Nguyen", "Novak", "Okafor", "Patel", "Petrov", "Rossi", "Sato", "Schmidt", "Silva", "Smith",
    "Tanaka", "Varga", "Weber", "Yilmaz", "Zhang",
)  # fmt: skip
_COMPANIES: Final = (
    "Northwind", "Bluepeak", "Cobalt Labs", "Driftwood", "Everline", "Fernhill", "Granite Works",
    "Harborview", "Ironleaf", "Junction Nine", "Kestrel", "Lumen Foods", "Mapleway", "Novagrid",
    "Oakridge", "Papertrail", "Quillon", "Riverbend", "Silverfir", "Tidewater", "Umbra Health",
    "Vantage Rail", "Willowtech", "Yellowtail",
)  # fmt: skip
_SOURCES: Final = (
    ("google", "cpc", "brand", "https://www.google.com/"),
    ("google", "organic", None, "https://www.google.com/"),
    ("linkedin", "social", "launch", "https://www.linkedin.com/"),
    ("newsletter", "email", "weekly", None),
    ("partner", "referral", "directory", "https://directory.example/"),
    (None, None, None, None),
)
_SOURCE_WEIGHTS: Final = (18, 32, 12, 10, 6, 22)


@dataclass(frozen=True, slots=True)
class Person:
    """What stays the same over all visits of a person.

    `browser` is the anonymous id; a few people share one with the person before them.
    """

    number: int
    kind: Kind
    visits: int
    browser: str
    user_id: str
    email: str
    name: str
    company: str
    mobile: bool
    source: tuple[str | None, str | None, str | None, str | None]


def uuid_text(random: Random) -> str:
    """An id that looks like the random UUIDs that browsers make."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def browser_of(random: Random, seed: int, number: int) -> str:
    """The anonymous id that person `number` has in a browser of their own."""
    random.seed(f"browser/{seed}/{number}")
    return uuid_text(random)


def person(random: Random, seed: int, number: int) -> Person:
    """Makes up person `number`; `random` is only a workspace and is seeded anew."""
    random.seed(f"person/{seed}/{number}")
    kind = random.choices([k for k, _ in _KINDS], [w for _, w in _KINDS])[0]
    first, last = random.choice(_FIRST), random.choice(_LAST)
    company = random.choice(_COMPANIES)
    domain = company.lower().replace(" ", "") + ".example"
    visits = random.randint(*_VISITS[kind])
    mobile = kind != "bot" and random.random() < 0.12
    source = random.choices(_SOURCES, _SOURCE_WEIGHTS)[0]
    shares = number > 0 and kind != "bot" and random.random() < 0.02
    return Person(
        number=number,
        kind=kind,
        visits=visits,
        browser=browser_of(random, seed, number - 1 if shares else number),
        user_id=f"u_{seed}_{number}",
        email=f"{first}.{last}.{number}@{domain}".lower(),
        name=f"{first} {last}",
        company=company,
        mobile=mobile,
        source=source,
    )


def known_bots(seed: int, people: int) -> set[str]:
    """The anonymous ids of those of the first so many people who are crawlers."""
    space = Random()  # noqa: S311 - seeded anew for each
    everybody = (person(space, seed, number) for number in range(people))
    return {one.browser for one in everybody if one.kind == "bot"}
