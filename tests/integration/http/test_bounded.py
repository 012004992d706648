"""Heavy questions end: with an answer that is shared, or with a word to come again."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from leadpulse.http.routes import admin
from leadpulse.postgres import analytics as events
from leadpulse.postgres import figures
from leadpulse.postgres.connect import connect
from leadpulse.postgres.session import fetch_all, fetch_one
from leadpulse.usecases import analytics, maintain
from leadpulse.usecases.analytics import Dashboards

if TYPE_CHECKING:
    import pytest

    from leadpulse.postgres.connect import Connection
    from support.api import Api

_FILL = """
with made as (
    insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at, last_event_at)
    select %(p)s, gen_random_uuid(), n %% 100, now(), 1, now(), now(), now()
    from generate_series(1, 10000) n returning project_id, id
), profiles as (
    insert into lead_profiles (project_id, lead_id, email, traits, updated_at)
    select project_id, id, id || '@x.example', jsonb_build_object('about', repeat('x', 300)), now()
    from made
)
insert into stage_changes (project_id, lead_id, id, at, from_stage, to_stage, score,
    model_version, cause)
select project_id, id, gen_random_uuid(), now() - interval '9 days', 2, 3, 60, 1, 'event' from made
"""
_YEARS = """
insert into activity (project_id, hour, event_type, events)
select %(p)s, date_trunc('hour', now()) - n * interval '1 hour', 'signup', 1
from generate_series(1, 20000) n
"""


async def test_a_check_that_takes_too_long_is_postponed(
    api: Api, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks gets 503 in time, and nothing goes on behind his back."""
    monkeypatch.setattr(admin, "_LONGEST_CHECK", 0.5)
    await api.send({"event": "signup", "userId": "a"})
    await api.score()
    holder = await connect(database, "holder")
    async with holder.transaction():
        await holder.execute("lock table ledger in access exclusive mode")
        first = asyncio.create_task(api.client.post("/api/admin/verify", headers=key(api)))
        await asyncio.sleep(0.2)
        second = await api.call("POST", "/api/admin/verify", 503)
        assert second["detail"] == "Another check is under way."
        answer = await asyncio.wait_for(first, 10)
    await holder.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "leadpulse verify" in answer.json()["detail"]
    monkeypatch.setattr(admin, "_LONGEST_CHECK", 30.0)
    assert (await api.call("POST", "/api/admin/verify"))["ok"]
    busy = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    cursor = await api.conn.execute(busy)
    assert await cursor.fetchall() == [(0,)]


def key(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.project.secret_key}"}


async def test_only_a_dashboard_that_took_long_is_shown_again(api: Api) -> None:
    """Within five seconds a large project's figures stay; others are of now."""
    quick, slow = Dashboards(slow=60.0), Dashboards(slow=0.0)

    async def leads(cache: Dashboards) -> int:
        found = await cache.get(api.pool, api.services.models, api.project.id)
        return found.leads.all.leads

    assert [await leads(quick), await leads(slow)] == [0, 0]
    await api.send({"event": "signup", "userId": "a"})
    assert [await leads(quick), await leads(slow)] == [1, 0]
    together = await asyncio.gather(*(
        slow.get(api.pool, api.services.models, api.project.id) for _ in range(5)
    ))  # fmt: skip
    assert len({id(one) for one in together}) == 1


async def test_the_dashboard_reads_no_history_and_no_profiles(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of hours, of stage changes and all profiles stay unread: sums and indexes do."""
    await api.send({"event": "signup", "userId": "a"})
    await api.score()
    # A commit that isn't written yet would keep pages from being marked as seen by all.
    await api.conn.execute("set synchronous_commit = on")
    for statement in (_FILL, _YEARS):
        await api.conn.execute(statement, {"p": api.project.id})
    for table in ("leads", "lead_profiles", "activity", "stage_changes"):
        await api.conn.execute(f"vacuum analyze {table}".encode())
    read: set[str] = set()

    async def look(connection: Connection, query: str, parameters: dict[str, Any] | None) -> None:
        ((plan,),) = await fetch_all(connection, f"explain (format json) {query}", parameters)
        _collect((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], read)

    async def many(
        connection: Connection, query: str, parameters: dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        await look(connection, query, parameters)
        return await fetch_all(connection, query, parameters)

    async def single(
        connection: Connection, query: str, parameters: dict[str, Any] | None = None
    ) -> tuple[Any, ...] | None:
        await look(connection, query, parameters)
        return await fetch_one(connection, query, parameters)

    for module in (events, figures):
        monkeypatch.setattr(module, "fetch_all", many)
        monkeypatch.setattr(module, "fetch_one", single)
    found = await analytics.dashboard(api.pool, api.services.models, api.project.id)
    assert found.leads.all.identified == 10_001
    await analytics.queue_health(api.pool, api.project.id)
    assert not read & {"lead_profiles", "activity", "stage_changes"}


def _collect(plan: dict[str, Any], read: set[str]) -> None:
    if plan["Node Type"] == "Seq Scan":
        read.add(plan["Relation Name"])
    for inner in plan.get("Plans", []):
        _collect(inner, read)


async def test_figures_are_the_same_before_and_after_they_are_added_up(api: Api) -> None:
    """What was counted but not rolled up yet is in every sum, once."""
    await api.send(
        {"event": "signup", "userId": "a"},
        {"event": "signup", "userId": "b"},
        {"event": "page_view", "userId": "b"},
    )
    await api.score()

    async def told() -> tuple[Any, ...]:
        board = await api.get("/api/analytics/dashboard")
        queue = await api.get("/api/analytics/queue-health")
        hours = await api.get("/api/analytics/throughput?hours=2")
        return (
            board["totalEvents"], board["eventsToday"], board["eventsByType"], queue["completed"],
            sum(point["mutations"] for point in hours["points"]),
        )  # fmt: skip

    before = await told()
    assert before[0] == before[3] == before[4] == 3
    while await maintain.roll_up(api.conn):
        pass
    assert await told() == before
    await api.send({"event": "signup", "userId": "c"})
    assert (await told())[0] == 4
