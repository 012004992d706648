from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from leadpulse.logging import configure_logging, get_logger, redact, request_context

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
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
