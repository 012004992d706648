"""Signing in with Google, before an issuer with real keys."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from leadpulse.channels.google import GoogleIdentities
from leadpulse.domain.errors import Overloaded, Unauthorized
from leadpulse.postgres import accounts
from leadpulse.postgres.accounts import User
from leadpulse.postgres.connect import Connection
from support.api import Api, running_api
from support.issuer import CLIENT, Issuer, issuer, new_key
from support.visitors import OTHER_PASSWORD, PASSWORD, visitor

ADA = "ada@example.com"
GOOGLE = "/api/auth/google"


@pytest.fixture
def google() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
async def open_api(database: str, tmp_path: Path, google: Issuer) -> AsyncIterator[Api]:
    """Anybody may register, and the issuer is Google."""
    async with running_api(database, tmp_path, signup="open") as api:
        object.__setattr__(api.services.accounts, "google", GoogleIdentities(CLIENT, google.url))
        yield api


async def users(api: Api) -> list[tuple[Any, ...]]:
    """Address, whether verified, whether with a password, and Google's name of each account."""
    cursor = await api.conn.execute(
        """
        select email, email_verified_at is not null, password_hash is not null, google_subject
        from users order by created_at, email
        """
    )
    return await cursor.fetchall()


async def test_a_newcomer_gets_an_account_and_comes_back_to_it(
    open_api: Api, google: Issuer
) -> None:
    """With a project, a verified address and no password; also when the address changes."""
    async with visitor(open_api) as ada, visitor(open_api) as again:
        first = await ada.enter(GOOGLE, {"credential": google.token(), "company": "Engines"}, 201)
        assert first["user"]["emailVerified"] is True
        assert first["user"]["hasPassword"] is False
        assert first["project"]["name"] == "Engines"
        token = google.token(email="countess@example.com")
        second = await again.enter(GOOGLE, {"idToken": token})
        assert second["user"]["id"] == first["user"]["id"]
    assert await users(open_api) == [(ADA, True, False, "1100220033")]


async def test_where_nobody_may_register_google_makes_no_account(
    database: str, tmp_path: Path, google: Issuer
) -> None:
    """The door is the same for everybody; and Google is off where it isn't set up."""
    async with running_api(database, tmp_path, signup="closed") as api, visitor(api) as ada:
        answer = await ada.post(GOOGLE, {"credential": google.token()})
        assert (answer.status_code, answer.json()["code"]) == (403, "google_off")
        object.__setattr__(api.services.accounts, "google", GoogleIdentities(CLIENT, google.url))
        answer = await ada.post(GOOGLE, {"credential": google.token()})
        assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")


async def test_a_verified_account_is_joined_and_keeps_everything(
    open_api: Api, google: Issuer
) -> None:
    """Both sides have verified the address: password and sessions stay."""
    async with visitor(open_api) as ada, visitor(open_api) as phone:
        await ada.register()
        await open_api.conn.execute("update users set email_verified_at = now()")
        said = await phone.enter(GOOGLE, {"credential": google.token(email="ADA@example.com")})
        assert said["user"]["id"] == ada.user_id
        assert (await ada.get("/api/auth/me")).status_code == 200
        await ada.login()
    assert await users(open_api) == [(ADA, True, True, "1100220033")]


async def test_an_unverified_account_loses_password_and_sessions(
    open_api: Api, google: Issuer
) -> None:
    """Whoever made it beforehand with another's address is out, and his links are void."""
    async with visitor(open_api) as thief, visitor(open_api) as ada:
        await thief.register()
        await open_api.conn.execute(
            """
            insert into account_links (token_hash, user_id, purpose, email, expires_at)
            select sha256('x'), id, 'reset', email, now() + interval '1 day' from users
            """
        )
        said = await ada.enter(GOOGLE, {"credential": google.token()})
        assert said["user"]["emailVerified"] is True
        assert (await thief.get("/api/auth/me")).status_code == 401
        answer = await thief.post("/api/auth/login", {"email": ADA, "password": PASSWORD})
        assert answer.status_code == 401
        body = {"token": "x", "password": OTHER_PASSWORD}
        assert (await thief.post("/api/auth/reset-password", body)).status_code == 422
        assert (await ada.get("/api/auth/me")).status_code == 200
    assert await users(open_api) == [(ADA, True, False, "1100220033")]


