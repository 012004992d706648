from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.api import Api, running_api
from support.postbox import Postbox, postbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API with one project of the preset `leadpulse`."""
    async with running_api(database, tmp_path) as running:
        yield running


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    """Where mail arrives."""
    async with postbox() as opened:
        yield opened


@pytest.fixture
async def open_api(database: str, tmp_path: Path, box: Postbox) -> AsyncIterator[Api]:
    """Anybody may register, and mail arrives."""
    url = f"smtp://127.0.0.1:{box.port}?from=hello@example.com"
    async with running_api(database, tmp_path, signup="open", smtp_url=url) as running:
        yield running
