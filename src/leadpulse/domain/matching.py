"""Which rules an event meets. Evaluation holds for any JSON and never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from leadpulse.domain.model import Condition

Properties = Mapping[str, object]
_MISSING: Final = object()


def page_path(properties: Properties) -> object:
    """The derived field `$path`: property `path`, else the path of property `url`; no case."""
    path = properties.get("path")
    if isinstance(path, str):
        return path.casefold()
    url = properties.get("url")
    if not isinstance(url, str):
        return _MISSING
    try:
        return urlsplit(url).path.casefold()
    except ValueError:
        return _MISSING


def lookup(properties: Properties, field: str) -> object:
    """The value at a dotted path; a name that holds the dots itself comes first."""
    if field == "$path":
        return page_path(properties)
    value = properties.get(field, _MISSING)
    if value is not _MISSING or "." not in field:
        return value
    current: object = properties
    for part in field.split("."):
        if not isinstance(current, Mapping):
            return _MISSING
        current = current.get(part, _MISSING)
    return current


def _kind(value: object) -> str:
    """JSON's own types: true is no number, and "5" is no 5."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def _same(left: object, right: object) -> bool:
    return _kind(left) == _kind(right) and left == right


def _ordered(left: object, right: object, test: Callable[[int], bool]) -> bool:
    """Numbers compare with numbers and texts with texts, by code point."""
    if isinstance(left, str) and isinstance(right, str):
        return test((left > right) - (left < right))
    if _kind(left) == _kind(right) == "number":
        a, b = left, right
        return test((a > b) - (a < b))  # type: ignore[operator]
    return False


def _contains(value: object, wanted: object) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted in value
    return isinstance(value, list) and any(_same(item, wanted) for item in value)


def _starts_with(value: object, wanted: object) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.startswith(wanted)


def _is_in(value: object, wanted: object) -> bool:
    return isinstance(wanted, tuple) and any(_same(value, item) for item in wanted)


_TESTS: Final[dict[str, Callable[[object, object], bool]]] = {
    "eq": _same,
    "ne": lambda value, wanted: not _same(value, wanted),
    "contains": _contains,
    "startsWith": _starts_with,
    "gt": lambda value, wanted: _ordered(value, wanted, lambda c: c > 0),
    "gte": lambda value, wanted: _ordered(value, wanted, lambda c: c >= 0),
    "lt": lambda value, wanted: _ordered(value, wanted, lambda c: c < 0),
    "lte": lambda value, wanted: _ordered(value, wanted, lambda c: c <= 0),
    "in": _is_in,
}


def holds(condition: Condition, properties: Properties) -> bool:
    """True if the condition holds; an absent field meets only `ne` and `exists: false`."""
    value = lookup(properties, condition.field)
    if condition.op == "exists":
        return (value is not _MISSING) == (condition.value is not False)
    if value is _MISSING:
        return condition.op == "ne"
    wanted = condition.value
    if condition.field == "$path":
        wanted = _without_case(wanted)
    return _TESTS[condition.op](value, wanted)


def _without_case(wanted: object) -> object:
    if isinstance(wanted, str):
        return wanted.casefold()
    if isinstance(wanted, tuple):
        return tuple(_without_case(item) for item in wanted)
    return wanted
