"""A deleted project: shut at once, restored within a week, gone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leadpulse.http import answers_privacy as told
from leadpulse.ids import uuid7
from leadpulse.postgres.connect import connect
from leadpulse.postgres.models import ModelCache
from leadpulse.usecases import private
from leadpulse.usecases.project_removal import removal_pass
from leadpulse.usecases.retention import retention_pass
from support.tenants import audit_lines, secret_key, someone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.connect import Connection
    from support.api import Api


@pytest.fixture
async def keeper(database: str) -> AsyncIterator[Connection]:
    """A connection with the rights that the upkeep has, and no more."""
    conn = await connect(database, "privacy")
    yield conn
    await conn.close()


async def tables(api: Api) -> list[str]:
    """Every table with rows of projects."""
    cursor = await api.conn.execute(
        """
        select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
            and a.attname = 'project_id' and not a.attisdropped
        """
    )
    return [name for (name,) in await cursor.fetchall()]


async def left(api: Api) -> dict[str, int]:
    """How many rows of the project each table has."""
    counts = {}
    for table in await tables(api):
        query = f"select count(*) from {table} where project_id = %s"
        row = await (await api.conn.execute(query.encode(), (api.project.id,))).fetchone()
        assert row is not None
        counts[table] = int(row[0])
    return {table: count for table, count in counts.items() if count}


async def fill(api: Api, keeper: Connection) -> None:
    """Something in as many tables as there are."""
    await api.send(*[{"event": "page_view", "userId": f"u{n}", "email": f"u{n}@example.com"}
                     for n in range(30)])  # fmt: skip
    await api.send({"event": "page_view", "anonymousId": "a"}, key=api.project.write_key)
    await api.score()
    lead, other = await api.lead_of(q="u1@example.com"), await api.lead_of(q="u2@example.com")
    await api.call("POST", f"/api/leads/{other}/merge", json={"intoId": lead})
    await api.call("POST", f"/api/leads/{await api.lead_of(q='u3@example.com')}/erase")
    await api.call("POST", "/api/model/rescore", 202)
    await api.call("DELETE", f"/api/leads/{await api.lead_of(q='u4@example.com')}", 204)
    await api.conn.execute("update projects set retention_days = 1")
    assert await retention_pass(keeper, ModelCache())
    file = {"name": "leads.csv", "csv": "email\nada@example.com\n"}
    await api.call("POST", "/api/leads/import", 202, json=file)


async def delete(api: Api, key: str) -> None:
    answer = await api.call("DELETE", f"/api/projects/{api.project.id}", key=key)
    told.DeletedProject.model_validate(answer)


async def over(api: Api) -> None:
    await api.conn.execute(
        "update projects set deleted_at = deleted_at - interval '7 days 1 second'"
    )


@pytest.mark.both_postgres
async def test_nothing_of_a_project_is_left(api: Api, keeper: Connection) -> None:
    """After seven days each table with a project_id is empty of it; others keep theirs."""
    owner = await someone(api, "owner")
    await fill(api, keeper)
    assert set(await left(api)) >= {
        "events", "leads", "ledger", "identifiers", "erasures", "suppressions", "audit_log",
        "forgotten_events", "lead_removals", "inbox", "lead_merges", "retention_walks", "members",
        "sessions", "imports", "import_rows",
    }  # fmt: skip
    other = await api.call("POST", "/api/projects", 201, key=owner.token, json={"name": "Other"})
    await delete(api, owner.token)
    assert await removal_pass(keeper) == 0
    await over(api)
    portions = 0
    while removed := await removal_pass(keeper, 20):
        assert removed <= 20
        portions += 1
    assert portions > 3
    assert await left(api) == {}
    cursor = await api.conn.execute("select id::text from projects")
    assert await cursor.fetchall() == [(other["id"],)]
    for chore in (private.erasure_pass, private.sweep_pass, private.expiry_pass):
        assert await chore(keeper) == 0


async def test_a_deleted_project_opens_to_nobody(api: Api) -> None:
    """No key, no session, no event, from the moment of the answer."""
    owner, viewer = await someone(api, "owner"), await someone(api, "viewer")
    await api.get("/api/leads", key=viewer.token)
    await delete(api, owner.token)
    for key in (api.project.secret_key, api.project.write_key):
        answer = await api.call("POST", "/api/ingest/event", 401, key=key,
                                json={"event": "a", "userId": "u"})  # fmt: skip
        assert answer["code"] == "expired_key"
    for person in (owner, viewer):
        answer = await api.get("/api/leads", 403, key=person.token)
        assert answer["code"] == "no_project"


async def test_the_intake_refuses_at_once_in_every_process(api: Api) -> None:
    """Also where the key is remembered as good: the transaction sees that the project is shut."""
    await api.send({"event": "a", "userId": "u"})
    await api.conn.execute("update projects set deleted_at = clock_timestamp()")
    for _ in range(2):
        await api.call("POST", "/api/ingest/event", 401, json={"event": "a", "userId": "u"})


async def test_owners_restore_within_seven_days(api: Api) -> None:
    """Keys, members and sessions work again; then it is too late."""
    owner, admin = await someone(api, "owner"), await someone(api, "admin")
    stranger = await someone(api, "owner", (await _another(api)))
    await delete(api, owner.token)
    # Who has none to work in sees which can come back.
    me = await api.get("/api/auth/me", key=owner.token)
    assert me["project"] is None
    assert [each["deletedAt"] is None for each in me["projects"]] == [False]
    path = f"/api/projects/{api.project.id}/restore"
    await api.call("POST", path, 403, key=admin.token)
    await api.call("POST", path, 404, key=stranger.token)
    await api.call("POST", f"/api/projects/{uuid7()}/restore", 404, key=owner.token)
    await api.call("POST", path, 204, key=owner.token)
    await api.call("POST", path, 204, key=owner.token)
    await api.send({"event": "a", "userId": "u"})
    await api.get("/api/leads", key=admin.token)
    lines = await audit_lines(api, api.project.id)
    said = [line["action"] for line in lines if line["action"].startswith("project.")]
    assert said[-2:] == ["project.deleted", "project.restored"]
    await delete(api, owner.token)
    await over(api)
    answer = await api.call("POST", path, 409, key=owner.token)
    assert answer["code"] == "too_late"


async def test_only_owners_delete(api: Api) -> None:
    """No admin, and no key whatever it may."""
    admin = await someone(api, "admin")
    await api.call("DELETE", f"/api/projects/{api.project.id}", 403, key=admin.token)
    await api.call("DELETE", f"/api/projects/{api.project.id}", 403)
    key = await secret_key(api, "admin")
    await api.call("DELETE", f"/api/projects/{api.project.id}", 403, key=key)


async def _another(api: Api) -> str:
    maker = await someone(api, "viewer")
    made = await api.call("POST", "/api/projects", 201, key=maker.token, json={"name": "Other"})
    return str(made["id"])
