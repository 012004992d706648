"""Every call, with every credential and with ids of another project, against the table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from leadpulse.domain.permissions import ROLES, SCOPES
from leadpulse.http.openapi import document
from leadpulse.http.routes import ROUTERS
from leadpulse.ids import uuid7
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.usecases.keys import hash_key, new_secret_key
from support.calls import (
    CALLS,
    EVENTS,
    EXTRAS,
    MADE_UP,
    METRICS,
    OF_A_PROJECT,
    PEOPLE,
    Credential,
    documented,
    refusal,
)
from support.tenants import secret_key, someone

if TYPE_CHECKING:
    import httpx

    from support.api import Api

# No call takes it: whoever gets so far is answered 422, and changes nothing.
NONSENSE = {"nonsense": 1}
DELETING = "DELETE /api/projects/{project_id}"


async def ask(
    api: Api, call: str, ids: dict[str, str], token: str = "", **options: Any
) -> httpx.Response:
    method, path = call.split(" ")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1]) or uuid7(), path)
    return await api.client.request(method, url, headers=headers, **options)


def body_of(call: str, body: Any = NONSENSE) -> dict[str, Any]:
    return {} if call.startswith(("GET", "DELETE")) else {"json": body}


# ── The table ────────────────────────────────────────────────────────────────────────


def test_every_call_has_a_line() -> None:
    """And every line a call."""
    assert set(documented()) == set(CALLS), "write new calls into tests/support/calls.py"
    routes = [route for area in ROUTERS for route in area.routes]
    assert all(isinstance(route, APIRoute) and route.include_in_schema for route in routes)


def test_the_description_tells_what_a_call_takes() -> None:
    """The same as the table, and with which credentials it can be given."""
    for name, call in documented().items():
        needs = CALLS[name]
        own = {"OPEN", "METRICS", EVENTS, PEOPLE}
        assert call.get("x-permission") == (None if needs in own else needs), name
        schemes = {scheme for one in call.get("security", ()) for scheme in one}
        if needs == PEOPLE:
            assert schemes == {"bearer", "cookie"}, name
        elif needs not in own:
            assert "bearer" in schemes, name


def test_every_id_that_a_call_takes_is_looked_at() -> None:
    """A new parameter or field that names something has to be added to what is tried here."""
    known = OF_A_PROJECT | MADE_UP
    schemas = {}
    for name, call in documented().items():
        for parameter in call.get("parameters", ()):
            found = parameter["name"]
            if parameter["in"] == "query" and found.lower().endswith(("id", "ids")):
                assert found in known, (name, found)
        for content in call.get("requestBody", {}).get("content", {}).values():
            schemas[name] = str(content)
    for title, schema in document()["components"]["schemas"].items():
        if any(f"/{title}'" in text for text in schemas.values()):
            for field in schema.get("properties", {}):
                if field.lower().endswith(("id", "ids")):
                    assert field in known, (title, field)


# ── Who may ──────────────────────────────────────────────────────────────────────────


async def credentials(api: Api) -> list[Credential]:
    """Everything with which one can call."""
    found = [
        Credential("nothing", "nothing"),
        Credential("an unknown key", "bad", "sk_" + "0" * 48),
        Credential("no key at all", "bad", "hello"),
        Credential("a write key", "write", api.project.write_key),
        Credential("all scopes", "key", api.project.secret_key, frozenset(SCOPES)),
    ]
    for scope in SCOPES:
        key = await secret_key(api, scope)
        found.append(Credential(scope, "key", key, frozenset({scope})))
    for role in ROLES:
        person = await someone(api, role)
        found.append(Credential(role, "session", person.token, role=role))
    operator = await someone(api, "viewer")
    await api.conn.execute("update users set operator = true where id = %s", (operator.id,))
    fresh = await someone(api, "owner", verified=False)
    ended, gone = await someone(api, "owner"), await someone(api, "owner")
    await api.conn.execute(
        "update sessions set revoked_at = clock_timestamp() where user_id = %s", (ended.id,)
    )
    await api.conn.execute(
        "update users set disabled_at = clock_timestamp() where id = %s", (gone.id,)
    )
    return [
        *found,
        Credential("an operator", "session", operator.token, role="viewer"),
        Credential("not verified", "session", fresh.token, role="owner", verified=False),
        Credential("member of nothing", "session", (await someone(api)).token),
        Credential("an ended session", "bad", ended.token),
        Credential("a disabled account", "bad", gone.token),
    ]


async def another_like(api: Api, credential: Credential) -> str:
    """Somebody else of whom the same holds: what is called may end all sessions of a person."""
    return (await someone(api, credential.role, verified=credential.verified)).token


def hold(answer: httpx.Response, status: int, what: tuple[str, str]) -> None:
    if status:
        assert answer.status_code == status, (*what, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", what
    else:
        assert answer.status_code not in (401, 403), (*what, answer.text)
        assert answer.status_code < 500, (*what, answer.text)


async def test_every_call_answers_every_credential_as_the_table_says(api: Api) -> None:
    """Refused with 401 or 403, or let in; whatever then becomes of the call."""
    everything = await credentials(api)
    # Deleting comes last: no session works in the project then.
    for call in sorted(CALLS, key=lambda call: call == DELETING):
        needs = CALLS[call]
        ids = {} if needs == PEOPLE else {"project_id": api.project.id}
        for credential in everything:
            token = credential.token
            if credential.kind == "session" and (needs == PEOPLE or call == DELETING):
                token = await another_like(api, credential)
            answer = await ask(api, call, ids, token, **body_of(call))
            hold(answer, refusal(needs, credential), (call, credential.name))
            if call == DELETING and answer.status_code == 200:
                await api.conn.execute("update projects set deleted_at = null")
                api.services.keys.forget()
                api.services.accounts.sessions.forget()


async def test_what_a_call_is_about_can_take_more(api: Api) -> None:
    """Secret keys, owners, other members."""
    everything = await credentials(api)
    for extra in EXTRAS:
        for credential in everything:
            viewer, owner = await someone(api, "viewer"), await someone(api, "owner")
            secret = NewKey(
                api.project.id, uuid7(), "secret", "s", None, hash_key(new_secret_key())
            )
            await insert_key(api.conn, secret)
            ids = {
                "project_id": api.project.id, "user_id": viewer.id, "owner_id": owner.id,
                "secret_id": secret.id,
            }  # fmt: skip
            body = extra.body and {name: value.format(**ids) for name, value in extra.body.items()}
            answer = await ask(api, extra.call, ids, credential.token, **body_of(extra.call, body))
            hold(answer, refusal(extra.needs, credential), (str(extra), credential.name))
            # Lest there be too many.
            await api.conn.execute(
                "delete from api_keys where name = 's' or created_by like 'user:%'"
            )


# ── Another project's ────────────────────────────────────────────────────────────────

MARK = "of-the-others"
BODIES: dict[str, Any] = {
    "PATCH /api/leads/{lead_id}": {"name": "Mallory"},
    "POST /api/leads/{lead_id}/adjustments": {"points": 1, "note": "n"},
    "PUT /api/rules/{rule_id}": {"points": 1},
    "PUT /api/scoring-rules/{rule_id}": {"points": 1},
    "PATCH /api/projects/{project_id}": {"name": "Mallory"},
    "PUT /api/projects/{project_id}/identity-verification": {"identityVerification": "on"},
    "POST /api/projects/{project_id}/invitations": {"email": "m@example.com"},
    "POST /api/projects/{project_id}/keys": {"kind": "write"},
    "PATCH /api/projects/{project_id}/keys/{key_id}": {"active": False},
    "PATCH /api/projects/{project_id}/members/{user_id}": {"role": "viewer"},
    "POST /api/projects/{project_id}/rotate-key": {},
    "PUT /api/projects/{project_id}/retention": {"days": 1},
}


class Others:
    """A project with one of everything that has an id; texts in it hold a mark."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.project = ""
        self.key = ""
        self.ids: dict[str, str] = {}

    async def fill(self) -> Others:
        """Makes everything by calls."""
        api = self._api
        owner = await someone(api)
        made = await api.call("POST", "/api/projects", 201, key=owner.token, json={"name": MARK})
        self.project = made["id"]
        self.key = await secret_key(api, *SCOPES, project_id=self.project)
        boss = await someone(api, "owner", self.project, email=f"boss@{MARK}.example")
        own = f"/api/projects/{self.project}"
        await api.send(
            *(
                {"event": "signup", "userId": f"{n}-{MARK}", "eventId": f"{n}", "sessionId": "s-1",
                 "properties": {"a": MARK}, "traits": {"name": MARK}}
                for n in range(3)
            ),
            key=self.key,
        )  # fmt: skip
        await api.score()
        leads = [lead["id"] for lead in (await api.get("/api/leads", key=self.key))["leads"]]
        event = (await api.get("/api/events", key=self.key))["events"][0]
        merged = await api.call(
            "POST", f"/api/leads/{leads[0]}/merge", key=self.key, json={"intoId": leads[1]}
        )
        erased = (await api.call("POST", "/api/leads", 201, key=self.key, json={"userId": "e"}))[
            "id"
        ]
        await api.call("POST", f"/api/leads/{erased}/erase", key=self.key)
        job = uuid7()
        await api.conn.execute(
            """
            insert into dead_letters (project_id, id, lead_id, kind, error, attempts,
                first_failed_at, failed_at)
            values (%s, %s, %s, 'scoring', %s, 6, now(), now())
            """,
            (self.project, job, leads[1], MARK),
        )
        # A number that is in no answer by chance.
        version = "1987654321"
        await api.conn.execute(
            """
            insert into models (project_id, version, scope, document)
            select project_id, %s::int, 'from-now', document from models where project_id = %s
            """,
            (version, self.project),
        )
        invited = await api.call(
            "POST", f"{own}/invitations", 201, key=boss.token,
            json={"email": f"guest@{MARK}.example"},
        )  # fmt: skip
        write = await api.call("POST", f"{own}/keys", 201, key=boss.token, json={"kind": "write"})
        suppressed = await api.get(f"{own}/suppressions", key=boss.token)
        imported = await api.call(
            "POST", "/api/leads/import", 202, key=self.key,
            json={"name": MARK, "csv": f"email\n{MARK}"},
        )  # fmt: skip
        self.ids = {
            "project_id": self.project,
            "lead_id": leads[1],
            "event_id": event["id"],
            "import_id": imported["id"],
            "merge_id": merged["merge"]["id"],
            "job_id": job,
            "rule_id": (await api.get("/api/rules", key=self.key))["rules"][0]["id"],
            "version": version,
            "key_id": write["id"],
            "user_id": boss.id,
            "invitation_id": invited["id"],
            "suppression_id": suppressed["suppressions"][0]["id"],
            "session_id": api.services.accounts.tokens.read(boss.token).session_id,
        }
        await api.score()
        return self

    async def state(self) -> dict[str, Any]:
        """All rows of the project, of every table, but when something was last used."""
        found = {}
        for name in await tables(self._api):
            column = "id" if name == "projects" else "project_id"
            cursor = await self._api.conn.execute(
                f"""
                select count(*), md5(string_agg(r, ',' order by r)) from (
                    select (to_jsonb(t) - 'last_used_at' - 'last_seen_at')::text as r
                    from {name} t where {column} = '{self.project}') rows
                """.encode()
            )
            found[name] = await cursor.fetchone()
        return found


