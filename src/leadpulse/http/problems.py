"""The one table that turns errors into answers (RFC 9457), and into their documentation.

Both faces use it: the bare route of the event calls and the FastAPI application.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.errors import (
    FieldError,
    Invalid,
    LeadPulseError,
    NotAllowed,
    Overloaded,
    Standing,
    TooMany,
    Unauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE: Final = "application/problem+json"
DOCUMENTED_AT: Final = "/docs/reference/errors.md"


class Kind(NamedTuple):
    """How a code is answered, and what it means to whoever reads the documentation."""

    status: int
    title: str


# Stable, public words. A code that is not here is answered like the base code of its class.
KINDS: Final[Mapping[str, Kind]] = {
    "malformed": Kind(400, "The request can't be read"),
    "unauthorized": Kind(401, "A valid key is needed"),
    "missing_key": Kind(401, "No key was sent"),
    "unknown_key": Kind(401, "This key is not known"),
    "expired_key": Kind(401, "This key is no longer valid"),
    "unknown_session": Kind(401, "This is no session"),
    "expired_session": Kind(401, "This session has ended"),
    "session_switched": Kind(401, "This session works in another project by now"),
    "wrong_credentials": Kind(401, "Email or password is wrong"),
    "bad_identity": Kind(401, "This identity can't be believed"),
    "project_paused": Kind(401, "This project is paused"),
    "forbidden": Kind(403, "This key may not do that"),
    "write_key_cannot_read": Kind(403, "A write key can only send events"),
    "missing_scope": Kind(403, "This key lacks a scope"),
    "missing_role": Kind(403, "This role may not do that"),
    "people_only": Kind(403, "No key may do this"),
    "no_project": Kind(403, "The session works in no project"),
    "csrf": Kind(403, "Another website may have asked this"),
    "signup_closed": Kind(403, "Nobody can register here"),
    "google_off": Kind(403, "Signing in with Google is not set up"),
    "unverified_email": Kind(403, "The email address is not verified"),
    "other_address": Kind(403, "The link is for another address"),
    "origin_not_allowed": Kind(403, "This key is not for this website"),
    "not_found": Kind(404, "There is no such thing"),
    "method_not_allowed": Kind(405, "Not with this method"),
    "too_slow": Kind(408, "The request came too slowly"),
    "conflict": Kind(409, "This contradicts what is stored"),
    "identifier_taken": Kind(409, "Another lead has this identifier"),
    "email_taken": Kind(409, "This address has an account"),
    "no_password": Kind(409, "This account has no password"),
    "other_identity": Kind(409, "This account belongs to another identity"),
    "already_undone": Kind(409, "This was undone already"),
    "already_settled": Kind(409, "This was replayed or discarded already"),
    "suppressed": Kind(409, "This person was erased"),
    "paused": Kind(409, "This project is paused"),
    "too_late": Kind(409, "It is too late for that"),
    "model_changed": Kind(409, "The model was changed in the meantime"),
    "too_many_rules": Kind(409, "The model holds no more rules"),
    "too_many_projects": Kind(409, "One person owns no more projects"),
    "too_many_keys": Kind(409, "The project has no more keys"),
    "key_over": Kind(409, "This key is not in use any more"),
    "last_owner": Kind(409, "A project needs an owner"),
    "already_member": Kind(409, "This is a member already"),
    "too_many_invitations": Kind(409, "Too many invitations are waiting"),
    "too_many_imports": Kind(409, "Too many imports are not over"),
    "has_account": Kind(409, "This address has an account"),
    "too_large": Kind(413, "The request is too large"),
    "address_too_long": Kind(414, "The address is too long"),
    "unreadable_encoding": Kind(415, "The Content-Encoding can't be read"),
    "invalid": Kind(422, "Some fields are wrong"),
    "unknown_lead": Kind(422, "The leadId is no lead of this project"),
    "too_many": Kind(429, "Too many requests"),
    "lead_ceiling": Kind(429, "No more new leads today"),
    "headers_too_large": Kind(431, "The headers are too large"),
    "internal": Kind(500, "Something went wrong on our side"),
    "overloaded": Kind(503, "Busy for a moment"),
}

# For answers that a framework makes by itself.
_CODES_BY_STATUS: Final = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    414: "address_too_long",
    415: "unreadable_encoding",
    422: "invalid",
    429: "too_many",
    431: "headers_too_large",
    503: "overloaded",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer to one error. `headers` come in addition to the content type."""

    status: int
    title: str
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """The body; `instance` is the request id. `success`, `error`, `message`: older clients."""
        body: dict[str, Any] = {
            "type": f"{DOCUMENTED_AT}#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "instance": instance,
            "success": False,
            "error": self.detail,
            "message": self.detail,
        }
        if self.errors:
            body["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        return body

    def body(self, instance: str) -> bytes:
        """The body as it goes on the wire; whatever a client sent can stand in it."""
        try:
            return msgspec.json.encode(self.document(instance))
        except UnicodeEncodeError:
            return msgspec.json.encode(_printable(self.document(instance)))


def problem_of(error: BaseException) -> Problem:
    """The answer to any error; one that is not ours tells nothing about itself."""
    if not isinstance(error, LeadPulseError):
        return _problem("internal", "The error was recorded; please try again later.")
    code = error.code if error.code in KINDS else type(error).code
    kind = KINDS.get(code, KINDS["internal"])
    return Problem(
        status=kind.status,
        title=kind.title if code == error.code else error.code.replace("_", " ").capitalize(),
        code=error.code,
        detail=error.detail,
        errors=tuple(error.errors) if isinstance(error, Invalid) else (),
        headers=_headers(error),
    )


def problem_of_status(status: int, detail: str, headers: dict[str, str] | None = None) -> Problem:
    """The answer where only a status is known, as with errors that a framework raises."""
    code = _CODES_BY_STATUS.get(status, "malformed" if status < 500 else "internal")
    kind = KINDS[code]
    return Problem(status, kind.title, code, detail or kind.title, headers=dict(headers or {}))


def _problem(code: str, detail: str) -> Problem:
    kind = KINDS[code]
    return Problem(kind.status, kind.title, code, detail)


def _headers(error: LeadPulseError) -> dict[str, str]:
    if isinstance(error, TooMany | Overloaded):
        again = {"Retry-After": str(max(1, error.retry_after))}
        standing = error.standing if isinstance(error, TooMany) else None
        return again if standing is None else again | _limits(standing)
    if isinstance(error, Unauthorized):
        # Not Basic: a browser would ask its user for a password.
        return {"WWW-Authenticate": 'Bearer realm="leadpulse"'}
    if isinstance(error, NotAllowed):
        return {"Allow": ", ".join(error.allow)}
    return {}


def _limits(standing: Standing) -> dict[str, str]:
    """RateLimit header fields for HTTP (IETF draft 10)."""
    name, amount, seconds, left, reset = standing
    return {
        "RateLimit-Policy": f'"{name}";q={amount};w={seconds}',
        "RateLimit": f'"{name}";r={left};t={reset}',
    }


def _printable(value: Any) -> Any:
    """The same document with lone surrogates replaced, which JSON in UTF-8 can't hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value


# ── Request ids ──────────────────────────────────────────────────────────────────────

_PROCESS: Final = secrets.token_hex(6)
_numbers = count(1)


def new_request_id() -> str:
    """An id for X-Request-Id and `instance`: unique, and it tells nothing."""
    return f"req_{_PROCESS}{next(_numbers):08x}"
