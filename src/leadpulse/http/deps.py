"""Who calls, and with what: principals, ids in paths, texts and times in queries."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from leadpulse.domain.errors import FieldError, Invalid, NotFound, Unauthorized
from leadpulse.domain.model import is_clean
from leadpulse.domain.permissions import Permission
from leadpulse.domain.timestamps import parse_timestamp
from leadpulse.http import cookies
from leadpulse.http.credentials import header_key
from leadpulse.http.quotas import count_call, count_stranger
from leadpulse.http.services import Services
from leadpulse.postgres.sessions import FoundSession
from leadpulse.usecases.audit import Actor, act_as
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.principals import Principal, key_principal, who
from leadpulse.usecases.sessions import session_principal

# The schemes under which a key may come, as OpenAPI names them; and, with those, a session.
KEY_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key, or the token of a session.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "The key as the user name."},
}
SESSION_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.SESSION,
        "description": "Set by logging in; on https its name begins with `__Host-`.",
    },
}
SECURITY_SCHEMES: Final = {**KEY_SCHEMES, **SESSION_SCHEMES}
PEOPLE_SCHEMES: Final = ("bearer", *SESSION_SCHEMES)


def schemes_for(permission: Permission) -> tuple[str, ...]:
    """The schemes that can be the credential for a permission: some are for people only."""
    if permission.need.scope is None:
        return PEOPLE_SCHEMES
    return tuple(SECURITY_SCHEMES)


def services_of(request: Request) -> Services:
    """What the application was built with."""
    return cast("Services", request.app.state.services)


Given = Annotated[Services, Depends(services_of)]


def key_of(request: Request) -> str:
    """The key from the first place that holds one; raises Unauthorized. No second try."""
    key = header_key(dict(request.scope["headers"]))
    if key is None:
        key = request.query_params.get("writeKey")
    if not key:
        raise Unauthorized(
            "Log in, or send a secret key, as Authorization: Bearer sk_….", "missing_key"
        )
    return key


async def session_of(
    request: Request, services: Services, *, switched: bool = False
) -> FoundSession | None:
    """The session of a call; None where a key comes first, or nothing at all.

    Raises Unauthorized, and Forbidden for a change by cookie that may be another website's.
    `switched`: the session may work in another project than the token says.
    """
    secure = cookies.is_secure(request, services)
    given = cookies.presented(request, secure=secure)
    if given is None:
        return None
    found = await services.accounts.sessions.find(given.token, switched=switched)
    if given.by_cookie:
        cookies.require_csrf(request, services, found.id)
    return found


async def identify(request: Request, services: Services) -> Principal:
    """Who calls, by the first place that holds a credential; raises Unauthorized."""
    session = await session_of(request, services)
    if session is not None:
        return session_principal(session)
    return key_principal(await services.keys.find(key_of(request)))


def actor_of(request: Request, principal: Principal) -> Actor:
    """Who acts, as the audit log writes it down."""
    address = request.client.host if request.client is not None else None
    instance: str | None = request.scope.get("state", {}).get("request_id")
    return Actor(who(principal), principal.name or None, address, instance)


async def caller_of(request: Request, services: Services) -> Principal:
    """Who calls; counted, and known to the audit log from here on. Raises Unauthorized, TooMany."""
    try:
        found = await identify(request, services)
    except Unauthorized:
        count_stranger(request, services.rates)
        raise
    count_call(request, services.rates, who(found))
    act_as(actor_of(request, found))
    request.scope["state"]["project_id"] = found.project_id
    return found


def allowed(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """The dependency of a route that only they may call who have a permission."""

    async def principal(request: Request, services: Given) -> Principal:
        found = await caller_of(request, services)
        found.require(permission)
        return found

    # Read back by the documentation, and by the test that walks every route.
    principal.__dict__["permission"] = permission
    return principal


Reader = Annotated[Principal, Depends(allowed(Permission.LEADS_READ))]
Writer = Annotated[Principal, Depends(allowed(Permission.LEADS_WRITE))]
Remover = Annotated[Principal, Depends(allowed(Permission.LEADS_REMOVE))]
RuleWriter = Annotated[Principal, Depends(allowed(Permission.RULES_WRITE))]
Exporter = Annotated[Principal, Depends(allowed(Permission.LEADS_EXPORT))]
Operating = Annotated[Principal, Depends(allowed(Permission.OPERATE))]


# ── Inputs that many calls share ─────────────────────────────────────────────────────


def storable(value: str) -> str:
    """Refuses what no database can hold."""
    if not is_clean(value):
        raise ValueError("contains characters that can't be stored")
    return value


_MILLISECONDS: Final = re.compile(r"-?[0-9]{1,19}")
LAST_MILLISECOND: Final = 253_402_300_799_999


def _instant(value: Any) -> Any:
    if isinstance(value, str) and _MILLISECONDS.fullmatch(value):
        value = int(value)
    # A "+" of a zone that wasn't escaped arrives as a blank.
    if isinstance(value, str) and len(value) > 6 and value[-6] == " ":
        value = f"{value[:-6]}+{value[-5:]}"
    return parse_timestamp(value)


Text = Annotated[str, AfterValidator(storable)]
Instant = Annotated[
    int,
    BeforeValidator(_instant),
    # Read into microseconds; this is what is sent.
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": LAST_MILLISECOND},
            ]
        }
    ),
]


def an_id(value: str, what: str) -> str:
    """An id out of a path. What isn't one names nothing: 404, as for any unknown id."""
    if not is_id(value):
        raise NotFound(what, value[:100])
    return value.lower()


def _lead_id(lead_id: Annotated[str, Path(description="The id of a lead.")]) -> str:
    return an_id(lead_id, "lead")


LeadId = Annotated[str, Depends(_lead_id)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many rows.")]
Cursor = Annotated[
    Text | None,
    Query(max_length=2000, description="Where to go on: `nextCursor` of the page before."),
]


def invalid(field: str, message: str) -> Invalid:
    """One field that is wrong."""
    return Invalid([FieldError(field, message)])
