"""SIGKILL at random instants, under load: what was acknowledged is there, scored exactly once."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from support.server import Project, Server, report, running, wait_until

KINDS = ("page_view", "signup", "download", "demo_request", "email_open", "mail_sent")


@dataclass
class Load:
    """Clients that never give an event up, and remember what was acknowledged."""

    server: Server
    project: Project
    seed: int
    stop: threading.Event = field(default_factory=threading.Event)
    acknowledged: set[str] = field(default_factory=set)
    last_answer: float = field(default_factory=time.monotonic)
    longest_silence: float = 0.0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, client_number: int) -> None:
        """Sends batches until told to stop; a batch is repeated until it is acknowledged."""
        chance = random.Random(f"{self.seed}/{client_number}")
        with httpx.Client(base_url=self.server.url, timeout=15) as client:
            number = 0
            while not self.stop.is_set():
                batch = [
                    self.event(chance, f"{client_number}-{number + i}")
                    for i in range(chance.randint(1, 40))
                ]
                number += len(batch)
                self.deliver(client, chance, batch)

    def event(self, chance: random.Random, event_id: str) -> dict[str, Any]:
        """An event of one of 200 people, now and then late, now and then by another name."""
        person = chance.randrange(200)
        event: dict[str, Any] = {
            "event": chance.choice(KINDS),
            "eventId": event_id,
            "anonymousId": f"browser-{person}",
            "properties": {"path": chance.choice(("/", "/pricing", "/docs"))},
        }
        if chance.random() < 0.1:
            event["userId"] = f"person-{person}"
        if chance.random() < 0.3:
            event["timestamp"] = int((time.time() - chance.uniform(0, 20 * 86_400)) * 1000)
        return event

    def deliver(
        self, client: httpx.Client, chance: random.Random, batch: list[dict[str, Any]]
    ) -> None:
        body = json.dumps({"events": batch}).encode()
        headers = {"X-API-Key": self.project.secret_key, "Content-Type": "application/json"}
        while True:
            try:
                answer = client.post("/api/ingest/batch", content=body, headers=headers)
            except httpx.HTTPError:
                time.sleep(chance.uniform(0.02, 0.1))
                continue
            if answer.status_code == 202:
                break
            if answer.status_code != 503:
                with self.lock:
                    self.errors.append(f"{answer.status_code} {answer.text[:300]}")
                return
            time.sleep(chance.uniform(0.02, 0.1))
        with self.lock:
            now = time.monotonic()
            self.longest_silence = max(self.longest_silence, now - self.last_answer)
            self.last_answer = now
            self.acknowledged.update(event["eventId"] for event in batch)


def victims(server: Server) -> dict[str, list[psutil.Process]]:
    """Who can be killed: API, scorers, and PostgreSQL (postmaster or one of its backends)."""
    return {
        "api": server.apis(),
        "scorer": server.scorers(),
        "postgres": server.postmaster(),
    }


def kill_around(server: Server, kills: int, chance: random.Random) -> Counter[str]:
    """SIGKILLs processes at random instants, each kind at least once in a while."""
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        time.sleep(chance.uniform(0.2, 3.0))
        kind = ("api", "scorer", "postgres")[killed.total() % 3]
        found = victims(server)[kind]
        if found:
            chance.choice(found).kill()
            killed[kind] += 1
    return killed


COUNTS = """
    select (select count(*) from events e where e.project_id = %(p)s
              and e.event_type <> '$profile'),
           (select count(*) from ledger g join leads l on l.project_id = g.project_id
              and l.id = g.lead_id and l.generation = g.generation
             where g.project_id = %(p)s and g.kind <> 1 and l.merged_into is null),
           (select count(distinct g.event) from ledger g join leads l
                on l.project_id = g.project_id and l.id = g.lead_id
               and l.generation = g.generation
             where g.project_id = %(p)s and g.kind <> 1 and l.merged_into is null),
           (select count(*) from inbox where project_id = %(p)s)
"""


def crash(directory: Path, kills: int, seed: int) -> str:
    """One run: load, kills, then the counts and the proof."""
    chance = random.Random(seed)
    with running(directory, workers=2) as server:
        project = server.project()
        load = Load(server, project, seed)
        clients = [threading.Thread(target=load.run, args=[n]) for n in range(3)]
        for client in clients:
            client.start()
        try:
            killed = kill_around(server, kills, chance)
            wait_until("service after the last kill", server.healthy, 30)
        finally:
            load.stop.set()
            for client in clients:
                client.join(60)
        assert not load.errors, load.errors[:3]
        with psycopg.connect(server.dsn, autocommit=True) as connection:

            def counts() -> tuple[int, ...]:
                row = connection.execute(COUNTS, {"p": project.id}).fetchone()
                assert row is not None
                return tuple(row)

            wait_until("an empty inbox", lambda: counts()[3] == 0, 120, 0.2)
            stored, entries, distinct, _ = counts()
            known = {
                row[0]
                for row in connection.execute(
                    "select event_id from events where project_id = %s", [project.id]
                )
            }
        found = server.verify()
        assert load.acknowledged <= known, "acknowledged, but not stored"
        assert entries == distinct == stored, "an event was scored twice or not at all"
        assert found["ok"], found["differing"][:3]
        assert found["pending"] == 0
    return (
        f"{dict(killed)} killed, {len(load.acknowledged)} acknowledged, {stored} stored, "
        f"{entries} scored, longest silence {load.longest_silence:.1f} s"
    )


@pytest.mark.timeout(300)
def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """API, scorers and PostgreSQL killed in turn: every acknowledged event scores exactly once."""
    report(crash(tmp_path, kills=9, seed=1))


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_many_kills_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    """Seventy kills in one run: every acknowledged event scores exactly once."""
    report(crash(tmp_path, kills=70, seed=seed))
