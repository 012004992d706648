"""How one gets in, and what happens when a session ends in the middle of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import axe, look

if TYPE_CHECKING:
    from browser.conftest import Site

_PASSWORD = "four unrelated quiet words"


def test_the_first_page_shows_what_it_is_about(site: Site) -> None:
    """An example that one can play with says where a score comes from."""
    page = site.open("/")
    example = page.get_by_role("region", name="Try it with an example")
    expect(example.get_by_text("Warm")).to_be_visible()
    example.get_by_role("button", name="Asks for a demo").click()
    expect(example.get_by_text("Qualified")).to_be_visible()
    expect(example.get_by_text("demo_request")).to_be_visible()
    axe(page)
    look(page, "landing")


def test_somebody_signs_up_and_comes_back(site: Site) -> None:
    """With errors beside their fields on the way, and to the page that was asked for."""
    page = site.open("/leaderboard?top=50")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Please fill this in.").first).to_be_visible()
    axe(page)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Email").fill("ada.comes.back@example.com")
    page.get_by_label("Password", exact=True).fill("password12")
    site.watch.allow("422")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    look(page, "register")
    page.get_by_label("Password", exact=True).fill(_PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    assert page.url.endswith("/leaderboard?top=50")

    page.get_by_role("button", name="Account of Ada Lovelace").click()
    page.get_by_role("menuitem", name="Sign out", exact=True).click()
    page.wait_for_url("**/login")
    page.get_by_label("Email").fill("ada.comes.back@example.com")
    page.get_by_label("Password", exact=True).fill("not this one")
    site.watch.allow("401")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Email or password is wrong.")).to_be_visible()
    axe(page)
    look(page, "login")
    page.get_by_label("Password", exact=True).fill(_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def test_a_session_that_ends_in_the_middle_of_work_goes_on_in_place(site: Site) -> None:
    """The page stays, asks for the password, and does what it was asked before."""
    page = site.open("/register?next=/leaderboard")
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("Email").fill("grace.goes.on@example.com")
    page.get_by_label("Password", exact=True).fill(_PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Nobody has a score yet")).to_be_visible()

    page.context.clear_cookies()
    site.watch.allow("401")
    page.get_by_role("radio", name="Top 100").click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    axe(page)
    look(page, "session-ended")
    dialog.get_by_label("Password").fill(_PASSWORD)
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("radio", name="Top 100")).to_be_checked()
    expect(page.get_by_text("Nobody has a score yet")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/forgot-password", "Forgot your password"),
        ("/reset-password", "Set a new password"),
        ("/reset-password#token=abc", "Set a new password"),
        ("/verify-email", "Verify your address"),
        ("/verify-email#token=abc", "Sign in to verify your address"),
        ("/accept-invitation", "Accept an invitation"),
        ("/accept-invitation#token=abc", "Accept the invitation"),
    ],
)
def test_the_pages_that_mails_lead_to(site: Site, path: str, heading: str) -> None:
    """Each says what it is for, also without its token, which does not stay in the address."""
    site.watch.allow("401")
    page = site.open(path)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert "token" not in page.url
    axe(page)
    look(page, heading.lower().replace(" ", "-"))
