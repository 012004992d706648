"""Keys of a project: made, limited, rotated, switched off; and nobody gets in with less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.permissions import DEFAULT_SCOPES, SCOPES
from leadpulse.domain.timestamps import parse_timestamp, to_rfc3339
from leadpulse.http import answers_projects as told
from leadpulse.ids import uuid7
from leadpulse.usecases import project_keys
from support.tenants import audit_lines, secret_key, someone

if TYPE_CHECKING:
    from support.api import Api
    from support.tenants import Someone

EVENT = {"event": "signup", "userId": "u-1"}
UNKNOWN = {"unknown_key", "missing_key"}


@pytest.fixture
async def admin(api: Api) -> Someone:
    return await someone(api, "admin")


def path(api: Api, rest: str = "") -> str:
    return f"/api/projects/{api.project.id}/keys{rest}"


async def make(api: Api, person: Someone, status: int = 201, **wanted: Any) -> Any:
    return await api.call("POST", path(api), status, key=person.token, json=wanted)


async def send(api: Api, key: str, status: int = 202, **headers: str) -> Any:
    return await api.call("POST", "/api/ingest/event", status, key=key, json=EVENT, headers=headers)


async def listed(api: Api, key: str | None = None) -> dict[str, Any]:
    found = await api.told(path(api), told.Keys, key=key)
    return {key["name"]: key for key in found["keys"]}


# ── Making ───────────────────────────────────────────────────────────────────────────


async def test_several_write_keys_are_named_and_shown(api: Api, admin: Someone) -> None:
    """At any time, to whoever may make one."""
    made = await make(api, admin, kind="write", name=" Shop ")
    told.MadeKey.model_validate(made)
    await send(api, made["key"])
    keys = await listed(api, admin.token)
    assert keys["Shop"]["key"] == made["key"]
    assert keys["Shop"]["createdBy"] == f"user:{admin.id}"
    assert keys["Write key"]["key"] == api.project.write_key
    assert keys["Secret key"]["key"] is None


async def test_a_secret_key_is_shown_once(api: Api, admin: Someone) -> None:
    """Then it exists as a hash only; without scopes it gets the default ones."""
    made = await make(api, admin, kind="secret", name="CRM")
    assert made["key"].startswith("sk_")
    assert (await listed(api, admin.token))["CRM"]["scopes"] == list(DEFAULT_SCOPES)
    await api.get("/api/leads", key=made["key"])
    assert (await api.get("/api/leads/export", 403, key=made["key"]))["code"] == "missing_scope"
    cursor = await api.conn.execute("select count(*) from api_keys k where k::text like %s",
                                    (f"%{made['key'][3:]}%",))  # fmt: skip
    assert await cursor.fetchone() == (0,)
    lines = await audit_lines(api)
    assert made["key"] not in str(lines)
    assert lines[-1]["details"] == {"kind": "secret", "name": "CRM", "scopes": [*DEFAULT_SCOPES]}


async def test_only_a_verified_person_handles_secret_keys(api: Api) -> None:
    """An unverified one may make write keys; a key never makes a secret one, nor sees any."""
    fresh = await someone(api, "owner", verified=False)
    await make(api, fresh, kind="write")
    assert (await make(api, fresh, 403, kind="secret"))["code"] == "unverified_email"
    secret = (await listed(api, fresh.token))["Secret key"]["id"]
    for method, address, body in (
        ("PATCH", path(api, f"/{secret}"), {"active": False}),
        ("DELETE", path(api, f"/{secret}"), None),
        ("POST", f"/api/projects/{api.project.id}/rotate-key", {"keyId": secret}),
    ):
        answer = await api.call(method, address, 403, key=fresh.token, json=body)
        assert answer["code"] == "unverified_email"
        assert (await api.call(method, address, 403, json=body))["code"] == "people_only"
    answer = await api.call("POST", path(api), 403, json={"kind": "secret"})
    assert answer["code"] == "people_only"
    assert "Secret key" not in await listed(api)
    await api.call("POST", path(api), 201, json={"kind": "write"})
    await api.get("/api/leads")


BAD_WISHES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "admin"}, "kind"),
    ({"kind": "write", "scopes": ["leads:read"]}, "scopes"),
    ({"kind": "secret", "scopes": []}, "scopes"),
    ({"kind": "secret", "scopes": ["leads:*"]}, "scopes[0]"),
    ({"kind": "secret", "origins": ["https://a.example"]}, "origins"),
    ({"kind": "write", "origins": ["a.example"]}, "origins[0]"),
    ({"kind": "write", "origins": ["https://a.example", "null"]}, "origins[1]"),
    ({"kind": "write", "origins": ["https://a.example"] * 51}, "origins"),
    ({"kind": "write", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ({"kind": "write", "expiresAt": "soon"}, "expiresAt"),
    ({"kind": "write", "name": "x" * 201}, "name"),
    ({"kind": "write", "name": "a\x00b"}, "name"),
    ({"kind": "write", "key": "pk_" + "0" * 48}, "key"),
]


async def test_bad_wishes_are_named(api: Api, admin: Someone) -> None:
    """Each by its field; nobody chooses his own key."""
    for wanted, field in BAD_WISHES:
        answer = await make(api, admin, 422, **wanted)
        assert field in {error["field"] for error in answer["errors"]}, wanted


async def test_keys_are_not_without_end(
    api: Api, admin: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revoked ones don't count."""
    monkeypatch.setattr(project_keys, "MOST_KEYS", 3)
    made = await make(api, admin, kind="write")
    assert (await make(api, admin, 409, kind="write"))["code"] == "too_many_keys"
    await api.call("DELETE", path(api, f"/{made['id']}"), 204, key=admin.token)
    await make(api, admin, kind="write")


