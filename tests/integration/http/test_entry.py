"""How one gets in, before one is; and one's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers_accounts as told
from support.api import Api, running_api
from support.tenants import secret_key
from support.visitors import visitor

if TYPE_CHECKING:
    from pathlib import Path


async def options(api: Api) -> Any:
    answer = await api.client.get("/api/auth/options")
    assert answer.status_code == 200
    told.EntryOptions.model_validate(answer.json())
    return answer.json()


async def test_the_first_to_come_may_register(api: Api) -> None:
    """Anybody hears it, and that it is over when somebody did."""
    before = {"signup": "first", "registrationOpen": True, "googleClientId": None, "mail": False}
    assert await options(api) == before
    async with visitor(api) as ada:
        await ada.register()
    assert await options(api) == before | {"registrationOpen": False}


async def test_an_open_installation_says_so(open_api: Api) -> None:
    """Also after somebody came; and that mail is sent."""
    async with visitor(open_api) as ada:
        await ada.register()
    assert await options(open_api) == {
        "signup": "open", "registrationOpen": True, "googleClientId": None, "mail": True,
    }  # fmt: skip


async def test_a_closed_installation_says_so(database: str, tmp_path: Path) -> None:
    """With what Google's button needs, and nothing that is secret."""
    client_id = "4711.apps.googleusercontent.com"
    async with running_api(
        database, tmp_path, signup="closed", google_client_id=client_id
    ) as running:
        assert await options(running) == {
            "signup": "closed", "registrationOpen": False, "googleClientId": client_id,
            "mail": False,
        }  # fmt: skip


async def test_people_change_their_name(api: Api) -> None:
    """It is shown at once, wherever they are a member."""
    async with visitor(api) as ada:
        await ada.register()
        answer = await ada.bearer("PATCH", "/api/auth/me", json={"name": "  Ada   King "})
        assert answer.status_code == 200
        told.Me.model_validate(answer.json())
        assert answer.json()["user"]["name"] == "Ada King"
        assert (await ada.get("/api/auth/me")).json()["user"]["name"] == "Ada King"
        members = (await ada.get(f"/api/projects/{ada.project_id}/members")).json()["members"]
        assert [member["name"] for member in members] == ["Ada King"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 5])
async def test_a_name_is_a_text(api: Api, name: Any) -> None:
    """Not blank, and not longer than can be shown."""
    async with visitor(api) as ada:
        await ada.register()
        answer = await ada.bearer("PATCH", "/api/auth/me", json={"name": name})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "name"


async def test_keys_have_no_name(api: Api) -> None:
    """It is people who have accounts."""
    key = await secret_key(api, "admin")
    await api.call("PATCH", "/api/auth/me", 403, key=key, json={"name": "x"})
