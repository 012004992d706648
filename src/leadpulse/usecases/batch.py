"""The leads of one scoring pass, from what was waiting for them to what is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.facts import Fact
from leadpulse.domain.fold import EVENT, Entry, Folded, at, fold, next_change
from leadpulse.domain.intelligence import stage_index
from leadpulse.domain.refold import Plan, Window, plan, stage_steps, unseen_from
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres.identity import LOOK
from leadpulse.postgres.scored import Cut, LeadUpdate, Older, Revision, StageChange, Writes
from leadpulse.postgres.scoring import ID, KIND, RECEIVED, TYPE
from leadpulse.postgres.test_marks import Marked
from leadpulse.redaction import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from leadpulse.domain.compiled import Models
    from leadpulse.postgres.scoring import Candidate, Member, Row

# A fold of more facts than this goes on in later passes; so does a ledger's removal.
LONGEST_FOLD: Final = 5_000

# A named tuple's own constructor takes twice as long.
_make: Final = tuple.__new__

_CAUSES: Final = frozenset(("model", "merge", "rebuild"))


@dataclass(slots=True, eq=False)
class Lead:
    """A locked root, what waits for it, and how it is to be folded."""

    was: Candidate
    models: Models
    now: int
    # The leads of its tree that have rows in this pass, each with how many to take.
    waiting: list[tuple[str, int]]
    refold: bool = False
    # What is shown of it has to be looked at, because an identifier went elsewhere.
    looks: bool = False
    members: list[Member] = field(default_factory=list)
    # The newest generation that is still being removed; its number can't be used again yet.
    removing: int = -1
    rows: list[Row] = field(default_factory=list)
    # Set by `sort_rows`.
    full: bool = False
    plan: Plan = field(default_factory=lambda: Plan([], [], []))
    cause: str = "late"
    state: State = field(default_factory=State)
    start: State = field(default_factory=State)
    facts: list[Fact] = field(default_factory=list)
    # Too long for one pass.
    long: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Project and lead."""
        return (self.was.project_id, self.was.root_id)

    @property
    def window(self) -> Window:
        return Window(self.was.refolds, self.was.refolds_since)

    @property
    def size(self) -> int:
        """About how many facts a fold of everything has."""
        below = sum(member.entries for member in self.members)
        return self.was.entries + below + len(self.rows) + 1

    @property
    def tree_changes(self) -> bool:
        """Tell whether leads may have come to this one or left it."""
        return self.full and self.cause in ("merge", "rebuild")

    @property
    def marked(self) -> Marked:
        """What tells whether it is a test lead."""
        events = None if self.full else [row[ID] for row in self.rows if not row[KIND]]
        return Marked(*self.key, events)

    def drop(self, known: AbstractSet[str]) -> None:
        """Forget late facts that the ledger holds already."""
        append, late, gather = self.plan
        self.plan = Plan(
            append,
            [fact for fact in late if fact.id not in known],
            [fact for fact in gather if fact.id not in known],
        )
        if late and not self.plan.late:
            self.start, self.facts = self.state, append

    def must_refold(self) -> bool:
        """Tell whether this lead has to be folded from its first fact, before any row is read."""
        was = self.was
        return self.refold or was.stale or was.merged or was.epoch < self.models.history


def sort_rows(lead: Lead) -> None:
    """Turn the rows taken for a lead into a plan, and find the time that it is folded at."""
    facts: list[Fact] = []
    now = lead.now
    for row in lead.rows:
        if row[KIND]:
            if row[TYPE] in _CAUSES:
                lead.cause = row[TYPE]
            lead.looks = lead.looks or row[TYPE] == LOOK
            continue
        received = row[RECEIVED]
        if received > now:  # noqa: PLR1730 - max() takes three times as long
            now = received
        facts.append(_make(Fact, row[:7]))
    if len(facts) > 1:
        facts.sort()
    lead.now = now
    lead.state = state_from_document(lead.was.state)
    if lead.full:
        lead.plan = Plan(facts, [], [])
        lead.cause = _cause(lead)
        return
    last = lead.state.last
    if last is not None and last[0] > now:
        lead.now = last[0]
    lead.plan = plan(last, facts, claims_may_refold=lead.window.is_open(now))
    if not lead.plan.late:
        lead.start, lead.facts = lead.state, lead.plan.append


def _cause(lead: Lead) -> str:
    if lead.was.merged or any(member.fresh for member in lead.members):
        return "merge"
    if lead.was.epoch < lead.models.history:
        return "model"
    return "rebuild" if lead.cause == "late" else lead.cause


class FoldFailed(Exception):
    """The fold of a lead raised; `event` is the fact at fault. Holds no value of any event."""

    def __init__(self, error: Exception, event: str | None) -> None:
        super().__init__(describe(error))
        self.event = event


class Pass(NamedTuple):
    """What the fold of a pass writes to, and whom it tells of each fact before it."""

    writes: Writes
    progress: Callable[[Fact], None] | None = None