async def test_older_clients_make_write_keys(api: Api, admin: Someone) -> None:
    """One more each time."""
    made = await api.call("POST", "/api/auth/generate-api-key", 201, key=admin.token)
    told.ApiKey.model_validate(made)
    await send(api, made["apiKey"])
    assert len(await listed(api, admin.token)) >= 2


# ── Changing ─────────────────────────────────────────────────────────────────────────


async def test_a_rotated_key_works_a_while_longer(api: Api, admin: Someone) -> None:
    """The new one is like it and is the one that people are shown."""
    old = await make(api, admin, kind="write", name="Shop", origins=["https://shop.example"])
    address = f"/api/projects/{api.project.id}/rotate-key"
    done = await api.call(
        "POST", address, 201, key=admin.token, json={"keyId": old["id"], "graceHours": 2}
    )
    told.RotatedKey.model_validate(done)
    assert (done["oldId"], done["apiKey"]) == (old["id"], done["key"])
    for key in (old["key"], done["key"]):
        await send(api, key, origin="https://shop.example")
        await send(api, key, 403, origin="https://other.example")
    cursor = await api.conn.execute(
        "select expires_at - clock_timestamp() between interval '119 minutes' and "
        "interval '120 minutes' from api_keys where id = %s",
        (old["id"],),
    )
    assert await cursor.fetchone() == (True,)
    await api.conn.execute(
        "update api_keys set expires_at = clock_timestamp() where id = %s", (old["id"],)
    )
    api.services.keys.forget()
    assert (await send(api, old["key"], 401, origin="https://shop.example"))[
        "code"
    ] == "expired_key"
    await send(api, done["key"], origin="https://shop.example")


async def test_without_a_name_the_write_key_in_use_is_rotated(api: Api) -> None:
    """A grace of none ends the old one at once; the project then shows the new one."""
    address = f"/api/projects/{api.project.id}/rotate-key"
    first = await api.call("POST", address, 201)
    await send(api, api.project.write_key)
    await send(api, first["apiKey"])
    shown = await api.get(f"/api/projects/{api.project.id}")
    assert shown["writeKey"] == first["apiKey"]
    second = await api.call("POST", address, 201, json={"graceHours": 0})
    assert second["oldId"] == first["id"]
    await send(api, first["apiKey"], 401)
    for hours in (-1, 2161, "1"):
        await api.call("POST", address, 422, json={"graceHours": hours})


