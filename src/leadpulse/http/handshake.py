"""Who opens a live connection: by the same credentials and rules as any call of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request

from leadpulse.domain.errors import Forbidden, Unauthorized
from leadpulse.domain.permissions import Permission
from leadpulse.http import cookies
from leadpulse.http.quotas import count_call, count_stranger
from leadpulse.usecases.sessions import session_principal
from leadpulse.usecases.watchers import Watcher

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from leadpulse.http.services import Services
    from leadpulse.postgres.sessions import FoundSession

_SCHEMES = {"ws": "http", "wss": "https"}


async def admit(services: Services, scope: MutableMapping[str, Any], token: str | None) -> Watcher:
    """The session that opens a connection, and its project.

    Raises Unauthorized, Forbidden, TooMany and Overloaded. Keys open none: a page is a person's.
    """
    # A socket's first request is one like any other.
    scheme = _SCHEMES.get(scope["scheme"], scope["scheme"])
    request = Request({**scope, "type": "http", "method": "GET", "scheme": scheme})
    try:
        found = await _session(request, services, token)
    except Unauthorized:
        count_stranger(request, services.rates)
        raise
    count_call(request, services.rates, f"user:{found.user_id}")
    principal = session_principal(found)
    principal.require(Permission.LEADS_READ)
    return Watcher(found.id, found.user_id, principal.project_id)


async def _session(request: Request, services: Services, token: str | None) -> FoundSession:
    cookies.require_own_page(request, services)
    if token is not None:
        return await services.accounts.sessions.find(token)
    given = cookies.presented(request, secure=cookies.is_secure(request, services))
    if given is None:
        raise Unauthorized("Log in to get live updates.", "missing_key")
    if given.by_cookie:
        _require_page(request)
    return await services.accounts.sessions.find(given.token)


def _require_page(request: Request) -> None:
    """A cookie comes from a page of ours, as the browser says.

    It names the origin, but for reading by a page of the very same one, of which it says so.
    """
    if request.headers.get("origin") is None and (
        request.headers.get("upgrade") is not None
        or request.headers.get("sec-fetch-site") != "same-origin"
    ):
        raise Forbidden("A connection by cookie needs the header Origin.", "csrf")
