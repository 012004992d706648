"""The API's own description: `python -m leadpulse.http.openapi` writes contract/openapi.json.

It is made from the routes and the table of errors, and a test compares it with the file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from leadpulse.domain.permissions import Permission
from leadpulse.http import docs, event_calls
from leadpulse.http.answers import Problem
from leadpulse.http.deps import KEY_SCHEMES, PEOPLE_SCHEMES, SECURITY_SCHEMES, schemes_for
from leadpulse.http.documented import UNREADABLE, examples, problems
from leadpulse.http.routes import ROUTERS
from leadpulse.http.version import VERSION

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

FILE: Final = Path("contract/openapi.json")
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_IN_THE_BODY: Final[dict[str, list[str]]] = {}
_ABOUT: Final = """
LeadPulse turns what people do into scores.

**Keys.** Events are sent with a write key (`pk_…`, public) or a secret key (`sk_…`); everything
else needs a secret key with the scope that the call names, or a session of a member with the role
that it names. A key goes into `X-API-Key`, `Authorization: Bearer`, HTTP Basic as the user name,
`X-Write-Key`, or `?writeKey=`; event calls also take `apiKey` or `writeKey` in the body. The first
of these places that holds one counts.

**Sessions.** Logging in answers a token, for `Authorization: Bearer`, and sets it as a cookie. A
call that changes something by the cookie needs `X-CSRF-Token`, which is answered beside the token.

**Rates.** Answers tell in `RateLimit-Policy` and `RateLimit` what is allowed and what is left;
what is beyond is answered 429, with the seconds to wait in `Retry-After`. A batch counts by its
events, all or none.

**Errors** are `application/problem+json`; `code` is a stable word. **Lists** answer
`nextCursor`: send it back as `cursor` for the next page. **Times** are RFC 3339 in UTC with
microseconds.
"""

router = APIRouter()


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    app = FastAPI()
    for area in (event_calls.router, *ROUTERS):
        app.include_router(area)
    made = get_openapi(
        title="LeadPulse",
        version=VERSION,
        summary="A lead-scoring engine: real events in, right scores out.",
        description=_ABOUT.strip(),
        routes=app.routes,
        separate_input_output_schemas=True,
    )
    _finish_schemas(made)
    needed, people = _permissions(), _calls_of_people()
    names: set[str] = set()
    for path, calls in sorted(made["paths"].items()):
        for method in _METHODS:
            if method in calls:
                _finish_call(calls[method], needed.get((path, method)), names)
                if (path, method) in people:
                    calls[method]["description"] += "\n\nNeeds a session."
                    calls[method]["security"] = [{scheme: []} for scheme in PEOPLE_SCHEMES]
                    calls[method]["x-session"] = True
                if method in ("post", "put", "patch"):
                    _add_transport(calls[method]["responses"])
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _finish_schemas(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["components"]["examples"] = examples()
    made["components"]["securitySchemes"] = dict(SECURITY_SCHEMES)


def _finish_call(call: dict[str, Any], needed: Permission | None, names: set[str]) -> None:
    # Named after its function; the alias of a call gets a number.
    name = call["summary"].lower().replace(" ", "_")
    number = 1 + sum(1 for known in names if known.split(".")[0] == name)
    names.add(f"{name}.{number}")
    call["operationId"] = name if number == 1 else f"{name}_{number}"
    call.pop("summary")
    if needed is not None:
        call["description"] += f"\n\n{_told(needed)}"
        call["security"] = [{scheme: []} for scheme in schemes_for(needed)]
        call["x-permission"] = needed.name
    elif "events" in call["tags"]:
        call["security"] = [{scheme: []} for scheme in KEY_SCHEMES] + [_IN_THE_BODY]
    # What FastAPI adds by itself to every call with parameters; ours says what can happen.
    told = call["responses"].get("422", {}).get("content", {})
    if "application/json" in told:
        del call["responses"]["422"]


def _add_transport(responses: dict[str, Any]) -> None:
    """A body is read where none is asked for, too, and must then be fit to be read."""
    for status, response in problems(*UNREADABLE).items():
        responses.setdefault(str(status), response)


def _told(needed: Permission) -> str:
    """Who may, in a sentence."""
    need = needed.need
    verified = " with a verified address" if need.verified else ""
    people = f"Needs a session of a member who is {need.role} or more{verified}"
    return f"{people}." if need.scope is None else f"{people}, or a key with scope `{need.scope}`."


def _permissions() -> dict[tuple[str, str], Permission]:
    found: dict[tuple[str, str], Permission] = {}
    for route in (route for area in ROUTERS for route in area.routes):
        if isinstance(route, APIRoute):
            needed = permission_of(route.dependant)
            if needed is not None:
                found |= {(route.path, method.lower()): needed for method in route.methods or ()}
    return found


def _calls_of_people() -> set[tuple[str, str]]:
    """Calls about an account, which whoever is logged in may make."""
    return {
        (route.path, method.lower())
        for area in ROUTERS
        for route in area.routes
        if isinstance(route, APIRoute) and _is_of_people(route.dependant)
        for method in route.methods or ()
    }


def _is_of_people(dependant: Dependant) -> bool:
    own = getattr(dependant.call, "people", False) is True
    return own or any(_is_of_people(one) for one in dependant.dependencies)


def permission_of(dependant: Dependant) -> Permission | None:
    """The permission that a route asks for; None where anybody may call."""
    own = getattr(dependant.call, "permission", None)
    if isinstance(own, Permission):
        return own
    inner = (permission_of(one) for one in dependant.dependencies)
    return next((needed for needed in inner if needed is not None), None)


def text() -> str:
    """The file's content."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


# ── As a part of the API ─────────────────────────────────────────────────────────────


@router.get("/api/openapi.json", include_in_schema=False)
async def openapi_json() -> Response:
    """The description for programs."""
    return Response(text(), media_type="application/json")


@router.get("/api/docs", include_in_schema=False)
async def docs_page() -> Response:
    """The description for people: one page without scripts."""
    return Response(docs.page(document()), media_type="text/html", headers=docs.HEADERS)


@router.get("/api/docs/style.css", include_in_schema=False)
async def docs_style() -> Response:
    """How that page looks."""
    return Response(docs.STYLE, media_type="text/css", headers=docs.HEADERS)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