async def tables(api: Api) -> list[str]:
    cursor = await api.conn.execute(
        """
        select c.relname from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
            and not c.relispartition and (c.relname = 'projects' or exists (
                select from pg_attribute a where a.attrelid = c.oid and a.attname = 'project_id'))
        order by 1
        """
    )
    return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
async def others(api: Api) -> Others:
    return await Others(api).fill()


async def test_no_id_of_another_project_names_anything(api: Api, others: Others) -> None:
    """In a path it answers 404, whoever asks; nothing is told, and nothing is changed."""
    owner, both = await someone(api, "owner"), await someone(api, "owner")
    await api.conn.execute(
        "insert into members (project_id, user_id, role) values (%s, %s, 'owner')",
        (others.project, both.id),
    )
    mine = (await api.call("POST", "/api/leads", 201, json={"userId": "mine"}))["id"]
    bodies = BODIES | {"POST /api/leads/{lead_id}/merge": {"intoId": mine}}
    before = await others.state()
    names: set[str] = set()
    for call in (call for call in CALLS if "{" in call):
        wanted = re.findall(r"\{(\w+)\}", call)
        names |= set(wanted)
        places = [{name: others.ids[name] for name in wanted}]
        if "project_id" in wanted and len(wanted) > 1:
            places.append({**places[0], "project_id": api.project.id})
        for ids in places:
            for who in (owner.token, both.token, api.project.secret_key):
                if who == both.token and call.endswith("/restore"):
                    continue  # that one is for owners, wherever they work
                answer = await ask(api, call, ids, who, **body_of(call, bodies.get(call, {})))
                people = who == api.project.secret_key and "people_only" in answer.text
                assert answer.status_code == 404 or people, (call, ids, answer.text)
                assert MARK not in answer.text
    assert names == set(others.ids)
    assert await others.state() == before


