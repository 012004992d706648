"""Tokens of sessions in requests and answers, and what keeps other websites from using them.

A browser sends a cookie with whatever a page asks for, also a page of somebody else's. So a call
that changes something by the cookie must come from a page of ours, as the browser's Origin says,
and carry a value that no other page can read. A token in the Authorization header needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain import websites
from leadpulse.domain.errors import Forbidden
from leadpulse.usecases.tokens import SECONDS

if TYPE_CHECKING:
    from fastapi import Request, Response

    from leadpulse.http.services import Services

SESSION: Final = "leadpulse_session"
DEVICE: Final = "leadpulse_device"
CSRF_HEADER: Final = "X-CSRF-Token"
# Bound to this very host and to https; browsers take it from nobody else.
_HOST: Final = "__Host-"
# As long as browsers keep one.
_DEVICE_SECONDS: Final = 400 * 86_400
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Never the beginning of a token, which begins with an encoded brace.
_KEYS: Final = ("pk_", "sk_")


class Presented(NamedTuple):
    """A token as it came: in a cookie, or in the Authorization header."""

    token: str
    by_cookie: bool


def presented(request: Request, *, secure: bool) -> Presented | None:
    """The token of a session, unless a key stands before it; no second try."""
    if request.headers.get("x-api-key"):
        return None
    authorization = request.headers.get("authorization")
    if authorization:
        scheme, _, value = authorization.strip().partition(" ")
        value = value.strip()
        # Of what has two dots it is said that it is no token, of the rest that it is no key.
        if scheme.lower() == "bearer" and not value.startswith(_KEYS) and value.count(".") == 2:
            return Presented(value, by_cookie=False)
        return None
    if request.headers.get("x-write-key") or request.query_params.get("writeKey"):
        return None
    cookie = request.cookies.get(_named(SESSION, secure=secure))
    return Presented(cookie, by_cookie=True) if cookie else None


def is_secure(request: Request, services: Services) -> bool:
    """Whether the browser speaks https, as far as we are told."""
    frontend = services.settings.frontend_url
    return request.url.scheme == "https" or (bool(frontend) and frontend[0].startswith("https://"))


def device_of(request: Request, *, secure: bool) -> str | None:
    """What the browser keeps of an earlier login."""
    return request.cookies.get(_named(DEVICE, secure=secure))


def _named(name: str, *, secure: bool) -> str:
    return f"{_HOST}{name}" if secure else name


def require_own_page(request: Request, services: Services) -> None:
    """Raises Forbidden when a browser says that another website's page asks."""
    origin = request.headers.get("origin")
    if origin is not None and not _is_ours(origin, request, services):
        raise _refused("This website may not log in or change anything here.")


def require_csrf(request: Request, services: Services, session_id: str) -> None:
    """Raises Forbidden unless a change by cookie comes from a page of ours."""
    if request.method in _SAFE:
        return
    if request.headers.get("origin") is None:
        raise _refused("A change by cookie needs the header Origin.")
    require_own_page(request, services)
    given = request.headers.get(CSRF_HEADER)
    if given is None or not services.accounts.tokens.is_csrf(given, session_id):
        raise _refused(f"A change by cookie needs {CSRF_HEADER}, as logging in answers it.")


def _is_ours(origin: str, request: Request, services: Services) -> bool:
    if origin in services.settings.frontend_url:
        return True
    try:
        named = websites.origin(origin)
        here = websites.origin(f"{named.partition(':')[0]}://{request.headers.get('host', '')}")
    except ValueError:
        return False
    # A proxy that nobody has named may end https before us; nothing begins it behind the page.
    encrypted = named.startswith("https:") or not is_secure(request, services)
    return named == here and encrypted


def _refused(detail: str) -> Forbidden:
    return Forbidden(detail, "csrf")


def set_session(response: Response, token: str, *, secure: bool, seconds: int = SECONDS) -> None:
    """Lets the browser keep a session, out of reach for scripts."""
    _set(response, _named(SESSION, secure=secure), token, secure, seconds)


def set_device(response: Response, value: str, *, secure: bool) -> None:
    """Lets the browser remember that somebody has logged in there."""
    _set(response, _named(DEVICE, secure=secure), value, secure, _DEVICE_SECONDS)


def drop_session(response: Response, *, secure: bool) -> None:
    """Lets the browser forget the session."""
    _set(response, _named(SESSION, secure=secure), "", secure, 0)


def _set(response: Response, name: str, value: str, secure: bool, seconds: int) -> None:  # noqa: FBT001
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )
