"""The pages that people wait for follow an index, whatever is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from leadpulse.postgres import leads_read
from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from support.api import Api

# Names of one lead in fifty begin with "Rare"; one in a hundred has an owner.
_FILL = """
with made as (
    insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at,
        last_event_at)
    select %(p)s, gen_random_uuid(), (n * 7919) %% 100, now(), 1, now(), now(),
        case when n %% 10 > 0 then now() - n * interval '1 minute' end
    from generate_series(1, 30000) n returning project_id, id
), n as (
    select *, row_number() over () as n from made
)
insert into lead_profiles (project_id, lead_id, name, email, owner, status, anonymous_id,
    updated_at)
select project_id, id,
    case when n %% 50 = 0 then 'Rare ' || n when n %% 3 = 0 then 'Anna ' || n end,
    case when n %% 2 = 0 then md5(n::text) || '@x.example' end,
    case when n %% 100 = 0 then 'grace' end,
    case when n %% 100 = 1 then 'won' else 'open' end, 'browser-' || md5(n::text), now()
from n
"""


# The same by reading all of them.
_READ: Final = """
select l.id::text
from leads l join lead_profiles p on p.project_id = l.project_id and p.lead_id = l.id
where l.project_id = %(p)s and p.search like '%%example%%' and {condition}
order by {order} limit 20
"""


def scans(plan: dict[str, Any]) -> list[str]:
    """Tables that a plan reads as a whole."""
    found = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return found + [name for inner in plan.get("Plans", []) for name in scans(inner)]


async def test_no_page_reads_a_whole_table(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sort, and every filter that few or many leads meet, goes through an index."""
    await api.conn.execute(_FILL, {"p": api.project.id})
    for table in ("leads", "lead_profiles", "ledger", "identifiers", "lead_roots"):
        await api.conn.execute(f"vacuum analyze {table}".encode())
    plans: list[tuple[str, list[str]]] = []
    asked = ""

    async def explained(
        connection: Connection, query: str, parameters: dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        ((plan,),) = await fetch_all(
            connection, f"explain (format json, costs off) {query}", parameters
        )
        document = json.loads(plan) if isinstance(plan, str) else plan
        plans.append((asked, scans(document[0]["Plan"])))
        return await fetch_all(connection, query, parameters)

    monkeypatch.setattr(leads_read, "fetch_all", explained)
    for sort in ("score", "lastEventAt", "createdAt", "name"):
        for order in ("asc", "desc"):
            asked = f"sort={sort}&order={order}&limit=20"
            page = await api.get(f"/api/leads?{asked}")
            await api.get(f"/api/leads?{asked}&cursor={page['nextCursor']}")
    for query in (
        "stage=qualified", "stage=cold", "risk=low", "risk=high", "minScore=60&maxScore=61",
        "owner=grace", "owner=nobody", "status=won", "status=lost", "q=rare", "q=ra", "q=zz",
        "q=nobody", "q=browser-1234", "q=browser-1234&sort=name", "q=ra&sort=name",
        "owner=grace&sort=name",
    ):  # fmt: skip
        asked = query
        await api.get(f"/api/leads?{query}&limit=20")
    assert len(plans) >= 33
    small = {"lead_roots", "identifiers", "ledger"}  # empty here: reading them whole is right
    wrong = [(asked, set(tables) - small) for asked, tables in plans if set(tables) - small]
    assert not wrong


@pytest.mark.parametrize(
    ("query", "condition", "order"),
    [
        ("", "true", "l.score desc, l.id desc"),
        ("&stage=qualified", "l.score >= 75", "l.score desc, l.id desc"),
        ("&order=asc&minScore=98", "l.score >= 98", "l.score, l.id"),
        ("&status=open&sort=createdAt", "p.status = 'open'", "l.id desc"),
        ("&owner=grace&sort=createdAt", "p.owner = 'grace'", "l.id desc"),
        ("&sort=name", "p.name_key > ''", "p.name_key, l.id"),
        ("&sort=lastEventAt", "true", "l.last_event_at desc nulls last, l.id desc"),
    ],
)
async def test_a_common_word_is_not_looked_up(
    api: Api, monkeypatch: pytest.MonkeyPatch, query: str, condition: str, order: str
) -> None:
    """What half of all leads have is met by looking at them in order, whatever the filter."""
    await api.conn.execute(_FILL, {"p": api.project.id})
    await api.conn.execute("vacuum analyze leads")
    await api.conn.execute("vacuum analyze lead_profiles")
    plans: list[str] = []

    async def explained(
        connection: Connection, text: str, parameters: dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        plans.extend(row[0] for row in await fetch_all(connection, f"explain {text}", parameters))
        return await fetch_all(connection, text, parameters)

    async def one(
        connection: Connection, text: str, parameters: dict[str, Any] | None = None
    ) -> tuple[Any, ...] | None:
        return next(iter(await explained(connection, text, parameters)), None)

    monkeypatch.setattr(leads_read, "fetch_all", explained)
    monkeypatch.setattr(leads_read, "fetch_one", one)
    page = await api.get(f"/api/leads?q=example&limit=20{query}")
    assert not [line for line in plans if "lead_profiles_search" in line]
    reading = _READ.format(condition=condition, order=order)
    wanted = await fetch_all(api.conn, reading, {"p": api.project.id})
    assert [lead["id"] for lead in page["leads"]] == [row[0] for row in wanted]
    counted = await fetch_all(
        api.conn, reading.replace("limit 20", "limit 1001"), {"p": api.project.id}
    )
    assert page["total"] == min(len(counted), 1_000)
    assert page["totalIsCapped"] is (len(counted) > 1_000)
    after = await api.get(f"/api/leads?q=example&limit=5{query}")
    after = await api.get(f"/api/leads?q=example&limit=15{query}&cursor={after['nextCursor']}")
    assert [lead["id"] for lead in after["leads"]] == [row[0] for row in wanted[5:]]
