"""Looks at an installation from all sides and says what to do about what it finds."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from leadpulse.bootstrap.database import holds_data, server
from leadpulse.bootstrap.network import ListenError, listen
from leadpulse.http.clients import unknown_proxy
from leadpulse.postgres import revisions
from leadpulse.postgres.connect import connect
from leadpulse.postgres.diagnosis import Diagnosis, diagnose
from leadpulse.postgres.embedded import running_dsn
from leadpulse.postgres.errors import EmbeddedError
from leadpulse.postgres.outages import DatabaseUnreachable
from leadpulse.postgres.queue import TOO_LONG, QueueState
from leadpulse.settings import Settings, SettingsError, load_settings
from leadpulse.usecases.throttle import SharedAway

if TYPE_CHECKING:
    from collections.abc import Iterator

Level = Literal["ok", "warning", "bad"]

_GIGABYTE: Final = 1024**3
_OLDEST_SERVER: Final = 15
# A lock that is waited for longer than this (seconds) is held by something that hangs.
_LONG_WAIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` says what to do about it, unless it is ok."""

    level: Level
    subject: str
    what: str
    advice: str | None = None


async def examine(data_dir: Path | None, *, production: bool) -> list[Finding]:
    """Everything worth saying about this installation; nothing is changed."""
    findings = [*_python(), *_packages()]
    try:
        settings = load_settings(data_dir=data_dir)
    except SettingsError as error:
        wrong = [
            Finding("bad", "settings", sentence, "Correct it in the environment or in .env.")
            for sentence in error.sentences
        ]
        return findings + wrong
    settings = settings.with_(data_dir=settings.data_dir.expanduser().absolute())
    findings.append(Finding("ok", "settings", "all are valid"))
    if settings.database_url is None:
        findings += _data_dir(settings.data_dir)
    findings += _ports(settings)
    findings += _proxies(settings)
    findings += await _database(settings)
    findings += await _valkey(settings)
    findings += await _mail(settings)
    if production or settings.production:
        findings += _production(settings)
    return findings


def _python() -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    # An older one would not have come this far: the package asks for 3.11.
    yield Finding("ok", "python", text)


def _packages() -> Iterator[Finding]:
    names = [
        found.group(0)
        for line in importlib.metadata.requires("leadpulse") or []
        if (found := re.match(r"[A-Za-z0-9_.-]+", line)) and "extra ==" not in line
    ]
    missing = []
    for name in names:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("bad", "packages", f"missing: {', '.join(missing)}", "Run `make setup`.")
    else:
        yield Finding("ok", "packages", f"all {len(names)} are installed")


# ── The machine ──────────────────────────────────────────────────────────────────────


def _data_dir(path: Path) -> Iterator[Finding]:
    place = path
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            "bad", "data directory", f"{place} can't be written to",
            "Choose another with --data-dir, or give this one to the user that runs LeadPulse.",
        )  # fmt: skip
    elif place == path and path.stat().st_mode & 0o066:
        yield Finding(
            "warning", "data directory", f"others may read {path}", f"Run `chmod go-rw {path}`."
        )
    else:
        yield Finding("ok", "data directory", str(path))
    free = shutil.disk_usage(place).free
    text = f"{free / _GIGABYTE:.1f} GB free"
    if free < _GIGABYTE:
        yield Finding("bad", "disk", text, "Free some space: a full disk stops the database.")
    elif free < 5 * _GIGABYTE:
        yield Finding("warning", "disk", text, "A million events take about 2 GB.")
    else:
        yield Finding("ok", "disk", text)


def _ports(settings: Settings) -> Iterator[Finding]:
    serving = settings.database_url is None and running_dsn(settings.data_dir) is not None
    for subject, host, port in (
        ("port", settings.host, settings.port),
        ("worker port", "127.0.0.1", settings.worker_port),
    ):
        try:
            listen(host, port).close()
        except ListenError as error:
            if serving:
                yield Finding("ok", subject, f"{port} is in use, and a LeadPulse is running here")
            else:
                name = "--port or PORT" if subject == "port" else "LEADPULSE_WORKER_PORT"
                sentence = str(error).split(". ", 1)[0]
                yield Finding(
                    "bad", subject, sentence, f"Stop what uses it, or set another with {name}."
                )
        else:
            yield Finding("ok", subject, f"{port} is free")


