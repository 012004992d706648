"""Rates as the HTTP faces keep and tell them (RateLimit header fields for HTTP, IETF draft 10)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.domain.errors import TooMany, Unauthorized
from leadpulse.http.clients import Clients, network_of

if TYPE_CHECKING:
    from fastapi import Request

    from leadpulse.http.services import Scope
    from leadpulse.usecases.keys import Caller
    from leadpulse.usecases.rates import Rates

# What the installation's own tools send, derived from its signing key, to pass without limits.
PASS_HEADER: Final = "X-LeadPulse-Pass"  # noqa: S105 - its name
_PASS: Final = PASS_HEADER.lower().encode()
_POLICY: Final = b"ratelimit-policy"
_LIMIT: Final = b"ratelimit"

_Headers = list[tuple[bytes, bytes]]


def pass_for(secret: str) -> str:
    """What stands in PASS_HEADER. Whoever knows the signing key may do anything anyway."""
    return hmac.digest(secret.encode(), b"leadpulse pass 1", "sha256").hex()


@dataclass(slots=True)
class Sender:
    """Who sends an event call: from where, with which headers, and what is left to him.

    Of headers with one name it is the last.
    """

    headers: Mapping[bytes, bytes]
    address: str
    secure: bool = False
    requests: int = 0
    events: int = 0


class Gate:
    """Counts event calls, and tells their senders what is left."""

    def __init__(self, rates: Rates, clients: Clients, passing: str | None = None) -> None:
        self.rates = rates
        self._clients = clients
        self._passing = None if passing is None else passing.encode()
        requests, events, _, server, _ = rates.amounts
        public = [("requests", requests), ("events", events)]
        told = [f'"{name}";q={amount};w=60' for name, amount in public if amount]
        self._public = ", ".join(told).encode()
        self._trusted = f'"events";q={server};w=60'.encode() if server else b""

    def sender(self, scope: Scope) -> Sender:
        """Whoever sends this."""
        headers = dict(scope["headers"])
        address, secure = self._clients.of(scope, headers)
        return Sender(headers, network_of(address) if ":" in address else address, secure)

    def request(self, caller: Caller, sender: Sender) -> None:
        """Counts a request. Raises TooMany."""
        try:
            sender.requests = self.rates.request(caller, sender.address)
        except TooMany:
            if not self._passes(sender):
                raise

    def events(self, caller: Caller, sender: Sender, number: int) -> None:
        """Counts events, before they are stored. Raises TooMany."""
        try:
            sender.events = self.rates.events(caller, sender.address, number)
        except TooMany:
            if not self._passes(sender):
                raise

    def take_back(self, caller: Caller, sender: Sender, number: int) -> None:
        """Events that were not stored, and will be sent again, were not sent."""
        self.rates.take_back(caller, sender.address, number)

    def check_stranger(self, sender: Sender) -> None:
        """Raises TooMany if as many calls without a good key came from there as are answered."""
        try:
            self.rates.check_stranger(sender.address)
        except TooMany:
            if not self._passes(sender):
                raise

    def refusal(self, error: Exception, sender: Sender) -> Exception:
        """What to answer where a call failed: those without a good key have a rate."""
        # Whoever has the key of a paused project is no stranger.
        if not isinstance(error, Unauthorized) or error.code == "project_paused":
            return error
        try:
            self.rates.stranger(sender.address)
        except TooMany as refused:
            if not self._passes(sender):
                return refused
        return error

    def fields(self, caller: Caller, sender: Sender) -> _Headers:
        """How a sender stands. Nothing of his project: its traffic is not a stranger's."""
        policy = self._trusted if caller.trusted else self._public
        if not policy:
            return []
        reset = self.rates.reset
        if caller.trusted or not self.rates.amounts.requests:
            limit = b'"events";r=%d;t=%d' % (sender.events, reset)
        elif self.rates.amounts.events:
            left = (sender.requests, reset, sender.events, reset)
            limit = b'"requests";r=%d;t=%d, "events";r=%d;t=%d' % left
        else:
            limit = b'"requests";r=%d;t=%d' % (sender.requests, reset)
        return [(_POLICY, policy), (_LIMIT, limit)]

    def _passes(self, sender: Sender) -> bool:
        given = sender.headers.get(_PASS)
        return (
            given is not None
            and self._passing is not None
            and hmac.compare_digest(given, self._passing)
        )


def count_call(request: Request, rates: Rates | None, who: str) -> None:
    """Counts a call to the rest of the API by an account or key. Raises TooMany."""
    if rates is None or not rates.amounts.api:
        return
    left = rates.call(who)
    request.scope["state"]["quota"] = [
        (_POLICY, b'"calls";q=%d;w=60' % rates.amounts.api),
        (_LIMIT, b'"calls";r=%d;t=%d' % (left, rates.reset)),
    ]


def count_stranger(request: Request, rates: Rates | None) -> None:
    """Counts a call whose credential is not good, by its address. Raises TooMany."""
    if rates is not None and request.client is not None:
        rates.stranger(network_of(request.client.host))
