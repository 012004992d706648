"""Members: roles, leaving, handing over; and invitations."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.domain.errors import NotFound
from leadpulse.domain.rates import Rate
from leadpulse.http import answers_projects as told
from leadpulse.ids import uuid7
from leadpulse.postgres import invitations as store
from leadpulse.postgres import members, projects
from leadpulse.usecases import guard, invitations, people, project_removal
from leadpulse.usecases.sessions import MEMORY_SECONDS
from support.tenants import audit_lines, someone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.connect import Connection
    from support.api import Api
    from support.tenants import Someone

PASSWORD = "violet lamp rides north"


class Mails:
    """Keeps what is to be sent."""

    ready = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, str]]] = []

    def send(self, kind: str, to: str, values: Mapping[str, str]) -> bool:
        self.sent.append((kind, to, dict(values)))
        return True

    @property
    def token(self) -> str:
        """Of the last link."""
        return self.sent[-1][2]["link"].partition("#token=")[2]


@pytest.fixture
def mails(api: Api, monkeypatch: pytest.MonkeyPatch) -> Mails:
    made = Mails()
    object.__setattr__(api.services.accounts, "mailer", made)
    return made


def path(api: Api, rest: str) -> str:
    return f"/api/projects/{api.project.id}/{rest}"


async def change(api: Api, by: Someone, who: Someone, status: int = 200, **to: Any) -> Any:
    return await api.call("PATCH", path(api, f"members/{who.id}"), status, key=by.token, json=to)


async def remove(api: Api, by: Someone, who: Someone, status: int = 204) -> Any:
    return await api.call("DELETE", path(api, f"members/{who.id}"), status, key=by.token)


async def roles(api: Api, by: Someone) -> dict[str, str]:
    found = await api.told(path(api, "members"), told.Members, key=by.token)
    return {member["email"]: member["role"] for member in found["members"]}


# ── Roles ────────────────────────────────────────────────────────────────────────────


async def test_admins_give_roles_below_owner(api: Api) -> None:
    """To make or lower an owner takes an owner; it counts at once for running sessions."""
    owner, admin, viewer = [await someone(api, role) for role in ("owner", "admin", "viewer")]
    await api.call("POST", "/api/leads", 403, key=viewer.token, json={"userId": "u"})
    changed = await change(api, admin, viewer, role="member")
    told.Member.model_validate(changed)
    assert changed["role"] == "member"
    await api.call("POST", "/api/leads", 201, key=viewer.token, json={"userId": "u"})
    for who, role in ((viewer, "owner"), (admin, "owner"), (owner, "viewer")):
        assert (await change(api, admin, who, 403, role=role))["code"] == "missing_role"
    assert (await remove(api, admin, owner, 403))["code"] == "missing_role"
    await change(api, owner, admin, role="viewer")
    await change(api, admin, viewer, 403, role="viewer")
    assert await roles(api, viewer) == {
        owner.email: "owner",
        admin.email: "viewer",
        viewer.email: "member",
    }
    lines = [line for line in await audit_lines(api) if line["action"] == "member.role_changed"]
    assert [(line["target"], line["details"]["role"]) for line in lines] == [
        (f"member:{viewer.id}", ["viewer", "member"]),
        (f"member:{admin.id}", ["admin", "viewer"]),
    ]


async def test_a_project_keeps_an_owner(api: Api) -> None:
    """The last one can't leave, be lowered or lower himself, also when two go at once."""
    one, two = await someone(api, "owner"), await someone(api, "owner")
    answers = await asyncio.gather(
        *(
            api.client.request(
                "DELETE",
                path(api, f"members/{who.id}"),
                headers={"Authorization": f"Bearer {who.token}"},
            )
            for who in (one, two)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    last = one if answers[1].status_code == 204 else two
    for answer in (
        await remove(api, last, last, 409),
        await change(api, last, last, 409, role="admin"),
    ):
        assert answer["code"] == "last_owner"
    await change(api, last, last, role="owner")
    assert await roles(api, last) == {last.email: "owner"}


async def test_an_owner_who_cannot_log_in_is_none(api: Api) -> None:
    """Somebody whose account is closed keeps no project, and is handed none."""
    ada, bob = await someone(api, "owner"), await someone(api, "owner")
    await api.conn.execute("update users set disabled_at = now() where id = %s", (bob.id,))
    for refused in (
        await remove(api, ada, ada, 409),
        await change(api, ada, ada, 409, role="admin"),
        await change(api, ada, bob, 409, role="owner", transfer=True),
    ):
        assert refused["code"] == "last_owner"
    await remove(api, ada, bob)


async def test_ownership_is_handed_over(api: Api) -> None:
    """In one step, after which the one who gave is an admin."""
    owner, member = await someone(api, "owner"), await someone(api, "member")
    await change(api, owner, member, 422, role="admin", transfer=True)
    await change(api, owner, owner, 422, role="owner", transfer=True)
    given = await change(api, owner, member, role="owner", transfer=True)
    assert given["role"] == "owner"
    assert await roles(api, owner) == {owner.email: "admin", member.email: "owner"}
    await change(api, owner, member, 403, role="owner", transfer=True)
    lines = await audit_lines(api)
    assert lines[-1]["action"] == "project.transferred"
    assert lines[-1]["details"] == {"from": owner.id, "to": member.id}


async def test_everybody_may_leave(api: Api) -> None:
    """And is out at once; nobody below an admin removes others."""
    owner, viewer, member = [await someone(api, role) for role in ("owner", "viewer", "member")]
    assert (await remove(api, viewer, member, 403))["code"] == "missing_role"
    await remove(api, viewer, viewer)
    assert (await api.get("/api/leads", 403, key=viewer.token))["code"] == "no_project"
    await remove(api, owner, member)
    assert (await api.get("/api/leads", 403, key=member.token))["code"] == "no_project"
    await remove(api, owner, member, 404)
    lines = await audit_lines(api)
    assert [line["action"] for line in lines[-2:]] == ["member.left", "member.removed"]


async def test_another_process_knows_within_five_seconds(api: Api) -> None:
    """A lowered role is looked up again."""
    assert MEMORY_SECONDS < 5
    viewer = await someone(api, "admin")
    await api.get(path(api, "invitations"), key=viewer.token)
    await api.conn.execute("update members set role = 'viewer'")
    await api.get(path(api, "invitations"), key=viewer.token)
    await asyncio.sleep(MEMORY_SECONDS + 0.1)
    await api.get(path(api, "invitations"), 403, key=viewer.token)


async def test_members_of_others_are_nobody(api: Api) -> None:
    """As is what is no id."""
    owner, stranger = await someone(api, "owner"), await someone(api)
    await change(api, owner, stranger, 404, role="admin")
    await change(api, owner, stranger, 404, role="owner", transfer=True)
    await remove(api, owner, stranger, 404)
    await api.call("DELETE", path(api, "members/x"), 404, key=owner.token)
    await change(api, owner, owner, 422, role="king")


# ── Invitations ──────────────────────────────────────────────────────────────────────


async def invite(api: Api, by: Someone, email: str, status: int = 201, **more: Any) -> Any:
    wanted = {"email": email, **more}
    return await api.call("POST", path(api, "invitations"), status, key=by.token, json=wanted)


async def accept(api: Api, status: int, key: str = "", **given: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = await api.client.post("/api/auth/accept-invitation", json=given, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_stranger_is_invited_by_mail(api: Api, mails: Mails) -> None:
    """The link makes a verified account with the role, logs in, and works once."""
    admin = await someone(api, "admin")
    made = await invite(api, admin, " Grace@Example.com ", role="member")
    told.MadeInvitation.model_validate(made)
    assert (made["email"], made["mailed"], made["invitedBy"]) == (
        "grace@example.com", True, admin.email,
    )  # fmt: skip
    ((kind, to, values),) = mails.sent
    assert (kind, to) == ("invitation", "grace@example.com")
    assert (values["project"], values["inviter"], values["role"]) == ("Test", admin.email, "member")
    listed = await api.told(path(api, "invitations"), told.Invitations, key=admin.token)
    assert [one["email"] for one in listed["invitations"]] == ["grace@example.com"]
    assert mails.token not in str(made) + str(listed)
    await accept(api, 422, token=mails.token, name="Grace", password="password123")
    await accept(api, 422, token=mails.token, name=" ", password=PASSWORD)
    await accept(api, 422, token=mails.token, name="Grace", password=f"{PASSWORD}\x00")
    begun = await accept(api, 200, token=mails.token, name="Grace", password=PASSWORD)
    assert begun["user"]["emailVerified"] is True
    assert (begun["project"]["id"], begun["project"]["role"]) == (api.project.id, "member")
    await api.get("/api/leads", key=begun["token"])
    await accept(api, 422, token=mails.token, name="Grace", password=PASSWORD)
    assert (await api.get(path(api, "invitations"), key=admin.token))["invitations"] == []
    lines = (await audit_lines(api))[-2:]
    assert [line["action"] for line in lines] == ["invitation.made", "member.joined"]
    assert lines[1]["actor"] == f"user:{begun['user']['id']}"
    assert mails.token not in str(lines)
    cursor = await api.conn.execute(
        "select count(*) from invitations i where i::text like %s", (f"%{mails.token}%",)
    )
    assert await cursor.fetchone() == (0,)


async def test_who_has_an_account_logs_in_and_joins(api: Api, mails: Mails) -> None:
    """With the invited address, and verified; the session works there from then on."""
    admin = await someone(api, "admin")
    ada = await someone(api, email="ada@example.com")
    await invite(api, admin, ada.email, role="viewer")
    token = mails.token
    answer = await accept(api, 409, token=token, name="Ada", password=PASSWORD)
    assert answer["code"] == "has_account"
    await accept(api, 401, token=token)
    eve = await someone(api, email="eve@example.com")
    assert (await accept(api, 403, eve.token, token=token))["code"] == "other_address"
    begun = await accept(api, 200, ada.token, token=token)
    assert begun["project"]["role"] == "viewer"
    await api.get("/api/leads", key=begun["token"])
    assert (await api.get("/api/leads", 401, key=ada.token))["code"] == "session_switched"


async def test_an_invitation_verifies_the_address_that_it_was_mailed_to(
    api: Api, mails: Mails
) -> None:
    """Who is logged in there and has the link reads the mail; nobody else's link does that."""
    admin = await someone(api, "admin")
    grace = await someone(api, email="grace@example.com", verified=False)
    other = await someone(api, email="other@example.com", verified=False)
    await invite(api, admin, grace.email, role="admin")
    token = mails.token
    assert (await accept(api, 403, other.token, token=token))["code"] == "other_address"
    begun = await accept(api, 200, grace.token, token=token)
    assert begun["user"]["emailVerified"] is True
    grace = grace._replace(token=begun["token"])
    await invite(api, grace, "friend@example.com")
    answer = await api.get("/api/auth/me", key=other.token)
    assert answer["user"]["emailVerified"] is False


async def test_an_invitation_and_its_inviter_end_in_one_order(
    api: Api, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who accepts while the inviter is removed is in or out: nobody waits in a circle."""
    owner, admin = await someone(api, "owner"), await someone(api, "admin")
    grace = await someone(api, email="grace@example.com")
    await invite(api, admin, grace.email)
    hold, both = store.hold, asyncio.Barrier(2)
    hold_members = members.hold

    async def meet() -> None:
        with contextlib.suppress(TimeoutError, asyncio.BrokenBarrierError):
            await asyncio.wait_for(both.wait(), 0.5)

    async def held(conn: Connection, token_hash: bytes) -> Any:
        found = await hold(conn, token_hash)
        await meet()
        return found

    async def held_members(conn: Connection, project_id: str, *user_ids: str) -> Any:
        found = await hold_members(conn, project_id, *user_ids)
        await meet()
        return found

    monkeypatch.setattr(store, "hold", held)
    monkeypatch.setattr(members, "hold", held_members)
    accepted, _ = await asyncio.gather(
        api.client.post(
            "/api/auth/accept-invitation",
            json={"token": mails.token},
            headers={"Authorization": f"Bearer {grace.token}"},
        ),
        remove(api, owner, admin),
    )
    assert accepted.status_code == 200


async def test_nobody_joins_a_project_that_is_deleted(api: Api, mails: Mails) -> None:
    """Not while it is being deleted either: who comes a moment later finds nothing."""
    ada, bob = await someone(api, "owner"), await someone(api)
    await invite(api, ada, bob.email)
    held = projects.hold_open
    gone: list[str] = []

    async def late(conn: Connection, project_id: str) -> bool:
        if not gone:
            gone.append(project_id)
            await project_removal.delete_project(api.services.pool, project_id, "cli")
        return await held(conn, project_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projects, "hold_open", late)
        await accept(api, 422, bob.token, token=mails.token)
    assert gone
    with pytest.raises(NotFound):
        await people.add_member(api.services.pool, api.project.id, bob.email, "admin")
    cursor = await api.conn.execute("select count(*) from members where user_id = %s", (bob.id,))
    assert await cursor.fetchone() == (0,)


async def test_an_invitation_ends(api: Api, mails: Mails) -> None:
    """Revoked, expired, followed by a newer one, or into a deleted project: all the same."""
    admin = await someone(api, "admin")
    given = {"name": "Grace", "password": PASSWORD}
    made = await invite(api, admin, "grace@example.com")
    old = mails.token
    newer = await invite(api, admin, "grace@example.com", role="admin")
    assert newer["id"] != made["id"]
    refused = await accept(api, 422, token=old, **given)
    await api.conn.execute("update invitations set expires_at = clock_timestamp()")
    again = await accept(api, 422, token=mails.token, **given)
    assert again["errors"] == refused["errors"]
    await api.conn.execute("update invitations set expires_at = now() + interval '1 day'")
    await api.conn.execute("update projects set deleted_at = now()")
    again = await accept(api, 422, token=mails.token, **given)
    assert again["errors"] == refused["errors"]
    await api.conn.execute("update projects set deleted_at = null")
    one = path(api, f"invitations/{newer['id']}")
    await api.call("DELETE", one, 204, key=admin.token)
    await api.call("DELETE", one, 404, key=admin.token)
    for token in (mails.token, "x", mails.token[:-1], "\u00e9" * 43, "a" * 200):
        again = await accept(api, 422, token=token, **given)
        assert again["errors"] == refused["errors"]


async def test_two_who_accept_at_once_are_one_member(api: Api, mails: Mails) -> None:
    """The second finds the link used."""
    admin = await someone(api, "admin")
    await invite(api, admin, "grace@example.com")
    given = {"token": mails.token, "name": "Grace", "password": PASSWORD}
    answers = await asyncio.gather(
        *(api.client.post("/api/auth/accept-invitation", json=given) for _ in range(4))
    )
    assert sorted(a.status_code for a in answers).count(200) == 1
    assert {a.status_code for a in answers} <= {200, 409, 422}
    assert len(await roles(api, admin)) == 2


async def test_whom_one_cannot_invite(
    api: Api, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members, as owners, what is no address, too many; and by whom."""
    admin, member = await someone(api, "admin"), await someone(api, "member")
    assert (await invite(api, admin, member.email.upper(), 409))["code"] == "already_member"
    await invite(api, admin, "new@example.com", 422, role="owner")
    for wrong in ("x", "a@b", "", "a@example.com\nBcc: b@example.com", "é@example.com",
                  "=?utf-8?q?x?=@example.com"):  # fmt: skip
        await invite(api, admin, wrong, 422)
    fresh = await someone(api, "owner", verified=False)
    assert (await invite(api, fresh, "a@example.com", 403))["code"] == "unverified_email"
    assert (await invite(api, member, "a@example.com", 403))["code"] == "missing_role"
    answer = await api.call("POST", path(api, "invitations"), 403, json={"email": "a@example.com"})
    assert answer["code"] == "people_only"
    monkeypatch.setattr(invitations, "MOST_OPEN", 1)
    await invite(api, admin, "a@example.com")
    await invite(api, admin, "a@example.com")
    assert (await invite(api, admin, "b@example.com", 409))["code"] == "too_many_invitations"
    assert len(mails.sent) == 2


async def test_who_goes_leaves_no_door_open(api: Api, mails: Mails) -> None:
    """Invitations of a removed or lowered admin are void."""
    owner = await someone(api, "owner")
    given = {"name": "Friend", "password": PASSWORD}
    for act in ("remove", "lower"):
        admin = await someone(api, "admin")
        await invite(api, admin, f"friend-{act}@example.com", role="admin")
        if act == "remove":
            await remove(api, owner, admin)
        else:
            await change(api, owner, admin, role="member")
        await accept(api, 422, token=mails.token, **given)
    actions = [line["action"] for line in await audit_lines(api)]
    assert actions.count("invitation.revoked") == 2


async def test_nobody_is_flooded_with_invitations(
    api: Api, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one address, from whichever projects, nor many from one project."""
    admin = await someone(api, "admin")
    for _ in range(5):
        await invite(api, admin, "grace@example.com")
    answer = await invite(api, admin, "Grace@example.com", 429)
    assert answer["code"] == "too_many"
    monkeypatch.setattr(guard, "INVITED", Rate(6, 86_400))
    await invite(api, admin, "ada@example.com")
    await invite(api, admin, "bob@example.com", 429)
    assert len(mails.sent) == 6


async def test_without_mail_the_answer_says_so(api: Api) -> None:
    """The link is for the command line to show, not for the one who invites."""
    admin = await someone(api, "admin")
    made = await invite(api, admin, "grace@example.com")
    assert made["mailed"] is False
    assert "token" not in str(made)
    await api.call("DELETE", path(api, f"invitations/{uuid7()}"), 404, key=admin.token)
