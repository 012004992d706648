"""The laws of content that is gone: scores stay, and a later version treats it as was said."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.blanking import marks_of, rule_mark
from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.facts import ADJUSTMENT, Fact
from leadpulse.domain.fold import fold
from leadpulse.domain.matching import holds
from leadpulse.domain.model import (
    Condition,
    Rule,
    ScoringModel,
    parse_rule,
    rule_document,
    type_key,
)
from leadpulse.domain.state import State
from strategies import fact_lists, model_histories, scoring_models

histories = model_histories()


def blank(fact: Fact, models: Models) -> Fact:
    """The fact as it is after its content was removed."""
    if fact.type == ADJUSTMENT:
        return fact
    model = models.in_force(fact.version).source
    assert not isinstance(fact.properties, list)
    return fact._replace(properties=marks_of(model, fact.type, fact.properties or {}))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Models, list[Fact], list[bool]]:
    models = draw(histories)
    facts = draw(fact_lists(models.newest))
    return models, facts, draw(st.lists(st.booleans(), min_size=len(facts), max_size=len(facts)))


@given(cases())
def test_scores_do_not_change_when_content_goes(
    case: tuple[Models, list[Fact], list[bool]],
) -> None:
    """Whichever events lose their content, state and ledger stay the same, byte for byte."""
    models, facts, chosen = case
    some = [blank(f, models) if gone else f for f, gone in zip(facts, chosen, strict=True)]
    before, after = fold(State(), facts, models), fold(State(), some, models)
    assert before.entries == after.entries
    assert before.state == after.state
    assert before.checkpoints == after.checkpoints


@given(cases(), scoring_models(version=9), st.sampled_from(("keep", "drop")))
def test_a_later_version_matches_what_it_may(
    case: tuple[Models, list[Fact], list[bool]], later: ScoringModel, keep: str
) -> None:
    """Under a later version: rules without conditions, and the same ones that held; no others."""
    models, facts, _ = case
    if keep == "keep" and models.labels.source.rules:
        # The rules of before among those of the later version.
        old = models.labels.source.rules
        known = {rule.id for rule in old}
        later = replace(later, rules=(*old, *(r for r in later.rules if r.id not in known)))
    plain = replace(later, rules=tuple(_uncapped(rule) for rule in later.rules))
    after = Models({9: compile_model(plain)}, 9, 9)
    for fact in facts:
        if fact.type == ADJUSTMENT:
            continue
        model = models.in_force(fact.version).source
        assert not isinstance(fact.properties, list)
        held = {
            rule_mark(rule)
            for rule in model.rules
            if rule.conditions
            and type_key(rule.event_type) == type_key(fact.type)
            and all(holds(c, fact.properties or {}) for c in rule.conditions)
        }
        (entry,) = fold(State(), [blank(fact, models)], after).entries
        wanted = {
            rule.id
            for rule in plain.rules
            if rule.active
            and type_key(rule.event_type) == type_key(fact.type)
            and not (rule.trust == "server" and fact.claim)
            and (not rule.conditions or rule_mark(rule) in held)
        }
        assert set(entry.rules or {}) == wanted


def _uncapped(rule: Rule) -> Rule:
    return replace(rule, max_per_day=None, max_points_per_day=None, once=False)


@given(
    st.sampled_from(("eq", "ne", "in")),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
)  # fmt: skip
def test_marks_outlive_storage(op: str, value: object) -> None:
    """A rule that went through its document and back is still the same one."""
    condition = Condition("plan", op, (value, 1) if op == "in" else value)
    rule = Rule("r", "signup", "", 1.0, conditions=(condition, Condition("$path", "exists")))
    document = msgspec.json.decode(msgspec.json.encode(rule_document(rule)))
    again = parse_rule({**document, "name": "Other"})
    assert rule_mark(again) == rule_mark(rule)
    assert rule_mark(replace(rule, conditions=rule.conditions[::-1])) == rule_mark(rule)
    assert rule_mark(replace(rule, conditions=rule.conditions[:1])) != rule_mark(rule)
