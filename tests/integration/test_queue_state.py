"""How the work of an installation is told to operators: age, brake, last sign, locks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import builders
from builders import NOON, Event
from leadpulse.bootstrap.doctor import Finding, examine
from leadpulse.postgres.connect import Connection, connect
from leadpulse.postgres.queue import queue_state
from support.scoring import eventually

if TYPE_CHECKING:
    import pytest

_WORKER = """
insert into workers (id, host, pid, started_at, seen_at, state, detail)
values (gen_random_uuid(), 'here', 1, now(), now() - %s * interval '1 second', %s, %s)
"""


async def found(monkeypatch: pytest.MonkeyPatch, database: str) -> dict[str, Finding]:
    monkeypatch.setenv("DATABASE_URL", database)
    return {one.subject: one for one in await examine(None, production=False)}


async def test_work_that_nobody_does_is_told(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old queue without scorers is degraded; with one at work it only waits its turn."""
    assert (await found(monkeypatch, database))["queue"].what == "nothing waits"
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(pg, project, [(lead, Event("signup", NOON, "a"))])
    await pg.execute("update inbox set received_at = now() - interval '10 minutes'")
    await pg.execute(_WORKER, (120, "scoring", None))
    state = await queue_state(pg)
    assert (state.waiting, state.workers, state.stuck) == (1, 0, True)
    assert 600 <= state.oldest_seconds < 660
    told = await found(monkeypatch, database)
    assert (told["queue"].level, told["scorers"].level) == ("warning", "warning")
    assert "the oldest for 10 minutes" in told["queue"].what
    assert "the last pass was 2 minutes ago" in told["scorers"].what
    await pg.execute(_WORKER, (1, "scoring", None))
    assert not (await queue_state(pg)).stuck
    assert (await found(monkeypatch, database))["scorers"].level == "ok"


async def test_a_brake_is_told_with_its_reason(
    pg: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scorers that stopped, because nearly everything fails, are alive and still bad news."""
    await pg.execute(_WORKER, (1, "stopped", "12 of 12 leads failed"))
    state = await queue_state(pg)
    assert (state.workers, state.stopped, state.stuck) == (1, 1, True)
    scorers = (await found(monkeypatch, database))["scorers"]
    assert scorers.level == "bad"
    assert "12 of 12 leads failed" in scorers.what


async def test_lock_waits_are_counted_with_their_age(pg: Connection, database: str) -> None:
    """Sessions of ours that wait for a lock; the first since when."""
    assert (await queue_state(pg)).lock_waits == 0
    holder, waiter = await connect(database, "api"), await connect(database, "scorer")
    async with holder.transaction():
        await holder.execute("lock table ledger in access exclusive mode")
        waiting = asyncio.create_task(waiter.execute("select count(*) from ledger"))

        async def waits() -> bool:
            return (await queue_state(pg)).lock_waits == 1

        await eventually(waits, within=10)
        assert 0 <= (await queue_state(pg)).lock_wait_seconds < 10
    await waiting
    assert (await queue_state(pg)).lock_waits == 0
    for conn in (holder, waiter):
        await conn.close()
