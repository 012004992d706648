"""Who is at the other end: the address that limits and logs go by, and whether it is https.

Anybody can send `X-Forwarded-For`. It is read from the right, for as long as those who wrote it
are named in LEADPULSE_TRUSTED_PROXIES; the first who is not is the client. `Forwarded` and the
other headers of that kind are not read, and `Host` is believed for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leadpulse.http.services import Scope

_log = structlog.get_logger("leadpulse.http")

# More proxies in a row than anybody has.
_MOST_HOPS: Final = 32
_REMEMBERED: Final = 4_096
_HOUR: Final = 3_600.0

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


class Client(NamedTuple):
    """`address` is empty where there is none, as behind a socket that is a file."""

    address: str
    secure: bool


class Clients:
    """Tells the client of a request. `unknown_proxy` hears of proxies that nobody named."""

    def __init__(
        self,
        trusted: Iterable[_Network] = (),
        unknown_proxy: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._networks = tuple(trusted)
        self._trusts = lru_cache(_REMEMBERED)(self._is_trusted)
        self._unknown_proxy = unknown_proxy

    def of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Client:
        """The client; `headers` are those of the scope, of each name the last."""
        peer = scope.get("client")
        address: str = peer[0] if peer else ""
        if self._networks and self._trusts(address):
            secure = headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip() == b"https"
            if b"x-forwarded-for" in headers:
                address = self._forwarded(scope) or address
            return Client(address, secure)
        if b"x-forwarded-for" in headers:
            self._unknown_proxy(address)
        return Client(address, scope.get("scheme") == "https")

    def _forwarded(self, scope: Scope) -> str | None:
        """The first from the right whom no trusted proxy names; the last one, if all are."""
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = b",".join(lines).decode("latin-1").rsplit(",", _MOST_HOPS)
        found = None
        for hop in reversed(hops[-_MOST_HOPS:]):
            address = _parsed(hop)
            if address is None:
                break  # whatever is left of it may have come from anybody
            found = str(address)
            if not self._trusts(found):
                break
        return found

    def _is_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._networks)


def _parsed(text: str) -> _Address | None:
    """An address as proxies write it: some add a port, or put brackets around IPv6."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return IPv6Address(int(address))
    return address


@lru_cache(_REMEMBERED)
def network_of(address: str) -> str:
    """What rates go by: an IPv4 address, or the /64 of IPv6, of which anybody has plenty."""
    if ":" not in address:
        return address
    found = _parsed(address)
    if not isinstance(found, IPv6Address):
        return str(found or "")
    return str(IPv6Address(int(found) >> 64 << 64)) + "/64"


# ── Proxies that nobody named ────────────────────────────────────────────────────────

_FILE: Final = "unknown-proxy"


class UnknownProxies:
    """Says once in the log, and keeps for `doctor`, that a proxy seems to be in front."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = data_dir / _FILE
        self._clock = clock
        self._said = False
        self._again = 0.0

    def __call__(self, address: str) -> None:
        if self._clock() < self._again:
            return
        self._again = self._clock() + _HOUR
        if not self._said:
            self._said = True
            _log.warning(
                "requests carry X-Forwarded-For, but who sends them is no trusted proxy: "
                "everybody behind it shares one rate; see LEADPULSE_TRUSTED_PROXIES",
                peer=address,
            )
        try:
            self._file.write_text(address[:64], encoding="utf-8")
        except OSError:
            return  # with another machine's database there may be no data directory


def unknown_proxy(data_dir: Path, trusted: Iterable[_Network]) -> str | None:
    """The address of a proxy that was seen lately and is not trusted, for `doctor`."""
    try:
        text = (data_dir / _FILE).read_text(encoding="utf-8")[:64]
    except (OSError, UnicodeDecodeError):
        return None
    address = _parsed(text)
    if address is None or any(address in network for network in trusted):
        return None
    return str(address)
