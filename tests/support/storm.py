"""A project in a storm: callers, people who change things and scorers, all at the same time.

Everything comes from one seed but the order in which the event loop and PostgreSQL let the
tasks go on, which is what the storm is for. Limits that take thousands of events in life are a
handful here, so that every way through the engine is taken in seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import psycopg

from leadpulse.domain import fold, identity, refold, retry
from leadpulse.domain.errors import LeadPulseError, Overloaded
from leadpulse.domain.model import model_document
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.domain.wire import EventReader
from leadpulse.postgres.connect import Connection, connect, pool
from leadpulse.postgres.models import ModelCache
from leadpulse.postgres.trouble import DATABASE_ERRORS
from leadpulse.usecases import (
    batch,
    due,
    intake,
    leads,
    maintain,
    merges,
    models,
    private,
    repair,
    resolve,
    score,
)  # fmt: skip
from leadpulse.usecases import refold as long_folds
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.due import Relabeller, decay_pass
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import project_caller
from leadpulse.usecases.models import Publish
from leadpulse.usecases.projects import create_project
from leadpulse.usecases.score import Desk, NearlyEverythingFails, score_pass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

    from leadpulse.domain.facts import Fact
    from leadpulse.domain.fold import Folded
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.keys import Caller

_DAY_MS: Final = 86_400_000
KINDS: Final = (
    "page_view", "page_view", "signup", "demo_request", "email_open", "unsubscribe",
    "newsletter_sent", "contract_signed", "identify", "poison",
)  # fmt: skip
EXPECTED: Final = (
    "not_found", "conflict", "invalid", "identifier_taken", "already_undone", "already_settled",
)  # fmt: skip
POISON: Final = "poison"

Key = tuple[str, bool, str]


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make long things short: long folds, checkpoints, gathered events, retries, queues."""
    for module in (batch, score, long_folds):
        monkeypatch.setattr(module, "LONGEST_FOLD", 12)
    for module in (identity, resolve):
        monkeypatch.setattr(module, "MOST_PEOPLE", 3)
    monkeypatch.setattr(score, "_REFOLDED_AT_MOST", 30)
    monkeypatch.setattr(score, "_ROWS_OF_A_LEAD", 200)
    monkeypatch.setattr(fold, "CHECKPOINT_EVERY", 4)
    monkeypatch.setattr(refold, "CLAIMED_REFOLDS", 2)
    monkeypatch.setattr(refold, "REFOLD_WINDOW", 200_000)
    monkeypatch.setattr(retry, "DELAYS", (0.01, 0.01, 0.01, 0.02, 0.02))
    monkeypatch.setattr(due, "_PASSES_END", 500_000)
    monkeypatch.setattr(maintain, "_DEEP", 40)
    monkeypatch.setattr(intake, "_BUSY_TRIES", 12)
    monkeypatch.setattr(private, "STRAGGLERS", 3_000_000)


