"""A million events through one installation: memory stays where it was, the inbox stays small.

`LEADPULSE_SOAK_EVENTS` is another number of events, for a try by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from typing import TYPE_CHECKING, NamedTuple

import httpx
import psutil
import psycopg
import pytest

from support.server import Server, report, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MEGABYTE = 1024 * 1024
KINDS = ("page_view", "page_view", "signup", "download", "demo_request", "mail_sent")
PEOPLE = 20_000
BATCH = 500
# The sender waits while so many rows wait, as whoever imports does.
DEEPEST = 20_000


class Reading(NamedTuple):
    """Megabytes of processes and of the inbox with its index, after so many events."""

    events: int
    api: float
    scorers: float
    inbox: float


def _resident(processes: Iterable[psutil.Process]) -> float:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / MEGABYTE


def read(server: Server, connection: psycopg.Connection, events: int) -> Reading:
    """What everything takes now."""
    row = connection.execute("select pg_total_relation_size('inbox')").fetchone()
    assert row is not None
    inbox = row[0] / MEGABYTE
    return Reading(events, _resident(server.apis()), _resident(server.scorers()), inbox)


def batch(chance: random.Random) -> bytes:
    """Events of known and new people, a few of them late."""
    now = time.time()
    events = []
    for _ in range(BATCH):
        event: dict[str, object] = {
            "event": chance.choice(KINDS),
            "anonymousId": f"v{chance.randrange(PEOPLE)}",
            "properties": {"path": chance.choice(("/", "/pricing", "/docs"))},
        }
        if chance.random() < 0.05:
            event["timestamp"] = int((now - chance.uniform(0, 20 * 86_400)) * 1000)
        events.append(event)
    return json.dumps({"events": events}).encode()


def waiting(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from (select from inbox limit 100000) i").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.soak
def test_memory_and_inbox_stay_bounded(tmp_path: Path) -> None:
    """After the warm-up neither a process nor the inbox grows with the number of events."""
    events = int(os.environ.get("LEADPULSE_SOAK_EVENTS", "1000000"))
    chance = random.Random(1)
    readings: list[Reading] = []
    with running(tmp_path, workers=2) as server:
        project = server.project()
        headers = {"X-API-Key": project.secret_key}
        with (
            psycopg.connect(server.dsn, autocommit=True) as connection,
            httpx.Client(base_url=server.url, headers=headers, timeout=60) as client,
        ):
            for sent in range(BATCH, events + 1, BATCH):
                answer = client.post("/api/ingest/batch", content=batch(chance))
                while answer.status_code == 503:
                    time.sleep(0.1)
                    answer = client.post("/api/ingest/batch", content=batch(chance))
                assert answer.status_code == 202, answer.text
                if sent % (BATCH * 10) == 0:
                    while waiting(connection) > DEEPEST:
                        time.sleep(0.05)
                if sent % max(BATCH, events // 20) < BATCH:
                    readings.append(read(server, connection, sent))
                    report(str(readings[-1]))
            wait_until("an empty inbox", lambda: waiting(connection) == 0, 600, 0.5)
        found = server.verify()
    assert found["ok"], found["differing"][:3]
    _stays_flat(readings)


def _stays_flat(readings: list[Reading]) -> None:
    """Nothing in the second half takes much more than it took in the first."""
    middle = len(readings) // 2
    for name in ("api", "scorers", "inbox"):
        before = max(getattr(reading, name) for reading in readings[2:middle])
        after = max(getattr(reading, name) for reading in readings[middle:])
        assert after <= before * 1.15 + 10, f"{name} grew from {before:.0f} to {after:.0f} MB"
    steady = readings[-1].api + readings[-1].scorers
    assert steady < 400, f"API and scorers take {steady:.0f} MB"
