"""Where a person's names stand in what is said of others."""

from __future__ import annotations

import pytest

from leadpulse.domain.traces import Traces

ANN = Traces(["7", "ann-1"], ["ann@x.example", "änne+a@büro.example"])


@pytest.mark.parametrize(
    "value",
    [
        "ann@x.example", " ANN@X.Example\n", "Ann <ann@x.example>", "mailto:ann@x.example",
        "/a?mail=ann@x.example&b=1", "/a?mail=ann%40x.example", "%2Fa%3Fmail%3Dann%40x.example",
        "is it ann@x.example?", "ann@x.example.", "ann@x.example...", "'ann@x.example'",
        "- -ann@x.example-", "Ännéann@x.exampleö", "bob.ann@x.example, ann@x.example",
        "ÄNNE+A@BÜRO.EXAMPLE", "%C3%A4nne%2Ba%40b%C3%BCro.example",
        {"ann@x.example": 1}, {"a": [{"b": "ann@x.example"}]}, [["ann@x.example"]],
    ],
)  # fmt: skip
def test_an_address_is_found_in_whatever_holds_it(value: object) -> None:
    """In any case, in a text, encoded, as a name, however deep."""
    assert ANN.stand_in(value)


@pytest.mark.parametrize(
    "value",
    [
        "joann@x.example", "jo.ann@x.example", "jo-ann@x.example", "jo+ann@x.example",
        "o'ann@x.example", "jo%2Bann@x.example", "ann@x.example.org", "ann@x.examples",
        "ann@x.example-net", "ann@y.example", "ann", "x.example", "", "7", "ann-1", 7, 7.0, True,
        None, {"a": ["ann@"]},
    ],
)  # fmt: skip
def test_what_is_part_of_something_else_is_none(value: object) -> None:
    """Another address that ends or begins like it, or anything but an address."""
    assert not ANN.stand_in(value)


def test_traits_and_facts_lose_what_holds_a_trace() -> None:
    """The trait as a whole; a userId where it stands as one, and of many values only his."""
    traits = {"userId": 7.0, "by": ["ann@x.example"], "ann@x.example": 1, "n": 7, "to": "ann-1"}
    assert ANN.without(traits) == {"n": 7, "to": "ann-1"}
    assert ANN.without({"userId": "8", "email": "bob@x.example"}) == {
        "userId": "8", "email": "bob@x.example",
    }  # fmt: skip
    place = (1, "e", 1)
    facts = {
        "email": [["ann@x.example", *place], ["bob@x.example", *place]],
        "userId": [["ann-1", *place], ["7", *place]],
        "by": ["Ann <ann@x.example>", *place], "n": ["7", *place], "ann@x.example": [None, *place],
    }  # fmt: skip
    assert ANN.without_facts(facts) == {
        "email": [["bob@x.example", *place]], "n": ["7", *place],
    }  # fmt: skip


def test_nobody_leaves_no_traces() -> None:
    """Somebody without a userId and an address is looked for nowhere."""
    nobody = Traces([], [])
    assert not nobody
    assert nobody.needles == []
    assert not nobody.stand_in("ann@x.example")
    assert Traces(["u"], [])


def test_needles_hold_only_letters_that_every_database_folds_alike() -> None:
    """Of an address with others the longest part without them."""
    assert "ann@x.example" in ANN.needles
    assert "ro.example" in ANN.needles
    assert all(needle.isascii() and needle == needle.lower() for needle in ANN.needles)
