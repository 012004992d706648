"""Accounts where several things happen at the same moment."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import structlog

from leadpulse.postgres import accounts
from leadpulse.postgres.accounts import NewUser
from leadpulse.postgres.connect import Connection
from leadpulse.usecases import accounts as accounts_usecase
from leadpulse.usecases import invitations, people
from leadpulse.usecases.links import make_link
from leadpulse.usecases.passwords import Checked
from leadpulse.usecases.sessions import Origin
from support.api import Api
from support.visitors import OTHER_PASSWORD, PASSWORD, visitor

ADA = "ada@example.com"
NEWEST = "velvet harbour pigeon"


async def test_of_two_links_at_once_one_sets_the_password(
    open_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for somebody who waits for him: the second finds its link gone."""
    async with visitor(open_api) as ada, visitor(open_api) as again:
        await ada.register()
        links = [
            await make_link(open_api.pool, "https://app.example.com", ADA, "reset")
            for _ in range(2)
        ]
        use, both = accounts.use_link, asyncio.Barrier(2)

        async def together(*given: Any) -> bool:
            used = await use(*given)
            with contextlib.suppress(TimeoutError, asyncio.BrokenBarrierError):
                await asyncio.wait_for(both.wait(), 0.5)
            return used

        monkeypatch.setattr(accounts, "use_link", together)
        answers = await asyncio.gather(
            *(
                browser.post("/api/auth/reset-password", {"token": token, "password": NEWEST})
                for browser, token in zip(
                    (ada, again), [link.url.partition("=")[2] for link in links], strict=True
                )
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_what_else_changes_of_an_account_is_no_reason_to_refuse_a_password(
    open_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is followed meanwhile verifies the address; the password is changed as well."""
    own = open_api.services.accounts
    async with visitor(open_api) as ada:
        await ada.register()
        hashed = own.passwords.hash

        async def verified_meanwhile(password: str) -> str:
            await open_api.conn.execute("update users set email_verified_at = now(), name = 'A'")
            return await hashed(password)

        monkeypatch.setattr(own.passwords, "hash", verified_meanwhile)
        body = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
        assert (await ada.post("/api/auth/change-password", body)).status_code == 200
        await ada.login(ADA, OTHER_PASSWORD)


async def test_only_one_is_the_first(api: Api) -> None:
    """However many register at the same moment."""
    async with visitor(api) as ada:
        answers = await asyncio.gather(
            *(
                ada.client.post(
                    "/api/auth/register",
                    json={"email": f"p{number}@example.com", "password": PASSWORD, "name": "P"},
                )
                for number in range(8)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [403] * 7
    cursor = await api.conn.execute("select count(*) from users")
    assert await cursor.fetchone() == (1,)


async def test_what_is_done_beside_the_answers_waits_its_turn(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many at a moment are all served, a few at a time; only a flood is cut off, and told."""
    own = api.services.accounts
    running, most, done = 0, 0, 0
    gate = asyncio.Event()

    async def work() -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await gate.wait()
        running, done = running - 1, done + 1

    for _ in range(500):
        own.beside(work())
    await asyncio.sleep(0.05)
    gate.set()
    await own.settle()
    assert done == 500
    assert most <= 4
    gate.clear()
    monkeypatch.setattr(accounts_usecase, "_MOST_BESIDE", 2)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            own.beside(work())
    assert [line["log_level"] for line in lines] == ["warning"]
    gate.set()
    await own.settle()
    assert done == 502
    # At the end nothing hangs on what takes for ever.
    gate.clear()
    own.beside(work())
    monkeypatch.setattr(accounts_usecase, "_FAREWELL", 0.1)
    async with asyncio.timeout(5):
        await own.close()
    assert done == 502


async def test_nobody_is_the_first_beside_another(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever registers while the command line makes an account, or an invitation does, waits."""
    invited = await invitations.invite(
        api.pool, api.project.id, ("grace@example.com", "member"), "cli"
    )
    own, insert = api.services.accounts, accounts.insert_user

    async def slowly(conn: Connection, user: NewUser) -> bool:
        made = await insert(conn, user)
        await asyncio.sleep(0.3)
        return made

    monkeypatch.setattr(accounts, "insert_user", slowly)
    wanted = people.NewPerson("ops@example.com", "Ops", PASSWORD, join=(api.project.id, "admin"))
    grace = invitations.Newcomer("Grace", PASSWORD)
    for other in (
        lambda: people.create_person(api.pool, own.passwords, wanted),
        lambda: invitations.accept_as_new(own, invited.token, grace, Origin()),
    ):
        async with visitor(api) as ada:
            first = asyncio.ensure_future(other())
            await asyncio.sleep(0.15)
            body = {"email": ADA, "password": PASSWORD, "name": "Ada"}
            answer = await ada.post("/api/auth/register", body)
            assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")
        await first
        await api.conn.execute("delete from users")


async def test_a_password_that_changes_meanwhile_opens_nothing(
    open_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither logging in nor changing it passes a reset that comes between question and deed."""
    own = open_api.services.accounts
    async with visitor(open_api) as ada, visitor(open_api) as thief:
        await ada.register()
        await thief.login()
        verify = own.passwords.verify

        async def reset_meanwhile(password: str, stored: str | None) -> Checked:
            checked = await verify(password, stored)
            link = await make_link(open_api.pool, "https://app.example.com", ADA, "reset")
            token = link.url.partition("=")[2]
            await ada.enter("/api/auth/reset-password", {"token": token, "password": NEWEST})
            return checked

        monkeypatch.setattr(own.passwords, "verify", reset_meanwhile)
        body = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
        answer = await thief.post("/api/auth/change-password", body)
        assert (answer.status_code, answer.json()["code"]) == (401, "expired_session")
        await open_api.conn.execute(
            "update users set password_hash = %s", (await own.passwords.hash(PASSWORD),)
        )
        answer = await thief.post("/api/auth/login", {"email": ADA, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
        monkeypatch.undo()
        await ada.login(ADA, NEWEST)
