"""Events as they come over the wire: one JSON object in, a valid event or every error out.

Nothing is cut and nothing is guessed. Only U+0000 and lone surrogates inside of properties,
which no database holds, become U+FFFD.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from leadpulse.domain import names
from leadpulse.domain.errors import FieldError, Invalid, UnknownLead
from leadpulse.domain.timestamps import parse_timestamp

MAX_BYTES: Final = 32_768
MAX_DEPTH: Final = 10
_LARGEST: Final = 1.7976931348623157e308
_NO_OBJECT: Final[dict[str, Any]] = {}
_HASH_LENGTH: Final = 64

Encode = Callable[[object], bytes]


class WireEvent(NamedTuple):
    """A valid event, before anything is known about the one who sent it.

    Times are µs: `sent` and `sent_at` as the client said them. `properties` and `traits` are
    compact JSON; `known` is the traits again, as values, with the normalised email among them.
    """

    type: str
    event_id: str | None
    sent: int | None
    sent_at: int | None
    lead_id: str | None
    user_id: str | None
    email: str | None
    anonymous_id: str | None
    user_hash: str | None
    session_id: str | None
    properties: bytes
    traits: bytes | None
    known: Mapping[str, Any] | None
    test: bool


def compact(value: object) -> bytes:
    """Compact JSON in UTF-8; raises UnicodeEncodeError for lone surrogates."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class EventReader:
    """Reads the events of one request.

    `fields` are the members that may hold the event's name, the preferred first; `sent_at` is
    the request's own sentAt, for events without one; `encode` makes compact JSON.
    """

    fields: tuple[str, ...] = ("event", "eventType")
    sent_at: object = None
    encode: Encode = compact

    def read(self, document: object) -> WireEvent:
        """The event, or Invalid with every field at fault, or UnknownLead."""
        if not isinstance(document, dict):
            raise Invalid([FieldError("", "must be an object")], "An event must be an object.")
        errors: list[FieldError] = []
        name = self._name(document, errors)
        traits = _object(document, "traits", errors)
        if name == "identify":
            traits = _with_context(document, traits)
        lead, user, email, anonymous = _identity(document, traits or _NO_OBJECT, errors)
        properties, encoded_traits, traits = self._content(document, traits, errors)
        shown = None if errors else _email_to_add(document, traits or _NO_OBJECT, email)
        if shown is not None:
            encoded_traits, traits = self._encoded({**(traits or _NO_OBJECT), "email": shown})
        event = WireEvent(
            type=name,
            event_id=_try(names.text_id, document, "eventId", errors),
            sent=_instant(document.get("timestamp"), "timestamp", errors),
            sent_at=self._sent_at(document, errors),
            lead_id=names.lead_id(lead) if lead else None,
            user_id=user,
            email=email,
            anonymous_id=anonymous,
            user_hash=_user_hash(document.get("userHash"), errors),
            session_id=_try(names.text_id, document, "sessionId", errors),
            properties=properties,
            traits=encoded_traits,
            known=traits,
            test=_flag(document.get("test"), "test", errors),
        )
        if errors:
            raise Invalid(errors)
        if lead is not None and event.lead_id is None:
            raise UnknownLead(f"No lead of this project has the leadId {lead}.")
        return event

    def _name(self, document: dict[str, Any], errors: list[FieldError]) -> str:
        for field in self.fields:
            value = document.get(field)
            if value is not None:
                break
        else:
            field, value = self.fields[0], None
        try:
            return names.event_name(value)
        except ValueError as error:
            errors.append(FieldError(field, str(error)))
            return ""

    def _sent_at(self, document: dict[str, Any], errors: list[FieldError]) -> int | None:
        own = document.get("sentAt")
        return _instant(self.sent_at if own is None or own == "" else own, "sentAt", errors)

    def _content(
        self,
        document: dict[str, Any],
        traits: dict[str, Any] | None,
        errors: list[FieldError],
    ) -> tuple[bytes, bytes | None, dict[str, Any] | None]:
        """Properties and traits as compact JSON within their common limit; the traits again."""
        made: bytes = b"{}"
        made_traits: bytes | None = None
        size, field = 0, "properties"
        try:
            properties = _object(document, field, errors)
            if properties:
                size = _survey(properties, 1)
                made, _ = self._encoded(properties)
                size += len(made)
            field = "traits"
            if traits is not None:
                size += _survey(traits, 1)
                made_traits, traits = self._encoded(traits)
                size += len(made_traits)
        except ValueError as error:
            errors.append(FieldError(field, str(error)))
        if size > MAX_BYTES:
            told = f"hold {size} bytes of compact JSON with the traits, {MAX_BYTES} are allowed"
            errors.append(FieldError("properties", told))
        return made, made_traits, traits

    def _encoded(self, value: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """The value as compact JSON that PostgreSQL takes, and the value that this says."""
        try:
            made = self.encode(value)
        except UnicodeEncodeError:
            pass
        else:
            if b"\\u0000" not in made:
                return made, value
        # A backslash followed by these letters comes here too, which costs only time.
        cleaned: dict[str, Any] = _cleaned(value)
        return self.encode(cleaned), cleaned


def _try(
    read: Callable[[object], str | None],
    document: dict[str, Any],
    field: str,
    errors: list[FieldError],
) -> str | None:
    value = document.get(field)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        errors.append(FieldError(field, str(error)))
        return None


def _instant(value: object, field: str, errors: list[FieldError]) -> int | None:
    if value is None or value == "":
        return None
    try:
        return parse_timestamp(value)
    except ValueError as error:
        errors.append(FieldError(field, str(error)))
        return None


def _flag(value: object, field: str, errors: list[FieldError]) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    errors.append(FieldError(field, "must be true or false"))
    return False


def _user_hash(value: object, errors: list[FieldError]) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) == _HASH_LENGTH and value.isascii():
        return value.lower()
    errors.append(FieldError("userHash", "must be an HMAC-SHA256 in 64 hexadecimal digits"))
    return None


