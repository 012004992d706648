"""Names that come from outside: what identifiers, emails and event names may be."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, TypeGuard

from leadpulse.domain.model import is_clean

MAX_ID: Final = 255
MAX_EVENT_NAME: Final = 128
_EXACT_INT: Final = 2**53
_LONGEST_INT_BITS: Final = 1_000
_LONGEST_EMPTY: Final = 36

# What broken clients send when they know nobody; taken as an id it would merge strangers.
_EMPTIES: Final = frozenset({
    "", "null", "undefined", "none", "nan", "true", "false", "0", "anonymous", "guest", "unknown",
    "[object object]", "00000000-0000-0000-0000-000000000000", "0" * 32,
})  # fmt: skip

_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_ATOM: Final = r"[^\s@\"(),:;<>\[\]\\.\x00-\x20\x7f]+"
_EMAIL: Final = re.compile(rf"(?=.{{3,254}}\Z){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Unseen, but part of how some scripts and emoji are written.
_JOINERS: Final = frozenset("\u200c\u200d")
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def text_id(value: object) -> str | None:
    """An id as a text of 1–255 characters: integers in decimal, None where there is none.

    Compared by code point and never changed. Raises ValueError with what is wrong.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool) or not _is_whole(value):
        raise ValueError("must be a text or an integer")
    else:
        text = _decimal(value)
    if len(text) > MAX_ID:
        raise ValueError(f"must be at most {MAX_ID} characters")
    if not (text.isascii() and "\x00" not in text) and not is_clean(text):
        raise ValueError("contains characters that can't be stored")
    return text


def _is_whole(value: object) -> TypeGuard[int | float]:
    """True for integers of any size, also where they came as 42.0."""
    if isinstance(value, float):
        return -_EXACT_INT <= value <= _EXACT_INT and value == int(value)
    return isinstance(value, int)


def _decimal(value: float) -> str:
    # Python refuses to write very long integers; these are too long for an id anyway.
    number = int(value)
    return str(number) if number.bit_length() < _LONGEST_INT_BITS else "9" * (MAX_ID + 1)


def identifier(value: object) -> str | None:
    """A userId, anonymousId or leadId; what only means "nobody" is None.

    Raises ValueError with what is wrong.
    """
    if isinstance(value, bool) or (isinstance(value, float) and value != value):  # noqa: PLR0124
        return None
    text = text_id(value)
    return None if text is None or is_empty(text) else text


def is_empty(text: str) -> bool:
    """True for the ways, in any case, in which clients say "nobody"."""
    trimmed = text.strip()
    return len(trimmed) <= _LONGEST_EMPTY and trimmed.lower() in _EMPTIES


def email(value: object) -> str | None:
    """The address, trimmed and lower-cased; None if it is not a valid one."""
    if not isinstance(value, str) or len(value) > 2 * MAX_ID:
        return None
    address = value.strip().lower()
    if _EMAIL.fullmatch(address) is None or not is_clean(address):
        return None
    return address


def is_mailable(address: str) -> bool:
    """Tell whether mail can be sent to an address, and goes to no other.

    Where `=?` stands mail programs read a text in another encoding.
    """
    return address.isascii() and "=?" not in address


def lead_id(text: str) -> str | None:
    """A leadId as it is stored; None if it can't be one."""
    lowered = text.strip().lower()
    return lowered if _UUID.fullmatch(lowered) else None


def event_name(value: object) -> str:
    """An event's name: 1–128 printable characters, not beginning with `$`.

    Raises ValueError with what is wrong.
    """
    if value is None or value == "":
        raise ValueError("is required")
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 - one kind of error for callers
    if len(value) > MAX_EVENT_NAME:
        raise ValueError(f"must be at most {MAX_EVENT_NAME} characters")
    if value[0] == "$":
        raise ValueError("must not begin with $, such names are our own")
    if not value.isprintable() and any(
        unicodedata.category(c) in _UNPRINTABLE and c not in _JOINERS for c in value
    ):
        raise ValueError("must hold printable characters only")
    if not value.strip():
        raise ValueError("must not be blank")
    return value
