"""Calls of people: who is logged in, from where somebody logs in, and what is answered then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request, Response

from leadpulse.domain.errors import Forbidden, Unauthorized
from leadpulse.http import cookies, render
from leadpulse.http.clients import network_of
from leadpulse.http.deps import Given, caller_of, session_of
from leadpulse.http.quotas import count_call, count_stranger
from leadpulse.http.services import Services
from leadpulse.postgres.sessions import FoundSession
from leadpulse.usecases.accounts import overview
from leadpulse.usecases.audit import Actor, act_as
from leadpulse.usecases.sessions import Begun, Origin

if TYPE_CHECKING:
    from leadpulse.postgres.accounts import User
    from leadpulse.usecases.projects import Shown


async def _person(request: Request, services: Services, *, switched: bool) -> FoundSession:
    try:
        found = await session_of(request, services, switched=switched)
    except Unauthorized:
        count_stranger(request, services.rates)
        raise
    if found is None:
        await caller_of(request, services)  # a wrong key is told as such
        raise Forbidden("Only a person who is logged in may do this.", "people_only")
    count_call(request, services.rates, f"user:{found.user_id}")
    address = request.client.host if request.client is not None else None
    instance = request.scope["state"]["request_id"]
    act_as(Actor(f"user:{found.user_id}", found.email, address, instance))
    return found


async def signed_in(request: Request, services: Given) -> FoundSession:
    """Who is logged in, whichever project he works in by now: for calls about the account."""
    return await _person(request, services, switched=True)


async def signed_in_here(request: Request, services: Given) -> FoundSession:
    """The same, with the newest token of the session."""
    return await _person(request, services, switched=False)


async def came_from(request: Request, services: Given) -> Origin:
    """From where somebody wants to log in. Raises Forbidden for another website's page."""
    cookies.require_own_page(request, services)
    secure = cookies.is_secure(request, services)
    address = request.client.host if request.client is not None else ""
    return Origin(
        address=address,
        network=network_of(address),
        agent=request.headers.get("user-agent"),
        device=cookies.device_of(request, secure=secure),
    )


# Read back by the documentation.
signed_in.__dict__["people"] = True
signed_in_here.__dict__["people"] = True

SignedIn = Annotated[FoundSession, Depends(signed_in)]
SignedInHere = Annotated[FoundSession, Depends(signed_in_here)]
CameFrom = Annotated[Origin, Depends(came_from)]


async def session_answer(
    request: Request, services: Services, begun: Begun, status: int = 200
) -> Response:
    """A session that was begun or moved: its token, in the answer and as a cookie."""
    found = await overview(services.accounts, begun.user_id, begun.project_id)
    response = render.answer(
        {
            "token": begun.token,
            "csrfToken": begun.csrf,
            "user": person(found.user),
            "project": None if found.project is None else project(found.project),
        },
        status,
    )
    secure = cookies.is_secure(request, services)
    cookies.set_session(response, begun.token, secure=secure, seconds=begun.seconds)
    tokens = services.accounts.tokens
    device = cookies.device_of(request, secure=secure)
    if device is None or tokens.known_device(device, begun.user_id) is None:
        cookies.set_device(response, tokens.device(begun.user_id), secure=secure)
    return response


def person(user: User) -> dict[str, Any]:
    """An account as its owner sees it."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "emailVerified": user.verified,
        "operator": user.operator,
        "hasPassword": user.password_hash is not None,
    }


def project(shown: Shown) -> dict[str, Any]:
    """A project as one of its members sees it beside the account."""
    return {
        "id": shown.settings.id,
        "name": shown.settings.name,
        "role": shown.role,
        "writeKey": shown.settings.write_key,
        "deletedAt": render.when(shown.settings.deleted_at),
    }
