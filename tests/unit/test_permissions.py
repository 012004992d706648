"""The table of permissions, and its page."""

from __future__ import annotations

from pathlib import Path

from leadpulse.domain.permissions import DEFAULT_SCOPES, ROLES, SCOPES, Permission
from leadpulse.http.permissions_page import FILE, text

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_table() -> None:
    """`make gen` was run after the last change."""
    assert (ROOT / FILE).read_text(encoding="utf-8") == text(), "run `make gen`"


def test_a_role_may_what_the_ones_below_may() -> None:
    """An owner everything, if his address is verified."""
    for permission in Permission:
        held = [permission.held_by(role) for role in ROLES]
        assert held == sorted(held)
        assert held[-1]


def test_scopes_are_those_that_keys_can_have() -> None:
    """Each is good for something, and none opens what is for people."""
    assert {p.need.scope for p in Permission} - {None} == set(SCOPES)
    assert set(DEFAULT_SCOPES) < set(SCOPES)
    everything = frozenset(SCOPES)
    people = [p.name for p in Permission if not p.in_scopes(everything)]
    assert people == [p.name for p in Permission if p.need.scope is None]
    assert not any(p.in_scopes(frozenset()) for p in Permission)
