from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Literal

import pytest
import structlog
from pydantic import TypeAdapter, ValidationError

from leadpulse.logging import configure_logging, get_logger, request_context
from leadpulse.redaction import describe, redact, trace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key pk_" + "a1" * 24 + " used", "key pk_… used"),
        ("sk_" + "0" * 48, "sk_…"),
        ("postgresql://u:geheim@host/db?x=1", "postgresql://u:…@host/db?x=1"),
        ("host=h password='two words' user=u", "host=h password=… user=u"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer …"),
        (
            "nothing to hide: pk_1 https://a.example/b:c@d",
            "nothing to hide: pk_1 https://a.example/b:c@d",
        ),
        ("session eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "session eyJ…!"),
        ("Cookie: leadpulse_session=abc.def", "Cookie: …"),
        ("sent __Host-leadpulse_session=abc; x", "sent __Host-leadpulse_session=… x"),
        ("GET /api/leads?q=ann&x=1 HTTP/1.1", "GET /api/leads?… HTTP/1.1"),
        ("see https://app.example.com/reset?token=abc", "see https://app.example.com/reset?…"),
        ("token qL3m9xZkP0aYw7RtUv2BsDfGhJ-_KlNe1o5c8i4T6y0", "token …"),
        ("of 01890a5d-ac96-774b-bcce-b302099a8057", "of 01890a5d-ac96-774b-bcce-b302099a8057"),
        ("to ann.o-neil+x@mail.example.co.uk.", "to …@…."),
        ("/api/leads/ann%40example.com?x", "/api/leads/…@…?x"),
        ("postgresql://lea@db.example.com/x", "postgresql://lea@db.example.com/x"),
        ("duplicate key\nDETAIL:  Key (email)=(Ann, x)\nmore", "duplicate key"),
        ("E('duplicate key\\nDETAIL:  Key (name)=(Ann)')", "E('duplicate key"),
    ],
)
def test_secrets_leave_no_trace(text: str, clean: str) -> None:
    """Keys, passwords in addresses and bearer tokens are removed; the rest is kept."""
    assert redact(text) == clean


def test_json_lines_carry_the_request_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """One line is one JSON object with the request's id; values are redacted at any depth."""
    configure_logging("info", "json")
    with request_context("r-1", route="/x"):
        get_logger("t").info("took", dsn="postgresql://u:p4ss@h/d", inner={"secret": "s3cret"})
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "took"
    assert line["request_id"] == "r-1"
    assert line["level"] == "info"
    assert line["dsn"] == "postgresql://u:…@h/d"
    assert line["inner"] == {"secret": "…"}


def test_libraries_and_tracebacks_are_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    """What other packages log goes through the same form, also the text of an exception."""
    configure_logging("info", "json")
    try:
        raise ValueError("postgresql://u:p4ss@h/d is wrong")
    except ValueError:
        logging.getLogger("library").exception("could not connect with sk_%s", "f" * 48)
    text = capsys.readouterr().err
    assert "p4ss" not in text
    assert "fff" not in text
    assert json.loads(text)["event"] == "could not connect with sk_…"


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The level holds for our logs and for libraries'."""
    configure_logging("warning", "console")
    get_logger("t").info("quiet")
    logging.getLogger("library").info("quiet")
    get_logger("t").warning("loud")
    text = capsys.readouterr().err
    assert "quiet" not in text
    assert "loud" in text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("could not convert string to float: 'Ann Quill'"),
         "ValueError: could not convert string to float: …"),
        (KeyError("Ann Quill"), "KeyError: …"),
        (ValueError('not \'closed "Ann'), "ValueError: not …"),
        (AttributeError("'NoneType' object has no attribute 'x'"),
         "AttributeError: 'NoneType' object has no attribute 'x'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (RuntimeError("x" * 5_000), f"RuntimeError: {'x' * 300}…"),
    ],
)  # fmt: skip
def test_an_error_is_told_without_the_values_it_quotes(error: Exception, told: str) -> None:
    """What is quoted may be anybody's data, unless it is about our code; nothing is endless."""
    assert describe(error) == told


def test_a_validation_error_repeats_no_input() -> None:
    """Those of pydantic show what was sent on every line."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(dict[str, int]).validate_python({"Ann": "Quill", "Bob": "Young"})
    assert describe(caught.value) == "ValidationError: 2 values are not valid"


def _deep(levels: int, secret: str) -> None:
    if levels:
        _deep(levels - 1, secret)
    else:
        try:
            raise LookupError(f"no {secret!r}")
        except LookupError as error:
            raise ValueError("deep down") from error


def test_a_trace_is_bounded_and_shows_no_locals() -> None:
    """The innermost calls and what led to it, by file and line; values of variables never."""
    with pytest.raises(ValueError, match="deep down") as caught:
        _deep(60, "Ann Quill")
    told = trace(caught.value)
    assert "… 50 outer calls" in told
    assert told.count(" in _deep") == 13
    assert "ValueError: deep down\ncaused by:" in told
    assert told.endswith("LookupError: no …")
    assert "no 'Ann" not in told


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_style_shows_locals(
    style: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither for our errors nor for libraries'; personal fields are hidden by their names."""
    configure_logging("debug", style)
    secret = "sk_" + "0123456789abcdef" * 3
    person = {"name": "Ann Quill", "key": secret}

    def fail(traits: dict[str, str]) -> None:
        raise ValueError(len(traits))

    for log in (get_logger("ours").exception, logging.getLogger("theirs").exception):
        try:
            fail(person)
        except ValueError:
            log("it broke")
    get_logger("ours").info("said", traits=person, email="x", count=1)
    text = capsys.readouterr().err
    assert text.count("ValueError: 2") == 2
    for hidden in ("Ann", "Quill", secret[:12], "traits ="):
        assert hidden not in text


def test_a_line_that_cannot_be_made_is_told_by_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The library would print the values with the trace of its own failure."""
    configure_logging("info", "json")
    logging.getLogger("theirs").warning("%d of them", "Ann Quill")
    text = capsys.readouterr().err
    assert "Ann" not in text
    assert "test_logging.py" in text


def test_an_error_that_nobody_caught_is_told_like_others() -> None:
    """A process that ends by it leaves a line, not a bare trace with its text."""
    program = (
        "from leadpulse.logging import configure_logging\n"
        "configure_logging('info', 'json')\n"
        "who = 'ann@example.com'\n"
        "raise ValueError(f'no {who!r}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    line = json.loads(done.stderr)
    assert (done.returncode, line["event"], line["level"]) == (1, "crashed", "critical")
    assert b"ann@" not in done.stderr