async def test_no_list_shows_what_belongs_to_another_project(api: Api, others: Others) -> None:
    """Neither by itself, nor by ids of the other in a query, nor by its cursors."""
    owner = await someone(api, "owner")
    await api.send({"event": "signup", "userId": "mine", "eventId": "1"})
    await api.score()
    lists = [call for call in CALLS if call.startswith("GET") and CALLS[call] != METRICS]
    for call in lists:
        if set(re.findall(r"\{(\w+)\}", call)) - {"project_id"}:
            continue
        parameters = {
            one["name"] for one in documented()[call].get("parameters", ()) if one["in"] == "query"
        }
        tries: list[dict[str, str]] = [{}]
        if "leadId" in parameters:
            tries.append({"leadId": others.ids["lead_id"]})
        if "sessionId" in parameters:
            tries.append({"sessionId": "s-1"})
        if "q" in parameters:
            tries.append({"q": MARK})
        if "cursor" in parameters:
            tries += await cursors(api, call, others)
        for query in tries:
            ids = {"project_id": api.project.id}
            answer = await ask(api, call, ids, owner.token, params=query)
            if "leadId" in query and answer.status_code == 404:
                continue
            assert answer.status_code == 200, (call, query, answer.text)
            for found in (MARK, *others.ids.values()):
                assert found not in answer.text, (call, query, found)
    figures = await api.get("/api/analytics/dashboard", key=owner.token)
    assert (figures["totalEvents"], figures["totalLeads"]) == (1, 1)
    assert (await api.get("/api/leads", key=owner.token))["total"] == 1


