"""Accounts in a real installation with two API processes, each with a memory of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from support.server import PROGRAM, Server, free_port, running, wait_until
from support.visitors import OTHER_PASSWORD, PASSWORD

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("accounts"), workers=1) as started:
        yield started


@contextmanager
def another_api(server: Server) -> Iterator[str]:
    """The address of a second API process on the same database."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = (server.directory / "second.log").open("wb")
    process = subprocess.Popen(
        [*PROGRAM, "api", "--port", str(port), "--data-dir", str(server.directory / "data")],
        stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=server.environment,
    )  # fmt: skip
    try:
        wait_until("the second API answers", lambda: answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def post(url: str, path: str, body: Any, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/api{path}", json=body, headers=headers, timeout=30)


def get(url: str, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/api{path}", headers=headers, timeout=30).status_code


def test_what_one_process_changes_the_other_knows_within_five_seconds(server: Server) -> None:
    """Login, role, link, password, logout: and nothing of it stands in a log."""
    body = {"email": ADA, "password": PASSWORD, "name": "Ada Lovelace"}
    said = post(server.url, "/auth/register", body)
    assert said.status_code == 201, said.text
    token, project = said.json()["token"], said.json()["project"]["id"]
    with another_api(server) as second:
        assert post(second, "/leads", {"userId": "u"}, token).status_code == 201
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            conn.execute("update members set role = 'viewer' where project_id = %s", (project,))
        for url in (server.url, second):
            wait_until(
                "the lowered role",
                lambda url=url: post(url, "/leads", {"userId": "u"}, token).status_code == 403,
                5,
            )
            assert get(url, "/leads", token) == 200
        link = server.run("users", "link", ADA, "--reset")
        assert link.returncode == 0, link.stderr
        secret = link.stdout.partition("#token=")[2].split()[0]
        done = post(second, "/auth/reset-password", {"token": secret, "password": OTHER_PASSWORD})
        assert done.status_code == 200, done.text
        wait_until("the old session is over", lambda: get(server.url, "/auth/me", token) == 401, 5)
        fresh = post(server.url, "/auth/login", {"email": ADA, "password": OTHER_PASSWORD}).json()
        assert get(second, "/auth/me", fresh["token"]) == 200
        assert post(server.url, "/auth/logout", {}, fresh["token"]).status_code == 200
        assert get(server.url, "/auth/me", fresh["token"]) == 401
        wait_until("logged out there", lambda: get(second, "/auth/me", fresh["token"]) == 401, 5)
        assert post(second, "/auth/login", {"email": ADA, "password": PASSWORD}).status_code == 401
    for name in ("serve.log", "second.log"):
        log = (server.directory / name).read_text()
        for word in (secret, token, fresh["token"], PASSWORD, OTHER_PASSWORD, ADA):
            assert word not in log, name
