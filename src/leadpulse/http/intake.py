"""The event calls as a bare ASGI function.

A framework's request and response objects would cost more than all that happens to an event.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import structlog
from structlog.contextvars import bind_contextvars

from leadpulse.domain.errors import (
    FieldError,
    Forbidden,
    Invalid,
    LeadPulseError,
    Malformed,
    NotAllowed,
    Overloaded,
    Unauthorized,
)
from leadpulse.domain.wire import EventReader
from leadpulse.http import problems
from leadpulse.http.bodies import WHOLE, Disconnected, decode, read_body, unpack
from leadpulse.http.clients import Clients
from leadpulse.http.credentials import body_key, header_key
from leadpulse.http.quotas import Gate, Sender
from leadpulse.http.security import EVENT_CALLS, HSTS
from leadpulse.usecases.grouping import Item
from leadpulse.usecases.rates import Amounts, Rates
from leadpulse.usecases.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.http.services import Receive, Scope, Send
    from leadpulse.usecases.intake import IntakeBuffer
    from leadpulse.usecases.keys import Caller, KeyRing

_log = structlog.get_logger("leadpulse.http")

MOST_EVENTS: Final = 1_000
# Upper bounds, in seconds, of the buckets in which answers are counted by their time.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

_Headers = list[tuple[bytes, bytes]]
_encode: Final = msgspec.json.Encoder().encode

_ALLOWED_HEADERS: Final = (
    b"authorization, content-type, content-encoding, x-api-key, x-write-key, x-request-id, "
    b"anonymousid, sentat, x-retry-count, rsa-retry-attempt, rsa-retry-reason, "
    b"rsa-since-last-attempt, rsa-since-first-attempt, x-enable-debug, x-ip-policy"
)
_EXPOSED: Final = (
    b"access-control-expose-headers", b"Retry-After, RateLimit, RateLimit-Policy, X-Request-Id",
)  # fmt: skip
_ANY_ORIGIN: Final = ((b"access-control-allow-origin", b"*"), _EXPOSED)
_PREFLIGHT: Final = (
    *_ANY_ORIGIN,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", _ALLOWED_HEADERS),
    (b"access-control-max-age", b"86400"),
    (b"allow", b"POST, OPTIONS"),
)
_JSON: Final = (b"content-type", b"application/json")
_PROBLEM: Final = (b"content-type", problems.CONTENT_TYPE.encode())


class Call(NamedTuple):
    """One of the calls: batch or single, `older`: the words of the older interface."""

    batch: bool
    older: bool

    @property
    def fields(self) -> tuple[str, str]:
        return ("eventType", "event") if self.older else ("event", "eventType")


# Paths without a trailing slash, which is tolerated. Those under /api/events share them with
# reading calls, so only their POST is ours.
CALLS: Final[Mapping[str, Call]] = {
    "/api/ingest/event": Call(batch=False, older=False),
    "/api/ingest/batch": Call(batch=True, older=False),
    "/api/events": Call(batch=False, older=True),
    "/api/events/ingest": Call(batch=False, older=True),
    "/api/events/batch": Call(batch=True, older=True),
}


def is_event_call(scope: Scope) -> bool:
    """True for requests that belong to IntakeRoute, preflights among them."""
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    call = CALLS.get(path) or CALLS.get(path.rstrip("/"))
    if call is None:
        return False
    method = scope["method"]
    if method == "POST" or not call.older:
        return True
    if method != "OPTIONS":
        return False
    wanted = dict(scope["headers"]).get(b"access-control-request-method")
    return bool(wanted == b"POST")


@dataclass(slots=True)
class RouteFigures:
    """Answers since the start: by status, and by time (the last bucket has no bound)."""

    statuses: Counter[int] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.seconds += seconds
        for index, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.buckets[index] += 1
                return
        self.buckets[-1] += 1


class IntakeRoute:
    """ASGI application for the paths of CALLS."""

    def __init__(self, buffer: IntakeBuffer, keys: KeyRing, gate: Gate | None = None) -> None:
        self.figures = RouteFigures()
        self.buffer = buffer
        self._keys = keys
        self._gate = gate or Gate(Rates(Amounts(), Tally()), Clients())
        self._readers = {call: EventReader(call.fields, None, _encode) for call in CALLS.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        sender = self._gate.sender(scope)
        extra: _Headers = [(b"x-request-id", (instance := problems.new_request_id()).encode())]
        bind_contextvars(request_id=instance)  # every request is a task, with a context of its own
        try:
            status, body = await self._answer(scope, sender, receive, extra)
            kind = _JSON
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - a client must never see a bare failure
            if not isinstance(error, LeadPulseError):
                _log.exception("an event call failed")
            problem = problems.problem_of(self._gate.refusal(error, sender))
            status, body, kind = problem.status, problem.body(instance), _PROBLEM
            extra += [(k.lower().encode(), v.encode()) for k, v in problem.headers.items()]
            if status in (408, 413):
                extra.append((b"connection", b"close"))  # the rest of the body is not read
        extra += EVENT_CALLS
        if sender.secure:
            extra.append(HSTS)
        if not any(name == b"access-control-allow-origin" for name, _ in extra):
            extra += _ANY_ORIGIN
        if status != 204:
            extra += (kind, (b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": extra})
        await send({"type": "http.response.body", "body": body})
        self.figures.note(status, time.perf_counter() - began)

    async def _answer(
        self, scope: Scope, sender: Sender, receive: Receive, extra: _Headers
    ) -> tuple[int, bytes]:
        method: str = scope["method"]
        if method == "OPTIONS":
            extra += _PREFLIGHT
            return 204, b""
        if method != "POST":
            raise NotAllowed("Events are sent with POST.", ("POST", "OPTIONS"))
        path: str = scope["path"]
        call = CALLS.get(path) or CALLS[path.rstrip("/")]
        headers = sender.headers
        body = await read_body(receive, headers.get(b"content-length"), whole=WHOLE in scope)
        key = header_key(headers)
        # With a key in a header, strangers are turned away before anything is unpacked.
        caller = None if key is None else await self._caller(key, sender, extra)
        encoding = headers.get(b"content-encoding")
        if encoding:
            body = await unpack(body, encoding.decode("latin-1"))
        document = decode(body)
        if caller is None:
            key = body_key(document, scope["query_string"])
            caller = await self._caller(key, sender, extra)
        if not isinstance(document, dict):
            raise Malformed("The body must be a JSON object.")
        number = _events_of(document) if call.batch else 1
        self._gate.events(caller, sender, number)
        extra += self._gate.fields(caller, sender)
        try:
            if call.batch:
                return 202, await self._batch(call, caller, document)
            return 202, await self._single(call, caller, document)
        except Overloaded:
            self._gate.take_back(caller, sender, number)
            raise

    async def _caller(self, key: str, sender: Sender, extra: _Headers) -> Caller:
        caller = self._keys.remembered(key)
        if caller is None:
            if not self._keys.was_good(key):
                # Every made-up key would cost a look-up, and there is no end to them.
                self._gate.check_stranger(sender)
            caller = await self._keys.find(key)
        caller.may_send()
        self._gate.request(caller, sender)
        if caller.origins:
            origin = sender.headers.get(b"origin", b"").decode("latin-1")
            if origin.lower() not in caller.origins:
                told = f"This key is not for {origin}." if origin else "This key needs an Origin."
                raise Forbidden(told, "origin_not_allowed")
            extra += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"vary", b"Origin"),
                _EXPOSED,
            ]
        return caller

    async def _single(self, call: Call, caller: Caller, document: dict[str, Any]) -> bytes:
        event = self._readers[call].read(document)
        (item,) = await self.buffer.take(caller, (event,))
        if isinstance(item, LeadPulseError):
            raise item
        if item.error is not None:
            raise item.error
        if not call.older:
            return _encode({"status": item.status, "eventId": item.event_id})
        told = "Event queued for processing"
        return _encode({"message": told, "eventId": item.event_id, "status": item.status})

    async def _batch(self, call: Call, caller: Caller, document: dict[str, Any]) -> bytes:
        reader = EventReader(call.fields, document.get("sentAt"), _encode)
        events = [_read(reader, one) for one in document["events"]]
        taken = await self.buffer.take(caller, events)
        for item in taken:
            if isinstance(error := _error_of(item), Unauthorized):
                raise error  # it concerns the project, and so all of them
        return _encode(_batch_answer(taken, older=call.older))


def _events_of(document: dict[str, Any]) -> int:
    """How many events a batch holds."""
    given = document.get("events")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_EVENTS:
        told = f"must be a list of 1 to {MOST_EVENTS} events"
        raise Invalid([FieldError("events", told)])
    return len(given)


def _read(reader: EventReader, document: object) -> Any:
    """The event, or the error that stands in its place."""
    try:
        return reader.read(document)
    except LeadPulseError as error:
        return error


def _error_of(item: Item | LeadPulseError) -> LeadPulseError | None:
    return item if isinstance(item, LeadPulseError) else item.error


def _batch_answer(taken: Sequence[Item | LeadPulseError], *, older: bool) -> dict[str, Any]:
    statuses: Counter[str] = Counter()
    ids: list[str | None] = []
    rejected: list[dict[str, object]] = []
    for index, item in enumerate(taken):
        error = _error_of(item)
        if error is not None:
            rejected.append({"index": index, "error": _told(error), "code": error.code})
            ids.append(None)
        elif isinstance(item, Item):
            statuses[item.status] += 1
            ids.append(item.event_id)
    answer = {
        "accepted": statuses["queued"],
        "duplicates": statuses["duplicate"],
        "conflicts": statuses["conflict"],
        "eventIds": ids,
        "rejected": rejected,
    }
    if not older:
        return answer
    number = statuses["queued"] + statuses["duplicate"]
    told = "1 event queued" if number == 1 else f"{number} events queued"
    return {"message": told, "count": number, **answer}


def _told(error: LeadPulseError) -> str:
    """The sentence about an error, fit for JSON whatever the client sent."""
    return error.detail.encode("utf-8", "replace").decode()