async def test_a_rotation_never_lengthens_a_life(api: Api, admin: Someone) -> None:
    """What ends in an hour ends in an hour, its successor too; what has ended has none."""
    cursor = await api.conn.execute("select clock_timestamp() + interval '1 hour'")
    ends = to_rfc3339((await cursor.fetchone() or (0,))[0])
    made = await make(api, admin, kind="secret", name="s", expiresAt=ends)
    address = f"/api/projects/{api.project.id}/rotate-key"
    wanted = {"keyId": made["id"]}
    done = await api.call("POST", address, 201, key=admin.token, json=wanted)
    assert parse_timestamp(done["oldUntil"]) == parse_timestamp(ends)
    assert done["key"].startswith("sk_")
    cursor = await api.conn.execute(
        "select count(distinct expires_at), count(*) from api_keys where name = 's'"
    )
    assert await cursor.fetchone() == (1, 2)
    await api.conn.execute(
        "update api_keys set expires_at = clock_timestamp() where id = %s", (made["id"],)
    )
    answer = await api.call("POST", address, 409, key=admin.token, json=wanted)
    assert answer["code"] == "key_over"


async def test_a_key_is_switched_off_and_on(api: Api, admin: Someone) -> None:
    """At once in this process; its name and websites change likewise."""
    made = await make(api, admin, kind="write", name="Shop")
    one = path(api, f"/{made['id']}")
    await send(api, made["key"])
    off = await api.call("PATCH", one, key=admin.token, json={"active": False})
    told.Key.model_validate(off)
    assert off["state"] == "off"
    await send(api, made["key"], 401)
    await api.call("PATCH", one, key=admin.token, json={"active": True, "name": "Blog"})
    await send(api, made["key"])
    limited = await api.call(
        "PATCH", one, key=admin.token, json={"origins": ["HTTPS://Blog.example:443/"]}
    )
    assert limited["origins"] == ["https://blog.example"]
    await send(api, made["key"], 403)
    await send(api, made["key"], origin="https://blog.example")
    lines = [line["details"] for line in await audit_lines(api) if line["action"] == "key.changed"]
    assert lines == [
        {"active": [True, False]},
        {"name": ["Shop", "Blog"], "active": [False, True]},
        {"origins": [[], ["https://blog.example"]]},
    ]


async def test_an_end_is_set_and_taken_away(api: Api, admin: Someone) -> None:
    """Null is never."""
    made = await make(api, admin, kind="secret", name="s", expiresAt="2040-01-01T00:00:00Z")
    one = path(api, f"/{made['id']}")
    changed = await api.call("PATCH", one, key=admin.token, json={"name": "t"})
    assert changed["expiresAt"] == "2040-01-01T00:00:00.000000Z"
    changed = await api.call("PATCH", one, key=admin.token, json={"expiresAt": None})
    assert changed["expiresAt"] is None


async def test_a_revoked_key_is_gone_for_good(api: Api, admin: Someone) -> None:
    """It stands in the list, and nothing more can be done about it."""
    made = await make(api, admin, kind="secret", name="CRM")
    one = path(api, f"/{made['id']}")
    await api.get("/api/leads", key=made["key"])
    await api.call("DELETE", one, 204, key=admin.token)
    assert (await api.get("/api/leads", 401, key=made["key"]))["code"] == "expired_key"
    assert (await listed(api, admin.token))["CRM"]["state"] == "revoked"
    for method, body in (("PATCH", {"active": True}), ("DELETE", None)):
        answer = await api.call(method, one, 409, key=admin.token, json=body)
        assert answer["code"] == "key_over"
    await api.call("DELETE", path(api, f"/{uuid7()}"), 404, key=admin.token)


async def test_a_deleted_projects_keys_open_nothing(api: Api) -> None:
    """From the moment on."""
    await api.conn.execute("update projects set deleted_at = clock_timestamp()")
    for key in (api.project.write_key, api.project.secret_key):
        assert (await send(api, key, 401))["code"] == "expired_key"
    await api.get("/api/leads", 401)


# ── Attacks ──────────────────────────────────────────────────────────────────────────


def forged(key: str) -> dict[str, str]:
    """What is almost a key."""
    body = key[3:]
    return {
        "a prefix": key[:-1],
        "half": key[:27],
        "nothing": key[:3],
        "longer": f"{key}0",
        "twice": key + key,
        "capitals": key[:3] + body.upper() if body.upper() != body else f"{key}A",
        "capital prefix": key[:3].upper() + body,
        "the other kind": ("sk_" if key.startswith("pk_") else "pk_") + body,
        "no prefix": body,
        "a bad digit": f"{key[:-1]}g",
        "another digit": key[:-1] + ("0" if key[-1] != "0" else "1"),
        "a wide digit": f"{key[:-1]}\uff10",
        "an arabic digit": f"{key[:-1]}\u0660",
        "no break": f"{key}\u00a0",
        "a zero width blank": f"{key}\u200b",
        "a blank inside": f"{key[:20]} {key[20:]}",
        "a tab inside": f"{key[:20]}\t{key[20:]}",
        "a pattern": key[:3] + "%" * 48,
        "one of each": key[:3] + "_" * 48,
        "a quote": f"{key}'--",
        "a nul": f"{key}\x00",
        "a line": f"{key}\n",
        "a long one": key[:3] + "0" * 100_000,
    }


