"""Accounts, projects and leads of a running server, made quickly by its own calls.

ada = Account.register(server)             # with a project of her own
ada.send({"event": "demo_request", "email": "lead@example.com"})
lead = ada.lead("lead@example.com")        # waits until it is scored
bob = ada.with_member("viewer")            # a second person in her project, logged in there
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, LiteralString, Self

import httpx
import psycopg

from support.server import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD: Final = "tortoise umbrella fjord"
_FIRST_NAMES: Final = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia", "Donald", "Frances")
_numbers = count(1)


def _place() -> dict[str, str]:
    """An address of its own: who registers too often from one is asked to wait."""
    number = next(_numbers)
    return {"X-Forwarded-For": f"198.18.{number >> 8}.{number & 255}"}


@dataclass
class Account:
    """Somebody with a session in a project; everything is asked with its token."""

    server: Server
    email: str
    name: str
    said: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    password: str = PASSWORD

    @classmethod
    def register(
        cls, server: Server, name: str | None = None, company: str | None = None, **more: Any
    ) -> Self:
        """A new account with a verified address, and a project named after its company."""
        number = next(_numbers)
        called = name or f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {number}"
        made = cls(server, f"person{number}.{time.time_ns()}@example.com", called)
        body = {"email": made.email, "password": PASSWORD, "name": called}
        body |= {"company": company or f"Company {number}"} | more
        made._enter("/api/auth/register", body, 201)
        made._store("update users set email_verified_at = now() where id = %s", made.user_id)
        return made

    @property
    def token(self) -> str:
        return str(self.said["token"])

    @property
    def user_id(self) -> str:
        return str(self.said["user"]["id"])

    @property
    def project_id(self) -> str:
        return str(self.said["project"]["id"])

    @property
    def project_name(self) -> str:
        return str(self.said["project"]["name"])

    @property
    def write_key(self) -> str:
        return str(self.said["project"]["writeKey"])

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The JSON of an answer, which must not be an error."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(
            method, f"{self.server.url}{path}", json=body, params=params or None,
            headers=headers, timeout=30,
        )  # fmt: skip
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def log_in(self) -> None:
        """Begins another session."""
        self._enter("/api/auth/login", {"email": self.email, "password": self.password})

    def new_project(self, name: str) -> str:
        """Another project, which the account works in from now on; returns its id."""
        made = self.call("POST", "/api/projects", {"name": name})
        self.switch(str(made["id"]))
        return self.project_id

    def switch(self, project_id: str) -> None:
        """Works in another project from now on."""
        self._enter("/api/auth/switch-project", {"projectId": project_id}, own=True)

    def with_member(self, role: str, name: str | None = None) -> Account:
        """A new person in this project, logged in there in this role."""
        other = Account.register(self.server, name)
        # The link of an invitation is mailed, and answered to nobody.
        self._store(
            "insert into members (project_id, user_id, role) values (%s, %s, %s)",
            self.project_id, other.user_id, role,
        )  # fmt: skip
        other.switch(self.project_id)
        return other

    def send(self, *events: Mapping[str, Any]) -> None:
        """Sends events with the public write key, as a page does: they are claims."""
        self._send(self.write_key, events)

    def send_trusted(self, *events: Mapping[str, Any]) -> None:
        """Sends events with a secret key, as a server does."""
        if "secret" not in self.said:
            path = f"/api/projects/{self.project_id}/keys"
            made = self.call(
                "POST", path, {"kind": "secret", "name": "Test", "scopes": ["events:write"]}
            )
            self.said["secret"] = made["key"]
        self._send(self.said["secret"], events)

    def lead(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """The only lead that a search for a name finds, once its events are scored."""

        def found() -> Any:
            leads = self.call("GET", "/api/leads", q=name)["leads"]
            return leads if leads and leads[0]["lastEventAt"] else None

        (lead,) = wait_until(f"a scored lead {name}", found, seconds)
        return dict(lead)

    def _send(self, key: str, events: Any) -> None:
        made = [{"eventId": f"e{time.time_ns()}-{i}", **e} for i, e in enumerate(events)]
        for begin in range(0, len(made), 500):
            answer = httpx.post(
                f"{self.server.url}/api/ingest/batch", json={"events": made[begin : begin + 500]},
                headers={"X-API-Key": key}, timeout=30,
            )  # fmt: skip
            assert answer.status_code == 202, answer.text
            assert not answer.json()["rejected"], answer.text

    def _store(self, statement: LiteralString, *values: str) -> None:
        with psycopg.connect(self.server.dsn, autocommit=True) as connection:
            connection.execute(statement, values)

    def _enter(self, path: str, body: Any, status: int = 200, *, own: bool = False) -> None:
        headers = _place() | ({"Authorization": f"Bearer {self.token}"} if own else {})
        answer = httpx.post(f"{self.server.url}{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        self.said = answer.json()
        self.cookies |= dict(answer.cookies)