# ── The database ─────────────────────────────────────────────────────────────────────


async def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None and not holds_data(settings.data_dir):
        return [Finding("ok", "database", "none yet: `leadpulse serve` makes it")]
    try:
        async with server(settings) as dsn:
            connection = await connect(dsn, "doctor")
            try:
                seen = await diagnose(connection)
            finally:
                await connection.close()
            found = await asyncio.to_thread(revisions.applied, dsn)
    except (DatabaseUnreachable, EmbeddedError) as error:
        return [Finding("bad", "database", str(error), "Nothing works without it.")]
    embedded = settings.database_url is None
    return [
        *_server(seen, embedded=embedded),
        *_durability(seen),
        *_care(seen),
        *_schema(found, embedded=embedded),
        *_work(seen.queue),
    ]


def _server(seen: Diagnosis, *, embedded: bool) -> Iterator[Finding]:
    text = f"PostgreSQL {seen.version}{', embedded' if embedded else ''}"
    if seen.version < _OLDEST_SERVER:
        yield Finding("bad", "database", text, f"Upgrade it to {_OLDEST_SERVER} or newer.")
    else:
        yield Finding("ok", "database", text)
    encoding = seen.settings.get("server_encoding", "")
    if encoding != "UTF8":
        yield Finding(
            "bad", "encoding", f"the database is in {encoding}",
            "Create it anew with: createdb --encoding UTF8 --template template0",
        )  # fmt: skip
    skew = (
        f"the database's clock is {abs(seen.skew):.2f} s {'ahead' if seen.skew > 0 else 'behind'}"
    )
    if abs(seen.skew) > 5:
        yield Finding("bad", "clock", skew, "Run a time service (NTP) on both machines.")
    elif abs(seen.skew) > 1:
        yield Finding("warning", "clock", skew, "Run a time service (NTP) on both machines.")
    else:
        yield Finding("ok", "clock", "this machine and the database agree")
    if seen.free_connections < 20:
        yield Finding(
            "warning", "connections", f"{seen.free_connections} are free",
            "Raise max_connections, or stop what holds them.",
        )  # fmt: skip


def _durability(seen: Diagnosis) -> Iterator[Finding]:
    danger = {
        "fsync": "an acknowledged event can be lost in a power cut",
        "full_page_writes": "a power cut can damage the data",
        "synchronous_commit": "the newest acknowledged events can be lost in a crash",
    }
    wrong = [name for name in danger if seen.settings.get(name) in ("off", "local")]
    for name in wrong:
        yield Finding(
            "bad", "durability", f"{name} is {seen.settings[name]}: {danger[name]}",
            f"Set it with: ALTER SYSTEM SET {name} = on",
        )  # fmt: skip
    if not wrong:
        yield Finding("ok", "durability", "what is acknowledged survives a crash")


def _care(seen: Diagnosis) -> Iterator[Finding]:
    if seen.settings.get("autovacuum") != "on":
        yield Finding(
            "bad", "vacuum", "autovacuum is off: the queue slows down without end",
            "Set it with: ALTER SYSTEM SET autovacuum = on",
        )  # fmt: skip
    elif int(seen.settings.get("autovacuum_naptime", "60")) > 15:
        yield Finding(
            "warning", "vacuum",
            f"autovacuum looks every {seen.settings['autovacuum_naptime']} s, which is late for "
            "a busy queue",
            "Set it with: ALTER SYSTEM SET autovacuum_naptime = '5s'",
        )  # fmt: skip
    else:
        yield Finding("ok", "vacuum", "the queue's tables are looked after")
    if seen.settings.get("track_commit_timestamp") != "on":
        yield Finding(
            "warning", "commit times", "track_commit_timestamp is off: the pipeline times of "
            "events lack when they were committed",
            "Set it with: ALTER SYSTEM SET track_commit_timestamp = on, then restart PostgreSQL",
        )  # fmt: skip


