"""The API against its own description: no 500, no answer that isn't written down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from leadpulse.domain.permissions import SCOPES
from support.fuzzing import Fuzz, calls_of, fuzz
from support.server import Server, report, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "metrics-token-of-a-test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"LEADPULSE_METRICS_TOKEN": TOKEN}
    with running(tmp_path_factory.mktemp("fuzz"), workers=1, settings=settings) as started:
        yield started


def everything(server: Server) -> dict[str, str]:
    """A key with all scopes; it comes first, so that the token is looked at for figures only."""
    key = server.secret_key(server.project(), SCOPES)
    return {"X-API-Key": key, "Authorization": f"Bearer {TOKEN}"}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["secret", "write"])
def test_every_call_keeps_its_word(server: Server, kind: str) -> None:
    """Whatever is sent, with a key for everything and with one that can only write."""
    write = {"X-API-Key": server.project().write_key}
    headers = everything(server) if kind == "secret" else write
    told = fuzz(server.url, server.directory, Fuzz(headers, examples=4, seconds=380))
    assert calls_of(told) > 1000
    assert "Traceback" not in server.log()


# Whoever calls these is somebody else afterwards, or nobody.
ENDING = (
    "delete_project", "logout", "logout_all", "end_session", "change_password", "switch_project",
    "change_member", "remove_member",
)  # fmt: skip


@pytest.mark.timeout(400)
def test_every_call_for_people_keeps_its_word(server: Server) -> None:
    """The calls about accounts and projects, as the owner of one, who is logged in."""
    done = server.run("users", "create", "own@example.com", "--name", "Own", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    given = {"email": made["email"], "password": made["password"]}
    begun = httpx.post(f"{server.url}/api/auth/login", json=given)
    assert begun.status_code == 200, begun.text
    headers = {"Authorization": f"Bearer {begun.json()['token']}"}
    run = Fuzz(
        headers, examples=6, seconds=380, project=made["projectId"],
        paths=r"^/api/(auth|projects)", but=ENDING,
    )  # fmt: skip
    told = fuzz(server.url, server.directory, run)
    assert calls_of(told) > 500
    after = httpx.get(f"{server.url}/api/auth/me", headers=headers)
    assert after.status_code == 200, after.text
    assert "Traceback" not in server.log()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_every_call_keeps_its_word_for_long(server: Server, seed: int) -> None:
    """The same with many examples, from several seeds."""
    run = Fuzz(everything(server), examples=300, seed=seed, seconds=7200)
    told = fuzz(server.url, server.directory, run)
    report(f"fuzzed with {calls_of(told)} calls")
    assert "Traceback" not in server.log()
