"""One scoring pass: take what waits for leads that nobody holds, fold it, write the result.

Everything of a pass is one transaction. What fails in it is put aside lead by lead; what
makes the whole transaction fail is found by halving the batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from leadpulse.domain.facts import ADJUSTMENT
from leadpulse.domain.profile import Source
from leadpulse.domain.retry import Treatment, treatment
from leadpulse.postgres import facts as facts_store
from leadpulse.postgres import failures as failures_store
from leadpulse.postgres import keeper, profiles, refolds, scored, scoring, test_marks
from leadpulse.postgres.models import InForce, ModelCache
from leadpulse.postgres.profiles import Said
from leadpulse.postgres.scored import CheckpointWanted, Writes
from leadpulse.postgres.scoring import (
    EVERYTHING,
    HAS_TRAITS,
    ID,
    KIND,
    LEAD,
    RECEIVED,
    PutBack,
    Share,
    Take,
)
from leadpulse.postgres.session import reach
from leadpulse.usecases import setbacks
from leadpulse.usecases.batch import (
    LONGEST_FOLD,
    FoldFailed,
    Lead,
    Pass,
    fold_lead,
    replace_ledger,
    sort_rows,
)
from leadpulse.usecases.hints import Scored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from leadpulse.domain.facts import Fact
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.scoring import Candidate
    from leadpulse.usecases.fairness import Rotation

LeadKey = tuple[str, str]

# Facts that one pass folds again; leads beyond wait for the next.
_REFOLDED_AT_MOST: Final = 20_000
# Of one lead's rows, in a pass that is about this lead.
_ROWS_OF_A_LEAD: Final = 5_000
# So many leads must have been tried, and so many of them failed, to doubt everything.
_TRIED_AT_LEAST: Final = 10
_FAILED_SHARE: Final = 0.9
_REMEMBERED: Final = 100


class Claims(Protocol):
    """Tells the scorer's parent, outside the database, whom a pass is about."""

    def begin(self, leads: Sequence[LeadKey], *, alone: bool) -> None: ...

    def end(self) -> None: ...


class NearlyEverythingFails(Exception):
    """So many leads fail that the fault is hardly theirs; nothing was recorded against them."""


@dataclass(slots=True)
class Desk:
    """What a scorer keeps between passes. One connection, one pass at a time."""

    conn: Connection
    models: ModelCache = field(default_factory=ModelCache)
    claims: Claims | None = None
    progress: Callable[[Fact], None] | None = None
    # What to add to our own clock (µs) for the database's.
    ahead: int = 0
    # Leads tried last, and whether they failed.
    outcomes: dict[LeadKey, bool] = field(default_factory=dict)
    share: Share = EVERYTHING
    # Set while nearly everything failed; the first lead that can be folded ends it.
    doubting: bool = False


@dataclass(slots=True)
class PassResult:
    """What a pass did. `special` leads need a pass of another kind, see domain.retry.

    `received`: when the events that it scored were (µs); `waits`: how long each had to wait
    for the commit (s). `scored` and `changed` are what there is to tell of it.
    """

    leads: int = 0
    events: int = 0
    received: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    failed: dict[LeadKey, str] = field(default_factory=dict)
    special: dict[LeadKey, Treatment] = field(default_factory=dict)
    scored: list[Scored] = field(default_factory=list)
    changed: list[LeadKey] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        return not (self.leads or self.events or self.failed)

    def add(self, other: PassResult) -> None:
        self.leads += other.leads
        self.events += other.events
        self.waits += other.waits
        self.failed.update(other.failed)
        self.special.update(other.special)
        self.scored += other.scored
        self.changed += other.changed


async def score_pass(desk: Desk, rotation: Rotation, rows: int) -> PassResult:
    """Score about `rows` waiting events of as many projects and leads as they allow."""
    waiting = await keeper.reach_waiting(desk.conn, rotation.after, rotation.PROJECTS)
    portions = rotation.portions(waiting, rows)
    if not portions:
        return PassResult()
    picked: list[Candidate] = []
    try:
        async with desk.conn.transaction():
            picked += await scoring.pick_portions(desk.conn, portions, desk.share)
            rotation.saw(portions, picked)
            result = await _score(desk, picked, ("normal",))
    except Exception as error:  # noqa: BLE001 - judged there
        return await _after_error(desk, _roots(picked), error)
    _done(desk)
    return _timed(desk, result)


