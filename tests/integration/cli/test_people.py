"""Accounts, members, sessions and keys from the command line."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator

import psycopg
import pytest

from leadpulse.cli import main
from support.commands import Done, environment
from support.postgres import NEWEST, Cluster

PASSWORD = "violet lamp rides north"


class Running:
    """A server, and commands that use it; in this process, since a new one takes a second."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def __call__(self, *arguments: str, status: int = 0, given: str = "") -> Done:
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr("os.environ", environment(DATABASE_URL=self.dsn))
            patch.setattr("sys.stdin", io.StringIO(given))
            patch.setattr("sys.argv", ["leadpulse", *arguments])
            patch.setattr("leadpulse.cli.deeds.quiet_logs", lambda _: None)
            with pytest.raises(SystemExit) as ended:
                main()
        done = Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())
        assert done.status == status, (arguments, done.out, done.err)
        if status:
            assert done.err.startswith("leadpulse: ")
            assert len(done.err.splitlines()) == 1
        return done

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(question.encode()).fetchall()


@pytest.fixture(scope="module")
def run(clusters: dict[str, Cluster]) -> Iterator[Running]:
    if NEWEST not in clusters:
        clusters[NEWEST] = Cluster(NEWEST)
        clusters[NEWEST].start()
    cluster = clusters[NEWEST]
    name = cluster.create()
    yield Running(cluster.dsn(name))
    cluster.drop(name)


def test_accounts_are_made_and_looked_after(run: Running) -> None:
    """Made with a password that is shown once, or given; disabled, and made operators."""
    made = run("users", "create", " Ada@Example.com ", "--name", "Ada", "--json").document
    assert set(made) == {"id", "email", "projectId", "password"}
    assert len(made["password"]) >= 20
    given = run(
        "users", "create", "bob@example.com", "--name", "Bob", "--project", made["projectId"],
        "--role", "viewer", "--password-stdin", "--json", given=f"{PASSWORD}\n",
    ).document  # fmt: skip
    assert "password" not in given
    assert given["projectId"] == made["projectId"]
    assert PASSWORD not in str(run.ask("select u::text from users u"))
    run("users", "create", "ada@example.com", "--name", "Ada", status=1)
    weak = run(
        "users", "create", "eve@example.com", "--name", "Eve", "--password-stdin",
        given="password\n", status=1,
    )  # fmt: skip
    assert "password: must be" in weak.err
    run("users", "operator", "ada@example.com")
    run("users", "disable", "bob@example.com")
    listed = {u["email"]: u for u in run("users", "list", "--json").document["users"]}
    assert listed["ada@example.com"]["operator"] is True
    assert listed["ada@example.com"]["verified"] is True
    assert listed["bob@example.com"]["disabled"] is True
    assert "disabled" in run("users", "list").out
    run("users", "enable", "bob@example.com")
    run("users", "operator", "ada@example.com", "--off")
    nobody = run("users", "disable", "nobody@example.com", status=1)
    assert "nobody@example.com" in nobody.err
    lines = run.ask("select actor, action from audit_log order by id")
    assert lines == [
        ("cli", "project.created"),
        ("cli", "member.joined"),
        ("cli", "user.disabled"),
        ("cli", "user.enabled"),
    ]


@pytest.fixture
def fresh(run: Running, clusters: dict[str, Cluster]) -> Iterator[Running]:
    """An installation without any account."""
    cluster = clusters[NEWEST]
    name = cluster.create()
    yield Running(cluster.dsn(name))
    cluster.drop(name)


def test_the_first_account_owns_the_projects_that_nobody_is_in(fresh: Running) -> None:
    """As the first who registers does; whoever comes later gets a project of his own."""
    made = [fresh("projects", "create", name, "--json").document["id"] for name in ("One", "Two")]
    ada = fresh("users", "create", "ada@example.com", "--name", "Ada", "--json").document
    assert ada["projectId"] == made[0]
    owned = "select project_id::text from members where role = 'owner' order by project_id"
    assert [row[0] for row in fresh.ask(owned)] == made
    third = fresh("projects", "create", "Three", "--json").document["id"]
    bob = fresh("users", "create", "bob@example.com", "--name", "Bob", "--json").document
    assert bob["projectId"] not in {*made, third}


def test_the_first_account_that_joins_a_project_owns_nothing_else(fresh: Running) -> None:
    """Whoever makes it has said where it belongs."""
    fresh("projects", "create", "One")
    two = fresh("projects", "create", "Two", "--json").document["id"]
    made = fresh(
        "users", "create", "ada@example.com", "--name", "Ada", "--project", two, "--json"
    ).document
    assert made["projectId"] == two
    assert fresh.ask("select project_id::text, role from members") == [(two, "member")]


