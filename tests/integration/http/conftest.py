from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.api import Api, running_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API with one project of the preset `leadpulse`."""
    async with running_api(database, tmp_path) as running:
        yield running
