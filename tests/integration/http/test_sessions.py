"""Sessions: cookies and tokens, other websites, other projects, other processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from leadpulse.http import answers_accounts as told
from leadpulse.ids import uuid7
from leadpulse.usecases.projects import create_project
from leadpulse.usecases.tokens import Claims
from support.api import Api, running_api
from support.visitors import OTHER_PASSWORD, PASSWORD, SITE, Visitor, visitor

ADA = "ada@example.com"


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Anybody may register; the project that is there belongs to nobody who does."""
    async with running_api(database, tmp_path, signup="open") as running:
        yield running


@pytest.fixture
async def ada(api: Api) -> AsyncIterator[Visitor]:
    """The owner of a project, logged in by cookie."""
    async with visitor(api) as browser:
        await browser.register()
        yield browser


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """What each cookie is set with, by its name."""
    lines = answer.headers.get_list("set-cookie")
    return {line.partition("=")[0]: line.partition(";")[2].lower() for line in lines}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


# ── Cookies ──────────────────────────────────────────────────────────────────────────


async def test_on_plain_http_the_cookie_is_out_of_reach_for_scripts(api: Api) -> None:
    """HttpOnly, SameSite, for a week, and for this host alone."""
    async with visitor(api) as browser:
        body = {"email": ADA, "password": PASSWORD, "name": "Ada Lovelace"}
        answer = await browser.post("/api/auth/register", body)
    found = cookies_of(answer)
    assert set(found) == {"leadpulse_session", "leadpulse_device"}
    for said in found.values():
        assert "httponly" in said
        assert "samesite=lax" in said
        assert "path=/" in said
        assert "secure" not in said
        assert "domain" not in said
    assert "max-age=604800" in found["leadpulse_session"]


@pytest.mark.parametrize("site", ["https://test", "http://test"])
async def test_on_https_the_cookie_is_bound_to_host_and_https(
    database: str, tmp_path: Path, site: str
) -> None:
    """`__Host-` and Secure: by the request, or because the dashboard is on https."""
    settings: dict[str, Any] = (
        {"frontend_url": ("https://app.example.com",)} if site == "http://test" else {}
    )
    async with (
        running_api(database, tmp_path, **settings) as api,
        visitor(api, site=site) as browser,
    ):
        body = {"email": ADA, "password": PASSWORD, "name": "Ada Lovelace"}
        answer = await browser.post("/api/auth/register", body, Origin="https://test")
        found = cookies_of(answer)
        assert set(found) == {"__Host-leadpulse_session", "__Host-leadpulse_device"}
        for said in found.values():
            assert "secure" in said
            assert "httponly" in said
            assert "domain" not in said
        token = answer.json()["token"]
        # A cookie that plain http could have planted is not read.
        for name, status in (("__Host-leadpulse_session", 200), ("leadpulse_session", 401)):
            answer = await browser.client.get("/api/auth/me", headers={"Cookie": f"{name}={token}"})
            assert answer.status_code == status, name


async def test_a_token_works_without_a_cookie(api: Api, ada: Visitor) -> None:
    """Programs send it as Bearer, and need no defence against websites."""
    assert (await ada.bearer("GET", "/api/auth/me")).json()["user"]["email"] == ADA
    assert (await ada.bearer("POST", "/api/leads", json={"userId": "u"})).status_code == 201
    claims = jwt.decode(ada.token, options={"verify_signature": False})
    assert claims["userId"] == ada.user_id
    assert claims["email"] == ADA
    assert claims["projectId"] == ada.project_id
    assert claims["exp"] - claims["iat"] == 7 * 86_400