def test_links_are_shown_once_and_stored_as_hashes(run: Running) -> None:
    """To verify an address, or to set a new password."""
    run("users", "create", "link@example.com", "--name", "Link")
    link = run("users", "link", "link@example.com", "--json").document
    assert link["purpose"] == "reset"
    assert link["url"].startswith("http://localhost:4000/reset-password#token=")
    token = link["url"].partition("=")[2]
    assert token not in str(run.ask("select l::text from account_links l"))
    run("users", "link", "nobody@example.com", status=1)


def test_members_come_and_go(run: Running) -> None:
    """Invited with a link, added, raised; the last owner stays."""
    project = run("users", "create", "own@example.com", "--name", "Own", "--json").document[
        "projectId"
    ]
    run("users", "create", "two@example.com", "--name", "Two")
    of = ("--project", project)
    invited = run("members", "invite", "new@example.com", *of, "--role", "admin", "--json").document
    assert "/accept-invitation#token=" in invited["url"]
    run("members", "invite", "x@example.com", *of, "--role", "owner", status=1)
    run("members", "add", "two@example.com", *of)
    run("members", "add", "two@example.com", *of, status=1)
    last = run("members", "role", "own@example.com", "viewer", *of, status=1)
    assert "has an owner" in last.err
    run("members", "role", "two@example.com", "owner", *of)
    run("members", "remove", "own@example.com", *of)
    run("members", "remove", "own@example.com", *of, status=1)
    shown = run("members", "list", *of, "--json").document
    assert [(m["email"], m["role"]) for m in shown["members"]] == [("two@example.com", "owner")]
    assert [i["email"] for i in shown["invitations"]] == ["new@example.com"]
    assert "invited" in run("members", "list", *of).out
    none = "01890a5d-ac96-774b-bcce-b302099a8057"
    run("members", "add", "own@example.com", "--project", none, status=1)
    run("members", "list", "--project", none, status=1)
    run("members", "list", "--project", "x", status=1)


def test_sessions_are_listed_and_ended(run: Running) -> None:
    """All of a person, or one."""
    user = run("users", "create", "ses@example.com", "--name", "Ses", "--json").document["id"]
    with psycopg.connect(run.dsn) as connection:
        connection.execute(
            "insert into sessions (id, user_id, expires_at, address, agent) "
            "select gen_random_uuid(), %s, now() + interval '1 day', '192.0.2.7', 'Firefox' "
            "from generate_series(1, 3)",
            (user,),
        )
    shown = run("sessions", "list", "ses@example.com", "--json").document["sessions"]
    assert {(one["address"], one["agent"]) for one in shown} == {("192.0.2.7", "Firefox")}
    run("sessions", "end", "ses@example.com", "--session", shown[0]["id"])
    run("sessions", "end", "ses@example.com", "--session", shown[0]["id"], status=1)
    assert "ended: 2" in run("sessions", "end", "ses@example.com").out
    assert run("sessions", "list", "ses@example.com", "--json").document["sessions"] == []


def test_keys_are_rotated_and_switched_off(run: Running) -> None:
    """With a state in the list, and a sentence for what can't be."""
    project = run("projects", "create", "Keys", "--json").document["id"]
    of = ("--project", project)
    made = run(
        "keys", "create", *of, "--kind", "secret", "--scope", "leads:read", "--expires",
        "2040-01-01T00:00:00Z", "--json",
    ).document  # fmt: skip
    done = run("keys", "rotate", made["id"], *of, "--grace-hours", "2", "--json").document
    assert done["key"].startswith("sk_")
    assert done["oldId"] == made["id"]
    run("keys", "disable", done["id"], *of)
    keys = {k["id"]: k for k in run("keys", "list", *of, "--json").document["keys"]}
    assert (keys[done["id"]]["state"], keys[done["id"]]["createdBy"]) == ("off", "cli")
    assert keys[made["id"]]["expiresAt"] < "2040"
    run("keys", "enable", done["id"], *of)
    write = run("keys", "create", *of, "--origin", "https://Shop.example/", "--json").document["id"]
    run("keys", "change", write, *of, "--name", "Shop", "--any-origin")
    keys = {k["id"]: k for k in run("keys", "list", *of, "--json").document["keys"]}
    assert (keys[write]["name"], keys[write]["origins"]) == ("Shop", [])
    wrong = run("keys", "create", *of, "--origin", "shop.example", status=1)
    assert "must be a website" in wrong.err
    assert "scopes" in run("keys", "create", *of, "--scope", "x", status=1).err
    run("keys", "create", *of, "--expires", "tomorrow", status=1)
    run("keys", "list", "--project", "01890a5d-ac96-774b-bcce-b302099a8057", status=1)
    secrets = json.dumps([str(row) for row in run.ask("select a::text from audit_log a")])
    assert made["key"] not in secrets
