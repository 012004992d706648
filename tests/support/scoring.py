"""What tests of the scorer share: draining the inbox, and the law to hold its result against."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from leadpulse.domain.fold import at, fold
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres.facts import Wanted, load_facts, with_properties
from leadpulse.postgres.models import load_models
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.refold import refold_pass
from leadpulse.usecases.score import Desk, score_pass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from leadpulse.postgres.connect import Connection


async def drain(conn: Connection, rows: int = 1000, desk: Desk | None = None) -> int:
    """Score until nothing that may be taken is left; returns the number of passes."""
    desk, rotation, passes, idle = desk or Desk(conn), Rotation(), 0, 0
    while idle < 2:
        result = await score_pass(desk, rotation, rows)
        result.add(await refold_pass(desk))
        idle = idle + 1 if result.idle else 0
        passes += not result.idle
    return passes


async def one(conn: Connection, query: str, *parameters: Any) -> Any:
    """The only row of a query; of one column its value."""
    cursor = await conn.execute(query.encode(), parameters)
    row = await cursor.fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


async def ledger(conn: Connection, lead: str) -> list[tuple[Any, ...]]:
    """The ledger that readers of a lead see."""
    cursor = await conn.execute(
        """
        select g.kind, g.at, g.entry, g.event, g.old_score, g.delta, g.new_score, g.points,
            g.rules, g.steps, g.decayed_at, g.model_version, g.acts
        from ledger g join leads l on l.id = g.lead_id and l.generation = g.generation
        where g.lead_id = %s order by g.entry
        """,
        (lead,),
    )
    return await cursor.fetchall()


async def assert_equals_plain_fold(conn: Connection, project: str, lead: str) -> None:
    """The lead's state and ledger are those of one fold of all its facts in their order."""
    models = await load_models(conn, project)
    (facts,) = await load_facts(conn, [Wanted(project, lead, 0, models.newest, 1_000_000)])
    await with_properties(conn, [(project, facts)], lambda _: models)
    plain = fold(State(), facts, models)
    assert await ledger(conn, lead) == [tuple(entry) for entry in plain.entries]
    state, score, as_of, entries, stale = await one(
        conn, "select state, score, as_of, entries, stale from leads where id = %s", lead
    )
    assert state_from_document(state) == plain.state
    assert score == at(plain.state, as_of).score
    assert entries == len(plain.entries)
    assert not stale


async def assert_no_strays(conn: Connection) -> None:
    """No ledger entry belongs to a generation that nobody reads."""
    stray = await one(
        conn,
        "select count(*) from ledger g join leads l on l.id = g.lead_id"
        " where g.generation <> l.generation",
    )
    assert stray == 0


async def eventually(holds: Callable[[], Awaitable[object]], within: float) -> None:
    """Wait until something holds: where other processes are at work there is no signal."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until(conn: Connection, query: str, within: float) -> None:
    """Wait until a query answers true."""
    await eventually(lambda: one(conn, query), within)