def stretch(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Make every statement of every process take a random while longer, so that all overlap."""
    chance = random.Random(seed)
    plain = psycopg.AsyncConnection.execute

    async def slowly(self: Any, *arguments: Any, **options: Any) -> Any:
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() * 0.004)
        return await plain(self, *arguments, **options)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", slowly)


class Poison:
    """Events that can't be folded for as long as `works`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.works = True
        plain = fold.fold

        def poisoned(state: Any, facts: Any, *rest: Any) -> Folded:
            facts = list(facts)
            watch: Callable[[Fact], None] | None = rest[1] if len(rest) > 1 else None
            for fact in facts:
                if self.works and fact.type == POISON:
                    if watch is not None:
                        watch(fact)
                    raise RuntimeError("this can't be folded")
            return plain(state, facts, *rest)

        for module in (batch, long_folds):
            monkeypatch.setattr(module, "fold", poisoned)


@dataclass
class Ways:
    """What a storm is made of."""

    steps: int = 25
    clients: int = 3
    scorers: int = 3
    people: int = 4
    deletes: bool = False
    poison: bool = False
    kills: bool = False
    limits: Limits = field(default_factory=lambda: Limits(0, 0, 0))


@dataclass
class Storm:
    """One project under load; `run` ends when everything is scored."""

    dsn: str
    seed: int
    ways: Ways
    pool: Pool
    project: str
    trusted: Caller
    buffers: list[IntakeBuffer]
    # What became of each event that was sent, by class and eventId.
    answers: dict[Key, list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: list[tuple[bool, dict[str, Any]]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    over: asyncio.Event = field(default_factory=asyncio.Event)
    cache: ModelCache = field(default_factory=ModelCache)
    instants: list[int] = field(default_factory=list)

    # Callers --------------------------------------------------------------------------

    def event(self, chance: random.Random, name: str, known: list[str]) -> dict[str, Any]:
        """An event about some of a few people, at one of a few instants."""
        kind = chance.choice(KINDS if self.ways.poison else KINDS[:-1])
        person, count = chance.randrange(self.ways.people), self.ways.people
        other = person if chance.random() < 0.8 else chance.randrange(count)
        document: dict[str, Any] = {
            "event": kind,
            "eventId": name,
            "properties": {"path": chance.choice(("/", "/pricing")), "n": chance.randrange(5)},
        }
        if chance.random() < 0.8:
            document["timestamp"] = chance.choice(self.instants)
        if chance.random() < 0.4:
            document["userId"] = f"u{person}"
        if chance.random() < 0.3:
            document["email"] = f"e{other}-{chance.randrange(2)}@example.org"
        if chance.random() < 0.6 or not {"userId", "email"} & document.keys():
            document["anonymousId"] = f"a{other}-{chance.randrange(2)}"
        if known and chance.random() < 0.1:
            document["leadId"] = chance.choice(known)
        if chance.random() < 0.3:
            document["traits"] = {
                chance.choice(("name", "plan", "company")): chance.choice(("A", "B", "C"))
            }
        return document

    async def client(self, number: int) -> None:
        """Sends events in groups, some of them again, some with another's id, to any server."""
        chance = random.Random(f"{self.seed}/client/{number}")
        for step in range(self.ways.steps):
            known = await self.some_leads()
            group = [
                self.event(chance, f"{number}-{step}-{i}", known)
                for i in range(chance.choice((1, 1, 2, 6, 15)))
            ]
            trusted = chance.random() < 0.5
            if self.sent and chance.random() < 0.3:
                trusted, again = chance.choice(self.sent)
                group.append(again)
            if self.sent and chance.random() < 0.15:
                _, other = chance.choice(self.sent)
                group.append({**group[0], "eventId": other["eventId"]})
            self.sent += [(trusted, document) for document in group]
            if chance.random() < 0.2:
                await asyncio.gather(*(self.deliver(b, trusted, group) for b in self.buffers))
            else:
                await self.deliver(chance.choice(self.buffers), trusted, group)
            await asyncio.sleep(chance.random() * 0.03)

    async def deliver(
        self,
        buffer: IntakeBuffer,
        trusted: bool,  # noqa: FBT001 - the class of the caller
        group: list[dict[str, Any]],
    ) -> None:
        """Sends until it is taken, as a client would."""
        reader = EventReader()
        caller = self.trusted if trusted else replace(self.trusted, trusted=False)
        for _ in range(100):
            try:
                answers = await buffer.take(caller, [reader.read(d) for d in group])
            except Overloaded:
                self.refused["overloaded"] += 1
                await asyncio.sleep(0.02)
                continue
            for document, answer in zip(group, answers, strict=True):
                key = (self.project, trusted, document["eventId"])
                error = answer if isinstance(answer, LeadPulseError) else answer.error
                status = "rejected" if isinstance(answer, LeadPulseError) else answer.status
                self.answers[key].append(status)
                if error is not None:
                    self.refused[error.code] += 1
                    assert error.code in ("unknown_lead", "lead_ceiling"), repr(error)
            return
        raise AssertionError("never taken")

    async def some_leads(self) -> list[str]:
        query = "select id from leads where project_id = %s order by id desc limit 30"
        async with self.pool.connection() as conn:
            cursor = await conn.execute(query, (self.project,))
            return [row[0] for row in await cursor.fetchall()]

    # People who change things -----------------------------------------------------------

    async def editor(self, number: int) -> None:
        """Changes leads, links, models and failed work, one thing after the other."""
        chance = random.Random(f"{self.seed}/editor/{number}")
        acts: list[Callable[[random.Random, list[str]], Awaitable[Any]]] = [
            self.make, self.change, self.adjust, self.adjust, self.merge, self.merge, self.undo,
            self.undo, self.publish, self.publish, self.rebuild, self.release, self.settle,
            self.settle,
        ]  # fmt: skip
        if self.ways.deletes:
            acts.append(self.delete)
        for _ in range(self.ways.steps):
            await asyncio.sleep(chance.random() * 0.05)
            known = await self.some_leads()
            if not known:
                continue
            act = chance.choice(acts)
            try:
                await act(chance, known)
            except Overloaded:
                self.refused["overloaded"] += 1
            except LeadPulseError as error:
                self.refused[error.code] += 1
                if error.code not in EXPECTED:
                    raise
            else:
                self.done[act.__name__] += 1

    async def make(self, chance: random.Random, _: list[str]) -> None:
        person = chance.randrange(self.ways.people + 1)
        document = {"name": "Made", "userId": f"u{person}", "email": f"e{person}-0@example.org"}
        del document[chance.choice(("name", "userId", "email"))]
        await leads.create_or_update(self.pool, self.project, document, "somebody")

    async def change(self, chance: random.Random, known: list[str]) -> None:
        person = chance.randrange(self.ways.people)
        document: dict[str, Any] = {"name": chance.choice(("N", None)), "status": "won"}
        if chance.random() < 0.4:
            document["anonymousIds"] = [f"a{person}-{i}" for i in range(chance.randrange(3))]
        if chance.random() < 0.3:
            document["email"] = chance.choice((None, f"e{person}-1@example.org"))
        lead = chance.choice(known)
        await leads.patch(self.pool, self.project, lead, document, "somebody")

    async def adjust(self, chance: random.Random, known: list[str]) -> None:
        document = {"points": chance.choice((-20, 5, 0.1)), "note": "by hand"}
        if chance.random() < 0.5:
            document["eventId"] = f"adjusted-{chance.randrange(10)}"
        await leads.adjust(self.pool, self.project, chance.choice(known), document, "somebody")

    async def delete(self, chance: random.Random, known: list[str]) -> None:
        await leads.delete(self.pool, self.project, chance.choice(known))

    async def merge(self, chance: random.Random, known: list[str]) -> None:
        one, other = chance.choice(known), chance.choice(known)
        await merges.merge(self.pool, self.project, one, other, "somebody")

    async def undo(self, chance: random.Random, known: list[str]) -> None:
        found = await merges.list_merges(self.pool, self.project, chance.choice(known))
        if found:
            await merges.undo(self.pool, self.project, chance.choice(found).id, "somebody")

    async def publish(self, chance: random.Random, _: list[str]) -> None:
        how = Publish(chance.choice(("from-now", "all-history")))
        if chance.random() < 0.2:
            await models.rescore(self.pool, self.cache, self.project, None)
            return
        document = model_document(some_model(chance))
        document.pop("version", None)
        await models.replace_model(self.pool, self.cache, self.project, document, how)

    async def rebuild(self, chance: random.Random, known: list[str]) -> None:
        if chance.random() < 0.3:
            await repair.rebuild_project(self.pool, self.project)
        else:
            await repair.rebuild_lead(self.pool, self.project, chance.choice(known))

    async def release(self, chance: random.Random, known: list[str]) -> None:
        await repair.release_lead(self.pool, self.project, chance.choice(known))

    async def settle(self, chance: random.Random, _: list[str]) -> None:
        """Does something about what failed, or takes that back."""
        async with self.pool.connection() as conn:
            cursor = await conn.execute(
                "select id from dead_letters where project_id = %s and state = 'open'"
                " order by id limit 5",
                (self.project,),
            )
            letters = [row[0] for row in await cursor.fetchall()]
            cursor = await conn.execute(
                "select id from events where project_id = %s and excluded order by id limit 5",
                (self.project,),
            )
            kept_out = [row[0] for row in await cursor.fetchall()]
        if letters and chance.random() < 0.7:
            act = chance.choice((repair.retry_dead_letter, repair.discard_dead_letter))
            await act(self.pool, self.project, chance.choice(letters))
        elif kept_out:
            await repair.restore_event(self.pool, self.project, chance.choice(kept_out))

    # Scorers ----------------------------------------------------------------------------

    async def scorer(self, number: int) -> None:
        """Passes of every kind in any order, on connections that may be taken away."""
        chance = random.Random(f"{self.seed}/scorer/{number}")
        rotation = Rotation()
        while not self.over.is_set():
            conn = await connect(self.dsn, "scorer")
            with contextlib.suppress(*DATABASE_ERRORS):
                await self.score(conn, rotation, chance)
            with contextlib.suppress(*DATABASE_ERRORS):
                await conn.close()

    async def score(self, conn: Connection, rotation: Rotation, chance: random.Random) -> None:
        desk = Desk(conn)
        relabeller = Relabeller(desk.models)
        while not self.over.is_set():
            with contextlib.suppress(NearlyEverythingFails):
                result = await score_pass(desk, rotation, chance.choice((1, 3, 10, 200)))
                assert not result.special, "nothing died, and who was given up is tried again"
            if chance.random() < 0.4:
                await long_folds.refold_pass(desk)
            if chance.random() < 0.1:
                await decay_pass(conn, desk.models, chance.choice((1, 10)))
            if chance.random() < 0.1:
                await relabeller.step(conn, chance.choice((1, 5, 100)))
            if chance.random() < 0.2:
                await maintain.rescore_walk(conn, chance.choice((1, 5, 100)))
            if chance.random() < 0.2:
                await maintain.drop_old_generations(conn, 4)
            if chance.random() < 0.1:
                await maintain.roll_up(conn, 10)
            await asyncio.sleep(chance.random() * 0.01)

    async def killer(self) -> None:
        """Ends connections of scorers and of intake in the middle of whatever they do."""
        chance = random.Random(f"{self.seed}/killer")
        conn = await connect(self.dsn, "killer")
        try:
            while not self.over.is_set():
                await asyncio.sleep(chance.random() * 0.3)
                name = chance.choice(("leadpulse-scorer", "leadpulse-scorer", "leadpulse-intake"))
                await conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and application_name = %s"
                    " order by random() limit 1",
                    (name,),
                )
                self.done["killed"] += 1
        finally:
            await conn.close()

    # The whole ----------------------------------------------------------------------------

    async def run(self, poison: Poison) -> None:
        """The storm, and the calm after it, in which all that waits is done."""
        ways = self.ways
        now = time.time_ns() // 1_000_000
        days = (0.01, 0.5, 0.9, 1.1, 3, 6.9, 7.1, 8, 9, 30, 60)
        self.instants = [now - int(day * _DAY_MS) for day in days]
        beside = [asyncio.create_task(self.scorer(n)) for n in range(ways.scorers)]
        if ways.kills:
            beside.append(asyncio.create_task(self.killer()))
        try:
            await asyncio.gather(
                *(self.client(n) for n in range(ways.clients)), *(self.editor(n) for n in range(2))
            )
            poison.works = False
        finally:
            self.over.set()
            await asyncio.gather(*beside)

    async def calm(self) -> None:
        """Give failed work its last chance, and do what waits with one quiet scorer."""
        conn = await connect(self.dsn, "test")
        try:
            cursor = await conn.execute(
                "select id from dead_letters where project_id = %s and state = 'open'",
                (self.project,),
            )
            for (letter,) in await cursor.fetchall():
                await repair.retry_dead_letter(self.pool, self.project, letter)
            desk = Desk(conn)
            relabeller, rotation, quiet = Relabeller(desk.models), Rotation(), 0
            async with asyncio.timeout(60):
                while quiet < 3:
                    scored = await score_pass(desk, rotation, 100)
                    assert not scored.special, "nothing died, and who was given up is tried again"
                    work = [
                        not scored.idle,
                        not (await long_folds.refold_pass(desk)).idle,
                        await maintain.rescore_walk(conn, 100),
                        await maintain.drop_old_generations(conn, 100),
                        await private.sweep_pass(conn),
                        await maintain.roll_up(conn),
                        await relabeller.step(conn, 100),
                        await self.waits(conn),
                    ]
                    quiet = 0 if any(work) else quiet + 1
            await decay_pass(conn, desk.models)
        finally:
            await conn.close()

    async def waits(self, conn: Connection) -> bool:
        cursor = await conn.execute(
            "select exists (select from inbox where project_id = %(p)s)"
            " or exists (select from rescores where project_id = %(p)s and finished_at is null)"
            " or exists (select from lead_removals where project_id = %(p)s)",
            {"p": self.project},
        )
        row = await cursor.fetchone()
        return row is not None and bool(row[0])


def some_model(chance: random.Random) -> ScoringModel:
    """A preset, now and then with decay by the second, narrow bounds or other thresholds."""
    model = preset(chance.choice(PRESETS))
    if chance.random() < 0.4 and model.decay is not None:
        model = replace(
            model, decay=replace(model.decay, factor=0.9, after_days=5e-6, every_days=3e-6)
        )
    if chance.random() < 0.2:
        model = replace(model, decay=None)
    if chance.random() < 0.3:
        model = replace(model, min_score=-50.0, stages=(-50.0, *model.stages[1:]), max_score=90.0)
    if chance.random() < 0.3:
        model = replace(model, stages=(model.stages[0], 5.0, 16.0, 41.0))
    rules = [
        replace(rule, id=f"{rule.event_type}-{n}", points=rule.points + chance.choice((0, 0.1, 7)),
                once=chance.random() < 0.2, max_per_day=chance.choice((None, None, 1, 2)))
        for n, rule in enumerate(model.rules)
    ]  # fmt: skip
    return replace(model, rules=tuple(rules))


@contextlib.asynccontextmanager
async def a_storm(dsn: str, seed: int, ways: Ways) -> Any:
    """A project with two intakes, ready to run."""
    async with pool(dsn, "test", largest=8) as connections:
        async with connections.connection() as conn:
            made = await create_project(conn, f"Storm {seed}", PRESETS[seed % len(PRESETS)])
            caller = await project_caller(conn, made.id)
        assert caller is not None
        buffers = [IntakeBuffer(dsn, ways.limits) for _ in range(2)]
        for buffer in buffers:
            await buffer.start()
        try:
            yield Storm(dsn, seed, ways, connections, made.id, caller, buffers)
        finally:
            for buffer in buffers:
                await buffer.stop()
