"""What `doctor` says about proxies and Valkey."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from leadpulse.bootstrap.doctor import examine
from leadpulse.http.clients import UnknownProxies
from support.server import free_port
from support.valkey import a_valkey

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, database: str) -> pytest.MonkeyPatch:
    """No setting but the database's address."""
    for name in list(os.environ):
        if name.startswith("LEADPULSE_") or name in {"PORT", "REDIS_URL", "FRONTEND_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("PORT", str(free_port()))
    monkeypatch.setenv("LEADPULSE_WORKER_PORT", str(free_port()))
    return monkeypatch


async def found(data_dir: Path, subject: str, *, production: bool = False) -> list[tuple[str, str]]:
    findings = await examine(data_dir, production=production)
    return [(one.level, one.what) for one in findings if one.subject == subject]


async def test_a_proxy_that_was_seen_and_is_not_named(
    surroundings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Until it is; who trusts everybody is told that this is worse."""
    assert await found(tmp_path, "proxies") == []
    UnknownProxies(tmp_path)("192.0.2.9")
    ((level, what),) = await found(tmp_path, "proxies")
    assert level == "warning"
    assert "192.0.2.9" in what
    surroundings.setenv("LEADPULSE_TRUSTED_PROXIES", "192.0.2.0/24")
    assert [level for level, _ in await found(tmp_path, "proxies")] == ["ok"]
    surroundings.setenv("LEADPULSE_TRUSTED_PROXIES", "0.0.0.0/0")
    assert [level for level, _ in await found(tmp_path, "proxies")] == ["bad"]


async def test_https_without_a_proxy_that_is_named(
    surroundings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody must end TLS, and then everybody would have his address."""
    surroundings.setenv("FRONTEND_URL", "https://leads.example.com")
    ((level, what),) = await found(tmp_path, "proxies", production=True)
    assert (level, "a proxy is in front" in what) == ("warning", True)
    surroundings.setenv("LEADPULSE_TRUSTED_PROXIES", "10.0.0.5")
    assert [level for level, _ in await found(tmp_path, "proxies", production=True)] == ["ok"]


async def test_production_needs_an_address_for_its_links(
    surroundings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without one links in mails lead nowhere and cookies travel without encryption."""
    assert await found(tmp_path, "address") == []
    ((level, what),) = await found(tmp_path, "address", production=True)
    assert (level, "links in mails lead to http://localhost:" in what) == ("bad", True)
    surroundings.setenv("FRONTEND_URL", "http://leads.example.com")
    assert [level for level, _ in await found(tmp_path, "address", production=True)] == ["bad"]
    surroundings.setenv("FRONTEND_URL", "https://leads.example.com")
    assert await found(tmp_path, "address", production=True) == []


async def test_whether_valkey_answers(surroundings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By name and version; over a socket file, too."""
    assert await found(tmp_path, "valkey") == []
    with a_valkey(tmp_path / "valkey") as counter:
        for url in (counter.url, counter.url.replace("redis", "valkey"), counter.file_url):
            surroundings.setenv("REDIS_URL", url)
            ((level, what),) = await found(tmp_path, "valkey")
            assert (level, what.startswith("Valkey 9.")) == ("ok", True), what
    ((level, what),) = await found(tmp_path, "valkey")
    assert level == "bad"
