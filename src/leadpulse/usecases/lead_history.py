"""What happened to a lead: its ledger, its timeline, and what it all means now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.domain.facts import DAY
from leadpulse.domain.fold import DECAY, Gap, at
from leadpulse.domain.intelligence import Activity, Intelligence, assess, stage_of
from leadpulse.postgres import history_read
from leadpulse.postgres.history_read import LedgerOf, TimelineLine
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import paging
from leadpulse.usecases.reading import found_lead, instant_for, labels, state_of

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.history_read import LedgerLine
    from leadpulse.postgres.leads_read import LeadRow
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

SESSION_IDLE: Final = 30 * 60 * 1_000_000
# A page of sessions reads so many events at most.
_EVENTS_OF_SESSIONS: Final = 5_000
_PORTION: Final = 500
_ENOUGH_TYPES: Final = 5
# So many newest entries nearly always hold the five types that engagement counts up to.
_NEWEST_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True)
class RuleGave:
    """A rule and the points that it gave (nominal, after caps)."""

    id: str
    name: str
    points: float


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of the ledger as readers see it (instants in µs).

    `event` is the server's id. The open gap has no `recorded_at`: nothing is stored yet.
    """

    kind: str
    timestamp: int
    old: float
    delta: float
    new: float
    points: float
    rules: list[RuleGave]
    stage: str
    steps: int
    model_version: int
    recorded_at: int | None = None
    event: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Events of one visit, newest first."""

    session_id: str | None
    events: list[TimelineLine]

    @property
    def started_at(self) -> int:
        return self.events[-1].at

    @property
    def ended_at(self) -> int:
        return self.events[0].at

    @property
    def score_delta(self) -> float:
        return sum(line.delta for line in self.events)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A lead's intelligence at an instant (µs)."""

    score: float
    activity: Activity
    told: Intelligence
    model_version: int
    as_of: int


_KINDS: Final = ("event", "decay", "adjustment")


async def lead_history(
    pool: Pool,
    cache: ModelCache,
    lead: tuple[str, str],
    cursor: str | None,
    limit: int,
) -> tuple[list[HistoryEntry], str | None]:
    """A page of the ledger of a lead (project, id), oldest first; the open gap comes last.

    Raises NotFound.
    """
    limit = paging.page_size(limit)
    after = _place(cursor, "history")
    async with snapshot(pool, lead[0]) as (connection, now):
        row = await found_lead(connection, *lead, now)
        ledger = LedgerOf(lead[0], row.id, row.generation)
        lines = await history_read.ledger_page(connection, ledger, after, limit + 1)
        models = await _models(connection, cache, lead[0], lines)
    entries = [_entry(line, models) for line in lines[:limit]]
    if len(lines) > limit:
        last = lines[limit - 1]
        return entries, paging.encode("history", last.at, last.entry)
    open_gap = _open_entry(row, models, now)
    return (entries if open_gap is None else [*entries, open_gap]), None


def _place(cursor: str | None, kind: str) -> tuple[int, int] | None:
    if cursor is None:
        return None
    at_, entry = paging.decode(cursor, kind, (int, int))
    if not isinstance(at_, int) or not isinstance(entry, int) or not 0 <= entry < 2**31:
        raise paging.bad_cursor()
    return at_, entry


async def _models(
    connection: Connection, cache: ModelCache, project_id: str, lines: list[LedgerLine]
) -> Models:
    newest = (await labels(connection, cache, project_id)).newest
    versions = {line.version for line in lines}
    # Below the newest version for all history old names are still the names of that time.
    oldest = min(versions, default=newest)
    return await cache.get(connection, project_id, newest, oldest, versions_needed=versions)


def _entry(line: LedgerLine, models: Models) -> HistoryEntry:
    names = {rule.id: rule.name for rule in models.versions[line.version].source.rules}
    decay = line.kind == DECAY
    return HistoryEntry(
        kind=_KINDS[line.kind],
        timestamp=line.at if line.decayed_at is None else line.decayed_at,
        old=line.old,
        delta=line.delta,
        new=line.new,
        points=line.points,
        rules=[
            RuleGave(rule, names.get(rule, rule), points)
            for rule, points in (line.rules or {}).items()
        ],
        stage=stage_of(models.labels.source, line.new),
        steps=line.steps,
        model_version=line.version,
        recorded_at=line.recorded_at,
        event=None if decay else line.event,
        event_id=None if decay else line.event_id,
        event_type=None if decay else line.event_type,
    )


def _open_entry(row: LeadRow, models: Models, now: int) -> HistoryEntry | None:
    state = state_of(row)
    gap: Gap = at(state, instant_for(state, now))
    if not gap.steps or gap.decayed_at is None:
        return None
    return HistoryEntry(
        kind=_KINDS[DECAY],
        timestamp=gap.decayed_at,
        old=state.score,
        delta=gap.score - state.score,
        new=gap.score,
        points=0.0,
        rules=[],
        stage=stage_of(models.labels.source, gap.score),
        steps=gap.steps,
        model_version=state.act_version,
        open=True,
    )


