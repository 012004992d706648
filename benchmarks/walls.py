"""What the walls between projects cost the intake, measured with and without them in one run.

python -m benchmarks.walls            eight rounds of each, half a minute
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from leadpulse.domain.wire import EventReader, WireEvent
from leadpulse.ids import uuid7
from leadpulse.postgres.connect import connect
from leadpulse.postgres.embedded import EmbeddedPostgres
from leadpulse.postgres.migrate import migrate
from leadpulse.usecases.ceilings import Limits
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import Caller, project_caller
from leadpulse.usecases.projects import create_project

_BATCH = 500
_WITHOUT = """
do $$ declare t text; begin
    for t in select tablename from pg_policies where policyname = 'wall' loop
        execute format('alter table %I disable row level security', t);
    end loop;
end $$
"""


@dataclass
class Side:
    """One of the two: a database with projects, and its intake."""

    name: str
    dsn: str
    callers: list[Caller]
    intake: IntakeBuffer
    backend: psutil.Process

    def cpu(self) -> float:
        """CPU seconds of this process and of the intake's backend."""
        spent = self.backend.cpu_times()
        return time.process_time() + float(spent.user + spent.system)


@dataclass(frozen=True)
class Round:
    """Events a second, which whatever else runs disturbs, and CPU µs per event."""

    rate: float
    cost: float


async def opened(server: EmbeddedPostgres, name: str, projects: int) -> Side:
    """A database with so many projects."""
    dsn = server.dsn_of(name)
    with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    await asyncio.to_thread(migrate, dsn)
    if name == "without":
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute(_WITHOUT)
    connection = await connect(dsn, "bench")
    callers = []
    for number in range(projects):
        made = await create_project(connection, f"Project {number}")
        caller = await project_caller(connection, made.id)
        if caller is not None:
            callers.append(caller)
    await connection.close()
    intake = IntakeBuffer(dsn, Limits(0, 0, 0))
    await intake.start()
    with psycopg.connect(dsn, autocommit=True) as owner:
        row = owner.execute(
            "select pid from pg_stat_activity where datname = current_database()"
            " and application_name = 'leadpulse-intake'"
        ).fetchone()
    if row is None:
        raise SystemExit("the intake is not connected")
    return Side(name, dsn, callers, intake, psutil.Process(row[0]))


def batch(leads: int, number: int) -> list[WireEvent]:
    """Events of people in turn, each with properties as pages send them."""
    reader, found = EventReader(), []
    for index in range(_BATCH):
        document = {
            "event": "page_view",
            "eventId": uuid7(),
            "anonymousId": f"browser-{(number * _BATCH + index) % leads}",
            "properties": {"path": "/pricing", "title": "What people look at", "width": 1280},
        }
        found.append(reader.read(document))
    return found


async def round_of(side: Side, batches: list[list[WireEvent]], *, mixed: bool) -> Round:
    """Four callers at once. `mixed`: the batches are of all projects in turn."""
    queue = iter(enumerate(batches))
    began, spent = time.perf_counter(), side.cpu()

    async def send() -> None:
        for number, events in queue:
            caller = side.callers[number % len(side.callers) if mixed else 0]
            await side.intake.take(caller, events)

    await asyncio.gather(*(send() for _ in range(4)))
    events = len(batches) * _BATCH
    return Round(events / (time.perf_counter() - began), (side.cpu() - spent) / events * 1e6)


async def measure(rounds: int, events: int, leads: int) -> None:
    """Both sides in turn, so that what the machine does meanwhile meets both alike."""
    with tempfile.TemporaryDirectory(prefix="leadpulse-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder, "data"))
        await server.start()
        try:
            sides = [await opened(server, name, 8) for name in ("without", "behind")]
            for mixed in (False, True):
                rates: dict[str, list[Round]] = {side.name: [] for side in sides}
                for side in sides:
                    count = leads // _BATCH * (len(side.callers) if mixed else 1)
                    first = [batch(leads, n // (8 if mixed else 1)) for n in range(count)]
                    await round_of(side, first, mixed=mixed)
                for number in range(rounds):
                    for side in sides if number % 2 else reversed(sides):
                        sent = [batch(leads, n) for n in range(events // _BATCH)]
                        rates[side.name].append(await round_of(side, sent, mixed=mixed))
                _tell("eight projects mixed" if mixed else "one project", rates)
            for side in sides:
                await side.intake.stop()
        finally:
            await server.stop()


def _tell(what: str, rounds: dict[str, list[Round]]) -> None:
    pairs = [*zip(rounds["without"], rounds["behind"], strict=True)]
    rate = [statistics.median(r.rate for r in rounds[name]) for name in ("without", "behind")]
    cost = [statistics.median(r.cost for r in rounds[name]) for name in ("without", "behind")]
    faster = statistics.median(b.rate / a.rate for a, b in pairs)
    dearer = statistics.median(b.cost / a.cost for a, b in pairs)
    sys.stdout.write(
        f"{what}: {rate[0]:,.0f}/s without walls, {rate[1]:,.0f}/s behind them ({faster:.1%}); "
        f"CPU per event {cost[0]:.1f} and {cost[1]:.1f} µs ({dearer:.1%})\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Reads how much, measures, tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--leads", type=int, default=5_000)
    given = parser.parse_args()
    asyncio.run(measure(given.rounds, given.events, given.leads))


if __name__ == "__main__":
    main()
