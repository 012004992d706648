"""Where a key can stand, and what is no id."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from leadpulse.ids import uuid7
from support.calls import CALLS, PEOPLE

if TYPE_CHECKING:
    from support.api import Api


@pytest.mark.parametrize("place", ["header", "bearer", "basic", "x-write-key", "query"])
async def test_a_key_may_stand_in_any_of_its_places(api: Api, place: str) -> None:
    """The same places as for event calls, but the body."""
    key = api.project.secret_key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    headers = {
        "header": {"X-API-Key": key},
        "bearer": {"Authorization": f"bearer {key}"},
        "basic": {"Authorization": f"Basic {basic}"},
        "x-write-key": {"X-Write-Key": key},
        "query": {},
    }[place]
    query = f"?writeKey={key}" if place == "query" else ""
    assert (await api.client.get(f"/api/leads{query}", headers=headers)).status_code == 200


async def test_a_wrong_key_gets_no_second_try(api: Api) -> None:
    """The first place that holds one counts."""
    headers = {"X-API-Key": "sk_" + "0" * 48, "Authorization": f"Bearer {api.project.secret_key}"}
    answer = await api.client.get("/api/leads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")
    answer = await api.client.get("/api/leads", headers={"Authorization": "Basic ?!"})
    assert answer.status_code == 401
    answer = await api.client.get("/api/leads")
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")


@pytest.mark.parametrize(
    "wrong", ["x", "%00", "..%2f", "1" * 300, "00000000-0000-0000-0000-0000000000zz"]
)
async def test_what_is_no_id_names_nothing(api: Api, wrong: str) -> None:
    """Bad ids in paths are 404, whatever they are."""
    for call in CALLS:
        method, path = call.split(" ")
        if "{" in path and "{rule_id}" not in path and CALLS[call] != PEOPLE:
            body = {"intoId": uuid7(), "points": 1, "note": "n"}
            answer = await api.client.request(
                method, re.sub(r"\{\w+\}", lambda _: wrong, path),
                headers={"X-API-Key": api.project.secret_key},
                json=body if path.endswith(("merge", "adjustments")) else {},
            )  # fmt: skip
            assert answer.status_code in (404, 422), (method, path, answer.text)