@pytest.mark.parametrize("kind", ["write", "secret"])
async def test_what_is_almost_a_key_is_none(api: Api, kind: str) -> None:
    """In the body of an event call, where any text can stand."""
    key = api.project.write_key if kind == "write" else api.project.secret_key
    await api.client.post("/api/ingest/event", json={**EVENT, "apiKey": key})
    for what, wrong in forged(key).items():
        answer = await api.client.post("/api/ingest/event", json={**EVENT, "apiKey": wrong})
        assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key"), what
    for thing in (True, 1, [key], {"key": key}, 1.5):
        answer = await api.client.post("/api/ingest/event", json={**EVENT, "apiKey": thing})
        assert answer.status_code == 401, thing


async def test_what_is_almost_a_key_is_none_in_headers(api: Api) -> None:
    """Blanks around it are the header's own; everything else is not the key."""
    key = api.project.secret_key
    for what, wrong in forged(key).items():
        if len(wrong) > 1000 or "\n" in wrong or "\x00" in wrong:
            continue  # no server takes such a header
        for name, value in (("Authorization", f"Bearer {wrong}"), ("X-API-Key", wrong)):
            headers = {name.encode(): value.encode()}
            answer = await api.client.get("/api/leads", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key"), what
        answer = await api.client.get("/api/leads", params={"writeKey": wrong})
        assert answer.status_code == 401, what
    for value in (f"  Bearer   {key} ", f"bearer {key}", f"BEARER\t{key}".replace("\t", " ")):
        answer = await api.client.get("/api/leads", headers={"Authorization": value})
        assert answer.status_code == 200, value


async def test_what_is_no_key_costs_no_look_up(api: Api) -> None:
    """Nor does what was looked up a moment ago."""
    wrong = "sk_" + "0" * 48
    await api.get("/api/leads", 401, key=wrong)
    before = api.pool.get_stats()["requests_num"]
    for text in (*forged(api.project.write_key).values(), wrong):
        if text.isascii() and text.isprintable() and len(text) < 1000 and text[3:60] != "":
            await api.client.get("/api/leads", headers={"X-API-Key": text})
    # Two of them have the form of a key and had not been seen.
    assert api.pool.get_stats()["requests_num"] - before <= 3


ORIGINS = [
    ("https://shop.example", 202),
    ("https://SHOP.example", 202),
    ("http://shop.example", 403),
    ("https://shop.example:8443", 403),
    ("https://shop.example.evil.example", 403),
    ("https://evilshop.example", 403),
    ("https://sub.shop.example", 403),
    ("https://shop.example@evil.example", 403),
    ("https://shop.example/", 403),
    ("https://shop.example\u00a0", 403),
    ("null", 403),
    ("", 403),
    ("*", 403),
    ("https://shop.example, https://evil.example", 403),
    ("https://shop.exampl\u0435", 403),
]


async def test_a_list_of_websites_is_exact(api: Api, admin: Someone) -> None:
    """Scheme, host and port; no beginnings, no endings, nothing in its place."""
    made = await make(api, admin, kind="write", origins=["https://shop.example"])
    for origin, status in ORIGINS:
        answer = await api.client.post(
            "/api/ingest/event",
            json=EVENT,
            headers={b"x-api-key": made["key"].encode(), b"origin": origin.encode()},
        )
        assert answer.status_code == status, origin
        if status == 202:
            assert answer.headers["access-control-allow-origin"] == origin
        else:
            assert answer.json()["code"] == "origin_not_allowed"


async def test_a_scope_is_not_the_beginning_of_another(api: Api) -> None:
    """Each key may do what its scopes say, and not what they resemble."""
    for scope in SCOPES:
        key = await secret_key(api, scope.split(":")[0] if ":" in scope else "admi")
        for address in ("/api/leads", "/api/leads/export", "/api/admin/system-health"):
            await api.get(address, 403, key=key)