async def score_leads(
    desk: Desk, leads: Sequence[LeadKey], allowed: Sequence[Treatment]
) -> PassResult:
    """Score what waits for some leads, whatever failed before if its treatment is allowed."""
    try:
        await reach(desk.conn, {project_id for project_id, _ in leads}, lasting=True)
        async with desk.conn.transaction():
            picked = await scoring.pick_named(desk.conn, leads, _ROWS_OF_A_LEAD)
            result = await _score(desk, picked, allowed)
    except Exception as error:  # noqa: BLE001 - judged there
        return await _after_error(desk, list(leads), error, allowed)
    _done(desk)
    return _timed(desk, result)


def _done(desk: Desk) -> None:
    if desk.claims is not None:
        desk.claims.end()


def _timed(desk: Desk, result: PassResult) -> PassResult:
    now = desk.ahead + time.monotonic_ns() // 1_000
    result.waits += [max(0, now - received) / 1e6 for received in result.received]
    return result


def _roots(picked: Iterable[Candidate]) -> list[LeadKey]:
    """The leads that a pass is about, by the lead whose rows it found."""
    return list({(c.project_id, c.lead_id): None for c in picked if c.locked})


async def _after_error(
    desk: Desk,
    leads: list[LeadKey],
    error: Exception,
    allowed: Sequence[Treatment] = ("normal",),
) -> PassResult:
    """Everything was rolled back: find the lead at fault by halves, if a lead is at fault."""
    _done(desk)
    if (
        isinstance(error, NearlyEverythingFails)
        or failures_store.fault_of(error) == "database"
        or not leads
    ):
        raise error
    if len(leads) > 1:
        middle = len(leads) // 2
        result = await score_leads(desk, leads[:middle], allowed)
        result.add(await score_leads(desk, leads[middle:], allowed))
        return result
    return await _put_aside(desk, leads[0], error)


async def _put_aside(desk: Desk, lead: LeadKey, error: Exception) -> PassResult:
    """Record the failure of a lead whose pass couldn't even be written."""
    failed = {lead: FoldFailed(error, None)}
    _doubt(desk, failed, ())
    async with desk.conn.transaction():
        root = await setbacks.held(desk.conn, lead)
        await setbacks.record(desk.conn, {root: failed[lead]})
    return PassResult(failed={lead: str(failed[lead])})


# ── Inside the transaction ───────────────────────────────────────────────────────────


async def _score(
    desk: Desk, picked: Sequence[Candidate], allowed: Sequence[Treatment]
) -> PassResult:
    result = PassResult()
    candidates = [c for c in picked if c.locked and _is_allowed(c, allowed, result)]
    if not candidates:
        return result
    leads = await _open(desk, candidates)
    if not leads:
        return result
    if desk.claims is not None:
        desk.claims.begin([lead.key for lead in leads], alone=len(leads) == 1)
    back = await _take(desk.conn, leads)
    writes = Writes()
    failed: dict[LeadKey, FoldFailed] = {}
    run = Pass(writes, desk.progress)
    for portion in _portions(leads, back):
        await _load(desk, portion)
        for lead in portion:
            if lead.long:
                continue
            try:
                fold_lead(lead, run)
            except FoldFailed as error:
                failed[lead.key] = error
                back += [PutBack(lead.was.project_id, row, None) for row in lead.rows]
    done = [lead for lead in leads if lead.key not in failed]
    _doubt(desk, failed, done)
    await _save(desk, done, writes)
    if back:
        await scoring.put_back(desk.conn, back)
    if failed:
        await setbacks.record(desk.conn, failed)
    result.leads += len(done)
    result.events += sum(len(lead.rows) for lead in leads) - len(back)
    result.received += [
        row[RECEIVED] for lead in done if not lead.long for row in lead.rows if not row[KIND]
    ]
    result.failed = {key: str(error) for key, error in failed.items()}
    if done:
        result.scored.append(Scored(done, writes))
    return result


def _is_allowed(candidate: Candidate, allowed: Sequence[Treatment], result: PassResult) -> bool:
    how = treatment(candidate.failures)
    if how in allowed:
        return True
    result.special[candidate.project_id, candidate.root_id] = how
    return False