async def test_an_address_that_google_has_not_verified_joins_nothing(
    open_api: Api, google: Issuer
) -> None:
    """Neither a verified account nor an unverified one, nor does it make one."""
    async with visitor(open_api) as ada, visitor(open_api) as eve:
        for unverified in (False, "false", None, 1, "yes", "true"):
            token = google.token(email_verified=unverified)
            answer = await eve.post(GOOGLE, {"credential": token})
            assert (answer.status_code, answer.json()["code"]) == (403, "unverified_email")
        await ada.register()
        before = await users(open_api)
        for _ in range(2):
            answer = await eve.post(GOOGLE, {"credential": google.token(email_verified=False)})
            assert answer.status_code == 403
            await open_api.conn.execute("update users set email_verified_at = now()")
        assert (await ada.get("/api/auth/me")).status_code == 200
    assert [user[2:] for user in await users(open_api)] == [user[2:] for user in before]


async def test_another_google_account_with_the_address_is_another(
    open_api: Api, google: Issuer
) -> None:
    """An account belongs to the Google account that it was joined to."""
    async with visitor(open_api) as ada, visitor(open_api) as eve:
        await ada.enter(GOOGLE, {"credential": google.token()}, 201)
        answer = await eve.post(GOOGLE, {"credential": google.token(sub="99")})
        assert (answer.status_code, answer.json()["code"]) == (409, "other_identity")
        await open_api.conn.execute("update users set disabled_at = now()")
        answer = await eve.post(GOOGLE, {"credential": google.token()})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


async def both(api: Api, *tokens: str, addresses: int = 2) -> list[int]:
    """The statuses of sign-ins that meet: each has looked before any has stored something."""
    looked = asyncio.Barrier(addresses)
    find, first = accounts.user_by_email, [addresses]

    async def together(conn: Connection, email: str) -> User | None:
        found = await find(conn, email)
        if first[0]:
            first[0] -= 1
            await looked.wait()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "user_by_email", together)
        answers = await asyncio.gather(
            *(api.client.post(GOOGLE, json={"credential": token}) for token in tokens)
        )
    return sorted(answer.status_code for answer in answers)


async def test_two_sign_ins_at_once_are_one_account(open_api: Api, google: Issuer) -> None:
    """Of one Google account whose address changes just then, too; and nobody gets an error."""
    tokens = [google.token(email=email) for email in (ADA, "countess@example.com")]
    assert await both(open_api, *tokens) == [200, 201]
    assert len(await users(open_api)) == 1
    tokens = [google.token(sub="77", email="bob@example.com") for _ in range(2)]
    assert await both(open_api, *tokens) == [200, 201]
    assert len(await users(open_api)) == 2


async def test_two_accounts_are_not_joined_to_one_of_google(open_api: Api, google: Issuer) -> None:
    """The second of two sign-ins that would join different accounts comes into the first's."""
    async with visitor(open_api) as ada, visitor(open_api) as bob:
        await ada.register(ADA)
        await bob.register("bob@example.com")
    await open_api.conn.execute("update users set email_verified_at = now()")
    tokens = [google.token(email=email) for email in (ADA, "bob@example.com")]
    assert await both(open_api, *tokens) == [200, 200]
    joined = [subject for *_, subject in await users(open_api)]
    assert sorted(joined, key=str) == ["1100220033", None]


