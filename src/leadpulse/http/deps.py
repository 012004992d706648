"""Who calls, and with what: keys and their scopes, ids in paths, texts and times in queries."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from leadpulse.domain.errors import FieldError, Invalid, NotFound, Unauthorized
from leadpulse.domain.model import is_clean
from leadpulse.domain.timestamps import parse_timestamp
from leadpulse.http.credentials import header_key
from leadpulse.http.services import Services
from leadpulse.usecases.keys import Caller
from leadpulse.usecases.paging import is_id

# The schemes under which a key may come, as OpenAPI names them.
SECURITY_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as the user name."},
}


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
        raise Unauthorized("Send a secret key, as Authorization: Bearer sk_….", "missing_key")
    return key


def _with(scope: str) -> Callable[..., Awaitable[Caller]]:
    async def caller(request: Request, services: Given) -> Caller:
        found = await services.keys.find(key_of(request))
        found.require(scope)
        return found

    # Read back when the documentation is written.
    caller.__dict__["scope"] = scope
    return caller


Reader = Annotated[Caller, Depends(_with("leads:read"))]
Writer = Annotated[Caller, Depends(_with("leads:write"))]
Eraser = Annotated[Caller, Depends(_with("leads:erase"))]
RuleWriter = Annotated[Caller, Depends(_with("rules:write"))]
Exporter = Annotated[Caller, Depends(_with("exports:read"))]
Admin = Annotated[Caller, Depends(_with("admin"))]


def who(caller: Caller) -> str:
    """How a change by this caller is signed in records."""
    return f"key:{caller.key_id}"


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
