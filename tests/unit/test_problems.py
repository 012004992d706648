"""The table of errors, and its documentation."""

from __future__ import annotations

import re
from pathlib import Path

from leadpulse.domain import errors
from leadpulse.domain.errors import (
    Conflict,
    FieldError,
    Invalid,
    LeadPulseError,
    Overloaded,
    TooMany,
)
from leadpulse.http.problems import DOCUMENTED_AT, KINDS, problem_of, problem_of_status

ROOT = Path(__file__).parents[2]


def test_every_code_is_documented_with_its_status() -> None:
    """And nothing else is."""
    text = (ROOT / DOCUMENTED_AT.lstrip("/")).read_text(encoding="utf-8")
    told = {code: int(status) for status, code in re.findall(r"\n\| (\d+) \| `(\w+)` \|", text)}
    assert told == {code: kind.status for code, kind in KINDS.items()}


def test_every_class_of_error_has_an_answer() -> None:
    """None of them is ever told as our own fault."""
    for name, kind in vars(errors).items():
        if (
            isinstance(kind, type)
            and issubclass(kind, LeadPulseError)
            and kind is not LeadPulseError
        ):
            assert kind.code in KINDS, name


def test_a_code_of_its_own_is_answered_like_its_class() -> None:
    """So use cases can be precise without asking the table."""
    problem = problem_of(Conflict("Taken.", "seat_taken"))
    assert (problem.status, problem.code, problem.title) == (409, "seat_taken", "Seat taken")


def test_waiting_is_told_in_whole_seconds() -> None:
    """At least one."""
    assert problem_of(Overloaded("Busy.", 0)).headers == {"Retry-After": "1"}
    assert problem_of(TooMany("Enough.", "lead_ceiling", 60)).headers == {"Retry-After": "60"}


def test_our_own_failures_tell_nothing() -> None:
    """No message, no statement, no key."""
    problem = problem_of(RuntimeError("select secret from keys"))
    assert problem.status == 500
    assert b"select" not in problem.body("req_1")


def test_what_a_client_sent_can_stand_in_a_problem() -> None:
    """Also if it can't be written as it is."""
    problem = problem_of(Invalid([FieldError("\ud800", "is \ud800")]))
    assert b'"errors"' in problem.body("req_1")


def test_a_status_alone_has_a_code() -> None:
    """For errors that a framework raises."""
    assert problem_of_status(404, "").code == "not_found"
    assert problem_of_status(418, "Teapot").code == "malformed"
    assert problem_of_status(502, "").code == "internal"
