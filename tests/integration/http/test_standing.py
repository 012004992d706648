"""What outlives a request is decided by the role that its caller has at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.postgres.connect import connect
from support.tenants import someone

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from support.api import Api
    from support.tenants import Someone

Deed = tuple[str, str, Any]


@pytest.fixture
async def other(database: str) -> AsyncIterator[Connection]:
    """Another process, which lowers somebody."""
    conn = await connect(database, "test")
    yield conn
    await conn.close()


@pytest.fixture
async def ada(api: Api) -> Someone:
    return await someone(api, "owner")


@pytest.fixture
async def bob(api: Api, ada: Someone) -> Someone:
    """An owner whose session is remembered."""
    made = await someone(api, "owner")
    await api.get("/api/auth/me", key=made.token)
    return made


async def do(api: Api, who: Someone, deed: Deed, status: int) -> Any:
    method, path, body = deed
    return await api.call(method, path, status, key=who.token, json=body)


def deeds(api: Api, ada: Someone, bob: Someone) -> list[Deed]:
    """What would outlast the seconds for which a role is remembered."""
    of = f"/api/projects/{api.project.id}"
    return [
        ("PATCH", f"{of}/members/{bob.id}", {"role": "owner"}),
        ("PATCH", f"{of}/members/{ada.id}", {"role": "viewer"}),
        ("DELETE", f"{of}/members/{ada.id}", None),
        ("POST", f"{of}/invitations", {"email": "friend@example.com", "role": "admin"}),
        ("POST", f"{of}/keys", {"kind": "secret", "name": "k"}),
        ("POST", f"{of}/keys", {"kind": "write", "name": "k"}),
        ("POST", f"{of}/rotate-key", None),
        ("POST", "/api/auth/generate-api-key", None),
        ("DELETE", of, None),
    ]


async def test_a_lowered_owner_leaves_nothing_behind(api: Api, ada: Someone, bob: Someone) -> None:
    """While the old role is still remembered he can neither raise himself nor make what stays."""
    await api.conn.execute("update members set role = 'viewer' where user_id = %s", (bob.id,))
    for deed in deeds(api, ada, bob):
        assert (await do(api, bob, deed, 403))["code"] == "missing_role", deed
    to_bob = {"role": "owner", "transfer": True}
    path = f"/api/projects/{api.project.id}/members/{ada.id}"
    await api.call("PATCH", path, 403, key=bob.token, json=to_bob)
    cursor = await api.conn.execute("select role from members order by role")
    assert await cursor.fetchall() == [("owner",), ("viewer",)]
    cursor = await api.conn.execute("select count(*) from api_keys")
    assert await cursor.fetchone() == (2,)


async def test_who_is_logged_out_or_shut_out_leaves_nothing_behind(
    api: Api, ada: Someone, bob: Someone
) -> None:
    """An ended session, a closed account, a removed member: whatever is still remembered."""
    carl = await someone(api, "owner")
    dora = await someone(api, "owner")
    for who in (carl, dora):
        await api.get("/api/auth/me", key=who.token)
    await api.conn.execute("update sessions set revoked_at = now() where user_id = %s", (bob.id,))
    await api.conn.execute("update users set disabled_at = now() where id = %s", (carl.id,))
    await api.conn.execute("delete from members where user_id = %s", (dora.id,))
    for who, status in ((bob, 401), (carl, 401), (dora, 403)):
        for deed in deeds(api, ada, who)[1:]:
            await do(api, who, deed, status)
    cursor = await api.conn.execute("select count(*) from api_keys")
    assert await cursor.fetchone() == (2,)


@pytest.mark.parametrize("number", range(9))
async def test_who_is_lowered_at_the_same_moment_comes_second(
    api: Api, ada: Someone, bob: Someone, other: Connection, number: int
) -> None:
    """A call that waits for the change goes on with the new role."""
    async with other.transaction():
        await other.execute("update members set role = 'viewer' where user_id = %s", (bob.id,))
        call = asyncio.create_task(do(api, bob, deeds(api, ada, bob)[number], 403))
        await asyncio.sleep(0.2)
        assert not call.done()
    assert (await call)["code"] == "missing_role"


async def test_who_is_lowered_at_the_same_moment_restores_nothing(
    api: Api, ada: Someone, bob: Someone, other: Connection
) -> None:
    """Undoing the deletion of a project waits for the change, too."""
    path = f"/api/projects/{api.project.id}"
    await api.call("DELETE", path, key=ada.token)
    async with other.transaction():
        await other.execute("update members set role = 'admin' where user_id = %s", (bob.id,))
        call = asyncio.create_task(do(api, bob, ("POST", f"{path}/restore", None), 403))
        await asyncio.sleep(0.2)
        assert not call.done()
    assert (await call)["code"] == "missing_role"
    await do(api, ada, ("POST", f"{path}/restore", None), 204)


async def test_a_key_keeps_its_scopes(api: Api, ada: Someone) -> None:
    """It is a credential of its own, whatever becomes of who made it."""
    await api.conn.execute("update members set role = 'viewer' where user_id = %s", (ada.id,))
    made = await api.call("POST", "/api/auth/generate-api-key", 201)
    assert made["apiKey"].startswith("pk_")
