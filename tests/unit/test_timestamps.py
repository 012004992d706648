"""Reading, writing and placing instants."""

from __future__ import annotations

import pytest

from leadpulse.domain.timestamps import parse_timestamp, place_in_time, to_rfc3339

NOON = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01t12:00:00z", NOON),
        ("2026-01-01 12:00:00", NOON),
        ("2026-01-01T12:00:00", NOON),
        ("2026-01-01T14:30:00+02:30", NOON),
        ("2026-01-01T00:00:00-12:00", NOON),
        ("2026-01-01T12:00:00.5Z", NOON + 500_000),
        ("2026-01-01T12:00:00.123456789Z", NOON + 123_456),
        ("2025-12-31T23:59:60Z", NOON - 12 * 3_600 * 1_000_000 - 1),
        ("2025-12-31T23:59:60.25Z", NOON - 12 * 3_600 * 1_000_000 - 1),
        (NOON // 1_000, NOON),
        (float(NOON // 1_000), NOON),
        (0, 0),
    ],
)
def test_an_instant_is_read_in_every_allowed_form(text: object, expected: int) -> None:
    """RFC 3339 in any case, with or without a zone, or integer milliseconds."""
    assert parse_timestamp(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-23:59", "２026-01-01T00:00:00Z",
        -1, 1.5, True, 10**30, float("nan"), float("inf"), [], {}, None,
    ],
)  # fmt: skip
def test_what_is_no_instant_is_told(value: object) -> None:
    """Anything else is a ValueError with a sentence."""
    with pytest.raises(ValueError, match=r"^(must|is|has) "):
        parse_timestamp(value)


def test_an_instant_is_written_with_microseconds_and_z() -> None:
    """Every answer writes instants alike."""
    assert to_rfc3339(NOON) == "2026-01-01T12:00:00.000000Z"


def test_an_event_without_a_time_gets_the_receive_time_plus_its_index() -> None:
    """So the events of a batch keep their order."""
    assert place_in_time(None, None, NOON, 0) == (NOON, None)
    assert place_in_time(None, NOON + 99, NOON, 7) == (NOON + 7, None)


def test_a_clock_that_is_ahead_is_corrected() -> None:
    """The difference between sentAt and the receive time is taken off."""
    assert place_in_time(NOON, NOON + 60, NOON, 0) == (NOON - 60, NOON)


def test_a_clock_that_is_behind_is_left_alone() -> None:
    """An early sentAt may only mean that the network was slow."""
    assert place_in_time(NOON - 100, NOON - 50, NOON, 0) == (NOON - 100, None)


def test_the_future_becomes_the_receive_time() -> None:
    """The sent value is kept beside it."""
    assert place_in_time(NOON + 5, None, NOON, 3) == (NOON, NOON + 5)


def test_a_correction_before_1970_is_refused() -> None:
    """A sentAt of the far future says nothing about the clock."""
    with pytest.raises(ValueError, match="before 1970"):
        place_in_time(5, NOON * 2, NOON, 0)
