"""The whole API in this process, against a real database, with a scorer that a test steps."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from leadpulse.bootstrap.accounts import accounts
from leadpulse.http.app import build_app
from leadpulse.http.intake import IntakeRoute
from leadpulse.http.pages import Pages
from leadpulse.http.services import Services
from leadpulse.postgres.connect import connect, pool
from leadpulse.postgres.models import ModelCache
from leadpulse.settings import load_settings
from leadpulse.usecases.analytics import Dashboards
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import KeyRing
from leadpulse.usecases.passwords import Cost
from leadpulse.usecases.projects import CreatedProject, create_project
from leadpulse.usecases.score import Desk, score_pass
from leadpulse.usecases.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pydantic import BaseModel

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool


# Tests hash many passwords.
QUICK = Cost(rounds=1, memory=1024)


@dataclass
class Api:
    """A running API. Calls go as the `project`, whose secret key has all scopes."""

    client: httpx.AsyncClient
    conn: Connection
    pool: Pool
    services: Services
    project: CreatedProject
    rotation: Rotation = field(default_factory=Rotation)

    async def call(
        self, method: str, path: str, status: int = 200, *, key: str | None = None, **options: Any
    ) -> Any:
        """The JSON of an answer, which must have this status."""
        headers = {"Authorization": f"Bearer {key or self.project.secret_key}"}
        headers |= options.pop("headers", {})
        answer = await self.client.request(method, path, headers=headers, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.json() if answer.content else None

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        return await self.call("GET", path, status, **options)

    async def told(self, path: str, model: type[BaseModel], **options: Any) -> Any:
        """A GET whose answer must be exactly what the documentation says."""
        answer = await self.get(path, **options)
        model.model_validate(answer)
        return answer

    async def send(self, *events: dict[str, Any], key: str | None = None) -> list[str]:
        """Sends events as a trusted caller and returns their eventIds."""
        answer = await self.call(
            "POST", "/api/ingest/batch", 202, json={"events": list(events)}, key=key
        )
        assert not answer["rejected"], answer["rejected"]
        ids: list[str] = answer["eventIds"]
        return ids

    async def score(self) -> None:
        """Scores until nothing waits."""
        desk = Desk(self.conn)
        while not (await score_pass(desk, self.rotation, 1000)).idle:
            pass

    async def lead_of(self, **names: str) -> str:
        """The id of the only lead that a search for a name finds."""
        (value,) = names.values()
        found = await self.get("/api/leads", params={"q": value})
        (lead,) = found["leads"]
        lead_id: str = lead["id"]
        return lead_id


@asynccontextmanager
async def running_api(
    dsn: str,
    tmp_path: Path,
    *,
    preset: str = "leadpulse",
    pages: Pages | None = None,
    **settings: Any,
) -> AsyncIterator[Api]:
    """An API with one project, without the dashboard unless its pages are given."""
    made = load_settings(data_dir=tmp_path, **settings)
    conn = await connect(dsn, "test")
    buffer = IntakeBuffer(dsn)
    await buffer.start()
    try:
        throttle = Throttle()
        async with (
            pool(dsn, "api", largest=4) as opened,
            accounts(made, opened, throttle, QUICK) as people,
        ):
            keys = KeyRing(opened)
            services = Services(
                settings=made,
                pool=opened,
                keys=keys,
                models=ModelCache(),
                intake=IntakeRoute(buffer, keys),
                accounts=people,
                pages=pages or Pages(),
                throttle=throttle,
                # Told as they are now, however slow the machine is.
                dashboards=Dashboards(slow=60.0),
            )
            project = await create_project(conn, "Test", preset)
            transport = httpx.ASGITransport(build_app(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield Api(client, conn, opened, services, project)
    finally:
        await buffer.stop()
        await conn.close()