def fold_lead(lead: Lead, run: Pass) -> None:
    """Fold one lead and note everything that changes by it; raises FoldFailed."""
    appends = not lead.full and not lead.plan.late
    try:
        if appends:
            folded = fold(lead.start, lead.facts, lead.models, run.progress)
            base = lead.state
            fresh = folded.entries
        else:
            new = {fact.id for fact in lead.plan.append} | {fact.id for fact in lead.plan.late}
            split = unseen_from(lead.facts, new)
            history = fold(lead.start, lead.facts[:split], lead.models, run.progress)
            base = history.state
            tail = fold(base, lead.facts[split:], lead.models, run.progress)
            fresh = tail.entries
            folded = Folded(
                tail.state,
                history.entries + fresh,
                history.checkpoints + tail.checkpoints,
            )
    except Exception as error:
        raise FoldFailed(error, _fact_at_fault(lead)) from error
    _note(lead, folded, base, fresh, run.writes)


def _fact_at_fault(lead: Lead) -> str | None:
    """Fold once more, only to learn which fact raises."""
    seen: list[Fact] = []
    try:
        fold(lead.start, lead.facts, lead.models, seen.append)
    except Exception:  # noqa: BLE001 - known already
        return seen[-1].id if seen else None
    return None


def _note(lead: Lead, folded: Folded, base: State, fresh: list[Entry], writes: Writes) -> None:
    was, now, state = lead.was, lead.now, folded.state
    if state.last is not None and state.last[0] > now:
        now = state.last[0]
    project_id, root_id = was.project_id, was.root_id
    appends = base is lead.state
    generation = was.generation
    if lead.full:
        generation = _next_generation(lead, writes)
    elif not appends:
        writes.cuts.append(Cut(project_id, root_id, generation, lead.start.entries))
    if folded.entries:
        writes.entries.append((project_id, root_id, generation, folded.entries))
    for checkpoint in folded.checkpoints:
        writes.checkpoints.append((project_id, root_id, generation, checkpoint))
    shown = was.stage
    if not appends:
        shown = _note_revision(lead, base, now, writes)
    labels = lead.models.labels
    for step in stage_steps(labels.source, shown, fresh):
        writes.stage_changes.append(
            StageChange(
                project_id, root_id, now, step.before, step.after, step.entry.new,
                labels.version, step.cause, step.entry.event,
            )
        )  # fmt: skip
        shown = step.after
    score = at(state, now).score
    stage = stage_index(labels.source, score)
    if stage != shown:
        cause = "decay" if state.score != score else "event"
        writes.stage_changes.append(
            StageChange(project_id, root_id, now, shown, stage, score, labels.version, cause, None)
        )
    _count_mutations(lead, folded.entries, writes)
    used, since = was.refolds, was.refolds_since
    if lead.plan.late and all(fact.claim for fact in lead.plan.late):
        used, since = lead.window.counted(now)
    writes.leads.append(
        LeadUpdate(
            project_id, root_id, score, stage, int(score != was.score or stage != was.stage),
            next_change(state, now), now, generation, state, lead.models.history,
            used, since,
        )
    )  # fmt: skip


def _next_generation(lead: Lead, writes: Writes) -> int:
    """A full fold writes the ledger anew; readers of the old one are not disturbed."""
    was = lead.was
    if not was.entries and was.generation > lead.removing:
        return was.generation
    replace_ledger(lead, (was.root_id, was.generation, was.entries), writes)
    return max(was.generation, lead.removing) + 1


def replace_ledger(lead: Lead, old: tuple[str, int, int], writes: Writes) -> None:
    """Remove a generation (lead, number, entries) whose events are scored again for a lead.

    They keep the times of their first scoring, for which a fold in later passes asks then.
    """
    project_id, root_id = lead.key
    lead_id, generation, entries = old
    if not lead.long:
        drop_ledger(project_id, lead_id, generation, entries, writes)
        if entries > LONGEST_FOLD:
            writes.older.append(Older(project_id, lead_id, generation, root_id))
    elif entries:
        writes.old_generations.append((project_id, lead_id, generation))


def drop_ledger(
    project_id: str, lead_id: str, generation: int, entries: int, writes: Writes
) -> None:
    """Remove a generation, at once if it is short."""
    if entries > LONGEST_FOLD:
        writes.old_generations.append((project_id, lead_id, generation))
    elif entries:
        writes.cuts.append(Cut(project_id, lead_id, generation, 0))


def _note_revision(lead: Lead, base: State, now: int, writes: Writes) -> int:
    """Record what a re-fold changed of what was seen; returns the stage that is seen then."""
    was, labels = lead.was, lead.models.labels
    before = at(lead.state, now).score
    after = at(base, now).score
    event = lead.plan.late[0].id if lead.plan.late else None
    if before != after:
        writes.revisions.append(
            Revision(was.project_id, was.root_id, now, lead.cause, event, before, after)
        )
    stage = stage_index(labels.source, after)
    if stage != was.stage:
        writes.stage_changes.append(
            StageChange(
                was.project_id, was.root_id, now, was.stage, stage, after,
                labels.version, lead.cause, event,
            )
        )  # fmt: skip
    return stage


def _count_mutations(lead: Lead, entries: list[Entry], writes: Writes) -> None:
    """Count the events of this pass that moved a score; re-folds of old ones don't count."""
    # Tests are in no figure, and what sample data adds to them is known.
    if lead.was.test or lead.was.sample:
        return
    moved = [entry[3] for entry in entries if entry[5] and entry[0] == EVENT]
    if not moved:
        return
    types = {row[ID]: row[TYPE] for row in lead.rows}
    project_id = lead.was.project_id
    counts = writes.mutations
    for event in moved:
        name = types.get(event)
        if name is not None:
            key = (project_id, name)
            counts[key] = counts.get(key, 0) + 1
