"""What stands around every page: unknown addresses, the theme, and whose data is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look

if TYPE_CHECKING:
    from browser.conftest import Site


def test_an_unknown_address_says_so(site: Site) -> None:
    """With status 404, a way on, and nothing else."""
    page = site.open("/no/such/page")
    expect(page.get_by_text("There is no page at this address")).to_be_visible()
    answer = page.reload()
    assert answer is not None
    assert answer.status == 404
    axe(page)
    look(page, "unknown")
    page.get_by_role("link", name="Go to the start").click()
    page.wait_for_url(lambda url: "/no/such/page" not in url)


def test_a_theme_is_kept(site: Site) -> None:
    """In this browser: over a reload and in other tabs; before it is chosen the system decides."""
    page = site.open("/leaderboard", site.account(), theme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemradio", name="Light").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
    other = page.context.new_page()
    other.goto("/leaderboard")
    expect(other.locator("html")).to_have_attribute("data-theme", "light")


_SCRIPTS = "performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js')).length"
# Once no part has come for as long as the browser waits before it begins.
_LOADED = f"""async () => {{
    for (let [before, now] = [-1, 0]; before !== now; ) {{
        before = now;
        await new Promise((done) => setTimeout(done, 3000));
        now = {_SCRIPTS};
    }}
}}"""


def test_pages_are_loaded_before_they_are_opened(site: Site) -> None:
    """Their scripts come while the browser is idle, so that a click asks for data alone."""
    page = site.open("/settings", site.account())
    page.evaluate(_LOADED)
    loaded = page.evaluate(_SCRIPTS)
    for title in ("Dashboard", "Leads", "Scoring", "Simulator", "System"):
        page.get_by_role("navigation").get_by_role("link", name=title).click()
        expect(page.locator("main h1")).to_have_text(title)
    assert page.evaluate(_SCRIPTS) == loaded


def test_two_tenants_see_their_own_leads_only(site: Site) -> None:
    """Side by side, each at an own machine; another's project is not even in the menu."""
    ada, bob = site.account("Ada", "Analytical Engines"), site.account("Bob", "Bob and Sons")
    for account, lead in ((ada, "anns-lead@example.com"), (bob, "bobs-lead@example.com")):
        account.send({"event": "demo_request", "email": lead})
        account.lead(lead)
    for account, own, others in (
        (ada, "anns-lead", "bobs-lead"),
        (bob, "bobs-lead", "anns-lead"),
    ):
        page = site.open("/leaderboard", account)
        expect(page.get_by_text(own).first).to_be_visible()
        expect(page.get_by_text(others)).to_have_count(0)
        page.get_by_role("button", name="Project:").click()
        expect(page.get_by_role("menuitem")).to_have_count(1)
        expect(page.get_by_role("menuitem", name=account.project_name)).to_be_visible()


@pytest.mark.parametrize("width", [1440, PHONE])
def test_the_shell_has_nothing_that_axe_finds(site: Site, width: int) -> None:
    """Nor do its menus; wide and on a phone, in both themes."""
    page = site.open("/leaderboard", site.account(), width=width)
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    axe(page)
    look(page, "leaderboard-empty")
    page.get_by_role("button", name="Account of").click()
    expect(page.get_by_role("menu")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)


def test_who_is_not_logged_in_is_led_to_the_login_and_back(site: Site) -> None:
    """The address that was asked for stands in the one of the login."""
    page = site.open("/leaderboard?top=50")
    page.wait_for_url(lambda url: "/login?next=" in url)
    wanted = page.evaluate("new URLSearchParams(location.search).get('next')")
    assert "/leaderboard?top=" in json.dumps(wanted)
