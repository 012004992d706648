"""What a person or a server wants changed about one lead, read and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from leadpulse.domain import names
from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, USER_ID
from leadpulse.domain.model import is_clean
from leadpulse.domain.profile import (
    NAME_CHARACTERS,
    OWNER,
    STATUS,
    STATUSES,
    TRAITS_KEPT,
    VALUE_BYTES,
    fits,
)

LONGEST_TEXT: Final = 200
LONGEST_NOTE: Final = 1_000
MOST_POINTS: Final = 10_000
_MOST_IDS: Final = 100
_DEEPEST: Final = 10
_LARGEST: Final = 1.7976931348623157e308
_CREATE_FIELDS: Final = frozenset({"email", "userId", "name", "company", "traits"})
_IMPORT_FIELDS: Final = _CREATE_FIELDS | {"owner", "status"}
_PATCH_FIELDS: Final = _IMPORT_FIELDS | {"anonymousIds"}
# Identifiers among the traits would look like a change of identifiers and be none.
_NO_TRAITS: Final = frozenset({"email", "userId", "anonymousId", "leadId"})


class LeadChange(NamedTuple):
    """A valid change.

    `facts` go into the profile. `identifiers` by kind: all anonymousIds that the lead shall
    have, or the one email or userId that is added; an empty list removes what there is.
    """

    facts: dict[str, Any]
    identifiers: dict[int, list[str]]


class Adjustment(NamedTuple):
    """Signed points by hand, with the reason."""

    points: float
    note: str
    event_id: str | None


def _is_json(value: object, depth: int = 1) -> bool:
    """True for JSON that can be stored: clean texts, finite numbers, not too deep."""
    if isinstance(value, str):
        return is_clean(value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return -_LARGEST <= value <= _LARGEST  # also refuses NaN
    if depth > _DEEPEST:
        return False
    if isinstance(value, list):
        return all(_is_json(item, depth + 1) for item in value)
    return isinstance(value, dict) and all(
        isinstance(key, str) and is_clean(key) and _is_json(item, depth + 1)
        for key, item in value.items()
    )


class _Reader:
    """Collects what is wrong with every field, instead of stopping at the first."""

    def __init__(self, document: Mapping[str, Any], fields: frozenset[str]) -> None:
        self.document = document
        self.errors = [
            FieldError(field, "is not a field that can be set here")
            for field in document
            if field not in fields
        ]
        self.change = LeadChange({}, {})

    def fail(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    def text(self, field: str, longest: int = LONGEST_TEXT) -> None:
        """A text of some length, or null."""
        value = self.document[field]
        if value is None:
            self.change.facts[field] = None
        elif not isinstance(value, str) or not is_clean(value):
            self.fail(field, "must be a text")
        elif not 1 <= len(value.strip()) <= longest:
            self.fail(field, f"must be 1 to {longest} characters")
        else:
            self.change.facts[field] = value.strip()

    def user_id(self) -> None:
        value = self.document["userId"]
        try:
            found = names.identifier(value)
        except ValueError as error:
            self.fail("userId", str(error))
            return
        if value is not None and found is None:
            self.fail("userId", "says only that nobody is known")
            return
        self._identifier("userId", USER_ID, found)

    def email(self) -> None:
        value = self.document["email"]
        found = names.email(value)
        if value is not None and found is None:
            self.fail("email", "must be a valid address")
            return
        self._identifier("email", EMAIL, found)

    def _identifier(self, field: str, kind: int, value: str | None) -> None:
        self.change.identifiers[kind] = [] if value is None else [value]
        self.change.facts[field] = value

    def anonymous_ids(self) -> None:
        given = self.document["anonymousIds"]
        given = [] if given is None else given
        if not isinstance(given, list) or len(given) > _MOST_IDS:
            self.fail("anonymousIds", f"must be a list of at most {_MOST_IDS} ids")
            return
        found: list[str] = []
        for index, value in enumerate(given):
            try:
                one = names.identifier(value)
            except ValueError as error:
                self.fail(f"anonymousIds[{index}]", str(error))
                continue
            if one is None:
                self.fail(f"anonymousIds[{index}]", "says only that nobody is known")
            elif one not in found:
                found.append(one)
        self.change.identifiers[ANONYMOUS_ID] = found

    def company(self) -> None:
        value = self.document["company"]
        if not isinstance(value, dict):
            self.text("company")
            return
        name = value.get("name")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_TEXT:
            self.fail("company.name", f"must be a text of 1 to {LONGEST_TEXT} characters")
        else:
            self._value("company", value)

    def traits(self) -> None:
        value = self.document["traits"]
        if not isinstance(value, dict) or len(value) > TRAITS_KEPT:
            self.fail("traits", f"must be an object of at most {TRAITS_KEPT} names")
            return
        for name, one in value.items():
            field = f"traits.{name}"
            if name in _NO_TRAITS or (name in _PATCH_FIELDS and name in self.document):
                self.fail(field, "belongs outside of traits")
            elif not name or len(name) > NAME_CHARACTERS or name[0] == "$" or not is_clean(name):
                told = f"must have a name of 1 to {NAME_CHARACTERS} characters without $ in front"
                self.fail(field, told)
            elif name == "name" and not (one is None or isinstance(one, str)):
                self.fail(field, "must be a text")
            else:
                self._value(name, one, field)

    def _value(self, name: str, value: Any, field: str | None = None) -> None:
        if not _is_json(value):
            self.fail(field or name, "holds something that can't be stored")
        elif not fits(value):
            self.fail(field or name, f"must be at most {VALUE_BYTES} bytes of JSON")
        else:
            self.change.facts[name] = value

    def status(self) -> None:
        value = self.document["status"]
        if value is not None and value not in STATUSES:
            self.fail("status", "must be one of " + ", ".join(STATUSES))
        self.change.facts[STATUS] = value

    def owner(self) -> None:
        self.text("owner")
        self.change.facts[OWNER] = self.change.facts.pop("owner", None)


def _read(document: Mapping[str, Any], fields: frozenset[str]) -> LeadChange:
    read = _Reader(document, fields)
    readers = {
        "email": read.email,
        "userId": read.user_id,
        "anonymousIds": read.anonymous_ids,
        "name": lambda: read.text("name"),
        "company": read.company,
        "traits": read.traits,
        "owner": read.owner,
        "status": read.status,
    }
    for field, reader in readers.items():
        if field in document and field in fields:
            reader()
    if read.errors:
        raise Invalid(read.errors)
    return read.change


def parse_new_lead(document: Mapping[str, Any]) -> LeadChange:
    """Reads a lead to make or complete. Nulls say nothing here.

    Raises Invalid with every field that is wrong, and if nothing says who it is.
    """
    given = {field: value for field, value in document.items() if value is not None}
    change = _read(given, _CREATE_FIELDS)
    if not change.identifiers and "name" not in change.facts:
        raise Invalid([FieldError("email", "email, userId or name is required")])
    return change


def parse_imported(document: Mapping[str, Any]) -> LeadChange:
    """Reads a row of a file: a lead to make or complete, with its owner and status.

    Raises Invalid with every field that is wrong, and if nothing says whom it is about.
    """
    change = _read(document, _IMPORT_FIELDS)
    if not change.identifiers:
        raise Invalid([FieldError("email", "a row needs an email or a userId")])
    return change


def parse_lead_patch(document: Mapping[str, Any]) -> LeadChange:
    """Reads a change of a lead; null removes. Raises Invalid with every field that is wrong."""
    return _read(document, _PATCH_FIELDS)


def parse_adjustment(document: Mapping[str, Any]) -> Adjustment:
    """Reads a correction by hand. Raises Invalid with every field that is wrong."""
    read = _Reader(document, frozenset({"points", "note", "eventId"}))
    points = document.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float):
        read.fail("points", "must be a number")
    elif not -MOST_POINTS <= points <= MOST_POINTS or round(points, 2) != points or not points:
        told = f"must be between -{MOST_POINTS} and {MOST_POINTS}, not 0, with two decimals at most"
        read.fail("points", told)
    note = document.get("note")
    if (
        not isinstance(note, str)
        or not is_clean(note)
        or not 1 <= len(note.strip()) <= LONGEST_NOTE
    ):
        read.fail("note", f"must be a text of 1 to {LONGEST_NOTE} characters")
    event_id: str | None = None
    try:
        event_id = names.text_id(document.get("eventId"))
    except ValueError as error:
        read.fail("eventId", str(error))
    if read.errors or not isinstance(points, int | float) or not isinstance(note, str):
        raise Invalid(read.errors)
    return Adjustment(float(points), note.strip(), event_id)