async def test_a_key_comes_before_a_cookie_and_a_token_is_no_key(api: Api, ada: Visitor) -> None:
    """The first place that holds something counts, there is no second try."""
    wrong = {"X-API-Key": "sk_" + "0" * 48}
    assert code(await ada.client.get("/api/leads", headers=wrong)) == (401, "unknown_key")
    other = {"Authorization": f"Bearer {api.project.secret_key}"}
    assert (await ada.client.get("/api/auth/project", headers=other)).json()["id"] == api.project.id
    for headers in (
        {"X-API-Key": ada.token}, {"X-Write-Key": ada.token},
        {"Authorization": f"Basic {ada.token}"}, {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer "}, {"Authorization": "Bearer x"},
    ):  # fmt: skip
        answer = await ada.client.get("/api/leads", headers={"Cookie": "", **headers})
        assert answer.status_code == 401, headers
    answer = await ada.client.get(f"/api/leads?writeKey={ada.token}", headers={"Cookie": ""})
    assert code(answer) == (401, "unknown_key")


async def test_event_calls_ignore_cookies(api: Api, ada: Visitor) -> None:
    """An event is sent with a key, whoever is logged in."""
    answer = await ada.post("/api/ingest/event", {"event": "signup", "userId": "u"})
    assert code(answer) == (401, "missing_key")


async def test_keys_have_no_account(api: Api) -> None:
    """Calls about the account are for people; a wrong key is told as one."""
    await api.get("/api/auth/me", 403)
    assert (await api.get("/api/auth/sessions", 403))["code"] == "people_only"
    assert (await api.get("/api/auth/me", 401, key="sk_" + "0" * 48))["code"] == "unknown_key"
    answer = await api.client.get("/api/auth/me")
    assert code(answer) == (401, "missing_key")


# ── Other websites ───────────────────────────────────────────────────────────────────


async def test_another_website_changes_nothing_by_the_cookie(api: Api, ada: Visitor) -> None:
    """Neither without the value that only our pages know nor from another origin."""
    csrf = ada.said["csrfToken"]
    forged: list[dict[str, str]] = [
        {}, {"Origin": SITE}, {"X-CSRF-Token": csrf},
        {"Origin": "https://evil.example", "X-CSRF-Token": csrf},
        {"Origin": "null", "X-CSRF-Token": csrf}, {"Origin": "", "X-CSRF-Token": csrf},
        {"Origin": "http://test.evil.example", "X-CSRF-Token": csrf},
        {"Origin": "http://test:81", "X-CSRF-Token": csrf},
        {"Origin": SITE, "X-CSRF-Token": csrf[:-1]}, {"Origin": SITE, "X-CSRF-Token": ""},
        {"Origin": SITE, "X-CSRF-Token": api.services.accounts.tokens.csrf(uuid7())},
    ]  # fmt: skip
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/api/leads", {"userId": "u"}),
        ("PATCH", f"/api/leads/{uuid7()}", {"name": "x"}),
        ("DELETE", f"/api/leads/{uuid7()}", None),
        ("POST", "/api/auth/logout", {}),
        ("POST", "/api/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "x"}),
        ("DELETE", f"/api/auth/sessions/{uuid7()}", None),
    ]
    for method, path, body in changes:
        for headers in forged:
            answer = await ada.client.request(method, path, headers=headers, json=body)
            assert code(answer) == (403, "csrf"), (method, path, headers)
    assert (await ada.get("/api/leads")).json()["leads"] == []
    assert (await ada.post("/api/leads", {"userId": "u"})).status_code == 201


async def test_a_configured_dashboard_is_no_other_website(database: str, tmp_path: Path) -> None:
    """FRONTEND_URL names pages of ours on other hosts."""
    site = "http://app.example.com"
    async with (
        running_api(database, tmp_path, frontend_url=(site,)) as api,
        visitor(api) as browser,
    ):
        await browser.register()
        for origin, status in ((site, 201), ("http://app.example.com.evil.example", 403)):
            answer = await browser.post("/api/leads", {"userId": origin}, Origin=origin)
            assert answer.status_code == status


async def test_what_is_no_website_is_not_ours(api: Api, ada: Visitor) -> None:
    """An Origin that can't be read is refused like any other, wherever it comes."""
    body = {"email": ADA, "password": PASSWORD}
    for odd in (
        "http://[", "http://[::1", "http://]", "http://test:x", "http://test:99999", "http://",
        "http://test@test", "http://test/x", "//test", "test", "http:test", "http://te\xdfst",
    ):  # fmt: skip
        origin = odd.encode("latin-1")
        answer = await ada.post("/api/leads", {"userId": "u"}, Origin=origin)  # type: ignore[arg-type]
        assert code(answer) == (403, "csrf"), odd
        answer = await ada.client.post(
            "/api/auth/login", json=body, headers={b"Origin": origin, b"Cookie": b""}
        )
        assert code(answer) == (403, "csrf"), odd


async def test_a_page_that_came_without_encryption_is_not_ours_on_https(
    database: str, tmp_path: Path
) -> None:
    """Anybody on the way may have written it; the other way round a proxy has ended TLS."""
    body = {"email": ADA, "password": PASSWORD}
    tried = (
        ("https://test", "http://test", 403), ("https://test", "https://test", 401),
        ("https://test", "https://test:443", 401), ("https://test", "https://test:444", 403),
        ("http://test", "https://test", 401), ("http://test", "http://TEST", 401),
    )  # fmt: skip
    async with running_api(database, tmp_path) as api:
        for site, origin, status in tried:
            async with visitor(api, site=site) as browser:
                answer = await browser.post("/api/auth/login", body, Origin=origin)
                assert answer.status_code == status, (site, origin)
    async with (
        running_api(database, tmp_path, frontend_url=("https://test",)) as api,
        visitor(api) as browser,
    ):
        answer = await browser.post("/api/auth/login", body, Origin="http://test")
        assert code(answer) == (403, "csrf")


async def test_another_website_logs_nobody_in(api: Api, ada: Visitor) -> None:
    """Nor can it take part in registering or in setting a password."""
    body = {"email": ADA, "password": PASSWORD}
    for origin in ("https://evil.example", "null"):
        for path in ("login", "register", "google", "forgot-password", "reset-password"):
            answer = await ada.client.post(
                f"/api/auth/{path}", json=body, headers={"Origin": origin}
            )
            assert "set-cookie" not in answer.headers
            assert answer.status_code in (403, 422), path
        answer = await ada.client.post("/api/auth/login", json=body, headers={"Origin": origin})
        assert code(answer) == (403, "csrf")
    assert (await ada.client.post("/api/auth/login", json=body)).status_code == 200


# ── Ending ───────────────────────────────────────────────────────────────────────────


async def test_what_is_logged_out_is_not_let_in_again(api: Api, ada: Visitor) -> None:
    """The token of an ended session is replayed in vain; the browser forgets the cookie."""
    token = ada.token
    answer = await ada.post("/api/auth/logout")
    assert answer.status_code == 200
    assert "max-age=0" in cookies_of(answer)["leadpulse_session"]
    assert "leadpulse_session" not in ada.client.cookies
    for path in ("/api/auth/me", "/api/leads", "/api/auth/sessions"):
        assert code(await ada.bearer("GET", path, token)) == (401, "expired_session")
    # The row is the last word, also when its memory is gone.
    await api.conn.execute("delete from sessions")
    api.services.accounts.sessions.forget()
    assert code(await ada.bearer("GET", "/api/auth/me", token)) == (401, "expired_session")


async def test_who_was_logged_out_elsewhere_logs_out_all_the_same(api: Api, ada: Visitor) -> None:
    """A session that another process has just ended is out as well, and its cookie goes."""
    await ada.get("/api/auth/me")
    await api.conn.execute("update sessions set revoked_at = clock_timestamp()")
    answer = await ada.post("/api/auth/logout")
    assert answer.status_code == 200
    assert "max-age=0" in cookies_of(answer)["leadpulse_session"]
    assert code(await ada.bearer("GET", "/api/auth/me")) == (401, "expired_session")


async def test_sessions_are_listed_and_ended(api: Api, ada: Visitor) -> None:
    """One's own, and nobody else's."""
    async with visitor(api, "203.0.113.7") as phone, visitor(api) as eve:
        await phone.login()
        found = (await ada.get("/api/auth/sessions")).json()
        told.OwnSessions.model_validate(found)
        assert [each["current"] for each in found["sessions"]].count(True) == 1
        other = next(each for each in found["sessions"] if not each["current"])
        assert other["address"] == "203.0.113.7"
        assert other["agent"].startswith("python-httpx")
        stranger = await someone(api, eve)
        assert code(await stranger.delete(other["id"])) == (404, "not_found")
        assert (await phone.get("/api/auth/me")).status_code == 200
        assert (await Own(ada).delete(other["id"])).status_code == 204
        assert (await Own(ada).delete(other["id"])).status_code == 404
        assert code(await phone.get("/api/auth/me")) == (401, "expired_session")
        await phone.login()
        assert (await ada.post("/api/auth/logout-all")).status_code == 200
        for browser in (ada, phone):
            assert (await browser.bearer("GET", "/api/auth/me")).status_code == 401
        assert (await eve.get("/api/auth/me")).status_code == 200


class Own:
    """Somebody who ends sessions."""

    def __init__(self, browser: Visitor) -> None:
        self.browser = browser

    async def delete(self, session_id: str) -> httpx.Response:
        return await self.browser.bearer("DELETE", f"/api/auth/sessions/{session_id}")


async def someone(api: Api, browser: Visitor, email: str = "eve@example.com") -> Own:
    """Another person with an account, by a way around the closed door."""
    await api.conn.execute(
        "insert into users (id, email, name, password_hash) "
        "select %s, %s, 'Eve', password_hash from users limit 1",
        (uuid7(), email),
    )
    await browser.login(email)
    return Own(browser)


async def test_an_expired_session_is_over_whatever_its_token_says(api: Api, ada: Visitor) -> None:
    """The table decides."""
    await api.conn.execute("update sessions set expires_at = now()")
    api.services.accounts.sessions.forget()
    assert code(await ada.get("/api/auth/me")) == (401, "expired_session")


async def test_one_person_has_so_many_sessions(api: Api, ada: Visitor) -> None:
    """The oldest go."""
    await api.conn.execute(
        """
        insert into sessions (id, user_id, expires_at, created_at)
        select gen_random_uuid(), id, now() + interval '1 day', now() - n * interval '1 minute'
        from users, generate_series(1, 150) n
        """
    )
    await ada.login()
    assert len((await ada.get("/api/auth/sessions")).json()["sessions"]) == 100


async def test_that_a_session_is_used_is_noted(api: Api, ada: Visitor) -> None:
    """At most once a minute."""
    await api.conn.execute("update sessions set last_seen_at = now() - interval '1 hour'")
    api.services.accounts.sessions.forget()
    await ada.get("/api/auth/me")
    cursor = await api.conn.execute("select now() - last_seen_at < '1 minute' from sessions")
    assert await cursor.fetchall() == [(True,)]


# ── Projects and roles ───────────────────────────────────────────────────────────────


async def member(api: Api, browser: Visitor, role: str = "admin") -> str:
    """Makes somebody a member of the API's own project."""
    await api.conn.execute(
        "insert into members (project_id, user_id, role) values (%s, %s, %s)",
        (api.project.id, browser.user_id, role),
    )
    return api.project.id


async def test_a_session_works_in_one_project_and_switches(api: Api, ada: Visitor) -> None:
    """The token of before is void for projects, and good for the account."""
    old, mine = ada.token, ada.project_id
    await api.call("POST", "/api/leads", 201, json={"userId": "theirs"})
    other = await member(api, ada)
    for wrong, status in ((uuid7(), 404), ("x", 422)):
        answer = await ada.post("/api/auth/switch-project", {"projectId": wrong})
        assert answer.status_code == status
    said = await ada.enter("/api/auth/switch-project", {"projectId": other})
    assert said["project"] == {
        "id": other, "name": "Test", "role": "admin", "writeKey": api.project.write_key,
        "deletedAt": None,
    }  # fmt: skip
    assert len((await ada.get("/api/leads")).json()["leads"]) == 1
    assert len((await ada.get("/api/auth/me")).json()["projects"]) == 2
    for path in ("/api/leads", "/api/auth/me", "/api/auth/project"):
        assert code(await ada.bearer("GET", path, old)) == (401, "session_switched")
    assert (await ada.bearer("GET", "/api/auth/sessions", old)).status_code == 200
    # The new token ends when the session does.
    first, second = (
        jwt.decode(token, options={"verify_signature": False}) for token in (old, ada.token)
    )
    assert (first["sid"], first["exp"]) == (second["sid"], second["exp"])
    # Where one was last one begins next time.
    assert (await ada.login())["project"]["id"] == other
    await ada.enter("/api/auth/switch-project", {"projectId": mine})
    assert (await ada.login())["project"]["id"] in (mine, other)


async def test_roles_are_asked_for_by_every_call(api: Api, ada: Visitor) -> None:
    """A viewer reads; what he may not do is told, and to which role it is open."""
    await member(api, ada, "viewer")
    await ada.enter("/api/auth/switch-project", {"projectId": api.project.id})
    assert (await ada.get("/api/leads")).status_code == 200
    answer = await ada.post("/api/leads", {"userId": "u"})
    assert code(answer) == (403, "missing_role")
    assert "member" in answer.json()["detail"]


async def test_no_project_is_reached_by_naming_it_in_a_token(api: Api, ada: Visitor) -> None:
    """Even a token that we signed opens no project of which one is no member."""
    tokens = api.services.accounts.tokens
    sid = jwt.decode(ada.token, options={"verify_signature": False})["sid"]
    forged = tokens.sign(
        Claims(sid, ada.user_id, ADA, api.project.id), int(time.time() * 1_000_000)
    )
    assert code(await ada.bearer("GET", "/api/leads", forged)) == (401, "session_switched")
    await api.conn.execute("update sessions set project_id = %s", (api.project.id,))
    api.services.accounts.sessions.forget()
    assert code(await ada.bearer("GET", "/api/leads", forged)) == (403, "no_project")
    someone_else = tokens.sign(Claims(sid, uuid7(), ADA, None), int(time.time() * 1_000_000))
    answer = await ada.bearer("GET", "/api/auth/sessions", someone_else)
    assert answer.status_code == 401


async def test_without_a_project_one_is_still_logged_in(api: Api, ada: Visitor) -> None:
    """Whoever was removed sees his account, and nothing of a project."""
    await api.conn.execute("delete from members")
    api.services.accounts.sessions.forget()
    me = (await ada.get("/api/auth/me")).json()
    assert (me["project"], me["projects"]) == (None, [])
    assert code(await ada.get("/api/leads")) == (403, "no_project")
    assert (await ada.login())["project"] is None
    assert (await ada.get("/api/auth/me")).status_code == 200


# ── Other processes ──────────────────────────────────────────────────────────────────


@pytest.fixture
async def beside(api: Api, database: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A second process on the same database, with a memory of its own."""
    async with running_api(database, tmp_path) as other:
        yield other


async def until(what: str, seconds: float, holds: Any) -> None:
    """Asks again and again; fails when it is not so within this time."""
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < seconds, what
        await asyncio.sleep(0.1)


async def test_changes_count_in_every_process_within_five_seconds(
    api: Api, ada: Visitor, beside: Api
) -> None:
    """A lowered role, a removal and an ended session; while it is used all the time."""
    mine = ada.project_id

    async def there(method: str = "GET", body: Any = None) -> int:
        answer = await beside.client.request(
            method, "/api/leads", json=body, headers={"Authorization": f"Bearer {ada.token}"}
        )
        return answer.status_code

    async def lowered() -> bool:
        assert await there() == 200
        return await there("POST", {"userId": "u"}) == 403

    async def removed() -> bool:
        return await there() == 403

    async def ended() -> bool:
        return await there() == 401

    assert await there("POST", {"userId": "u"}) == 201
    await api.conn.execute("update members set role = 'viewer' where project_id = %s", (mine,))
    await until("the lowered role counts", 5, lowered)
    await api.conn.execute("delete from members where project_id = %s", (mine,))
    await until("the removal counts", 5, removed)
    await ada.post("/api/auth/logout")
    assert (await ada.bearer("GET", "/api/auth/me")).status_code == 401
    await until("logging out counts", 5, ended)


async def test_a_password_changed_in_one_process_logs_out_of_the_other(
    api: Api, ada: Visitor, beside: Api
) -> None:
    """Within five seconds; the process that did it knows at once."""
    async with visitor(beside) as thief:
        await thief.login()
        assert (await thief.get("/api/auth/me")).status_code == 200
        body = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
        assert (await ada.post("/api/auth/change-password", body)).status_code == 200
        assert (await ada.bearer("GET", "/api/auth/me", thief.token)).status_code == 401

        async def out() -> bool:
            return (await thief.get("/api/auth/me")).status_code == 401

        await until("the other process knows", 5, out)


async def test_a_project_of_the_cli_is_nobodys(api: Api, ada: Visitor) -> None:
    """Projects without members are reached by their keys only."""
    other = await create_project(api.conn, "Other")
    answer = await ada.post("/api/auth/switch-project", {"projectId": other.id})
    assert answer.status_code == 404


async def test_the_signing_key_is_changed_without_logging_anybody_out(
    database: str, tmp_path: Path
) -> None:
    """What the previous key signed is good until it is taken away."""
    old, new = "o" * 40, "n" * 40
    async with running_api(database, tmp_path, signing_key=old) as api, visitor(api) as browser:
        await browser.register()
        token, csrf = browser.token, browser.said["csrfToken"]
    both: dict[str, Any] = {"signing_key": new, "signing_key_previous": old}
    headers = {"Cookie": f"leadpulse_session={token}", "Origin": SITE, "X-CSRF-Token": csrf}
    async with running_api(database, tmp_path, **both) as api:
        answer = await api.client.post("/api/leads", json={"userId": "u"}, headers=headers)
        assert answer.status_code == 201
    async with running_api(database, tmp_path, signing_key=new) as api:
        answer = await api.client.post("/api/leads", json={"userId": "u"}, headers=headers)
        assert code(answer) == (401, "unknown_session")


async def test_no_forged_token_opens_anything(api: Api, ada: Visitor) -> None:
    """As Bearer and as cookie: unsigned, signed with a public key or another one, cut, expired."""
    said = jwt.decode(ada.token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(ada.token)["kid"]
    tokens = api.services.accounts.tokens
    own, other = tokens._keys[kid], b"x" * 32
    now = int(time.time())

    def signed(key: bytes, **changes: Any) -> str:
        return jwt.encode({**said, **changes}, key, "HS256", headers={"kid": kid})

    head, body, signature = ada.token.split(".")
    unsigned = jwt.encode(said, "", "none", headers={"kid": kid})
    forged = [
        unsigned, f"{unsigned.rpartition('.')[0]}.{signature}", signed(other),
        signed(own, aud="other"), signed(own, iss="other"), signed(own, nbf=now + 600),
        signed(own, exp=now - 600), signed(own, sid=uuid7()), signed(own, sub=uuid7()),
        signed(own, sid="x"), signed(own, sub="' or true --"), ada.token[:-1],
        f"{head}.{body}.", f"{head}.{body[:-4]}.{signature}", ada.token.swapcase(),
    ]  # fmt: skip
    assert (await ada.bearer("GET", "/api/leads", signed(own))).status_code == 200
    for token in forged:
        for path in ("/api/leads", "/api/auth/me", "/api/auth/sessions"):
            answer = await ada.bearer("GET", path, token)
            assert answer.status_code == 401, token
            assert answer.json()["code"] in ("unknown_session", "expired_session")
            headers = {"Cookie": f"leadpulse_session={token}"}
            assert (await ada.client.get(path, headers=headers)).status_code == 401
