"""Accounts: made, entered, verified, their passwords changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from leadpulse.domain.errors import NotFound
from leadpulse.domain.rates import Rate
from leadpulse.http import answers_accounts as told
from leadpulse.usecases import guard
from leadpulse.usecases.links import make_link
from leadpulse.usecases.passwords import Cost, Passwords
from support.api import Api, running_api
from support.postbox import Postbox, text_of, token_of
from support.visitors import OTHER_PASSWORD, PASSWORD, visitor

ADA = "ada@example.com"


async def test_registering_makes_an_account_a_project_and_a_session(open_api: Api) -> None:
    """The owner can work at once, with a write key and without a secret one."""
    async with visitor(open_api) as ada:
        said = await ada.register(" Ada@Example.COM ", company="Engines")
        told.LoggedIn.model_validate(said)
        assert said["user"]["email"] == ADA
        assert said["user"]["emailVerified"] is False
        assert (said["project"]["name"], said["project"]["role"]) == ("Engines", "owner")
        assert said["project"]["writeKey"].startswith("pk_")
        me = (await ada.get("/api/auth/me")).json()
        told.Me.model_validate(me)
        assert me["projects"] == [said["project"]]
        assert me["csrfToken"] == said["csrfToken"]
        project = (await ada.get("/api/auth/project")).json()
        told.SessionProject.model_validate(project)
        assert project["apiKey"] == project["writeKey"] == said["project"]["writeKey"]
        assert (await ada.get("/api/leads")).json()["leads"] == []
        await open_api.call("POST", "/api/ingest/event", 202, key=project["writeKey"],
                            json={"event": "signup", "userId": "u"})  # fmt: skip
    cursor = await open_api.conn.execute(
        "select kind from api_keys where project_id = %s", (said["project"]["id"],)
    )
    assert await cursor.fetchall() == [("write",)]


async def test_only_the_first_registers_unless_it_is_said_otherwise(api: Api) -> None:
    """Then nobody hears whether an address is taken."""
    async with visitor(api) as ada, visitor(api) as eve:
        await ada.register()
        for email in (ADA, "eve@example.com"):
            answer = await eve.post(
                "/api/auth/register", {"email": email, "password": PASSWORD, "name": "Eve"}
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")


async def test_the_first_account_owns_the_projects_that_nobody_is_in(api: Api) -> None:
    """What `serve` made is called by the company, if it has no name yet."""
    await api.conn.execute("update projects set name = 'My project'")
    async with visitor(api) as ada:
        said = await ada.register(company="Engines")
        assert (said["project"]["id"], said["project"]["name"]) == (api.project.id, "Engines")
        assert said["project"]["role"] == "owner"
        assert (await ada.get("/api/auth/me")).json()["projects"] == [said["project"]]
        lines = (await ada.get(f"/api/projects/{api.project.id}/audit-log")).json()["entries"]
        assert (lines[0]["action"], lines[0]["actorName"]) == ("member.joined", ADA)


async def test_where_everybody_may_register_nobody_is_given_a_project(open_api: Api) -> None:
    """A stranger who comes first gets a new one, and nothing of what is there."""
    async with visitor(open_api) as ada:
        said = await ada.register()
        assert said["project"]["id"] != open_api.project.id
        assert len((await ada.get("/api/auth/me")).json()["projects"]) == 1


async def test_nobody_registers_where_it_is_closed(database: str, tmp_path: Path) -> None:
    """Not even the first."""
    async with running_api(database, tmp_path, signup="closed") as api, visitor(api) as ada:
        answer = await ada.post(
            "/api/auth/register", {"email": ADA, "password": PASSWORD, "name": "Ada"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")


async def test_an_address_has_one_account(open_api: Api, box: Postbox) -> None:
    """Whoever tries a second time is refused, and the owner hears of it."""
    async with visitor(open_api) as ada, visitor(open_api) as eve:
        await ada.register()
        answer = await eve.post(
            "/api/auth/register",
            {"email": "ADA@example.com", "password": OTHER_PASSWORD, "name": "E"},
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        await box.mail(2)
        subjects = {mail["Subject"] for mail in box.mails}
        assert subjects == {"Is this your address?", "You have an account already"}
        await ada.login()


async def test_nobody_is_flooded_by_who_wants_his_address(
    open_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer stays the same when the owner has heard of it often enough."""
    sent: list[tuple[str, str]] = []

    class Mails:
        ready = True

        def send(self, kind: str, to: str, values: Mapping[str, str]) -> bool:
            del values
            sent.append((kind, to))
            return True

    object.__setattr__(open_api.services.accounts, "mailer", Mails())
    monkeypatch.setattr(guard, "MAILED", Rate(2, 3_600))
    async with visitor(open_api) as ada, visitor(open_api) as eve:
        await ada.register()
        for _ in range(4):
            answer = await eve.post(
                "/api/auth/register", {"email": ADA, "password": OTHER_PASSWORD, "name": "E"}
            )
            assert answer.json()["code"] == "email_taken"
        await open_api.services.accounts.settle()
    assert sent.count(("address_taken", ADA)) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nonsense"}, "email"), ({"email": "a@b"}, "email"),
        ({"email": "ä@b.com"}, "email"), ({"email": "a@b.com\x00"}, "email"),
        ({"email": "=?utf-8?q?x?=@b.com"}, "email"),
        ({"name": " "}, "name"), ({"name": "x" * 201}, "name"),
        ({"password": "short"}, "password"), ({"password": "password12"}, "password"),
        ({"password": "ada.lovelace"}, "password"), ({"password": "x" * 1025}, "password"),
        ({"password": None}, "password"), ({"more": 1}, "more"),
        ({"company": "x" * 201}, "company"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(open_api: Api, change: dict[str, object], field: str) -> None:
    """Each field by its name, and no password comes back."""
    body = {"email": ADA, "password": PASSWORD, "name": "Ada Lovelace", **change}
    async with visitor(open_api) as ada:
        answer = await ada.post("/api/auth/register", body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not change.get("password") or str(change["password"]) not in answer.text


async def test_logging_in_answers_the_same_for_every_reason(open_api: Api) -> None:
    """A wrong password, no such account, a switched-off account, no address at all."""
    async with visitor(open_api) as ada:
        await ada.register()
        await ada.register("off@example.com")
        await open_api.conn.execute(
            "update users set disabled_at = now() where email = 'off@example.com'"
        )
        answers = [
            await ada.post("/api/auth/login", {"email": email, "password": password})
            for email, password in (
                (ADA, OTHER_PASSWORD), ("nobody@example.com", PASSWORD),
                ("off@example.com", PASSWORD), ("no address", PASSWORD),
            )
        ]  # fmt: skip
        for answer in answers:
            assert answer.status_code == 401
            said = {k: v for k, v in answer.json().items() if k != "instance"}
            assert said == {k: v for k, v in answers[0].json().items() if k != "instance"}
            assert "set-cookie" not in answer.headers
        assert answers[0].json()["code"] == "wrong_credentials"
        told.LoggedIn.model_validate(await ada.login("ADA@EXAMPLE.COM "))


async def test_a_switched_off_account_is_logged_out(open_api: Api) -> None:
    """As soon as it is known, everywhere."""
    async with visitor(open_api) as ada:
        await ada.register()
        await open_api.conn.execute("update users set disabled_at = now()")
        open_api.services.accounts.sessions.forget()
        answer = await ada.get("/api/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "expired_session")


async def test_a_link_verifies_an_address_once(open_api: Api, box: Postbox) -> None:
    """The link leads to the dashboard, works once, and for this address only."""
    async with visitor(open_api) as ada:
        await ada.register()
        mail = await box.mail()
        assert mail["To"] == ADA
        assert "http://localhost:4000/verify-email#token=" in text_of(mail)
        token = token_of(mail)
        for wrong in (token[:-1], token.swapcase(), "x", token + "x"):
            answer = await ada.post("/api/auth/verify-email", {"token": wrong})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "token")
        # A link of one kind opens nothing of the other.
        body = {"token": token, "password": OTHER_PASSWORD}
        assert (await ada.post("/api/auth/reset-password", body)).status_code == 422
        assert (await ada.post("/api/auth/verify-email", {"token": token})).status_code == 200
        assert (await ada.get("/api/auth/me")).json()["user"]["emailVerified"] is True
        assert (await ada.post("/api/auth/verify-email", {"token": token})).status_code == 422


async def test_who_registers_with_anothers_address_gains_nothing_by_her_link(
    open_api: Api, box: Postbox
) -> None:
    """She who reads the mail verifies it only logged in there; else she sets a password of hers."""
    path = "/api/auth/verify-email"
    async with visitor(open_api) as thief, visitor(open_api) as ada, visitor(open_api) as bob:
        await thief.register()
        token = {"token": token_of(await box.mail())}
        await bob.register("bob@example.com")
        answer = await ada.post(path, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")
        answer = await bob.post(path, token)
        assert (answer.status_code, answer.json()["code"]) == (403, "other_address")
        assert (await thief.get("/api/auth/me")).json()["user"]["emailVerified"] is False
        await ada.post("/api/auth/forgot-password", {"email": ADA})
        await open_api.services.accounts.settle()
        await box.mail(3)
        reset = token_of(next(mail for mail in box.mails if "new password" in mail["Subject"]))
        body = {"token": reset, "password": OTHER_PASSWORD}
        said = await ada.enter("/api/auth/reset-password", body)
        assert said["user"]["emailVerified"] is True
        assert (await thief.get("/api/auth/me")).status_code == 401
        assert (await thief.post(path, token)).status_code == 401
        answer = await thief.post("/api/auth/login", {"email": ADA, "password": PASSWORD})
        assert answer.status_code == 401


async def test_a_link_verifies_wherever_its_owner_logs_in(open_api: Api, box: Postbox) -> None:
    """On another machine she logs in first; the link is good until then."""
    async with visitor(open_api) as ada, visitor(open_api) as phone:
        await ada.register()
        token = {"token": token_of(await box.mail())}
        assert (await phone.post("/api/auth/verify-email", token)).status_code == 401
        await phone.login()
        assert (await phone.post("/api/auth/verify-email", token)).status_code == 200
        assert (await ada.get("/api/auth/me")).json()["user"]["emailVerified"] is True


async def test_links_end(open_api: Api, box: Postbox) -> None:
    """By time, by another address, and nothing of them is stored that could be used."""
    async with visitor(open_api) as ada:
        await ada.register()
        first = token_of(await box.mail())
        cursor = await open_api.conn.execute("select token_hash, expires_at from account_links")
        ((stored, _),) = await cursor.fetchall()
        assert first.encode() not in stored
        await open_api.conn.execute("update users set email = 'countess@example.com'")
        assert (await ada.post("/api/auth/verify-email", {"token": first})).status_code == 422
        await open_api.conn.execute("update users set email = 'ada@example.com'")
        await open_api.conn.execute("update account_links set expires_at = now()")
        assert (await ada.post("/api/auth/verify-email", {"token": first})).status_code == 422
        # Another one is asked for by whoever is logged in.
        assert (await ada.post("/api/auth/verify-email")).status_code == 200
        second = token_of(await box.mail(2))
        assert (await ada.post("/api/auth/verify-email", {"token": second})).status_code == 200
    async with visitor(open_api) as nobody:
        answer = await nobody.post("/api/auth/verify-email")
        assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")


async def test_a_forgotten_password_is_set_anew(open_api: Api, box: Postbox) -> None:
    """By a link that proves the address; everybody else is logged out, the old password is void."""
    async with visitor(open_api) as ada, visitor(open_api) as thief:
        await thief.register()
        await box.mail()
        answers = [
            await ada.post("/api/auth/forgot-password", {"email": email})
            for email in (ADA, "nobody@example.com", "no address")
        ]
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.content for answer in answers}) == 1
        token = token_of(await box.mail(2))
        weak = {"token": token, "password": "ada.lovelace1"}
        assert (await ada.post("/api/auth/reset-password", weak)).status_code == 422
        body = {"token": token, "password": OTHER_PASSWORD}
        said = await ada.enter("/api/auth/reset-password", body)
        assert said["user"]["emailVerified"] is True
        assert (await ada.get("/api/auth/me")).status_code == 200
        assert (await thief.get("/api/auth/me")).status_code == 401
        assert (await ada.post("/api/auth/reset-password", body)).status_code == 422
        answer = await thief.post("/api/auth/login", {"email": ADA, "password": PASSWORD})
        assert answer.status_code == 401
        await thief.login(ADA, OTHER_PASSWORD)
        await box.mail(3)
        assert box.mails[2]["Subject"] == "Your password was changed"
        await open_api.services.accounts.settle()
        assert len(box.mails) == 3


async def test_a_password_is_changed_by_the_old_one(open_api: Api) -> None:
    """The session that asks stays, the others end."""
    async with visitor(open_api) as ada, visitor(open_api) as elsewhere:
        await ada.register()
        await elsewhere.login()
        path = "/api/auth/change-password"
        wrong = {"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD}
        answer = await ada.post(path, wrong)
        assert answer.json()["errors"][0]["field"] == "currentPassword"
        # Nobody's wish is looked at before it is known that it is hers.
        wrong = {"currentPassword": OTHER_PASSWORD, "newPassword": "qwertyuiop"}
        answer = await ada.post(path, wrong)
        assert [each["field"] for each in answer.json()["errors"]] == ["currentPassword"]
        weak = {"currentPassword": PASSWORD, "newPassword": "qwertyuiop"}
        assert (await ada.post(path, weak)).json()["errors"][0]["field"] == "newPassword"
        right = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
        assert (await ada.post(path, right)).status_code == 200
        assert (await ada.get("/api/auth/me")).status_code == 200
        assert (await elsewhere.get("/api/auth/me")).status_code == 401
        await elsewhere.login(ADA, OTHER_PASSWORD)


async def test_an_older_hash_is_replaced_at_login(open_api: Api) -> None:
    """Whoever logs in after the cost was raised is hashed at today's."""
    async with visitor(open_api) as ada:
        await ada.register()
        cheaper = Passwords(Cost(1, 512))
        old = await cheaper.hash(PASSWORD)
        cheaper.close()
        await open_api.conn.execute("update users set password_hash = %s", (old,))
        await ada.login()
        cursor = await open_api.conn.execute("select password_hash from users")
        ((stored,),) = await cursor.fetchall()
        assert "m=1024" in stored
        await ada.login()


async def test_without_mail_a_link_is_made_by_hand(api: Api) -> None:
    """Nothing is made or sent otherwise; the link shown works as a mailed one does."""
    async with visitor(api) as ada:
        await ada.register()
        await ada.post("/api/auth/forgot-password", {"email": ADA})
        await api.services.accounts.settle()
        cursor = await api.conn.execute("select count(*) from account_links")
        assert await cursor.fetchone() == (0,)
        link = await make_link(api.pool, "https://app.example.com", "ADA@example.com")
        assert link.purpose == "verify"
        assert link.url.startswith("https://app.example.com/verify-email#token=")
        body = {"token": link.url.partition("=")[2]}
        assert (await ada.post("/api/auth/verify-email", body)).status_code == 200
        link = await make_link(api.pool, "https://app.example.com", ADA)
        assert link.purpose == "reset"
        body = {"token": link.url.partition("=")[2], "password": OTHER_PASSWORD}
        await ada.enter("/api/auth/reset-password", body)
        with pytest.raises(NotFound):
            await make_link(api.pool, "https://app.example.com", "nobody@example.com")


async def test_an_unverified_person_does_everything_but_three_things(open_api: Api) -> None:
    """No invitation and no secret key before the address is known to be hers."""
    async with visitor(open_api) as ada:
        await ada.register()
        project = f"/api/projects/{ada.project_id}"
        for path, body in (
            (f"{project}/invitations", {"email": "b@example.com", "role": "member"}),
            (f"{project}/keys", {"kind": "secret", "name": "server"}),
        ):
            answer = await ada.post(path, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "unverified_email"), path
        answer = await ada.post(f"{project}/keys", {"kind": "write", "name": "shop"})
        assert answer.status_code == 201
        assert (await ada.post("/api/leads", {"userId": "u"})).status_code == 201
