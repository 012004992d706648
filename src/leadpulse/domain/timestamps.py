"""Instants as integers: microseconds since 1970-01-01 UTC. Reading, writing and placing them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))?",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - only ever added to, never asked for a zone
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_LATEST_MS: Final = 253_402_300_799_999  # the end of the year 9999
_LATEST: Final = _LATEST_MS * 1_000 + 999


def parse_timestamp(value: object) -> int:
    """Reads RFC 3339 (any case, no zone is UTC, cut to µs) or integer epoch milliseconds.

    Raises ValueError with a sentence about what is wrong.
    """
    if isinstance(value, str):
        instant = _parse_text(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be RFC 3339 or integer milliseconds since 1970")  # noqa: TRY004
    elif not -_LATEST_MS <= value <= _LATEST_MS:  # also refuses NaN
        raise ValueError("is not a time between the years 1970 and 9999")
    elif value != int(value):
        raise ValueError("must be whole milliseconds since 1970")
    else:
        instant = int(value) * 1_000
    if not 0 <= instant <= _LATEST:
        raise ValueError("is not a time between the years 1970 and 9999")
    return instant


def _parse_text(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be RFC 3339, like 2026-01-31T09:30:00Z")
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    h, m, s = int(hour), int(minute), int(second)
    if h > 23 or m > 59 or s > 60:
        raise ValueError("is not a time of day")
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    if s == 60:  # a leap second is the last moment of its minute
        s, micros = 59, 999_999
    seconds = days * 86_400 + h * 3_600 + m * 60 + s
    if sign:
        oh, om = int(off_hour), int(off_minute)
        if oh > 23 or om > 59:
            raise ValueError("has a zone that does not exist")
        offset = oh * 3_600 + om * 60
        seconds += offset if sign == "-" else -offset
    return seconds * 1_000_000 + micros


def to_rfc3339(instant: int) -> str:
    """Writes an instant with Z and microseconds, as every answer does."""
    return f"{(_EPOCH + timedelta(microseconds=instant)).isoformat(timespec='microseconds')}Z"


def place_in_time(
    sent: int | None, sent_at: int | None, received: int, index: int
) -> tuple[int, int | None]:
    """When an event happened, and the sent value where that was changed.

    A `sent_at` after the receive time means that the client's clock is ahead: the difference
    is taken off. What is then still after the receive time becomes the receive time. An event
    without a time gets the receive time plus its index in µs. Raises ValueError if nothing
    after 1970 is left.
    """
    if sent is None:
        return received + index, None
    instant = sent
    if sent_at is not None and sent_at > received:
        instant -= sent_at - received
        if instant < 0:
            raise ValueError("lies so far ahead that the event would be before 1970")
    instant = min(instant, received)
    return instant, None if instant == sent else sent