def _object(
    document: dict[str, Any], field: str, errors: list[FieldError]
) -> dict[str, Any] | None:
    value = document.get(field)
    if value is None or isinstance(value, dict):
        return value
    errors.append(FieldError(field, "must be an object"))
    return None


def _with_context(document: dict[str, Any], traits: dict[str, Any] | None) -> dict[str, Any] | None:
    """The traits of an identify call, which some clients put into its context."""
    context = document.get("context")
    found = context.get("traits") if isinstance(context, dict) else None
    if not isinstance(found, dict):
        return traits
    return {**found, **traits} if traits else found


def _identity(
    document: dict[str, Any], traits: dict[str, Any], errors: list[FieldError]
) -> tuple[str | None, str | None, str | None, str | None]:
    """leadId, userId, email and anonymousId: from the root, else from the traits."""
    before = len(errors)
    lead = _try(names.identifier, document, "leadId", errors)
    user = _try(names.identifier, document, "userId", errors)
    anonymous = _try(names.identifier, document, "anonymousId", errors)
    email = None
    if document.get("email") is not None:
        email = names.email(document["email"])
        if email is None:
            # Not valid: it stays a trait. But a text that can't be stored is told as wrong.
            _try(names.identifier, document, "email", errors)
    if traits:
        lead = lead or _from_traits(traits, "leadId")
        user = user or _from_traits(traits, "userId")
        anonymous = anonymous or _from_traits(traits, "anonymousId")
        email = email or names.email(traits.get("email"))
    if not (lead or user or anonymous or email) and len(errors) == before:
        told = "one of userId, email, anonymousId or leadId is required"
        errors.append(FieldError("userId", told))
    return lead, user, email, anonymous


def _from_traits(traits: dict[str, Any], field: str) -> str | None:
    """An identifier among the traits; what can't be one is just a trait."""
    value = traits.get(field)
    if value is None:
        return None
    try:
        found = names.identifier(value)
    except ValueError:
        return None
    return names.lead_id(found) if field == "leadId" and found else found


def _email_to_add(document: dict[str, Any], traits: dict[str, Any], email: str | None) -> Any:
    """The email that the traits lack: normalised, or as it stands where it isn't valid."""
    if email is not None:
        return None if traits.get("email") == email else email
    return None if "email" in traits else names.identifier(document.get("email"))


def _survey(value: object, depth: int) -> int:
    """Looks through JSON values; tells how many bytes its numbers grow by when written out.

    PostgreSQL writes 1e300 with 301 digits: what is small on the wire must not be large there.
    Raises ValueError for what is too deep or no number of ours.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"are nested deeper than {MAX_DEPTH} levels")
    grown = 0
    items = value.values() if isinstance(value, dict) else cast("list[object]", value)
    for item in items:
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is dict or kind is list:
            grown += _survey(item, depth + 1)
        elif kind is float or kind is int:
            number = cast("float", item)
            if not -_LARGEST <= number <= _LARGEST:  # also NaN
                raise ValueError("hold a number that is out of range")
            if kind is float and number and not 1e-4 <= abs(number) < 1e16:
                grown += int(abs(math.log10(abs(number))))
        else:
            raise ValueError("hold something that is not JSON")
    return grown


def _cleaned(value: Any) -> Any:
    """The same JSON with U+FFFD for what no database holds."""
    if isinstance(value, str):
        if not value.isascii():
            value = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value
