"""The laws of the engine, held over a real database in a storm of everything at once.

A storm that broke a law is told by its seed; LEADPULSE_STORM_SEED and LEADPULSE_STORMS (how
many, from that one on) bring it back, though not every time: PostgreSQL has its say in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.model import model_document
from leadpulse.usecases import models
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.models import Publish
from support.laws import Stored, assert_lawful
from support.scoring import one
from support.server import report
from support.storm import KINDS, Poison, Storm, Ways, a_storm, shrink, some_model, stretch

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"

KINDS_OF_STORM = {
    "plain": Ways(),
    "many": Ways(clients=6, scorers=5, people=12),
    "one person": Ways(people=1, scorers=4),
    "poison": Ways(poison=True),
    "kills": Ways(kills=True, scorers=4),
    "ceilings": Ways(limits=Limits(5, 6, 3)),
    "deletes": Ways(deletes=True),
    "everything": Ways(
        people=6, scorers=4, deletes=True, poison=True, kills=True, limits=Limits(12, 30, 4)
    ),
}


def _taken_once(storm: Storm, stored: Stored) -> None:
    """What was acknowledged is stored, once; what was refused is not."""
    there = [
        (storm.project, row[4], row[3])
        for rows in stored.events.values()
        for row in rows
        if not row[5].startswith("$")
    ]
    assert len(there) == len(set(there)), "an event was stored twice"
    promised = set()
    for key, answers in storm.answers.items():
        # The events of a removed lead are gone, and so new when they come again.
        assert storm.ways.deletes or answers.count("queued") <= 1, f"{key} was taken twice"
        if {"queued", "duplicate", "conflict"} & set(answers):
            promised.add(key)
    assert set(there) <= promised, "something was stored that nobody was promised"
    if not storm.ways.deletes:
        taken_by_own_events = {key for key in promised if key[2].startswith("adjusted-")}
        assert promised - taken_by_own_events <= set(there), "something acknowledged is lost"


async def weather(
    pg: Connection, database: str, seed: int, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> Storm:
    """One storm from beginning to end, with every law held against what it left."""
    with monkeypatch.context() as patch:
        shrink(patch)
        poison = Poison(patch)
        async with a_storm(database, seed, ways) as storm:
            with monkeypatch.context() as slow:
                stretch(slow, seed)
                await storm.run(poison)
            await storm.calm()
            stored = await assert_lawful(pg, storm.pool, storm.project)
            _taken_once(storm, stored)
            found: Storm = storm
    return found


async def storms(
    pg: Connection, database: str, kind: str, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One storm per seed, each in a project of its own."""
    for seed in seeds:
        try:
            storm = await weather(pg, database, seed, KINDS_OF_STORM[kind], monkeypatch)
            assert await one(pg, _DEADLOCKS) == 0, "PostgreSQL had to break a deadlock"
        except BaseException:
            report(f"the storm of seed {seed}, {kind}")
            raise
        report(f"{kind} {seed}: {len(storm.answers)} events, {dict(storm.done | storm.refused)}")


@pytest.mark.parametrize("kind", KINDS_OF_STORM)
async def test_laws_hold_after_a_storm(
    pg: Connection, database: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens at once: every state is the fold of its facts, and none is lost."""
    first = int(os.environ.get("LEADPULSE_STORM_SEED", "1"))
    count = int(os.environ.get("LEADPULSE_STORMS", "1"))
    await storms(pg, database, kind, range(first, first + count), monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS_OF_STORM)
async def test_laws_hold_after_many_storms(
    pg: Connection, database: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with fifty storms of each kind."""
    await storms(pg, database, kind, range(1_000, 1_050), monkeypatch)


# ── The order of arrival ─────────────────────────────────────────────────────────────


def one_stream(chance: random.Random, kind: str, count: int) -> list[tuple[bool, dict[str, Any]]]:
    """Events of a few people without a conflict, many at the same instant."""
    now = time.time_ns() // 1_000_000
    instants = [now - int(day * 86_400_000) for day in (1, 1.5, 2, 8, 8.5, 9, 20, 21, 45)]
    found = []
    for n in range(count):
        person = chance.randrange(5)
        names = {
            "userId": f"u{person}",
            "email": f"e{person}@example.org",
            "anonymousId": f"a{person}-{chance.randrange(3)}",
        }
        event = {
            "event": chance.choice(KINDS[:-1]),
            "eventId": f"{n:03}" if kind != "both" else f"{n // 2:03}",
            "timestamp": chance.choice(instants),
            "properties": {"path": chance.choice(("/", "/pricing"))},
        }
        if chance.random() < 0.3:
            event["traits"] = {chance.choice(("plan", "city")): chance.choice("ABC")}
        trusted = kind == "trusted" or (kind == "both" and n % 2 == 1)
        picked = chance.sample(sorted(names), chance.choice((1, 1, 2)))
        # Who is linked by whom depends on the class of the callers, if there are both.
        said = ["userId"] if kind == "both" else picked
        found.append((trusted, event | {name: names[name] for name in said}))
    return found


async def send(storm: Storm, chance: random.Random, coming: list[tuple[bool, Any]]) -> None:
    """Sends in batches of any size to any server, some of them twice."""
    while coming:
        size = chance.randrange(1, 15)
        group, coming = coming[:size], coming[size:]
        again = chance.sample(group, len(group)) if chance.random() < 0.3 else []
        for trusted in (True, False):
            for events in (group, again):
                documents = [document for of, document in events if of == trusted]
                if documents:
                    await storm.deliver(chance.choice(storm.buffers), trusted, documents)
        await asyncio.sleep(chance.random() * 0.01)


def told(stored: Stored) -> bytes:
    """Ledgers, states and profiles of a project, without the ids that chance gave."""
    ids = {row[1]: [row[3], row[4]] for rows in stored.events.values() for row in rows}
    found = []
    for root, tree in stored.trees().items():
        names = sorted(list(row[1:]) for lead in tree for row in stored.held[lead])
        entries = [[*row[2:5], ids[row[5]], *row[6:]] for row in stored.ledger[root]]
        state = stored.leads[root][8]
        profile = stored.profiles[root]
        # Which of several anonymousIds is shown depends on who made the lead.
        shown = [profile[1], *profile[3:9], *profile[10:]]
        found.append([names, entries, [*state[:5], ids[state[5]], *state[6:]], shown])
    return json.dumps(sorted(found, key=lambda one: json.dumps(one[0])), sort_keys=True).encode()


@pytest.mark.parametrize("kind", ["trusted", "claims", "both"])
async def test_any_arrival_at_any_door_gives_the_same_bytes(
    pg: Connection, database: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order, batches, repetition, servers and scorers: ledgers and states don't tell them."""
    shrink(monkeypatch)
    chance = random.Random(kind)
    stream = one_stream(chance, kind, 150)
    document = model_document(some_model(chance))
    document.pop("version", None)
    results = []
    for arrival in range(3):
        async with a_storm(database, 0, Ways()) as storm:
            how = Publish("all-history")
            await models.replace_model(storm.pool, storm.cache, storm.project, document, how)
            beside = [asyncio.create_task(storm.scorer(n)) for n in range(arrival)]
            shares: list[list[tuple[bool, Any]]] = [[] for _ in range(1 + 2 * arrival)]
            for item in chance.sample(stream, len(stream)) if arrival else stream:
                chance.choice(shares).append(item)
            await asyncio.gather(*(send(storm, chance, share) for share in shares))
            storm.over.set()
            await asyncio.gather(*beside)
            await storm.calm()
            results.append(told(await assert_lawful(pg, storm.pool, storm.project)))
    assert results[0] == results[1] == results[2]