async def cursors(api: Api, call: str, others: Others) -> list[dict[str, str]]:
    """Where the other project's own list goes on."""
    ids = {"project_id": others.project}
    answer = await ask(api, call, ids, others.key, params={"limit": "1"})
    following = answer.json().get("nextCursor") if answer.status_code == 200 else None
    return [{"cursor": following}] if following else []


async def test_no_body_reaches_another_project(api: Api, others: Others) -> None:
    """An id of the other in a body is no id here."""
    owner = await someone(api, "owner")
    mine = (await api.call("POST", "/api/leads", 201, json={"userId": "mine"}))["id"]
    theirs = others.ids["lead_id"]
    before = await others.state()
    for preview in (True, False):
        await api.call(
            "POST", f"/api/leads/{mine}/merge", 422, json={"intoId": theirs, "preview": preview}
        )
    await api.call("POST", f"/api/leads/{theirs}/merge", 404, json={"intoId": mine})
    await api.call(
        "POST", f"/api/projects/{api.project.id}/rotate-key", 404, key=owner.token,
        json={"keyId": others.ids["key_id"]},
    )  # fmt: skip
    for key in (api.project.write_key, api.project.secret_key):
        for call in (call for call, needs in CALLS.items() if needs == EVENTS):
            event = {"event": "a", "eventType": "a", "leadId": theirs}
            if "ingest/" in call or "batch" in call:
                event.pop("eventType" if "/ingest/" in call else "event")
            body = {"events": [event]} if call.endswith("batch") else event
            answer = await ask(api, call, {}, key, json=body)
            assert "unknown_lead" in answer.text, (call, answer.text)
    await api.call(
        "POST", "/api/auth/switch-project", 404, key=owner.token,
        json={"projectId": others.project},
    )  # fmt: skip
    assert await others.state() == before
