"""The whole HTTP face: the event calls by a bare route, everything else by FastAPI.

The dashboard stands beside the API, on the same port and behind the same front.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from structlog.contextvars import bind_contextvars

from leadpulse.domain.errors import (
    Invalid,
    LeadPulseError,
    Malformed,
    NotAllowed,
    Overloaded,
)
from leadpulse.http import event_calls, openapi, pages
from leadpulse.http.bodies import WHOLE, Disconnected, decode, read_body, unpack
from leadpulse.http.cors import METHODS, Cors
from leadpulse.http.field_errors import field_errors
from leadpulse.http.intake import is_event_call
from leadpulse.http.problems import (
    CONTENT_TYPE,
    Problem,
    new_request_id,
    problem_of,
    problem_of_status,
)
from leadpulse.http.routes import ROUTERS
from leadpulse.http.security import completed
from leadpulse.http.version import VERSION
from leadpulse.postgres.session import is_outage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leadpulse.http.services import App, Message, Receive, Scope, Send, Services

_log = structlog.get_logger("leadpulse.http")

# Where live updates are: Socket.IO's own place.
_LIVE: Final = "/socket.io/"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_CHANGING: Final = frozenset({*_WITH_BODY, "DELETE"})


def build_app(services: Services) -> App:
    """The ASGI application. The services are opened and closed by the caller."""
    return _Front(_api(services), services)


def _api(services: Services) -> FastAPI:
    app = FastAPI(
        title="LeadPulse",
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    app.state.services = services
    areas = (openapi.router, *ROUTERS, pages.router(services.pages))
    for router in areas:
        app.include_router(router)
    # Event calls never come as far as the app, but people ask what an address takes.
    app.state.areas = (event_calls.router, *areas)
    app.add_exception_handler(LeadPulseError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_status)
    app.add_exception_handler(Exception, _on_error)
    return app


class _Front:
    """What comes before any routing: where to, request ids, bodies, figures."""

    def __init__(self, api: FastAPI, services: Services) -> None:
        self._api = api
        self._services = services
        self._cors = Cors(self._called, services.settings.frontend_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_event_call(scope):
            await self._services.intake(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        live = self._services.live
        if live is None or not scope["path"].startswith(_LIVE):
            await send({"type": "websocket.close"})
            return
        instance = new_request_id()
        bind_contextvars(request_id=instance)
        plain = {**scope, "scheme": "https" if scope["scheme"] == "wss" else "http"}
        client = self._services.clients.of(plain, dict(scope["headers"]))
        await live(
            {
                **scope,
                "client": (client.address, 0) if client.address else None,
                "scheme": "wss" if client.secure else "ws",
                "state": {**scope.get("state", {}), "request_id": instance},
            },
            receive,
            send,
        )

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        instance = new_request_id()
        bind_contextvars(request_id=instance)  # every request is a task, with a context of its own
        scope = {**scope, "state": {**scope.get("state", {}), "request_id": instance}}
        client = self._services.clients.of(scope, dict(scope["headers"]))
        scope["client"] = (client.address, 0) if client.address else None
        scope["scheme"] = "https" if client.secure else "http"
        answered = _Answered(send, scope)
        scope["state"]["answered"] = answered
        if answered.bare:
            scope["method"] = "GET"  # the same answer, without its body
        try:
            await self._cors(scope, receive, answered)
        except LeadPulseError as refused:
            await _answer(_problem(refused), instance)(scope, receive, answered)
        finally:
            # It leads back to its scope: what is left in a circle waits for the collector.
            del scope["state"]["answered"]
            self._note(scope, answered.status, time.perf_counter() - began)

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        instance = scope["state"]["request_id"]
        answered: _Answered = scope["state"]["answered"]
        try:
            asked = scope["method"] == "OPTIONS"
            if asked and (methods := _methods_of(scope["path"], self._api.state.areas)):
                headers = {"Allow": ", ".join(methods)}
                await Response(status_code=204, headers=headers)(scope, receive, send)
                return
            live = self._services.live
            if live is not None and scope["path"].startswith(_LIVE):
                scope["route"] = _LivePath  # for the figures
                await live(scope, receive, send)
                return
            await self._api(scope, await _whole_body(scope, receive), send)
            self._hint(scope, answered.status)
        except Disconnected:
            return
        except Exception as error:
            if not isinstance(error, LeadPulseError | HTTPException) and not is_outage(error):
                # The path as it is documented: as it was sent it may hold anything.
                path = getattr(scope.get("route"), "path", None)
                _log.exception("a request failed", method=scope["method"], path=path)
            if answered.status:
                # Too late to say so: whoever reads must notice that the answer is cut off.
                if answered.ended:
                    return
                raise
            await _answer(_problem(error), instance)(scope, receive, send)

    def _hint(self, scope: Scope, status: int) -> None:
        """Whoever has a page open hears of every change of a lead, whichever call made it."""
        live = self._services.live
        if live is None or scope["method"] not in _CHANGING or status >= 300:
            return
        lead_id = scope.get("path_params", {}).get("lead_id")
        project_id = scope["state"].get("project_id")
        if lead_id is not None and project_id is not None:
            live.changed(project_id, lead_id)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The path as it is documented, never as it was sent: names of series are bounded.
        path = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in METHODS else "other"
        metrics = self._services.metrics
        metrics.requests.labels(method, path, str(status)).inc()
        metrics.seconds.labels(method, path).observe(seconds)


class _LivePath:
    """What live updates are called where requests are counted by their path."""

    path: Final = _LIVE


class _Answered:
    """Sends on with what every answer has, and remembers how far the answer has come.

    `bare`: what asked is a HEAD, and no body follows.
    """

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send = send
        self._state = scope["state"]
        self._secure = scope["scheme"] == "https"
        self.bare = scope["method"] == "HEAD"
        self.status = 0
        self.ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *completed(message.get("headers", ()), secure=self._secure),
                *self._state.get("quota", ()),
                (b"x-request-id", self._state["request_id"].encode()),
            ]
        elif message["type"] == "http.response.body":
            if self.ended:
                return
            if self.bare:
                # The end of it: whoever makes a long body hears that nobody listens.
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            self.ended = not message.get("more_body", False)
        await self._send(message)


def _methods_of(path: str, areas: Iterable[APIRouter]) -> tuple[str, ...]:
    """What can be asked of an address; nothing where there is none."""
    routes = [route for area in areas for route in area.routes if isinstance(route, APIRoute)]
    here = [r for r in routes if r.path == path] or [r for r in routes if r.path_regex.match(path)]
    found = {method for route in here for method in route.methods or ()}
    if "GET" in found:
        found.add("HEAD")
    known = [method for method in ("GET", "HEAD", *METHODS[1:]) if method in found]
    return (*known, "OPTIONS") if known else ()


async def _whole_body(scope: Scope, receive: Receive) -> Receive:
    """The body within its limits, unpacked and known to be JSON; then as if it had come so."""
    if scope["method"] not in _WITH_BODY:
        return receive
    headers = dict(scope["headers"])
    body = await read_body(receive, headers.get(b"content-length"), whole=WHOLE in scope)
    encoding = headers.get(b"content-encoding")
    if encoding:
        body = await unpack(body, encoding.decode("latin-1"))
    if body:
        decode(body)
    first = True

    async def again() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    kept = (b"content-type", b"content-length", b"content-encoding")
    scope["headers"] = [(k, v) for k, v in scope["headers"] if k not in kept] + [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return again


# ── Errors ───────────────────────────────────────────────────────────────────────────


def _problem(error: BaseException) -> Problem:
    if isinstance(error, HTTPException):
        return problem_of_status(error.status_code, str(error.detail), dict(error.headers or {}))
    if is_outage(error):
        return problem_of(Overloaded("The database can't be reached right now.", 2))
    return problem_of(error)


def _answer(problem: Problem, instance: str) -> Response:
    headers = dict(problem.headers)
    if problem.status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return Response(
        problem.body(instance), problem.status, headers=headers, media_type=CONTENT_TYPE
    )


def _instance(request: Request) -> str:
    return str(request.scope["state"]["request_id"])


async def _on_error(request: Request, error: Exception) -> Response:
    return _answer(_problem(error), _instance(request))


async def _on_status(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        methods = _methods_of(path, request.app.state.areas)
        error = NotAllowed(f"This address takes {', '.join(methods)}.", methods)
    elif status == 404:
        services: Services = request.app.state.services
        page = services.pages.unknown(request)
        if page is not None:
            return page
        error = HTTPException(404, "There is nothing at this address; see /api/docs.")
    return _answer(_problem(error), _instance(request))


async def _on_invalid(request: Request, error: Exception) -> Response:
    found: Iterable[dict[str, Any]] = getattr(error, "errors", tuple)()
    wrong: LeadPulseError = Invalid(field_errors(found))
    if any(item["type"] == "json_invalid" for item in found):
        wrong = Malformed("The body is not JSON.")
    return _answer(problem_of(wrong), _instance(request))
