"""The laws that hold of a project when nothing waits, each held against what is stored.

Everything is read with queries of its own and derived anew: trees from the edges, states from
the events, profiles from what events say. Nothing here asks the code that wrote the rows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leadpulse.domain.facts import ADJUSTMENT, DAY, PROFILE, Fact
from leadpulse.domain.fold import at, fold, next_change
from leadpulse.domain.intelligence import stage_index
from leadpulse.domain.profile import Facts, Held, Source, View, stated, union, view
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres.models import ModelCache, load_models
from leadpulse.usecases.leads_read import get_lead
from leadpulse.usecases.verify import verify_project

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.domain.fold import Folded
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

_LEADS = """
    select id, score, stage, last_event_at, due_at, as_of, generation, entries, state, epoch,
        stale, merged_into from leads where project_id = %s order by id
"""
_EVENTS = """
    select lead_id, id, ts, event_id, trusted, event_type, model_version, properties, traits,
        excluded, quarantined from events where project_id = %s
"""
_LEDGER = """
    select lead_id, generation, kind, at, entry, event, old_score, delta, new_score, points,
        rules, steps, decayed_at, model_version, acts
    from ledger where project_id = %s order by lead_id, generation, entry
"""
_CHECKPOINTS = """
    select lead_id, generation, at, entry, state from checkpoints
    where project_id = %s order by lead_id, generation, entry
"""
_CHANGES = """
    select lead_id, from_stage, to_stage from stage_changes where project_id = %s order by id
"""
_HELD = "select lead_id, kind, value, confirmed from identifiers where project_id = %s"
_ROOTS = "select lead_id, root_id from lead_roots where project_id = %s"
_PARENTS = """
    select child_id, parent_id from lead_merges where project_id = %s and undone_at is null
"""
_PROFILES = """
    select lead_id, hidden, facts, email, user_id, name, company, traits, claimed,
        anonymous_id, owner, status from lead_profiles where project_id = %s
"""


@dataclass
class Stored:
    """All that is stored of one project."""

    leads: dict[str, Any] = field(default_factory=dict)
    events: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    ledger: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    checkpoints: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    profiles: dict[str, Any] = field(default_factory=dict)
    held: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    roots: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def root(self, lead: str) -> str:
        """The survivor of a lead, by following the edges."""
        seen = {lead}
        while lead in self.parents:
            lead = self.parents[lead]
            assert lead not in seen, "edges go round in a circle"
            seen.add(lead)
        return lead

    def trees(self) -> dict[str, list[str]]:
        """Every survivor with all leads of its tree, itself included."""
        found: dict[str, list[str]] = defaultdict(list)
        for lead in self.leads:
            found[self.root(lead)].append(lead)
        return found


async def _all(conn: Connection, query: str, project: str) -> list[Any]:
    return await (await conn.execute(query.encode(), (project,))).fetchall()


async def read(conn: Connection, project: str) -> Stored:
    """Everything that is stored of a project."""
    stored = Stored()
    for row in await _all(conn, _LEADS, project):
        stored.leads[row[0]] = row
    for row in await _all(conn, _PROFILES, project):
        stored.profiles[row[0]] = row
    for query, into in (
        (_EVENTS, stored.events),
        (_LEDGER, stored.ledger),
        (_CHECKPOINTS, stored.checkpoints),
        (_HELD, stored.held),
        (_CHANGES, stored.changes),
    ):
        for row in await _all(conn, query, project):
            into[row[0]].append(row)
    stored.roots = dict(await _all(conn, _ROOTS, project))
    stored.parents = dict(await _all(conn, _PARENTS, project))
    return stored


def plain_fold(stored: Stored, tree: list[str], models: Models) -> Folded:
    """One fold of everything that counts for a tree, in its order."""
    facts = sorted(
        Fact(row[2], row[3], int(not row[4]), row[1], row[5], row[6], row[7])
        for lead in tree
        for row in stored.events[lead]
        if not row[9] and not row[10] and row[5] != PROFILE
    )
    return fold(State(), facts, models)


async def assert_lawful(conn: Connection, pool: Pool, project: str) -> Stored:
    """Every law of a project for which nothing waits; returns what is stored of it."""
    await _nothing_waits(conn, project)
    stored = await read(conn, project)
    models = await load_models(conn, project)
    _roots_follow_edges(stored)
    for root, tree in stored.trees().items():
        folded = plain_fold(stored, tree, models)
        _score_is_the_fold(stored, root, folded, models)
        _profile_is_the_union(stored, root, tree)
        for lead in tree:
            _stages_follow_each_other(stored, lead)
            if lead != root:
                _merged_lead_is_empty(stored, lead, root)
    strays = set(stored.events) - set(stored.leads)
    assert not {lead for lead in strays if stored.events[lead]}, "events without a lead"
    assert not set(stored.ledger) - set(stored.leads), "a ledger without a lead"
    await _reads_agree(pool, project, stored, models)
    report = await verify_project(pool, project)
    assert report.ok, report
    assert report.pending == 0, report
    return stored


async def _nothing_waits(conn: Connection, project: str) -> None:
    for table, condition in (
        ("inbox", "true"),
        ("refolds", "true"),
        ("old_generations", "true"),
        ("scoring_failures", "true"),
        ("dead_letters", "state = 'open'"),
        ("rescores", "finished_at is null"),
    ):
        query = f"select to_jsonb(t) from {table} t where project_id = %s and {condition}"
        left = await _all(conn, query, project)
        assert not left, f"left in {table}: {left[:3]}"


def _roots_follow_edges(stored: Stored) -> None:
    derived = {lead: stored.root(lead) for lead in stored.leads if lead in stored.parents}
    assert stored.roots == derived


def _score_is_the_fold(stored: Stored, root: str, folded: Folded, models: Models) -> None:
    (_, score, stage, last_act, due, as_of, generation, entries, state, epoch, stale, into) = (
        stored.leads[root]
    )
    what = f"lead {root}"
    assert into is None, what
    assert not stale, what
    assert {row[1] for row in stored.ledger[root]} <= {generation}, f"{what}: old generations"
    ledger = [tuple(row[2:]) for row in stored.ledger[root]]
    assert ledger == [tuple(entry) for entry in folded.entries], what
    assert state_from_document(state) == folded.state, what
    assert entries == len(ledger), what
    assert epoch == models.history, what
    assert last_act == folded.state.last_act, what
    gap = at(folded.state, as_of)
    assert score == gap.score, what
    assert due == next_change(folded.state, as_of), what
    assert stage == stage_index(models.labels.source, score), what
    kept = [
        (row[1], row[2], row[3], state_from_document(row[4])) for row in stored.checkpoints[root]
    ]
    made = [(generation, c.at, c.entry, c.state) for c in folded.checkpoints]
    assert kept == made, f"{what}: checkpoints"


def _stages_follow_each_other(stored: Stored, lead: str) -> None:
    """The changes of a lead's stage are a chain from cold to the stage that was seen last."""
    seen = 0
    for _, before, after in stored.changes[lead]:
        assert before == seen != after, (lead, stored.changes[lead])
        seen = after
    assert seen == stored.leads[lead][2], f"{lead}: the last change of stage is another one"