async def _open(desk: Desk, candidates: Sequence[Candidate]) -> list[Lead]:
    """Gather candidates into leads with their models; lock the trees of those that need it."""
    versions = await scoring.versions_of(desk.conn, {c.project_id for c in candidates})
    desk.ahead = max((v.now for v in versions.values()), default=0) - time.monotonic_ns() // 1_000
    in_force = {p: InForce(p, v.newest, v.history) for p, v in versions.items()}
    models = await desk.models.get_many(desk.conn, in_force.values())
    found: dict[LeadKey, Lead] = {}
    for candidate in candidates:
        key = (candidate.project_id, candidate.root_id)
        lead = found.get(key)
        if lead is None:
            project = versions[candidate.project_id]
            lead = Lead(candidate, models[in_force[candidate.project_id]], project.now, [])
            found[key] = lead
        lead.waiting.append((candidate.lead_id, candidate.rows))
        lead.refold = lead.refold or candidate.refold
    full = [lead for lead in found.values() if lead.must_refold()]
    if full:
        trees = await scoring.lock_trees(desk.conn, [lead.key for lead in full])
        for lead, tree in zip(full, trees, strict=True):
            if tree.held:
                found.pop(lead.key, None)
                continue
            for member in tree.members:
                # Merged since it was picked: what waits for it is this lead's.
                found.pop((lead.was.project_id, member.lead_id), None)
            lead.full = True
            lead.members = tree.members
            lead.removing = tree.removing
            # All their events are stored, so whatever waits is folded with the rest.
            lead.waiting = [
                (lead_id, _ROWS_OF_A_LEAD)
                for lead_id in (lead.was.root_id, *(m.lead_id for m in tree.members))
            ]
    return list(found.values())


async def _take(conn: Connection, leads: Sequence[Lead]) -> list[PutBack]:
    """Take the rows and plan with them; returns those that have to wait."""
    root_of: dict[str, Lead] = {}
    takes: list[Take] = []
    for lead in leads:
        for lead_id, rows in lead.waiting:
            root_of[lead_id] = lead
            takes.append(
                Take(
                    lead.was.project_id, lead_id, lead.was.root_id, rows, lead.models.newest,
                    lead.full,
                )
            )  # fmt: skip
    looked_into = {ADJUSTMENT}
    for models in {id(lead.models): lead.models for lead in leads}.values():
        looked_into |= models.looked_into
    for row in await scoring.take_rows(conn, takes, looked_into):
        root_of[row[LEAD]].rows.append(row)
    for lead in leads:
        sort_rows(lead)
    await _forget_known(conn, leads)
    back: list[PutBack] = []
    for lead in leads:
        if lead.plan.gather:
            later = lead.window.end(lead.now)
            waiting = {fact.id for fact in lead.plan.gather}
            back += [
                PutBack(lead.was.project_id, row, later) for row in lead.rows if row[ID] in waiting
            ]
            lead.rows = [row for row in lead.rows if row[ID] not in waiting]
    return back


async def _forget_known(conn: Connection, leads: Sequence[Lead]) -> None:
    """Drop late rows whose facts a fold of everything has met since they were written."""
    late = [
        (lead.was.project_id, lead.was.root_id, lead.was.generation, fact)
        for lead in leads
        for fact in (*lead.plan.late, *lead.plan.gather)
    ]
    if not late:
        return
    known = await scored.known_facts(conn, late)
    if known:
        for lead in leads:
            lead.drop(known)


def _portions(leads: list[Lead], back: list[PutBack]) -> list[list[Lead]]:
    """Split a pass so that no answer grows beyond a megabyte; what is too much goes back."""
    portions: list[list[Lead]] = [[]]
    room, left = LONGEST_FOLD, _REFOLDED_AT_MOST
    postponed: set[LeadKey] = set()
    for lead in leads:
        if not lead.full and not lead.plan.late:
            portions[0].append(lead)
            continue
        size = min(lead.size, LONGEST_FOLD)
        if left < size < _REFOLDED_AT_MOST and left < _REFOLDED_AT_MOST:
            back += [PutBack(lead.was.project_id, row, None) for row in lead.rows]
            postponed.add(lead.key)
            continue
        left -= size
        if size > room:
            portions.append([])
            room = LONGEST_FOLD
        room -= size
        portions[-1].append(lead)
    leads[:] = [lead for lead in leads if lead.key not in postponed]
    return portions


async def _load(desk: Desk, leads: Sequence[Lead]) -> None:
    """Load the facts that the folds of these leads need, and see which take too long."""
    late = [lead for lead in leads if lead.plan.late]
    if late:
        states = await scored.nearest_checkpoints(desk.conn, [
            CheckpointWanted(
                lead.was.project_id, lead.was.root_id, lead.was.generation, lead.plan.late[0].ts
            )
            for lead in late
        ])  # fmt: skip
        for lead, state in zip(late, states, strict=True):
            lead.start = state
    again = [lead for lead in leads if lead.full or lead.plan.late]
    if again:
        found = await facts_store.load_facts(desk.conn, [
            facts_store.Wanted(
                lead.was.project_id, lead.was.root_id,
                lead.start.last[0] if lead.start.last else 0,
                lead.models.newest, LONGEST_FOLD + 2,
                lead.start.last[1] if lead.start.last else "",
            )
            for lead in again
        ])  # fmt: skip
        for lead, facts in zip(again, found, strict=True):
            last = lead.start.last
            lead.facts = facts if last is None else [f for f in facts if f[:3] > last]
            lead.long = len(facts) > LONGEST_FOLD
    models = {lead.was.project_id: lead.models for lead in leads}
    await facts_store.with_properties(
        desk.conn,
        [(lead.was.project_id, lead.facts) for lead in leads if not lead.long],
        models.__getitem__,
    )


