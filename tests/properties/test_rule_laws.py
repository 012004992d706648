"""Conditions hold or not for any JSON; models survive their own documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.matching import holds
from leadpulse.domain.model import (
    Condition,
    ScoringModel,
    model_document,
    parse_model,
    parse_rule,
    type_key,
)
from leadpulse.domain.presets import PRESETS, preset
from strategies import conditions, json_values, properties, scoring_models


def refusal(read: Callable[[], object]) -> list[FieldError]:
    """The errors that reading raises; nothing but Invalid may come out."""
    try:
        read()
    except Invalid as refused:
        return refused.errors
    return []


@given(conditions(), properties)
def test_evaluation_never_raises(condition: Condition, given_properties: dict[str, Any]) -> None:
    """A condition over any JSON is true or false, and nothing else."""
    assert holds(condition, given_properties) in (True, False)


@given(conditions(), properties)
def test_ne_is_the_opposite_of_eq(condition: Condition, given_properties: dict[str, Any]) -> None:
    """Whatever the values are, exactly one of eq and ne holds."""
    equal = holds(replace(condition, op="eq"), given_properties)
    assert equal != holds(replace(condition, op="ne"), given_properties)


@pytest.mark.parametrize(
    ("field", "op", "value", "holds_for", "not_for"),
    [
        ("n", "eq", 1, {"n": 1.0}, {"n": True}),
        ("n", "eq", 5, {"n": 5}, {"n": "5"}),
        ("n", "gt", 5, {"n": 5.5}, {"n": "9"}),
        ("n", "lte", "b", {"n": "a"}, {"n": 1}),
        ("n", "in", (1, "x"), {"n": "x"}, {"n": True}),
        ("a.b", "eq", "c", {"a": {"b": "c"}}, {"a": "b"}),
        ("a.b", "exists", None, {"a.b": None}, {"a": {}}),
        ("a", "exists", False, {}, {"a": 0}),
        ("a", "contains", "x", {"a": ["x"]}, {"a": {"x": 1}}),
        ("a", "startsWith", "x", {"a": "xy"}, {"a": ["x"]}),
        ("$path", "contains", "Pricing", {"path": "/en/PRICING"}, {"path": 7}),
        ("$path", "eq", "/pricing", {"url": "https://x.io/Pricing?a=1"}, {"url": "//[x/pricing"}),
    ],
)
def test_types_are_never_coerced(
    field: str, op: str, value: object, holds_for: dict[str, Any], not_for: dict[str, Any]
) -> None:
    """A value meets a condition only as what it is: 1 is not true and 5 is not "5"."""
    condition = Condition(field, op, value)
    assert holds(condition, holds_for)
    assert not holds(condition, not_for)


@given(scoring_models())
def test_a_model_survives_its_document(model: ScoringModel) -> None:
    """Writing a model to JSON and reading it back gives the same model."""
    rules = tuple(
        replace(rule, conditions=(), name="rule") for rule in model.rules
    )  # made-up operands need not be ones a document may hold
    plain = replace(model, rules=rules)
    document = json.loads(json.dumps(model_document(plain)))
    assert parse_model(document, plain.version) == plain


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_valid_model(name: str) -> None:
    """The presets obey the rules that clients must obey."""
    document = json.loads(json.dumps(model_document(preset(name))))
    assert parse_model(document, 1) == preset(name)


@given(json_values)
def test_any_json_as_model_or_rule_is_read_or_refused(value: object) -> None:
    """Reading a model or a rule raises nothing but Invalid, with the fields at fault."""
    assert refusal(lambda: parse_model(value, 1))
    assert refusal(lambda: parse_rule(value)) or isinstance(value, dict)


@given(st.sampled_from(PRESETS), st.text(max_size=12), json_values)
def test_a_spoilt_model_is_read_or_refused(name: str, key: str, value: object) -> None:
    """Any JSON in the place of any part of a model is taken or refused by name."""
    whole = model_document(preset(name))
    for field in (*whole, key):
        document = {**whole, field: value}
        errors = refusal(partial(parse_model, document, 1))
        assert all(error.message for error in errors)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": [{"name": "cold", "from": 0}]}, "stages"),
        ({"bounds": {"min": 5, "max": 10}}, "bounds.min"),
        ({"decay": {"factor": 1, "afterDays": 1, "everyDays": 1}}, "decay.factor"),
        ({"decay": {"factor": 0.5, "afterDays": -1, "everyDays": 1}}, "decay.afterDays"),
        ({"decay": {"factor": 0.5, "afterDays": 1, "everyDays": 0}}, "decay.everyDays"),
        ({"risk": {"mediumDays": 9, "highDays": 3}}, "risk.highDays"),
        ({"rules": [{"id": "a", "eventType": "x", "points": 1.005}]}, "rules[0].points"),
        ({"rules": [{"id": "a", "eventType": "x", "points": 10_001}]}, "rules[0].points"),
        ({"rules": [{"id": "a", "eventType": "x", "points": True}]}, "rules[0].points"),
        ({"rules": [{"id": "a", "eventType": "x", "points": 1, "cap": 1}]}, "rules[0].cap"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_model_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    """What is wrong with a model is said with the field at fault."""
    with pytest.raises(Invalid) as refused:
        parse_model({**model_document(preset("sales")), **change}, 1)
    assert field in [error.field for error in refused.value.errors]


@pytest.mark.parametrize("name", ["page_view", "Page View", "PAGE-VIEW", "page-View"])
def test_names_match_without_case_spaces_and_hyphens(name: str) -> None:
    """One type may be written in many ways."""
    assert type_key(name) == "page_view"
