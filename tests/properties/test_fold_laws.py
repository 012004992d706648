"""The laws of scoring: one state and one ledger, whatever way the facts came."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain import fold as folding
from leadpulse.domain.compiled import CompiledRule, Models, compile_model
from leadpulse.domain.facts import ADJUSTMENT, DAY, Fact, day_of
from leadpulse.domain.fold import DECAY, Entry, Folded, OutOfOrder, at, fold, next_change
from leadpulse.domain.matching import holds
from leadpulse.domain.presets import preset
from leadpulse.domain.state import State, state_from_document
from strategies import START, fact_lists, model_histories

histories = model_histories()


@st.composite
def cases(draw: st.DrawFn, most: int = 12) -> tuple[Models, list[Fact]]:
    models = draw(histories)
    return models, draw(fact_lists(models.newest, most))


def end_of(facts: list[Fact]) -> int:
    return facts[-1].ts if facts else START


# ── An interpreter of its own, slow and plain, to hold the fold against ──────────────


def _content(fact: Fact) -> Mapping[str, object]:
    """What an event says; events that lost it have laws of their own."""
    assert not isinstance(fact.properties, list)
    return fact.properties or {}


def _plain_rule(rule: CompiledRule, fact: Fact, gave: list[tuple[str, int, float]]) -> float | None:
    """What a rule gives, by looking through everything that was ever given."""
    today = [points for name, day, points in gave if name == rule.id and day == day_of(fact.ts)]
    refused = (
        (rule.server_only and fact.claim)
        or (rule.once and any(name == rule.id for name, _, _ in gave))
        or (rule.max_per_day is not None and len(today) >= rule.max_per_day)
        or not all(holds(condition, _content(fact)) for condition in rule.conditions)
    )
    if refused:
        return None
    if rule.max_points_per_day is None:
        return rule.points
    left = rule.max_points_per_day - math.fsum(today)
    if abs(rule.points) > left:
        return math.copysign(left, rule.points) if left > 0 else None
    return rule.points


def _plain_gap(
    models: Models, score: float, acts: list[Fact], since: int | None, until: int
) -> tuple[float, int]:
    """Decay between two instants, due time by due time; `since` None: from the act on."""
    if not acts:
        return score, 0
    decay = models.in_force(acts[-1].version).schedule
    if decay is None or score <= 0:
        return score, 0
    steps, due = 0, acts[-1].ts + decay.after
    while due < until:
        if since is None or due >= since:
            steps += 1
            if score * decay.factor**steps < 0.005:
                return 0.0, steps
        due += decay.every
    return score * decay.factor**steps, steps


def plain_fold(models: Models, facts: list[Fact]) -> list[tuple[str, float, float, int]]:
    """(event, old, new, steps) of every entry."""
    score, entries = 0.0, []
    acts: list[Fact] = []
    gave: list[tuple[str, int, float]] = []
    before: Fact | None = None
    for fact in facts:
        model = models.in_force(fact.version)
        if before is not None:
            since = None if acts and acts[-1] is before else before.ts
            decayed, steps = _plain_gap(models, score, acts, since, fact.ts)
            if steps:
                entries.append((before.id, score, decayed, steps))
                score = decayed
        if fact.type == ADJUSTMENT:
            given = float(_content(fact)["points"])  # type: ignore[arg-type]
        else:
            given = 0.0
            for rule in model.meaning(fact.type).rules:
                got = _plain_rule(rule, fact, gave)
                if got is not None:
                    given += got
                    gave.append((rule.id, day_of(fact.ts), abs(got)))
            if model.meaning(fact.type).is_act:
                acts.append(fact)
        new = min(max(score + given, model.low), model.high)
        entries.append((fact.id, score, new, 0))
        score, before = new, fact
    return entries


@given(cases())
def test_the_fold_equals_a_plain_interpreter(case: tuple[Models, list[Fact]]) -> None:
    """The fast fold gives the entries that a slow, literal reading of the rules gives."""
    models, facts = case
    made = fold(State(), facts, models)
    assert [(e.event, e.old, e.new, e.steps) for e in made.entries] == plain_fold(models, facts)


# ── Order, batches, duplicates ───────────────────────────────────────────────────────


def refold(done: Folded, seen: list[Fact], fresh: list[Fact], models: Models) -> Folded:
    """What a scorer does with facts that come late: back to a checkpoint, fold the rest."""
    facts = sorted({fact.place: fact for fact in [*seen, *fresh]}.values(), key=lambda f: f.place)
    earliest = min(fact.place for fact in fresh)
    start = State()
    for checkpoint in done.checkpoints:
        if checkpoint.state.last is not None and checkpoint.state.last < earliest:
            start = checkpoint.state
    rest = [fact for fact in facts if start.last is None or fact.place > start.last]
    again = fold(start, rest, models)
    return Folded(
        again.state,
        [e for e in done.entries if e.entry <= start.entries] + again.entries,
        [c for c in done.checkpoints if c.entry <= start.entries] + again.checkpoints,
    )


@given(cases(), st.data())
def test_any_arrival_gives_the_same_ledger(
    case: tuple[Models, list[Fact]], data: st.DataObject
) -> None:
    """Any order, any split into batches and any duplicates give state and ledger byte for byte."""
    models, facts = case
    plain = fold(State(), facts, models)
    arriving = data.draw(st.permutations([*facts, *facts[::3]]))
    cuts = data.draw(st.lists(st.integers(0, len(arriving)), max_size=4).map(sorted))
    done, seen = Folded(State()), list[Fact]()
    for start, stop in pairwise([0, *cuts, len(arriving)]):
        known = {fact.place for fact in seen}
        fresh = {fact.place: fact for fact in arriving[start:stop] if fact.place not in known}
        if fresh:
            done = refold(done, seen, list(fresh.values()), models)
            seen += fresh.values()
    assert done.entries == plain.entries
    assert json.dumps(done.state.to_document()) == json.dumps(plain.state.to_document())


@given(cases(), st.integers(0, 12))
def test_folding_goes_on_from_a_stored_state(case: tuple[Models, list[Fact]], cut: int) -> None:
    """A state that went through JSON continues exactly like one that never stopped."""
    models, facts = case
    head = fold(State(), facts[:cut], models)
    stored = state_from_document(json.loads(json.dumps(head.state.to_document())))
    tail = fold(stored, facts[cut:], models)
    whole = fold(State(), facts, models)
    assert head.entries + tail.entries == whole.entries
    assert tail.state == whole.state


@given(cases())
def test_a_fold_leaves_its_start_alone(case: tuple[Models, list[Fact]]) -> None:
    """Folding changes a copy: the state that went in is the same afterwards."""
    models, facts = case
    start = fold(State(), facts[:3], models).state
    before = json.dumps(start.to_document())
    fold(start, facts[3:], models)
    assert json.dumps(start.to_document()) == before


def test_a_fact_before_the_state_is_refused() -> None:
    """The fold never puts a late fact on top."""
    models = _small_models()
    facts = [Fact(START + i, str(i), 0, str(i), "signup", 1) for i in range(2)]
    state = fold(State(), facts, models).state
    with pytest.raises(OutOfOrder):
        fold(state, facts[:1], models)


def _small_models() -> Models:
    return Models({1: compile_model(preset("leadpulse"))}, 1, 1)


@pytest.mark.parametrize("extra", [0, 1, 99, 100, 101, 350])
def test_every_checkpoint_leads_to_the_same_end(extra: int) -> None:
    """Starting from any checkpoint of a long fold gives the rest of its ledger."""
    models = _small_models()
    facts = [
        Fact(START + i * DAY // 7, f"{i:04}", 0, str(i), "page_view", 1, {"path": "/pricing"})
        for i in range(200 + extra)
    ]
    whole = fold(State(), facts, models)
    assert len(whole.checkpoints) == (200 + extra) // folding.CHECKPOINT_EVERY
    for checkpoint in whole.checkpoints:
        last = checkpoint.state.last
        assert last is not None
        rest = fold(checkpoint.state, [f for f in facts if f.place > last], models)
        assert whole.entries[checkpoint.entry :] == rest.entries
        assert rest.state == whole.state


# ── The ledger is a chain, the score stays in bounds, caps hold ──────────────────────


@given(cases())
def test_the_ledger_is_an_unbroken_chain(case: tuple[Models, list[Fact]]) -> None:
    """Each entry starts where the one before ended, and the last one holds the score."""
    models, facts = case
    made = fold(State(), facts, models)
    assert [e.entry for e in made.entries] == list(range(1, len(made.entries) + 1))
    for left, right in pairwise(made.entries):
        assert right.old == left.new
        assert right.at >= left.at
    assert all(e.delta == e.new - e.old for e in made.entries)
    assert made.state.score == (made.entries[-1].new if made.entries else 0)
    assert sum(e.kind != DECAY for e in made.entries) == len(facts)


@given(cases())
def test_the_score_stays_in_bounds(case: tuple[Models, list[Fact]]) -> None:
    """No entry of an event leaves the bounds of the version that scored it."""
    models, facts = case
    for entry in fold(State(), facts, models).entries:
        if entry.kind != DECAY:
            model = models.in_force(entry.version)
            assert model.low <= entry.new <= model.high


@given(cases(most=20))
def test_caps_hold(case: tuple[Models, list[Fact]]) -> None:
    """No rule gives more often, or more points, in a day than its cap; nor twice if once."""
    models, facts = case
    made = fold(State(), facts, Models(models.versions, models.newest, models.newest))
    rules = {r.id: r for r in models.labels.source.rules}
    days: dict[tuple[str, int], list[float]] = {}
    ever: dict[str, int] = {}
    for entry in made.entries:
        for rule, given_points in (entry.rules or {}).items():
            days.setdefault((rule, day_of(entry.at)), []).append(abs(given_points))
            ever[rule] = ever.get(rule, 0) + 1
    for (name, _), given_today in days.items():
        cap = rules[name]
        assert cap.max_per_day is None or len(given_today) <= cap.max_per_day
        if cap.max_points_per_day is not None:
            assert math.fsum(given_today) <= cap.max_points_per_day + 1e-9
    assert all(times == 1 for name, times in ever.items() if rules[name].once)


@given(cases())
def test_a_claim_never_scores_a_server_rule(case: tuple[Models, list[Fact]]) -> None:
    """Rules for trusted callers give nothing for an event that a write key sent."""
    models, facts = case
    claims = {fact.id for fact in facts if fact.claim}
    for entry in fold(State(), facts, models).entries:
        trusted_only = {
            r.id for r in models.in_force(entry.version).source.rules if r.trust == "server"
        }
        if entry.event in claims and entry.kind != DECAY:
            assert not trusted_only & set(entry.rules or {})


# ── Decay ────────────────────────────────────────────────────────────────────────────


@given(cases(), st.integers(0, 400 * DAY), st.integers(0, 400 * DAY))
def test_decay_never_raises_a_score(case: tuple[Models, list[Fact]], one: int, more: int) -> None:
    """Time alone only ever lowers a positive score, and leaves others alone."""
    models, facts = case
    state = fold(State(), facts, models).state
    t = end_of(facts)
    early, late = at(state, t + one), at(state, t + one + more)
    assert late.score <= early.score <= max(state.score, 0) or state.score < 0
    assert late.steps >= early.steps
    if state.score <= 0:
        assert late.score == state.score


@given(cases(), st.integers(1, 300 * DAY))
def test_reading_equals_closing_the_gap(case: tuple[Models, list[Fact]], idle: int) -> None:
    """What a read shows for an open gap is the very entry that is stored when it closes."""
    models, facts = case
    state = fold(State(), facts, models).state
    t = end_of(facts) + idle
    gap = at(state, t)
    closed = fold(state, [Fact(t, "~~~~", 1, "end", "unknown", models.newest)], models)
    decays = [e for e in closed.entries if e.kind == DECAY]
    assert (gap.steps > 0) == bool(decays)
    if decays:
        (entry,) = decays
        assert (entry.new, entry.steps, entry.decayed_at) == gap
        assert entry.event == state.last_fact
        assert state.last is not None
        assert entry.at == state.last[0]


@given(cases(), st.lists(st.integers(1, 60 * DAY), max_size=5))
def test_the_calendar_does_not_depend_on_what_splits_a_gap(
    case: tuple[Models, list[Fact]], pauses: list[int]
) -> None:
    """Events that are no acts and give nothing split entries, but no due time moves or doubles."""
    models, facts = case
    # One version for all: another one's bounds could clamp even at an event without points.
    models = Models(models.versions, models.newest, models.newest)
    state = fold(State(), facts, models).state
    quiet, t = list[Fact](), end_of(facts)
    for index, pause in enumerate(pauses):
        t += pause
        quiet.append(Fact(t, f"~{index}", 1, f"~{index}", "x_sent", models.newest))
    split = fold(state, quiet, models)
    plain = at(state, t)
    last = at(split.state, t)
    assert last.score == pytest.approx(plain.score, rel=1e-12, abs=0.006)
    if plain.score > 1:
        assert sum(e.steps for e in split.entries) + last.steps == plain.steps


@given(cases(), st.integers(0, 200 * DAY))
def test_the_next_change_is_the_next_change(case: tuple[Models, list[Fact]], later: int) -> None:
    """The shown score stays until the announced instant and differs right after it."""
    models, facts = case
    state = fold(State(), facts, models).state
    t = end_of(facts) + later
    due = next_change(state, t)
    shown = at(state, t).score
    if due is None:
        assert at(state, t + 4000 * DAY).score == shown
    else:
        assert due >= t
        assert at(state, due).score == shown
        assert at(state, due + 1).score < shown


# ── Versions ─────────────────────────────────────────────────────────────────────────


@given(cases())
def test_a_version_for_all_history_scores_everything(case: tuple[Models, list[Fact]]) -> None:
    """Under an all-history version the ledger is the one of a project that never had another."""
    models, facts = case
    newest = models.newest
    rescored = fold(State(), facts, Models(models.versions, newest, newest))
    only = Models({newest: models.versions[newest]}, newest, newest)
    fresh = fold(State(), [f._replace(version=newest) for f in facts], only)
    assert rescored.entries == fresh.entries


@given(cases())
def test_entries_name_the_version_in_force(case: tuple[Models, list[Fact]]) -> None:
    """Each event is scored by the version it was received under, or the last for all history."""
    models, facts = case
    versions = {fact.id: max(fact.version, models.history) for fact in facts}

    def expected(entry: Entry) -> bool:
        return entry.kind == DECAY or entry.version == versions[entry.event]

    assert all(map(expected, fold(State(), facts, models).entries))
