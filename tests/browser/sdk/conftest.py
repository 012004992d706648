"""A website that loads the browser script, and the real server behind a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser import chromium_path
from support.doorway import doorway, websites
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from support.server import Project, Server


@pytest.fixture(scope="package")
def surfer(browser: Browser) -> Iterator[Browser]:
    """Chromium as visitors of websites have it.

    Pages that are left are put aside whole, and names below `test` lead to this machine, but not,
    as those below `localhost`, to a place that counts as safe without https.
    """
    started = browser.browser_type.launch(
        executable_path=chromium_path(),
        chromium_sandbox=False,
        args=["--disable-dev-shm-usage", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield started
    started.close()


@pytest.fixture(scope="package")
def project(server: Server) -> Project:
    """The project of the website."""
    return server.project("Shop")


@pytest.fixture
def shop(surfer: Browser, server: Server, project: Project) -> Iterator[Shop]:
    """The website; at the end nothing may have been thrown in its pages."""
    with doorway(server.url) as door, websites() as sites:
        made = Shop(server, project, door, sites, surfer)
        sites.pages["/"] = made.html()
        sites.pages["/pricing"] = made.html(title="Prices")
        yield made
        for context in made.contexts:
            context.close()
    assert made.errors == []
