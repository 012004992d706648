"""Keys and projects: what is stored of them, and how long they are remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from leadpulse.domain.errors import Forbidden, Invalid, NotFound, Overloaded, Unauthorized
from leadpulse.domain.model import parse_model
from leadpulse.domain.permissions import SCOPES
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.postgres.connect import Connection, pool
from leadpulse.usecases.keys import MEMORY_SECONDS, KeyRing
from leadpulse.usecases.projects import create_project, pause_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.session import Pool


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, "test") as opened:
        yield opened


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("name", PRESETS)
async def test_a_project_starts_with_a_model_of_its_own(pg: Connection, name: str) -> None:
    """The preset's rules under fresh ids, as version 1 for all history."""
    made = await create_project(pg, f" {name} ", name)
    cursor = await pg.execute("select version, scope, document from models")
    ((version, scope, document),) = await cursor.fetchall()
    model = parse_model(document, 1)
    assert (made.name, version, scope) == (name, 1, "all-history")
    assert [r.event_type for r in model.rules] == [r.event_type for r in preset(name).rules]
    assert not {r.id for r in model.rules} & {r.id for r in preset(name).rules}


async def test_a_secret_key_exists_only_as_its_hash(pg: Connection) -> None:
    """A write key can be shown again."""
    made = await create_project(pg, "P")
    cursor = await pg.execute("select k::text, shown from api_keys k order by kind desc")
    (write, shown), (secret, hidden) = await cursor.fetchall()
    assert (shown, hidden) == (made.write_key, None)
    assert made.write_key in write
    assert made.secret_key[3:] not in secret


async def test_bad_projects_are_refused(pg: Connection) -> None:
    """A name of 1 to 200 characters and a preset that exists."""
    for name, kind in (
        ("", "leadpulse"),
        ("x" * 201, "leadpulse"),
        ("P", "nope"),
        ("\x00", "sales"),
    ):
        with pytest.raises(Invalid):
            await create_project(pg, name, kind)
    with pytest.raises(NotFound):
        await pause_project(pg, "01a206ec-0934-7107-88b6-f9ed49c9481e", paused=True)


async def test_keys_tell_the_project_and_the_class(pg: Connection, connections: Pool) -> None:
    """A write key may only send; the secret key of a new project may do everything."""
    made = await create_project(pg, "P")
    ring = KeyRing(connections)
    write, secret = await ring.find(made.write_key), await ring.find(made.secret_key)
    assert (write.project_id, write.trusted) == (made.id, False)
    assert (secret.project_id, secret.trusted) == (made.id, True)
    for scope in SCOPES:
        secret.require(scope)
        with pytest.raises(Forbidden, match="only send"):
            write.require(scope)


async def test_what_is_no_key_is_never_looked_up(connections: Pool) -> None:
    """Its form tells."""
    ring = KeyRing(connections)
    for key in ("", "pk_", "pk_" + "G" * 48, "xx_" + "0" * 48, "pk_" + "0" * 48 + "\n", "\ud800"):
        with pytest.raises(Unauthorized) as caught:
            await ring.find(key)
        assert caught.value.code == "unknown_key"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update api_keys set revoked_at = clock_timestamp()", "expired_key"),
        ("update api_keys set expires_at = clock_timestamp()", "expired_key"),
        ("update api_keys set disabled_at = clock_timestamp()", "expired_key"),
        ("update projects set deleted_at = clock_timestamp()", "expired_key"),
        ("delete from api_keys", "unknown_key"),
    ],
)
async def test_a_change_is_known_after_five_seconds(
    pg: Connection, connections: Pool, change: str, code: str
) -> None:
    """Until then the key is remembered, good or bad."""
    made = await create_project(pg, "P")
    clock = Clock()
    ring = KeyRing(connections, clock)
    await ring.find(made.write_key)
    await pg.execute(change.encode())
    clock.now = MEMORY_SECONDS
    assert ring.remembered(made.write_key) is not None
    clock.now = MEMORY_SECONDS + 0.1
    for _ in range(2):
        with pytest.raises(Unauthorized) as caught:
            await ring.find(made.write_key)
        assert caught.value.code == code


async def test_many_requests_with_one_key_ask_once(pg: Connection, connections: Pool) -> None:
    """Also when all come at the same moment."""
    made = await create_project(pg, "P")
    ring = KeyRing(connections)
    callers = await asyncio.gather(*(ring.find(made.write_key) for _ in range(50)))
    assert len({id(caller) for caller in callers}) == 1


async def test_many_keys_at_once_share_a_look_up(pg: Connection, connections: Pool) -> None:
    """Good and bad ones each get their own answer."""
    made = [await create_project(pg, f"P{n}") for n in range(5)]
    keys = [key for one in made for key in (one.write_key, one.secret_key)]
    ring = KeyRing(connections)
    before = connections.get_stats().get("requests_num", 0)
    unknown = [f"pk_{n:048x}" for n in range(3)]
    found = await asyncio.gather(
        *(ring.find(key) for key in keys + unknown), return_exceptions=True
    )
    assert [getattr(one, "project_id", None) for one in found[:10]] == [
        one.id for one in made for _ in range(2)
    ]
    assert all(isinstance(one, Unauthorized) for one in found[10:])
    assert connections.get_stats()["requests_num"] - before == 1


async def test_unknown_keys_push_no_good_one_out(
    pg: Connection, connections: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are tried, a good key is not looked up again before its time."""
    monkeypatch.setattr("leadpulse.usecases.keys._REMEMBERED", 4)
    made = await create_project(pg, "P")
    ring = KeyRing(connections)
    await ring.find(made.write_key)
    unknown = [f"pk_{n:048x}" for n in range(9)]
    await asyncio.gather(*(ring.find(key) for key in unknown), return_exceptions=True)
    assert ring.remembered(made.write_key) is not None
    assert ring.remembered(unknown[0]) is None
    with pytest.raises(Unauthorized):
        ring.remembered(unknown[-1])


async def test_a_key_that_was_good_is_known_as_such_until_it_is_not(
    pg: Connection, connections: Pool
) -> None:
    """Also after its time, and after a change that has it looked up again."""
    made = await create_project(pg, "P")
    clock = Clock()
    ring = KeyRing(connections, clock)
    assert not ring.was_good(made.write_key)
    await ring.find(made.write_key)
    clock.now = MEMORY_SECONDS + 1
    ring.forget()
    assert ring.remembered(made.write_key) is None
    assert ring.was_good(made.write_key)
    await pg.execute("update api_keys set revoked_at = clock_timestamp()")
    with pytest.raises(Unauthorized):
        await ring.find(made.write_key)
    assert not ring.was_good(made.write_key)
    assert not ring.was_good("no key of ours")


async def test_without_a_database_a_key_is_neither_good_nor_bad(
    pg: Connection, database: str
) -> None:
    """Come again, says the answer."""
    made = await create_project(pg, "P")
    closed = pool(database, "test")
    with pytest.raises(Overloaded):
        await KeyRing(closed).find(made.write_key)


async def test_use_of_a_key_is_noted(pg: Connection, connections: Pool) -> None:
    """Together with others a moment later, at the end at the latest; once a minute is enough."""
    made = await create_project(pg, "P")
    ring = KeyRing(connections)
    await ring.find(made.write_key)
    await ring.close()
    cursor = await pg.execute("select kind from api_keys where last_used_at is not null")
    assert await cursor.fetchall() == [("write",)]
