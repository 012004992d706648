"""Traces of a person in what is said of others: his userIds and his addresses.

An address is found anywhere in a text and in any case, also as it stands in the address of a
page (`%40`), but not as a part of a longer one. A userId may be any word, and counts only where
it stands as one. Whatever holds a trace goes as a whole, with its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from leadpulse.domain.names import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Letters beyond ASCII end an address: in many languages no space does.
_BEFORE: Final = re.compile(
    r"(?<=%[0-9a-f]{2})(?<!%2[bde7])(?<!%5f)|(?<!\w)(?<!\w[.+'-])", re.ASCII
)
_AFTER: Final = re.compile(r"(?!-*\w|\.\w)", re.ASCII)
_ASCII: Final = re.compile(r"[\x00-\x7f]+")

# Fields whose facts are many.
_MANY: Final = frozenset({"email", "userId"})


class Traces:
    """What is looked for: userIds as they are, addresses in lower case."""

    def __init__(self, users: Iterable[str], emails: Iterable[str]) -> None:
        self.users = frozenset(users)
        self._forms = frozenset(
            form
            for address in emails
            for form in (address, address.replace("@", "%40"), quote(address, safe="").lower())
        )
        # What a text holds, its ASCII letters in lower case, if one of the addresses is in it.
        self.needles = sorted({max(_ASCII.findall(form), key=len) for form in self._forms})

    def __bool__(self) -> bool:
        return bool(self.users or self.needles)

    def stand_in(self, value: object) -> bool:
        """Whether one of the addresses stands in a value, however deep."""
        if isinstance(value, str):
            text = value.lower()
            return any(form in text and _whole(form, text) for form in self._forms)
        if isinstance(value, dict):
            return any(self.stand_in(name) or self.stand_in(item) for name, item in value.items())
        return isinstance(value, list) and any(map(self.stand_in, value))

    def without(self, traits: Mapping[str, Any]) -> dict[str, Any]:
        """What is left of the traits of an event."""
        return {name: said for name, said in traits.items() if not self._said(name, said)}

    def without_facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What is left of what is known of somebody."""
        left: dict[str, Any] = {}
        for name, fact in facts.items():
            if name in _MANY:
                kept = [one for one in fact if not self._said(name, one[0])]
                if kept:
                    left[name] = kept
            elif not self._said(name, fact[0]):
                left[name] = fact
        return left

    def _said(self, name: str, value: object) -> bool:
        if name == "userId" and as_id(value) in self.users:
            return True
        return self.stand_in(name) or self.stand_in(value)


def _whole(form: str, text: str) -> bool:
    """Whether an address stands in a text that isn't part of a longer one."""
    start = text.find(form)
    while start >= 0:
        if _BEFORE.match(text, start) and _AFTER.match(text, start + len(form)):
            return True
        start = text.find(form, start + 1)
    return False


def as_id(value: object) -> str | None:
    """The userId that a trait means, None if it can't be one."""
    try:
        return identifier(value)
    except ValueError:
        return None
