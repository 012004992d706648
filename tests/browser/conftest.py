"""One server and one browser for all stories of a process, and a clean profile for each page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.browser import HEIGHTS, PATIENCE, WIDE, Theme, Watch, chromium
from support.legs import MissingLegError, leave_out
from support.office import Account
from support.server import Server, running

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

_SETTINGS = {
    "LEADPULSE_SIGNUP": "open",
    # Accounts come from addresses of their own: see support/office.py.
    "LEADPULSE_TRUSTED_PROXIES": "127.0.0.0/8",
}


@dataclass
class Site:
    """The running product, and whoever looks at it."""

    server: Server
    browser: Browser
    watch: Watch
    contexts: list[BrowserContext] = field(default_factory=list)

    def account(self, name: str | None = None, company: str | None = None) -> Account:
        """A new account with a project of its own."""
        return Account.register(self.server, name, company)

    def open(
        self, path: str = "/", account: Account | None = None, *,
        width: int = WIDE, theme: Theme = "light", url: str | None = None,
    ) -> Page:  # fmt: skip
        """A page in a fresh profile, logged in as an account if one is given.

        `url` is another address of the same server.
        """
        url = url or self.server.url
        context = self.browser.new_context(
            base_url=url,
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            color_scheme=theme,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        self.watch.on(context)
        if account is not None:
            # As a browser keeps them: by name, for this site.
            context.add_cookies(
                [
                    {"name": name, "value": value, "url": url, "httpOnly": True}
                    for name, value in account.cookies.items()
                ]
            )
        page = context.new_page()
        page.goto(path)
        return page


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """The Chromium of this machine.

    It ends with the last of these tests: its event loop would be in the way of others.
    """
    try:
        with chromium() as running_browser:
            yield running_browser
    except MissingLegError as missing:
        leave_out(request.config, "The browser tests", str(missing))


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A whole installation, with an operator: whoever comes first owns what nobody is in."""
    folder = tmp_path_factory.mktemp("site")
    with running(folder, workers=1, settings=_SETTINGS) as started:
        Account.register(started, "The Operator")
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Draws what the pages of a failed story showed, before they are closed."""
    report = yield
    given = item.funcargs if isinstance(item, pytest.Function) else {}
    site = given.get("site")
    folder = given.get("tmp_path")
    failed = call.when == "call" and call.excinfo is not None
    if failed and isinstance(site, Site) and isinstance(folder, Path):
        for number, page in enumerate(p for c in site.contexts for p in c.pages):
            path = folder / f"page-{number}.png"
            page.screenshot(path=path)
            item.add_report_section("call", "page", f"{page.url} looked like {path}")
    return report


@pytest.fixture
def site(server: Server, browser: Browser, tmp_path: Path) -> Iterator[Site]:
    """The product; at the end every page must have behaved."""
    made = Site(server, browser, Watch(server.url))
    yield made
    for context in made.contexts:
        context.close()
    problems = made.watch.found()
    assert not problems, "the pages did what none may do:\n" + "\n".join(problems)
