"""Errors are facts with attributes; one table in the HTTP layer turns them into answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field of an input."""

    field: str
    message: str


class LeadPulseError(Exception):
    """Base of everything that this product refuses; `code` is stable and public."""

    code = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(LeadPulseError):
    """What came can't be read at all (not JSON, not an object)."""

    code = "malformed"


class Invalid(LeadPulseError):
    """Well-formed, but against the rules; `errors` names every field at fault."""

    code = "invalid"

    def __init__(self, errors: list[FieldError], detail: str | None = None) -> None:
        super().__init__(detail or "; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = errors


class UnknownLead(LeadPulseError):
    """An event names a leadId that is no lead of the project."""

    code = "unknown_lead"


class NotFound(LeadPulseError):
    """No such thing in this project; another project's things don't exist either."""

    code = "not_found"

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"No {what} with the id {key}.")
        self.what = what
        self.key = key


class Conflict(LeadPulseError):
    """The request contradicts what is stored."""

    code = "conflict"

    def __init__(self, detail: str, code: str = "conflict") -> None:
        super().__init__(detail)
        self.code = code


class Standing(NamedTuple):
    """How a caller stands with a rate: so many in so many seconds, what is left, and until when."""

    name: str
    amount: int
    seconds: int
    left: int
    reset: int


class TooMany(LeadPulseError):
    """A ceiling or a rate is reached; come back after `retry_after` seconds."""

    code = "too_many"

    def __init__(
        self, detail: str, code: str, retry_after: int, standing: Standing | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.retry_after = retry_after
        self.standing = standing


class Overloaded(LeadPulseError):
    """Nothing was promised and nothing was kept; try again after `retry_after` seconds."""

    code = "overloaded"

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unauthorized(LeadPulseError):
    """No credential, or one that is not good (any more)."""

    code = "unauthorized"

    def __init__(self, detail: str, code: str = "unauthorized") -> None:
        super().__init__(detail)
        self.code = code


class Forbidden(LeadPulseError):
    """A good credential that may not do this."""

    code = "forbidden"

    def __init__(self, detail: str, code: str = "forbidden") -> None:
        super().__init__(detail)
        self.code = code


class TooLarge(LeadPulseError):
    """More bytes than are read, on the wire or inflated."""

    code = "too_large"


class UnreadableEncoding(LeadPulseError):
    """A Content-Encoding that nobody here can undo."""

    code = "unreadable_encoding"


class TooSlow(LeadPulseError):
    """The request did not arrive in time."""

    code = "too_slow"


class NotAllowed(LeadPulseError):
    """The address exists, but not with this method; `allow` names those that do."""

    code = "method_not_allowed"

    def __init__(self, detail: str, allow: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allow = allow
