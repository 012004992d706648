"""Events to send: 36-character ids, about 150 bytes of properties, known leads."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

import msgspec

TYPES = ("page_view", "page_view", "page_view", "email_open", "download", "signup", "click")
PATHS = ("/", "/features", "/pricing", "/docs/getting-started", "/blog/why-leads-go-cold")


def events(count: int, leads: int, seed: int = 1) -> Iterator[dict[str, object]]:
    """Events of `leads` browsers in any order; the ids of two seeds never meet."""
    chance = random.Random(seed)
    for _ in range(count):
        yield {
            "event": chance.choice(TYPES),
            "eventId": str(uuid.UUID(int=chance.getrandbits(128))),
            "anonymousId": f"browser-{chance.randrange(leads)}",
            "sessionId": f"s-{chance.randrange(1 << 30)}",
            "properties": {
                "path": chance.choice(PATHS),
                "title": "What people look at when they think of buying",
                "referrer": "https://www.example.com/search",
                "width": 1280,
            },
        }


def bodies(count: int, leads: int, seed: int = 1, size: int = 500) -> list[bytes]:
    """The same as encoded batches, made before the clock starts."""
    source = events(count, leads, seed)
    encode = msgspec.json.encode
    found, chunk = [], []
    for event in source:
        chunk.append(event)
        if len(chunk) == size:
            found.append(encode({"events": chunk}))
            chunk = []
    if chunk:
        found.append(encode({"events": chunk}))
    return found


def first_visits(leads: int, seed: int = 7, size: int = 500) -> list[bytes]:
    """One event of each browser, so that later ones meet known leads."""
    chance = random.Random(seed)
    encode = msgspec.json.encode
    return [
        encode(
            {
                "events": [
                    {
                        "event": "page_view",
                        "eventId": str(uuid.UUID(int=chance.getrandbits(128))),
                        "anonymousId": f"browser-{n}",
                        "properties": {"path": "/"},
                    }
                    for n in range(start, min(start + size, leads))
                ]
            }
        )
        for start in range(0, leads, size)
    ]