def _schema(found: str | None, *, embedded: bool) -> Iterator[Finding]:
    wanted = revisions.newest()
    if found == wanted:
        yield Finding("ok", "schema", f"at revision {found}, the newest")
    elif found is not None and found > wanted:
        yield Finding(
            "bad", "schema", f"at revision {found}, and this version knows {wanted}",
            "Install the newer LeadPulse that wrote it.",
        )  # fmt: skip
    else:
        level: Level = "warning" if embedded else "bad"
        state = "no schema yet" if found is None else f"at revision {found} of {wanted}"
        yield Finding(level, "schema", state, "Run `leadpulse migrate`.")


def _work(queue: QueueState | None) -> Iterator[Finding]:
    if queue is None:
        return
    if queue.failed:
        yield Finding(
            "warning", "failed work", f"{queue.failed} leads failed for good",
            "See `leadpulse dlq list`.",
        )  # fmt: skip
    text = "nothing waits"
    if queue.waiting:
        text = f"{queue.waiting:,} events wait, the oldest for {_duration(queue.oldest_seconds)}"
    if queue.waiting > 100_000 or queue.oldest_seconds > TOO_LONG:
        yield Finding("warning", "queue", text, "Start more scorers: --workers N.")
    else:
        yield Finding("ok", "queue", text)
    yield _scorers(queue)
    if queue.lock_wait_seconds > _LONG_WAIT:
        yield Finding(
            "warning", "locks",
            f"{queue.lock_waits} sessions wait for a lock, for {queue.lock_wait_seconds:.0f} s",
            "See pg_locks and pg_stat_activity for who holds it.",
        )  # fmt: skip


def _scorers(queue: QueueState) -> Finding:
    if queue.stopped:
        return Finding(
            "bad", "scorers", f"scoring has stopped: {queue.stopped_because}",
            "Nearly every lead fails. Mend the cause; scorers then go on by themselves.",
        )  # fmt: skip
    last = "" if queue.last_sign is None else f"the last pass was {_duration(queue.last_sign)} ago"
    if queue.workers:
        return Finding("ok", "scorers", f"{queue.workers} at work, {last}")
    if queue.waiting:
        return Finding(
            "warning", "scorers", f"none is at work{last and f'; {last}'}",
            "Start `leadpulse serve` or `leadpulse worker`.",
        )  # fmt: skip
    return Finding("ok", "scorers", f"none is at work{last and f'; {last}'}")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 172_800), ("hours", 7_200), ("minutes", 120)):
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"


# ── What stands in front and beside ──────────────────────────────────────────────────


def _proxies(settings: Settings) -> Iterator[Finding]:
    unknown = unknown_proxy(settings.data_dir, settings.trusted_proxies)
    if unknown is not None:
        yield Finding(
            "warning", "proxies",
            f"requests with X-Forwarded-For come from {unknown}, which is not trusted",
            "If it is your proxy, add it to LEADPULSE_TRUSTED_PROXIES: until then all who come "
            "through it share the rates of one address.",
        )  # fmt: skip
    wide = [str(network) for network in settings.trusted_proxies if network.prefixlen == 0]
    if wide:
        yield Finding(
            "bad", "proxies", f"LEADPULSE_TRUSTED_PROXIES trusts everybody ({', '.join(wide)})",
            "Name only your proxies: others could forge the addresses that limits go by.",
        )  # fmt: skip
    elif settings.trusted_proxies and unknown is None:
        named = ", ".join(str(network) for network in settings.trusted_proxies)
        yield Finding("ok", "proxies", f"{named} may name the client's address")