async def test_the_first_account_comes_of_two_sign_ins_at_once(
    database: str, tmp_path: Path, google: Issuer
) -> None:
    """The door is shut behind the first, who is inside."""
    async with running_api(database, tmp_path) as api:
        object.__setattr__(api.services.accounts, "google", GoogleIdentities(CLIENT, google.url))
        assert await both(api, google.token(), google.token()) == [200, 201]
        answer = await api.client.post(
            GOOGLE, json={"credential": google.token(sub="9", email="b@example.com")}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")


@pytest.mark.parametrize(
    "odd",
    [
        b"[]", b"7", b"null", b'"x"', b'{"keys": 7}', b'{"keys": [7]}', b'{"keys": {}}', b"\xff",
        b"[" * 100_000, b'{"keys": [{"kty": "RSA", "kid": [], "n": 7, "e": 8}]}',
        b'{"keys": [{"kty": "RSA", "kid": "one", "n": "", "e": ""}]}',
    ],
)  # fmt: skip
async def test_whatever_answers_for_google_is_no_error_of_ours(
    google: Issuer, odd: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be read as keys counts as being away."""
    monkeypatch.setattr(google, "document", lambda: odd)
    with pytest.raises(Overloaded):
        await GoogleIdentities(CLIENT, google.url).verify(google.token())


async def test_what_google_has_not_signed_for_us_is_refused(open_api: Api, google: Issuer) -> None:
    """Other keys, other algorithms, other audiences, other times, and no token at all."""
    stranger = Issuer({"one": new_key()})
    good = google.token()
    head, body, signature = good.split(".")
    public = google.keys["one"].public_key()
    said = jwt.decode(good, options={"verify_signature": False})
    now = int(time.time())

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    wrong = [
        stranger.token(), f"{part({'alg': 'none', 'kid': 'one'})}.{body}.",
        f"{part({'alg': 'HS256', 'kid': 'one'})}.{body}.{signature}",
        jwt.encode(said, str(public.public_numbers().n), "HS256", headers={"kid": "one"}),
        jwt.encode(said, google.keys["one"], "PS256", headers={"kid": "one"}),
        jwt.encode(said, google.keys["one"], "RS256", headers={"kid": "two"}),
        jwt.encode(said, google.keys["one"], "RS256"),
        google.token(aud="another-client"), google.token(aud=None), google.token(sub=None),
        google.token(iss="https://evil.example"), google.token(iss=None),
        google.token(exp=now - 600), google.token(exp=None), google.token(iat=now + 600),
        google.token(nbf=now + 600), google.token(email=None), google.token(email=7),
        good[:-1], good[:-20], f"{head}.{part({**said, 'email': 'b@b.example'})}.{signature}",
        "x", "..", "a.b.c", "é.é.é", "x" * 8000,
    ]  # fmt: skip
    async with visitor(open_api) as eve:
        for token in wrong:
            answer = await eve.post(GOOGLE, {"credential": token})
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_identity"), token
            assert "set-cookie" not in answer.headers
        bodies: list[dict[str, Any]] = [{}, {"idToken": "x", "credential": "x"}, {"idToken": None}]
        for each in bodies:
            assert (await eve.post(GOOGLE, each)).status_code == 422
    assert await users(open_api) == []


async def test_keys_are_fetched_seldom_and_follow_a_change(google: Issuer) -> None:
    """Once for as long as they are good; for an unknown one once a minute, whoever asks."""
    clock = [0.0]
    identities = GoogleIdentities(CLIENT, google.url, lambda: clock[0])
    for _ in range(5):
        assert (await identities.verify(google.token())).email == ADA
    assert google.asked == 1
    stranger = Issuer({f"k{n}": new_key() for n in range(3)})
    for kid in stranger.keys:
        with pytest.raises(Unauthorized):
            await identities.verify(stranger.token(kid))
    assert google.asked == 1
    google.keys["two"] = new_key()
    clock[0] = 61.0
    assert (await identities.verify(google.token("two"))).verified
    assert (await identities.verify(google.token("one"))).verified
    assert google.asked == 2
    # What Google takes back is refused when the keys are asked for again.
    del google.keys["two"]
    gone = Issuer({"two": new_key()}).token()
    clock[0] += 3_700
    with pytest.raises(Unauthorized):
        await identities.verify(gone)
    assert google.asked == 3


async def test_while_google_is_away_known_keys_help_out_for_a_day(google: Issuer) -> None:
    """Then nobody is let in by it; without any key the answer is to come back later."""
    clock = [0.0]
    identities = GoogleIdentities(CLIENT, google.url, lambda: clock[0])
    google.broken = True
    for _ in range(3):
        with pytest.raises(Overloaded):
            await identities.verify(google.token())
    assert google.asked == 1
    google.broken = False
    clock[0] = 61.0
    assert (await identities.verify(google.token())).email == ADA
    google.broken = True
    clock[0] += 3_700
    assert (await identities.verify(google.token())).email == ADA
    clock[0] += 86_400
    with pytest.raises(Overloaded):
        await identities.verify(google.token())
