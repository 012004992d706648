"""People before the API: browsers with cookies, programs with tokens, on any address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.api import Api

PASSWORD = "tortoise umbrella fjord"
OTHER_PASSWORD = "quiet lantern orchard"
SITE = "http://test"


def transport(api: Api, address: str = "127.0.0.1") -> httpx.ASGITransport:
    """The API as it is reached from an address."""
    own = api.client._transport
    assert isinstance(own, httpx.ASGITransport)
    return httpx.ASGITransport(own.app, client=(address, 1))


@dataclass
class Visitor:
    """Somebody with a browser; `said` is what logging in answered last."""

    client: httpx.AsyncClient
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return str(self.said["token"])

    @property
    def user_id(self) -> str:
        return str(self.said["user"]["id"])

    @property
    def project_id(self) -> str:
        return str(self.said["project"]["id"])

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A change as our own page makes it: by cookie, with Origin and token."""
        own = {"Origin": str(self.client.base_url).rstrip("/")}
        if "csrfToken" in self.said:
            own["X-CSRF-Token"] = self.said["csrfToken"]
        return await self.client.post(path, json=body or {}, headers={**own, **headers})

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def enter(self, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        """Registers, logs in or switches; the browser keeps what it gets."""
        answer = await self.post(path, body)
        assert answer.status_code == status, answer.text
        self.said = answer.json()
        return self.said

    async def register(self, email: str = "ada@example.com", **more: Any) -> dict[str, Any]:
        body = {"email": email, "password": PASSWORD, "name": "Ada Lovelace", **more}
        return await self.enter("/api/auth/register", body, 201)

    async def login(
        self, email: str = "ada@example.com", password: str = PASSWORD
    ) -> dict[str, Any]:
        return await self.enter("/api/auth/login", {"email": email, "password": password})

    async def bearer(
        self, method: str, path: str, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """A call as a program makes it, with no cookie."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Cookie": ""}
        return await self.client.request(method, path, headers=headers, **options)


@asynccontextmanager
async def visitor(api: Api, address: str = "127.0.0.1", site: str = SITE) -> AsyncIterator[Visitor]:
    """Somebody new, at this address."""
    async with httpx.AsyncClient(transport=transport(api, address), base_url=site) as client:
        yield Visitor(client)
