from __future__ import annotations

import os
import stat
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from leadpulse.settings import Ceilings, ClientRate, SettingsError, load_settings

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no .env of this machine takes part."""
    for name in list(os.environ):
        if name.startswith("LEADPULSE_") or name in {"PORT", "DATABASE_URL", "FRONTEND_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set() -> None:
    """Without any variable everything has the value that the contract names."""
    settings = load_settings()
    assert settings.database_url is None
    assert settings.port == 4000
    assert settings.worker_port == 5000
    assert settings.client_rate == ClientRate(200, 1000, 20_000)
    assert (settings.server_rate, settings.api_rate) == (60_000, 3_000)
    assert settings.ceilings == Ceilings(5000, 100_000, 500)
    assert not settings.production


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One error names all of them, says what each must be, and repeats no secret."""
    wrong = {
        "DATABASE_URL": "mysql://user:hidden@host/db",
        "LEADPULSE_CEILINGS": "1,2",
        "LEADPULSE_ENV": "production",
        "LEADPULSE_LOG_FORMAT": "xml",
        "LEADPULSE_TRUSTED_PROXIES": "10.0.0.0/8,nonsense",
        "LEADPULSE_WORKERS": "0",
        "PORT": "eighty",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    named = [sentence.split(" ")[0] for sentence in caught.value.sentences]
    expected = {*wrong, "LEADPULSE_SIGNING_KEY"} - {"LEADPULSE_ENV"}
    assert named == sorted(expected)
    assert "PORT must be a number from 0 to 65535, not 'eighty'" in caught.value.sentences
    assert "hidden" not in str(caught.value)


def test_a_near_miss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelled name is an error that names the right one, not a silent default."""
    monkeypatch.setenv("LEADPULSE_CEILING", "1,1,1")
    with pytest.raises(SettingsError, match="did you mean LEADPULSE_CEILINGS"):
        load_settings()


def test_lists_and_numbers_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commas, spaces and empty values do what one would expect."""
    monkeypatch.setenv("LEADPULSE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    monkeypatch.setenv("FRONTEND_URL", "https://a.example/,http://localhost:3000")
    monkeypatch.setenv("LEADPULSE_CEILINGS", "0, 0, 0")
    monkeypatch.setenv("DATABASE_URL", "")
    settings = load_settings()
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1"))
    assert settings.frontend_url == ("https://a.example", "http://localhost:3000")
    assert settings.ceilings == Ceilings(0, 0, 0)
    assert settings.database_url is None


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option of the command line beats a variable; None means that it was not given."""
    monkeypatch.setenv("PORT", "4444")
    assert load_settings(port=4001).port == 4001
    assert load_settings(port=None).port == 4444


def test_both_ports_cannot_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's health port differs from the API's."""
    monkeypatch.setenv("PORT", "5000")
    with pytest.raises(SettingsError, match="LEADPULSE_WORKER_PORT must be"):
        load_settings()


def test_settings_survive_the_way_to_a_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables made from settings give the same settings."""
    monkeypatch.setenv("LEADPULSE_SIGNING_KEY", _KEY)
    monkeypatch.setenv("LEADPULSE_TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8")
    settings = load_settings(port=4001, workers=3)
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_production_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no default secret in production, and a short one is refused."""
    monkeypatch.setenv("LEADPULSE_ENV", "production")
    with pytest.raises(SettingsError, match="SIGNING_KEY is required in production"):
        load_settings()
    monkeypatch.setenv("LEADPULSE_SIGNING_KEY", "short")
    with pytest.raises(SettingsError, match="SIGNING_KEY must be at least 32"):
        load_settings()
    monkeypatch.setenv("LEADPULSE_SIGNING_KEY", _KEY)
    assert load_settings().signing_secret() == _KEY


def test_development_makes_a_key_once(tmp_path: Path) -> None:
    """In development a random key is made on first use, readable by its owner only, and kept."""
    settings = load_settings(data_dir=tmp_path / "data")
    first = settings.signing_secret()
    assert len(first) == 64
    assert settings.signing_secret() == first
    mode = (tmp_path / "data" / "signing.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert load_settings(data_dir=tmp_path / "other").signing_secret() != first


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text form of settings, as it lands in logs, hides keys."""
    monkeypatch.setenv("LEADPULSE_SIGNING_KEY", _KEY)
    assert _KEY not in repr(load_settings())
