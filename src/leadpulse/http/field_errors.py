"""What is wrong with the input of a call, in the words of all our refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from leadpulse.domain.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHOLE: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_TRUTH: Final = "must be true or false"
_TIME: Final = "must be a time, such as 2026-01-31T12:00:00Z"
_OBJECT: Final = "must be an object"
_LIST: Final = "must be a list"
_UUID: Final = "must be an id, such as 01a22f1a-3900-75ba-93a6-8125bd0cc680"

# By the kind of error, with the limits that come with it.
_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must have the form {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": "must be a time with a zone, such as 2026-01-31T12:00:00Z",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "none_required": "must be null",
}


def field_errors(found: Iterable[dict[str, Any]]) -> list[FieldError]:
    """Each thing that pydantic found, as (place, what is wrong), in its order."""
    return [FieldError(_where(item["loc"]), _told(item)) for item in found]


def _where(place: tuple[str | int, ...]) -> str:
    """A place in the input as clients write it: `conditions[0].op`."""
    path = ""
    for part in place[1:]:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path or str(place[0])


def _told(item: dict[str, Any]) -> str:
    words = _WORDS.get(item["type"])
    if words is not None:
        return words.format_map(item.get("ctx", {}))
    message = str(item["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
