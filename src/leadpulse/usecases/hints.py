"""Hints: what changed a moment ago, told to whoever has a page open. Nothing depends on them.

They are made after the commit that they tell of, from what the pass still holds, and only for
projects that somebody watches; they are few, and beyond that they are counts. Whoever misses one
asks again when his connection is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, PROFILE
from leadpulse.domain.fold import DECAY
from leadpulse.domain.model import STAGES
from leadpulse.logging import get_logger
from leadpulse.postgres import hints as store
from leadpulse.postgres.connect import connect
from leadpulse.postgres.scoring import ID, KIND, LEAD, TYPE
from leadpulse.postgres.session import Reach
from leadpulse.postgres.trouble import DATABASE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from leadpulse.domain.fold import Entry
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.hints import LeadNow
    from leadpulse.postgres.scored import Writes
    from leadpulse.usecases.batch import Lead

_log = get_logger("leadpulse.hints")

LeadKey = tuple[str, str]
Kind = Literal["newEvent", "leadUpdated", "scoreMutation"]
EventStatus = Literal["queued", "scored", "held"]

# Of each kind and project, a second and at once; what is more is told as counts.
SINGLES: Final = 50
# Passes that wait to be told; of what is more, the oldest are forgotten.
_PASSES: Final = 16
# What can't be told is tried again after so many seconds: the newest state is always told.
_AGAIN: Final = (0.05, 0.2, 0.5, 1.0, 2.0)
_PATIENCE: Final = 5.0
# A message stays below what PostgreSQL carries (8000 bytes), and a pass below so much.
MOST_BYTES: Final = 7_500
_MOST_OF_PASS: Final = 128 * 1024
_OWN_TYPES: Final = (ADJUSTMENT, PROFILE)


class LeadHint(msgspec.Struct, array_like=True, frozen=True):
    """What lists show of a lead; instants in µs. `before`: the stage that it left just now."""

    id: str
    version: int
    score: float
    stage: str
    acts_24h: int
    last_event_at: int | None
    before: str | None = None


class MutationHint(msgspec.Struct, array_like=True, frozen=True):
    """An event, or an adjustment by hand, that moved a score."""

    lead_id: str
    event_type: str
    delta: float
    score: float


class EventHint(msgspec.Struct, array_like=True, frozen=True):
    """An event and how far it is. Scorers do not know by which browser it came."""

    id: str
    event_type: str
    lead_id: str | None
    anonymous_id: str | None
    timestamp: int
    status: EventStatus


class Hints(msgspec.Struct, array_like=True):
    """What is told at once about one project, and how much more there is that is not."""

    project_id: str
    leads: list[LeadHint] = []
    mutations: list[MutationHint] = []
    events: list[EventHint] = []
    more_leads: int = 0
    more_events: int = 0


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Hints)


def encoded(hints: Hints) -> list[bytes]:
    """Messages that carry hints, each small enough for every way that they may go."""
    whole = _encode(hints)
    if len(whole) <= MOST_BYTES:
        return [whole]
    size = len(hints.leads) + len(hints.mutations) + len(hints.events)
    if size < 2:
        counts = Hints(
            hints.project_id,
            more_leads=hints.more_leads + len(hints.leads),
            more_events=hints.more_events + len(hints.events),
        )
        return [_encode(counts)]
    # Halved along each kind, so that what belongs together stays about together.
    first, second = Hints(hints.project_id), Hints(hints.project_id)
    for name in ("leads", "mutations", "events"):
        rows = getattr(hints, name)
        middle = (len(rows) + 1) // 2
        setattr(first, name, rows[:middle])
        setattr(second, name, rows[middle:])
    second.more_leads, second.more_events = hints.more_leads, hints.more_events
    return encoded(first) + encoded(second)


def decoded(message: bytes | str) -> Hints | None:
    """The hints of a message; None for one that isn't ours."""
    try:
        return _decoder.decode(message)
    except msgspec.MsgspecError:
        return None


class Budget:
    """Lets about so many a second through, and as many at once; the rest is counted."""

    __slots__ = ("_left", "_seen")

    def __init__(self) -> None:
        self._left = float(SINGLES)
        self._seen = 0.0

    def take(self, wanted: int, now: float, rate: int = SINGLES) -> int:
        """How many of these may go, at a time in seconds."""
        self._left = min(float(rate), self._left + (now - self._seen) * rate)
        self._seen = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted


