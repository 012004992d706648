"""Two projects with the same events, one of which forgets content: their ledgers are the same."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from builders import DAY, Event, add_events, add_leads, add_project, publish, request_refold
from leadpulse.domain.model import Condition, Rule
from leadpulse.domain.presets import preset
from leadpulse.postgres.models import ModelCache
from leadpulse.postgres.session import reach
from leadpulse.usecases.retention import retention_pass
from support.scoring import assert_equals_plain_fold, drain

if TYPE_CHECKING:
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection

LEADS = 3
_NOW = time.time_ns() // 1_000


def model(points: float, least: int) -> ScoringModel:
    """A model that looks at the content of two types."""
    return replace(
        preset("leadpulse"),
        rules=(
            Rule("any", "page_view", "", 2.0, max_points_per_day=5),
            Rule("price", "page_view", "", points, once=True,
                 conditions=(Condition("$path", "contains", "pric"),)),
            Rule("big", "order", "", 7.0, conditions=(Condition("total", "gte", least),)),
            Rule("free", "order", "", -1.0, conditions=(Condition("total", "exists", False),)),  # noqa: FBT003
        ),
    )  # fmt: skip


def event(draw: random.Random, number: int, version: int) -> Event:
    kind = draw.choice(("page_view", "order", "Page-View", "mail_sent"))
    content: dict[str, Any] = {"path": draw.choice(("/a", "/Pricing")), "who": "somebody"}
    if draw.random() < 0.7:
        content["total"] = draw.randrange(100)
    ts = _NOW - int(draw.random() * 80 * DAY)
    return Event(kind, ts, f"e{number}", draw.random() < 0.5, content, None, version)


async def told(conn: Connection, project: str) -> list[Any]:
    """What the ledgers of a project say, by lead; ids of rows differ."""
    cursor = await conn.execute(
        """
        select f.owner, g.kind, g.at, g.entry, e.event_id, e.trusted, g.old_score, g.delta,
            g.new_score, g.points, g.rules, g.steps, g.decayed_at, g.model_version, g.acts
        from leads l
        join lead_profiles f on f.project_id = l.project_id and f.lead_id = l.id
        join ledger g on g.project_id = l.project_id and g.lead_id = l.id
            and g.generation = l.generation
        join events e on e.project_id = g.project_id and e.id = g.event
        where l.project_id = %s order by f.owner, g.entry
        """,
        (project,),
    )
    return await cursor.fetchall()


async def blank(conn: Connection) -> None:
    await conn.execute("update retention_walks set next_at = clock_timestamp()")
    while await retention_pass(conn, ModelCache(), 7):
        pass


async def twins(conn: Connection) -> dict[str, list[str]]:
    """A project that forgets and one that keeps, with their leads; owners are their numbers."""
    projects = [await add_project(conn, model(10.0, 50)) for _ in range(2)]
    await conn.execute("update projects set retention_days = 30 where id = %s", (projects[0],))
    leads = {project: await add_leads(conn, project, LEADS) for project in projects}
    for project, ids in leads.items():
        for name, lead in enumerate(ids):
            await conn.execute(
                "update lead_profiles set owner = %s where project_id = %s and lead_id = %s",
                (str(name), project, lead),
            )
    return leads


async def new_version(conn: Connection, leads: dict[str, list[str]], turn: int) -> int:
    """In the middle a version from now on, later one for all history, with other conditions."""
    if turn == 2:
        return [await publish(conn, p, model(12.0, 20), all_history=False) for p in leads][-1]
    if turn == 4:
        return [await publish(conn, p, model(9.0, 20), all_history=True) for p in leads][-1]
    return 1 if turn < 2 else 2 if turn < 4 else 3


@pytest.mark.parametrize("seed", range(4))
async def test_ledgers_are_those_of_a_project_that_keeps_content(pg: Connection, seed: int) -> None:
    """With late events, new versions and rebuilds, in any order, to the bit."""
    draw = random.Random(seed)
    leads = await twins(pg)
    forgets, keeps = leads
    version = 1
    for turn in range(6):
        batch = [(draw.randrange(LEADS), event(draw, 25 * turn + n, version)) for n in range(25)]
        for project, ids in leads.items():
            await add_events(pg, project, [(ids[lead], one) for lead, one in batch])
        await drain(pg, draw.choice((5, 1_000)))
        await blank(pg)
        version = await new_version(pg, leads, turn)
        for project, ids in leads.items():
            await request_refold(pg, project, ids[turn % LEADS])
        await drain(pg)
        if turn < 4:
            assert await told(pg, forgets) == await told(pg, keeps)
    for project, ids in leads.items():
        await request_refold(pg, project, *ids)
    await drain(pg)
    for lead in leads[forgets]:
        await reach(pg, forgets)
        await assert_equals_plain_fold(pg, forgets, lead)
    cursor = await pg.execute(
        "select count(*) filter (where properties = '{}' and matched is not null), count(*)"
        " from events where project_id = %s",
        (forgets,),
    )
    blanked, every = await cursor.fetchone() or (0, 0)
    assert 40 < blanked < every