# ── Timeline ─────────────────────────────────────────────────────────────────────────


async def lead_timeline(
    pool: Pool, lead: tuple[str, str], cursor: str | None, limit: int
) -> tuple[list[TimelineLine], str | None]:
    """A page of a lead's scored events and adjustments, newest first. Raises NotFound."""
    limit = paging.page_size(limit)
    before = _place(cursor, "timeline")
    async with snapshot(pool, lead[0]) as (connection, now):
        row = await found_lead(connection, *lead, now)
        ledger = LedgerOf(lead[0], row.id, row.generation)
        lines = await history_read.timeline_page(connection, ledger, before, limit + 1)
    shown = lines[:limit]
    if len(lines) <= limit:
        return shown, None
    return shown, paging.encode("timeline", shown[-1].at, shown[-1].entry)


async def lead_sessions(
    pool: Pool, lead: tuple[str, str], cursor: str | None, limit: int
) -> tuple[list[Session], str | None]:
    """A page of a lead's sessions, newest first. Raises NotFound.

    A session of more than 5,000 events goes on with the next page.
    """
    limit = paging.page_size(limit)
    before = _place(cursor, "sessions")
    gathered = _Sessions(limit)
    async with snapshot(pool, lead[0]) as (connection, now):
        row = await found_lead(connection, *lead, now)
        ledger = LedgerOf(lead[0], row.id, row.generation)
        while True:
            lines = await history_read.timeline_page(connection, ledger, before, _PORTION)
            for line in lines:
                if gathered.events >= _EVENTS_OF_SESSIONS or not gathered.take(line):
                    return gathered.sessions, paging.encode("sessions", *(before or (0, 0)))
                before = (line.at, line.entry)
            if len(lines) < _PORTION:
                return gathered.sessions, None


class _Sessions:
    """Groups events that come newest first; refuses the one that would begin one too many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.events = 0
        self.sessions: list[Session] = []
        self._named: dict[str, Session] = {}
        self._nameless: Session | None = None

    def take(self, line: TimelineLine) -> bool:
        session = self._of(line)
        if session is None:
            if len(self.sessions) == self.most:
                return False
            session = Session(line.session_id, [])
            self.sessions.append(session)
            if line.session_id is None:
                self._nameless = session
            else:
                self._named[line.session_id] = session
        session.events.append(line)
        self.events += 1
        return True

    def _of(self, line: TimelineLine) -> Session | None:
        if line.session_id is not None:
            return self._named.get(line.session_id)
        nameless = self._nameless
        if nameless is None or nameless.started_at - line.at > SESSION_IDLE:
            return None
        return nameless


# ── Intelligence ─────────────────────────────────────────────────────────────────────


async def lead_intelligence(
    pool: Pool, cache: ModelCache, project_id: str, lead_id: str
) -> Meaning:
    """What a lead's score and activity mean now. Raises NotFound."""
    async with snapshot(pool, project_id) as (connection, now):
        row = await found_lead(connection, project_id, lead_id, now)
        models = await labels(connection, cache, project_id)
        state = state_of(row)
        t = instant_for(state, now)
        ledger = LedgerOf(project_id, row.id, row.generation)
        day, two_days, month = await history_read.acts_until(
            connection, ledger, (t - DAY, t - 2 * DAY, t - 30 * DAY)
        )
        types = await _act_types(connection, cache, ledger, t)
    activity = Activity(
        last_act=state.last_act,
        last_24h=state.acts - day,
        before_24h=day - two_days,
        last_30d=state.acts - month,
        types_30d=types,
    )
    score = at(state, t).score
    told = assess(models.labels.source, score, activity, t)
    return Meaning(score, activity, told, models.newest, t)


async def _act_types(connection: Connection, cache: ModelCache, ledger: LedgerOf, t: int) -> int:
    """Distinct types of acts in the last 30 days; from five on the number doesn't matter."""
    newest = (await labels(connection, cache, ledger.project_id)).newest
    kinds = 0
    for most in (_NEWEST_ENTRIES, None):
        seen, entries = await history_read.types_since(connection, ledger, t - 30 * DAY, most)
        versions = {item.version for item in seen}
        oldest = min(versions, default=newest)
        models = await cache.get(
            connection, ledger.project_id, newest, oldest, versions_needed=versions
        )
        kinds = len(
            {
                item.event_type
                for item in seen
                if models.versions[item.version].meaning(item.event_type).is_act
            }
        )
        if kinds >= _ENOUGH_TYPES or entries < _NEWEST_ENTRIES:
            break
    return kinds
