"""What an operator can set, in the environment or in `.env`.

Everything is checked at start and everything that is wrong is told at once. The
description of a field completes the sentence "<NAME> must be …".
"""

from __future__ import annotations

import difflib
import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from leadpulse.files import secret_once

_SHORTEST_KEY: Final = 32
# An address can hold a password, and a key is a secret; a message repeats neither.
_NEVER_SHOWN: Final = frozenset(
    (
        *("app_database_url", "database_url", "redis_url"),
        *("metrics_token", "signing_key", "signing_key_previous", "smtp_url"),
    )
)
_HALF_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]/*-]{1,255}")


Signup = Literal["first", "open", "closed"]


class SettingsError(Exception):
    """Some settings are wrong; `sentences` names each of them."""

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = sentences
        lines = "\n".join(f"  - {sentence}" for sentence in sentences)
        super().__init__(f"These settings are wrong:\n{lines}")


class ClientRate(NamedTuple):
    """What write keys may send a minute; 0 is no limit."""

    requests: int
    events: int
    project: int


class Ceilings(NamedTuple):
    """What write keys may add a UTC day; 0 is no limit."""

    lead: int
    leads: int
    types: int


def _numbers(count: int) -> BeforeValidator:
    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",")]
        if len(parts) != count or not all(re.fullmatch(r"[0-9]{1,12}", part) for part in parts):
            raise ValueError
        return tuple(int(part) for part in parts)

    return BeforeValidator(split)


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if urlsplit(value).scheme not in schemes:
            raise ValueError
        return value

    return AfterValidator(check)


def _database(value: str) -> str:
    """Refuses what would be torn at the wrong place, and then shown in parts by a driver."""
    address, _, options = value.partition("://")[2].partition("?")
    host, _, name = address.partition("/")
    rest = name if "@" in host else host + name + options
    if host.count("@") > 1 or "@" in rest or _HALF_ENCODED.search(value):
        raise ValueError
    return value


def _smtp(value: str) -> str:
    """Refuses what a mail server can't be reached by, or what would be torn like `_database`."""
    parts = urlsplit(value)
    options = parse_qs(parts.query, strict_parsing=bool(parts.query))
    sender = options.pop("from", [])
    wrong = not parts.hostname or parts.port == 0 or options or parts.path not in ("", "/")
    if wrong or len(sender) > 1 or any("@" not in each for each in sender):
        raise ValueError
    if parts.netloc.count("@") > 1 or _HALF_ENCODED.search(value):
        raise ValueError
    return value


def _origin(value: str) -> str:
    parts = urlsplit(value)
    bare = not parts.query and not parts.fragment and parts.path in ("", "/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not bare:
        raise ValueError
    return value.rstrip("/")


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError
    return value.lower()


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


def _key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _SHORTEST_KEY:
        raise ValueError
    return value


_Port = Annotated[int, Field(ge=0, le=65_535)]
_Key = Annotated[SecretStr, AfterValidator(_key)]
_Database = Annotated[str, _url("postgres", "postgresql"), AfterValidator(_database)]
_DATABASE_TEXT = (
    "an address that begins with postgresql://, its password with %40 for @, %2F for /, "
    "%3F for ? and %25 for %"
)
_PORT_TEXT = "a number from 0 to 65535"
_KEY_TEXT = f"at least {_SHORTEST_KEY} random characters (openssl rand -hex 32)"


class Settings(BaseSettings):
    """All settings, valid. Made by `load_settings`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    environment: Literal["development", "production"] = Field(
        "development", alias="LEADPULSE_ENV", description="development or production"
    )
    database_url: _Database | None = Field(None, alias="DATABASE_URL", description=_DATABASE_TEXT)
    app_database_url: _Database | None = Field(
        None,
        alias="LEADPULSE_APP_DATABASE_URL",
        description=_DATABASE_TEXT,
    )
    redis_url: Annotated[str, _url("redis", "rediss", "valkey", "valkeys", "unix")] | None = Field(
        None, alias="REDIS_URL", description="an address that begins with redis:// or rediss://"
    )
    signing_key: _Key | None = Field(
        None, alias="LEADPULSE_SIGNING_KEY", description=_KEY_TEXT, validate_default=True
    )
    signing_key_previous: _Key | None = Field(
        None, alias="LEADPULSE_SIGNING_KEY_PREVIOUS", description=_KEY_TEXT
    )
    data_dir: Path = Field(
        Path(".leadpulse"), alias="LEADPULSE_DATA_DIR", description="the path of a directory"
    )
    host: Annotated[str, AfterValidator(_host)] = Field(
        "127.0.0.1", alias="LEADPULSE_HOST", description="an address to listen on, like 0.0.0.0"
    )
    port: _Port = Field(4000, alias="PORT", description=_PORT_TEXT)
    worker_port: _Port = Field(
        5000, alias="LEADPULSE_WORKER_PORT", description=f"{_PORT_TEXT}, and not PORT"
    )
    workers: int = Field(
        2, alias="LEADPULSE_WORKERS", ge=1, le=64, description="a number from 1 to 64"
    )
    frontend_url: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)
    ] = Field(
        (),
        alias="FRONTEND_URL",
        description="addresses like https://app.example.com, separated by commas",
    )
    trusted_proxies: Annotated[
        tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...],
        NoDecode,
        BeforeValidator(_split),
    ] = Field(
        (),
        alias="LEADPULSE_TRUSTED_PROXIES",
        description="IP addresses or networks like 10.0.0.0/8, separated by commas",
    )
    allow_hosts: Annotated[
        tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_split)
    ] = Field(
        (),
        alias="LEADPULSE_ALLOW_HOSTS",
        description="host names or networks, separated by commas",
    )
    signup: Signup = Field("first", alias="LEADPULSE_SIGNUP", description="first, open or closed")
    google_client_id: Annotated[str, Field(min_length=10, max_length=200)] | None = Field(
        None, alias="GOOGLE_CLIENT_ID", description="the client id that Google has given you"
    )
    smtp_url: Annotated[str, _url("smtp", "smtps"), AfterValidator(_smtp)] | None = Field(
        None,
        alias="SMTP_URL",
        description="an address like smtps://user:password@mail.example.com?from=me@example.com, "
        "its password with %40 for @, %2F for / and %25 for %",
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ] = Field("info", alias="LEADPULSE_LOG_LEVEL", description="debug, info, warning or error")
    log_format: Literal["console", "json"] = Field(
        "console", alias="LEADPULSE_LOG_FORMAT", description="console or json"
    )
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        None, alias="LEADPULSE_METRICS_TOKEN", description="at least 16 characters"
    )
    client_rate: Annotated[ClientRate, NoDecode, _numbers(3)] = Field(
        ClientRate(200, 1000, 20_000),
        alias="LEADPULSE_CLIENT_RATE",
        description="three whole numbers (requests,events,project) like 200,1000,20000",
    )
    server_rate: int = Field(
        60_000, alias="LEADPULSE_SERVER_RATE", ge=0, description="a whole number, 0 or more"
    )
    api_rate: int = Field(
        3_000, alias="LEADPULSE_API_RATE", ge=0, description="a whole number, 0 or more"
    )
    ceilings: Annotated[Ceilings, NoDecode, _numbers(3)] = Field(
        Ceilings(5000, 100_000, 500),
        alias="LEADPULSE_CEILINGS",
        description="three whole numbers (lead,leads,types) like 5000,100000,500",
    )
    max_leads_per_second: int = Field(
        0, alias="LEADPULSE_MAX_LEADS_PER_SECOND", ge=0, description="a whole number, 0 or more"
    )

    @field_validator("signing_key")
    @classmethod
    def _required_in_production(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("environment") == "production":
            raise ValueError
        return value

    @field_validator("worker_port")
    @classmethod
    def _differs_from_port(cls, value: int, info: ValidationInfo) -> int:
        if value != 0 and value == info.data.get("port"):
            raise ValueError
        return value

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def public_url(self) -> str:
        """Where people reach the dashboard; links in mails lead there."""
        return self.frontend_url[0] if self.frontend_url else f"http://localhost:{self.port}"

    def signing_secret(self) -> str:
        """The key that tokens are signed with.

        In development it is made once and kept in the data directory.
        """
        if self.signing_key is not None:
            return self.signing_key.get_secret_value()
        return secret_once(self.data_dir / "signing.key")

    def environ(self) -> dict[str, str]:
        """These settings as variables, for child processes that must see the same."""
        names = {field.alias: name for name, field in type(self).model_fields.items()}
        return {
            alias: _as_text(getattr(self, name))
            for alias, name in names.items()
            if alias is not None and getattr(self, name) not in (None, ())
        }

    def with_(self, **changes: Any) -> Self:
        """A copy with some values changed, not checked again."""
        return self.model_copy(update=changes)


def load_settings(**overrides: Any) -> Settings:
    """Read and check all settings; `overrides` (by field name) win, None means not given.

    Raises one SettingsError that names everything that is wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    sentences = _misspelled()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        told = {_sentence(problem) for problem in error.errors(include_url=False)}
        raise SettingsError(sorted(sentences + list(told))) from None
    if sentences:
        raise SettingsError(sentences)
    return settings


def _sentence(problem: Any) -> str:
    location = str(problem["loc"][0])
    for name, field in Settings.model_fields.items():
        if location in (name, field.alias):
            break
    else:
        return f"{location}: {problem['msg']}"
    value = os.environ.get(str(field.alias), problem["input"])
    if name == "signing_key" and value is None:
        return f"{field.alias} is required in production: {field.description}"
    sentence = f"{field.alias} must be {field.description}"
    return sentence if name in _NEVER_SHOWN else f"{sentence}, not {value!r}"


def _misspelled() -> list[str]:
    names = [str(field.alias) for field in Settings.model_fields.values()]
    sentences = []
    for name in sorted(os.environ):
        if not name.startswith("LEADPULSE_") or name in names:
            continue
        # Only near misses: other programs around LeadPulse have variables of their own.
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.88)
        if near:
            sentences.append(f"{name} is not a setting; did you mean {near[0]}?")
    return sentences


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)