async def _valkey(settings: Settings) -> list[Finding]:
    if settings.redis_url is None:
        return []
    from leadpulse.valkey import Valkey  # noqa: PLC0415 - loaded only where it is used

    valkey = Valkey(settings.redis_url, "doctor")
    try:
        version = await valkey.version()
    except SharedAway:
        return [
            Finding(
                "bad", "valkey", "REDIS_URL does not answer",
                "Start it, or correct REDIS_URL; until then each process counts rates by itself.",
            )
        ]  # fmt: skip
    finally:
        await valkey.close()
    return [Finding("ok", "valkey", f"{version} answers")]


async def _mail(settings: Settings) -> list[Finding]:
    if settings.smtp_url is None:
        return []
    from leadpulse.channels.mail import server_of, trouble  # noqa: PLC0415

    server = server_of(settings.smtp_url)
    where = f"{server.host}:{server.port}"
    found = await trouble(server)
    if found is None:
        return [Finding("ok", "mail", f"{where} lets us in")]
    advice = "Correct SMTP_URL, its password, or the certificate of the server."
    return [Finding("bad", "mail", f"{where} takes no mail from us: {found}", advice)]


# ── Production ───────────────────────────────────────────────────────────────────────


def _production(settings: Settings) -> Iterator[Finding]:
    if not settings.production:
        yield Finding(
            "bad", "environment", "LEADPULSE_ENV is development", "Set LEADPULSE_ENV=production."
        )
    if settings.signing_key is None:
        yield Finding(
            "bad", "signing key", "LEADPULSE_SIGNING_KEY is not set",
            "Set it to the output of: openssl rand -hex 32",
        )  # fmt: skip
    if settings.database_url is None:
        yield Finding(
            "warning", "database", "the embedded PostgreSQL lives on this one machine",
            "Take backups with `leadpulse backup`, or set DATABASE_URL.",
        )  # fmt: skip
    insecure = [origin for origin in settings.frontend_url if origin.startswith("http://")]
    if insecure:
        yield Finding(
            "bad", "address", f"{', '.join(insecure)} is not encrypted",
            "Use https:// in FRONTEND_URL: cookies and keys travel over it.",
        )  # fmt: skip
    if not settings.frontend_url:
        yield Finding(
            "bad", "address",
            f"FRONTEND_URL is not set: links in mails lead to {settings.public_url}",
            "Set it to the public https:// address.",
        )  # fmt: skip
    elif not insecure and not settings.trusted_proxies:
        yield Finding(
            "warning", "proxies",
            "FRONTEND_URL is https://, so a proxy is in front, but LEADPULSE_TRUSTED_PROXIES names "
            "none",
            "Name it: without, everybody shares the rates of one address, and cookies are not "
            "marked as secure.",
        )  # fmt: skip
    if settings.smtp_url is None:
        yield Finding(
            "warning", "mail", "SMTP_URL is not set: nobody gets mail",
            "Set it; until then `leadpulse users link` shows the links.",
        )  # fmt: skip
    if settings.metrics_token is None:
        yield Finding(
            "warning", "metrics", "LEADPULSE_METRICS_TOKEN is not set: /metrics stays closed",
            "Set it to let a monitoring system in.",
        )  # fmt: skip
    yield from _walls(settings)
    if os.geteuid() == 0:
        yield Finding(
            "warning", "user", "this runs as root", "Run it as a user of its own, like leadpulse."
        )


def _walls(settings: Settings) -> Iterator[Finding]:
    open_ = [
        name
        for name, value in (
            ("LEADPULSE_CLIENT_RATE", min(settings.client_rate)),
            ("LEADPULSE_SERVER_RATE", settings.server_rate),
            ("LEADPULSE_API_RATE", settings.api_rate),
            ("LEADPULSE_CEILINGS", min(settings.ceilings)),
        )
        if value == 0
    ]
    if open_:
        yield Finding(
            "warning", "limits", f"{', '.join(open_)} sets no limit: anybody can fill the disk",
            "Unset it to get the default.",
        )  # fmt: skip
