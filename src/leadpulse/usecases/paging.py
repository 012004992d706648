"""Cursors: where a list goes on. Opaque to clients, checked like any other input."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.model import is_clean

MOST: Final = 200
_LONGEST: Final = 2_000


def bad_cursor() -> Invalid:
    """What a cursor that isn't ours is answered with."""
    return Invalid([FieldError("cursor", "is not a cursor of this list")])


def encode(kind: str, *parts: str | float | None) -> str:
    """A cursor of the list `kind` that stands behind the row with these sort values."""
    text = json.dumps([kind, *parts], separators=(",", ":"), ensure_ascii=True)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(cursor: str, kind: str, shape: Sequence[type]) -> list[object]:
    """The sort values in a cursor; raises Invalid if it is none of `kind` and `shape`.

    `shape` gives the type of each value: `UUID` for an id, `int` for an instant (µs), `float`
    for any finite number, `str` for text that can be stored.
    """
    try:
        if len(cursor) > _LONGEST:
            raise bad_cursor()
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        raise bad_cursor() from None
    if not isinstance(parts, list) or len(parts) != len(shape) + 1 or parts[0] != kind:
        raise bad_cursor()
    if not all(_fits(part, wanted) for part, wanted in zip(parts[1:], shape, strict=True)):
        raise bad_cursor()
    return parts[1:]


def _fits(part: object, wanted: type) -> bool:
    if wanted is type(None):
        return part is None
    if wanted is UUID:
        return isinstance(part, str) and is_id(part)
    if wanted is int:
        # What PostgreSQL can hold as an instant.
        return type(part) is int and -(2**60) < part < 2**60
    if wanted is float:
        return type(part) in (int, float) and -1e300 < part < 1e300  # type: ignore[operator]
    return isinstance(part, str) and is_clean(part)


def is_id(text: str) -> bool:
    """True for an id in the one form in which we write ids."""
    try:
        return len(text) == 36 and str(UUID(text)) == text.lower()
    except ValueError:
        return False


def page_size(limit: int) -> int:
    """A limit as asked for; raises Invalid if it isn't 1 … 200."""
    if not 1 <= limit <= MOST:
        raise Invalid([FieldError("limit", f"must be between 1 and {MOST}")])
    return limit