def _merged_lead_is_empty(stored: Stored, lead: str, root: str) -> None:
    (_, score, _, last_act, due, _, _, entries, _, _, _, into) = stored.leads[lead]
    assert (into, score, last_act, due, entries) == (root, 0, None, None, 0), lead
    assert not stored.ledger[lead], lead
    assert not stored.checkpoints[lead], lead
    assert stored.profiles[lead][1], f"{lead} still shows a profile"


def _profile_is_the_union(stored: Stored, root: str, tree: list[str]) -> None:
    parts: list[Facts] = []
    for lead in tree:
        # Whether an event that was kept out of the score had said its word by then is open.
        all_said, surely = (
            union(
                stated(row[8], Source(row[2], row[3], row[4]), inside=row[5] == PROFILE)
                for row in stored.events[lead]
                if row[8] and (open_too or not (row[9] or row[10]))
            )
            for open_too in (True, False)
        )
        kept: Facts = stored.profiles[lead][2]
        assert union((kept, surely)) == kept, f"{lead} misses some of {surely}: {kept}"
        assert union((kept, all_said)) == all_said, f"{lead} has more than {all_said}: {kept}"
        parts.append(kept)
    names = [
        Held(kind, value, confirmed, own=lead == root)
        for lead in tree
        for _, kind, value, confirmed in stored.held[lead]
    ]
    row = stored.profiles[root]
    assert not row[1], f"{root} is hidden"
    shown, right = View(*row[3:]), view(union(parts), names)
    assert shown == right, f"{root} shows {shown}, but {right} is known of {tree}"


async def _reads_agree(pool: Pool, project: str, stored: Stored, models: Models) -> None:
    cache = ModelCache()
    for root, tree in stored.trees().items():
        shown = await get_lead(pool, cache, project, root)
        acts = [
            row[2]
            for lead in tree
            for row in stored.events[lead]
            if not row[9]
            and not row[10]
            and row[5] not in (ADJUSTMENT, PROFILE)
            and models.in_force(row[6]).meaning(row[5]).is_act
        ]
        counted = sum(1 for ts in acts if shown.as_of - DAY < ts)
        assert shown.row.acts_24h == counted, root
        state = plain_fold(stored, tree, models).state
        assert shown.score == at(state, shown.as_of).score, root
