"""Whose address counts, and what is believed about it."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http.clients import Clients, UnknownProxies, network_of, unknown_proxy

if TYPE_CHECKING:
    from pathlib import Path

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def request(peer: str | None, *forwarded: str, **headers: str) -> tuple[Any, Any]:
    """A scope and its headers, as they are given to whoever asks for the client."""
    pairs = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    pairs += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = None if peer is None else (peer, 4711)
    return {"client": client, "scheme": "http", "headers": pairs}, dict(pairs)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        # Nobody trusted has written it.
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        # What the client itself sent stands on the left.
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1, 10.9.9.9", "10.8.8.8"], "198.51.100.1"),
        ("10.0.0.1", ["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, rubbish, 10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", ["198.51.100.1:5678"], "198.51.100.1"),
        ("10.0.0.1", ['"[2001:db8::1]:443"'], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4," + "10.1.1.1," * 500 + "10.1.1.1"], "10.1.1.1"),
        (None, ["198.51.100.1"], ""),
        ("testclient", ["198.51.100.1"], "testclient"),
    ],
)
def test_the_client_is_the_first_whom_no_proxy_of_ours_names(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    """Read from the right; what strangers have written on the left is never reached."""
    assert Clients(PROXIES).of(*request(peer, *forwarded)).address == address


def test_other_headers_of_that_kind_are_not_read() -> None:
    """Only X-Forwarded-For names a client, and only trusted proxies say https."""
    others = {
        "forwarded": "for=1.2.3.4;proto=https", "x_real_ip": "1.2.3.4", "client_ip": "1.2.3.4",
        "true_client_ip": "1.2.3.4", "cf_connecting_ip": "1.2.3.4", "x_forwarded_host": "evil",
    }  # fmt: skip
    for peer in ("10.0.0.1", "203.0.113.7"):
        assert Clients(PROXIES).of(*request(peer, **others)) == (peer, False)
    https = {"x_forwarded_proto": "https"}
    assert Clients(PROXIES).of(*request("10.0.0.1", **https)).secure
    assert not Clients(PROXIES).of(*request("203.0.113.7", **https)).secure
    assert not Clients().of(*request("10.0.0.1", **https)).secure
    spoofed = {"x_forwarded_proto": "https, http"}
    assert not Clients(PROXIES).of(*request("10.0.0.1", **spoofed)).secure


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("", ""),
    ],
)
def test_rates_go_by_the_network_of_an_address(address: str, network: str) -> None:
    """Whoever has IPv6 has at least 2^64 addresses, and one rate."""
    assert network_of(address) == network


def test_a_proxy_that_nobody_named_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once in the log, and to `doctor` until it is trusted."""
    clients = Clients(PROXIES, UnknownProxies(tmp_path))
    assert unknown_proxy(tmp_path, PROXIES) is None
    clients.of(*request("10.0.0.1", "198.51.100.1"))
    assert unknown_proxy(tmp_path, PROXIES) is None
    for _ in range(3):
        clients.of(*request("192.0.2.9", "198.51.100.1"))
    assert capsys.readouterr().out.count("X-Forwarded-For") <= 1
    assert unknown_proxy(tmp_path, PROXIES) == "192.0.2.9"
    assert unknown_proxy(tmp_path, [*PROXIES, ip_network("192.0.2.9")]) is None
    UnknownProxies(tmp_path / "missing")("192.0.2.9")