async def _save(desk: Desk, done: Sequence[Lead], writes: Writes) -> None:
    for lead in done:
        for member in lead.members:
            if member.fresh:
                child = (lead.was.project_id, member.lead_id)
                writes.merged.append((*child, lead.was.root_id))
                replace_ledger(lead, (child[1], member.generation, member.entries), writes)
        if lead.was.merged:
            writes.shown_again.append(lead.key)
    if done:
        changed = await _show_profiles(desk.conn, done)
        if changed:
            writes.leads[:] = [
                lead._replace(seen=1) if (lead.project_id, lead.id) in changed else lead
                for lead in writes.leads
            ]
        await scored.save(desk.conn, writes, done[0].now)
        marked = [lead.marked for lead in done if lead.was.test or lead.tree_changes]
        if marked:
            await test_marks.follow(desk.conn, marked)
    long = [lead for lead in done if lead.long]
    if long:
        await refolds.start(desk.conn, [
            (*lead.key, lead.was.generation + 1, lead.models.history) for lead in long
        ])  # fmt: skip
    await _settle_trouble(desk.conn, done)


async def _settle_trouble(conn: Connection, done: Sequence[Lead]) -> None:
    """Forget what went wrong before with leads that were folded now.

    A fold of everything also settles the trouble of the leads that are merged into it. One
    that goes on in later passes settles nothing yet.
    """
    whole = [
        (lead.was.project_id, lead_id)
        for lead in done
        if lead.full and not lead.long
        for lead_id in (lead.was.root_id, *(member.lead_id for member in lead.members))
    ]
    recovered = [
        lead.key
        for lead in done
        if not (lead.full or lead.long) and (lead.was.failures.attempts or _crashed(lead))
    ]
    if whole or recovered:
        await failures_store.forget_failures(conn, whole + recovered)
    if whole:
        await failures_store.settle_dead_letters(conn, whole)


async def _show_profiles(conn: Connection, done: Sequence[Lead]) -> set[LeadKey]:
    """Let profiles follow what the events of this pass say; returns whose shown ones changed."""
    asked: list[tuple[str, str, str | None]] = []
    trees: list[LeadKey] = []
    for lead in done:
        if lead.was.stale or any(member.fresh and member.stale for member in lead.members):
            asked.append((*lead.key, None))
        else:
            asked += [(*lead.key, row[ID]) for row in lead.rows if row[HAS_TRAITS]]
        if lead.looks or lead.tree_changes:
            trees.append(lead.key)
    now = done[0].now
    changed: set[LeadKey] = set()
    if asked:
        said = [
            Said(s.project_id, s.lead_id, s.root_id, Source(s.ts, s.event_id, s.trusted), s.traits)
            for s in await facts_store.load_traits(conn, asked)
        ]
        changed |= await profiles.apply_traits(conn, now, said)
        # An event that only links an identifier says nothing, and still changes what is shown.
        told = {(one.project_id, one.root_id) for one in said}
        trees += [
            key for key in dict.fromkeys((p, root) for p, root, _ in asked) if key not in told
        ]
    if trees:
        changed |= await profiles.refresh_views(conn, now, trees)
    return changed


def _crashed(lead: Lead) -> bool:
    return bool(lead.was.failures.crashes or lead.was.failures.solo_crashes)


# ── What failed ──────────────────────────────────────────────────────────────────────


def _doubt(desk: Desk, failed: dict[LeadKey, FoldFailed], done: Sequence[Lead]) -> None:
    """Raise NearlyEverythingFails, which undoes the pass, when hardly a lead can be folded."""
    outcomes = desk.outcomes
    if desk.doubting and done:
        outcomes.clear()
        desk.doubting = False
    for lead in done:
        outcomes.pop(lead.key, None)
        outcomes[lead.key] = False
    for key in failed:
        outcomes.pop(key, None)
        outcomes[key] = True
    while len(outcomes) > _REMEMBERED:
        del outcomes[next(iter(outcomes))]
    bad = sum(outcomes.values())
    if failed and len(outcomes) >= _TRIED_AT_LEAST and bad >= _FAILED_SHARE * len(outcomes):
        error = next(iter(failed.values()))
        desk.doubting = True
        raise NearlyEverythingFails(f"{bad} of {len(outcomes)} leads failed; one of them: {error}")
