"""What every call says about its answers and errors, out of the one table of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from leadpulse.http.problems import CONTENT_TYPE, KINDS, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]

_SESSION: Final = ("unknown_session", "expired_session", "session_switched")
_KEY: Final = ("missing_key", "unknown_key", "expired_key", *_SESSION)
_SCOPE: Final = ("write_key_cannot_read", "missing_scope", "missing_role", "no_project", "csrf")
# What any body can be answered with.
UNREADABLE: Final = ("malformed", "too_slow", "too_large", "unreadable_encoding")
_BODY: Final = (*UNREADABLE, "invalid")
_DETAILS: Final = {
    "invalid": "limit: must be between 1 and 200",
    "not_found": "No lead with the id 01890a5d-ac96-774b-bcce-b302099a8057.",
    "missing_scope": "This key lacks the scope leads:read.",
}
_AGAIN: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_LIMITS: Final = _AGAIN | {
    "RateLimit-Policy": {
        "description": 'Amount (`q`) and seconds (`w`) of each rate: `"events";q=1000;w=60`.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left (`r`), and for how long (`t`): `"events";r=0;t=12`.',
        "schema": {"type": "string"},
    },
}
_BY_STATUS: Final = {429: {"headers": _LIMITS}, 503: {"headers": _AGAIN}}


def problems(*codes: str) -> Responses:
    """The errors with these codes, by status, each with an example."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {
        status: {
            "description": " · ".join(KINDS[code].title for code in same),
            "content": {
                CONTENT_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in same},
                }
            },
            **_BY_STATUS.get(status, {}),
        }
        for status, same in sorted(by_status.items())
    }


def examples() -> dict[str, Any]:
    """An example of every error, by code."""
    return {code: {"summary": kind.title, "value": _example(code)} for code, kind in KINDS.items()}


def _example(code: str) -> dict[str, Any]:
    kind = KINDS[code]
    problem = Problem(kind.status, kind.title, code, _DETAILS.get(code, f"{kind.title}."))
    document = problem.document("req_5f1c0a9b7e3d00000001")
    if code == "invalid":
        document["errors"] = [{"field": "limit", "message": "must be between 1 and 200"}]
    return document


def answers(
    model: type[BaseModel] | None, *codes: str, status: int = 200, body: bool = False
) -> Responses:
    """A call behind a key that answers `model`, with the errors that it can give."""
    extra = _BODY if body else ()
    ok: Responses = {} if model is None else {status: {"model": model}}
    return ok | problems(*dict.fromkeys((*_KEY, *_SCOPE, *extra, *codes, "too_many", "overloaded")))


def of_people(
    model: type[BaseModel] | None, *codes: str, status: int = 200, body: bool = False
) -> Responses:
    """A call about the account of who is logged in."""
    extra = _BODY if body else ()
    ok: Responses = {} if model is None else {status: {"model": model}}
    own = (*_KEY, "people_only", "csrf", *extra, *codes, "too_many", "overloaded")
    return ok | problems(*dict.fromkeys(own))


def entry(model: type[BaseModel], *codes: str, status: int = 200) -> Responses:
    """A call by which somebody logs in, or gets there."""
    ok: Responses = {status: {"model": model}}
    return ok | problems(*dict.fromkeys((*_BODY, "csrf", *codes, "too_many", "overloaded")))


def public(model: type[BaseModel], *codes: str) -> Responses:
    """A call without a key."""
    ok: Responses = {200: {"model": model}}
    return ok | problems(*codes)