class Outlet(Protocol):
    """A way to all API processes."""

    async def watched(self, projects: Sequence[str]) -> set[str]:
        """Those of these projects of which somebody may have a page open."""

    async def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Sends messages about projects; what nobody waits for goes nowhere."""

    async def close(self) -> None: ...


class Inlet(Protocol):
    """The other end of it, in an API process."""

    @property
    def up(self) -> bool: ...

    async def run(self, heard: Callable[[bytes | str], None], missed: Callable[[], None]) -> None:
        """Listens for ever; `missed` is called when it may have missed something."""

    async def watch(self, project_id: str) -> None:
        """Returns when everything that is sent from now on about a project is heard."""

    async def unwatch(self, project_id: str) -> None: ...


# What a database or Valkey that is away may raise.
TROUBLE: Final = (*DATABASE_ERRORS, OSError, TimeoutError)


class Scored(NamedTuple):
    """A pass as it was committed."""

    leads: Sequence[Lead]
    writes: Writes


@dataclass(slots=True)
class _News:
    """What is to be told of one commit."""

    passes: Sequence[Scored] = ()
    changed: Sequence[LeadKey] = ()

    def projects(self) -> list[str]:
        found = {lead.was.project_id for one in self.passes for lead in one.leads}
        return sorted(found.union(project_id for project_id, _ in self.changed))


@dataclass(slots=True)
class Teller:
    """Tells of commits, beside the work: nobody ever waits for it. Has its own connection."""

    dsn: str
    # Made of the connection: a way through the database needs one, another doesn't.
    way: Callable[[Connection], Outlet]
    told: int = 0
    forgotten: int = 0
    _waiting: deque[_News] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _budgets: dict[str, tuple[Budget, Budget, Budget]] = field(default_factory=dict)
    _reach: Reach = field(default_factory=Reach)

    def told_of(self, passes: Sequence[Scored], changed: Sequence[LeadKey] = ()) -> None:
        """These passes were committed, and these leads changed otherwise, by people or by time."""
        if passes or changed:
            self._add(_News(passes, changed))

    def changed(self, leads: Sequence[LeadKey]) -> None:
        """Leads were changed by people or by time."""
        self.told_of((), leads)

    def _add(self, news: _News) -> None:
        if len(self._waiting) >= _PASSES:
            self._waiting.popleft()
            self.forgotten += 1
        self._waiting.append(news)
        self._wake.set()

    async def run(self) -> None:
        """Tells for ever; outlives whatever it tells through."""
        failures = 0
        while True:
            await self._wake.wait()
            try:
                conn = await connect(self.dsn, "hints")
                outlet = self.way(conn)
                try:
                    await store.prepare(conn)
                    while True:
                        await self._wake.wait()
                        async with asyncio.timeout(_PATIENCE):
                            await self._tell_first(conn, outlet)
                        failures = 0
                finally:
                    with contextlib.suppress(*TROUBLE):
                        await outlet.close()
                    await conn.close()
            except TROUBLE as error:
                if not failures:
                    _log.warning("hints_wait", error=error)
                await asyncio.sleep(_AGAIN[min(failures, len(_AGAIN) - 1)])
                failures += 1

    async def _tell_first(self, conn: Connection, outlet: Outlet) -> None:
        """Tells the oldest news; it is forgotten only when it was told."""
        if not self._waiting:
            self._wake.clear()
            return
        news = self._waiting[0]
        try:
            watched = await outlet.watched(news.projects())
            if watched:
                messages = await self._messages(conn, news, watched)
                await outlet.send(messages)
                self.told += len(messages)
        except TROUBLE:
            raise
        except Exception:  # noqa: BLE001 - one that can't be told keeps no other from being told
            _log.exception("hints_failed")
        if self._waiting and self._waiting[0] is news:
            self._waiting.popleft()

    async def _messages(
        self, conn: Connection, news: _News, watched: set[str]
    ) -> list[tuple[str, bytes]]:
        drafts = {project_id: _Draft() for project_id in sorted(watched)}
        for one in news.passes:
            _gather(one, drafts)
        for project_id, lead_id in news.changed:
            if project_id in drafts:
                drafts[project_id].leads.setdefault(lead_id, None)
        now = time.monotonic()
        self._forget_budgets(watched)
        made = {p: self._within(p, draft, now) for p, draft in drafts.items()}
        asked = [(p, lead) for p, draft in drafts.items() for lead in draft.leads]
        if asked:
            await self._reach.set(conn, {p for p, _ in asked})
            for found in await store.leads_now(conn, asked):
                draft = drafts[found.project_id]
                made[found.project_id].leads.append(_lead_hint(found, draft.leads[found.asked]))
        messages = [(p, part) for p, hints in made.items() for part in encoded(hints)]
        if sum(len(message) for _, message in messages) <= _MOST_OF_PASS:
            return messages
        return [
            (p, _encode(Hints(
                p, more_leads=len(h.leads) + h.more_leads,
                more_events=len(h.events) + h.more_events,
            )))
            for p, h in made.items()
        ]  # fmt: skip

    def _forget_budgets(self, watched: set[str]) -> None:
        if len(self._budgets) > 1_000:
            self._budgets = {p: b for p, b in self._budgets.items() if p in watched}

    def _within(self, project_id: str, draft: _Draft, now: float) -> Hints:
        """What may be told singly, and how much more there is; drops the rest from the draft."""
        leads, events, mutations = self._budgets.setdefault(
            project_id, (Budget(), Budget(), Budget())
        )
        kept = leads.take(len(draft.leads), now)
        shown = events.take(len(draft.events), now)
        moved = mutations.take(len(draft.mutations), now)
        hints = Hints(
            project_id, [], draft.mutations[:moved], draft.events[:shown],
            len(draft.leads) - kept,
            max(len(draft.events) - shown, len(draft.mutations) - moved),
        )  # fmt: skip
        for lead_id in list(draft.leads)[kept:]:
            del draft.leads[lead_id]
        return hints


def teller_through(redis_url: str | None, dsn: str) -> Teller:
    """Tells through Valkey if there is one, else through the database."""
    if redis_url is None:
        return Teller(dsn, store.Notifying)
    # Loaded only where it is used.
    from leadpulse.broadcast import ValkeyOutlet  # noqa: PLC0415

    return Teller(dsn, lambda _: ValkeyOutlet(redis_url))


@dataclass(slots=True)
class _Draft:
    """What there is to tell of a project. Leads come with the stage that they left."""

    leads: dict[str, str | None] = field(default_factory=dict)
    mutations: list[MutationHint] = field(default_factory=list)
    events: list[EventHint] = field(default_factory=list)


def _gather(one: Scored, drafts: dict[str, _Draft]) -> None:
    new: dict[LeadKey, dict[str, str]] = {}
    for lead in one.leads:
        draft = drafts.get(lead.was.project_id)
        if draft is None:
            continue
        draft.leads[lead.was.root_id] = STAGES[lead.was.stage]
        for member in lead.members:
            if member.fresh:
                draft.leads.setdefault(member.lead_id, None)
        types = new.setdefault(lead.key, {})
        for row in lead.rows:
            if row[KIND] or lead.long:
                continue
            types[row[ID]] = row[TYPE]
            if row[TYPE] not in _OWN_TYPES:
                draft.events.append(
                    EventHint(row[ID], row[TYPE], row[LEAD], None, row[0], "scored")
                )
    for project_id, lead_id, _, entries in one.writes.entries:
        types = new.get((project_id, lead_id), {})
        if types:
            drafts[project_id].mutations += _mutations(lead_id, entries, types)


def _mutations(lead_id: str, entries: Iterable[Entry], types: dict[str, str]) -> list[MutationHint]:
    """The steps of this pass that moved the score; not those that were folded again."""
    return [
        MutationHint(lead_id, types[e.event], e.delta, e.new)
        for e in entries
        if e.kind != DECAY and e.delta and e.event in types
    ]


def _lead_hint(found: LeadNow, before: str | None) -> LeadHint:
    stage = STAGES[found.stage]
    return LeadHint(
        found.id, found.version, found.score, stage, found.acts_24h, found.last_event_at,
        before if before != stage else None,
    )  # fmt: skip
