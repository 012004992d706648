"""Integrations: snippets that work as they are, keys, and the first event that arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look
from support.doorway import websites

if TYPE_CHECKING:
    from browser.conftest import Site


def test_the_browser_snippet_works_in_a_real_page(site: Site) -> None:
    """Copied as it is into a page of another port, it sends; the event lights up live."""
    ada = site.account()
    page = site.open("/integrations", ada)
    expect(page.get_by_text("Waiting for your first event…")).to_be_visible()
    expect(page.get_by_role("region", name="Browser snippet")).to_contain_text(ada.write_key)
    axe(page)
    look(page, "integrations-empty")
    snippet = page.get_by_role("region", name="Browser snippet").inner_text()
    with websites() as sites:
        sites.pages["/"] = f"<!doctype html><title>Shop</title>{snippet}<h1>Shop</h1>"
        visitor = site.browser.new_context()
        visitor.new_page().goto(sites.at("/"))
        newest = page.get_by_role("list", name="Newest events")
        expect(newest).to_contain_text("page_view")
        expect(newest).to_contain_text("Scored")
        visitor.close()
    look(page, "integrations-arrived")


def test_a_test_event_arrives(site: Site) -> None:
    """The button sends as a website does, and says when it is there."""
    ada = site.account()
    page = site.open("/integrations", ada)
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_text("It has arrived.")).to_be_visible()
    expect(page.get_by_role("list", name="Newest events")).to_contain_text("test_event")
    (sent,) = ada.call("GET", "/api/events")["events"]
    assert sent["test"]
    assert not sent["trusted"]


@pytest.mark.parametrize("code", ["Python", "Node", "cURL"])
def test_every_snippet_has_the_key_and_the_host(site: Site, code: str) -> None:
    """Which one is open stands in the address."""
    ada = site.account()
    page = site.open("/integrations", ada)
    page.get_by_role("tab", name=code).click()
    shown = page.get_by_role("region", name=f"{code} snippet")
    expect(shown).to_contain_text(ada.write_key)
    expect(shown).to_contain_text(site.server.url)
    page.wait_for_url(f"**/integrations?code={code.lower()}")


def test_a_secret_key_is_shown_once(site: Site) -> None:
    """It works, can be revoked, and stands nowhere when its dialog is closed."""
    ada = site.account()
    page = site.open("/integrations?tab=keys", ada)
    page.get_by_role("button", name="New secret key").click()
    page.get_by_label("Name").fill("CRM sync")
    axe(page)
    look(page, "integrations-new-key")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("[data-secret]").inner_text()
    assert key.startswith("sk_")
    page.get_by_role("button", name="I have it").click()
    line = page.get_by_role("listitem").filter(has_text="CRM sync")
    expect(line).to_contain_text("In use")
    assert key not in page.content()
    axe(page)
    look(page, "integrations-keys")
    page.reload()
    expect(line).to_be_visible()
    assert key not in page.content()
    page.get_by_role("button", name="What to do with CRM sync").click()
    page.get_by_role("menuitem", name="Revoke").click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(line).to_contain_text("Revoked")


def test_a_write_key_is_limited_to_websites(site: Site) -> None:
    """A website that makes no sense is told beside the field."""
    ada = site.account()
    page = site.open("/integrations?tab=keys", ada)
    page.get_by_role("button", name="New write key").click()
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Websites").fill("not a website")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Websites").fill("https://shop.example")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("listitem").filter(has_text="Shop")).to_contain_text(
        "https://shop.example"
    )


@pytest.mark.parametrize("width", [1440, PHONE])
def test_signed_identities_are_explained_and_demanded(site: Site, width: int) -> None:
    """What is lost is said before it is switched on."""
    ada = site.account()
    page = site.open("/integrations?tab=identity", ada, width=width)
    expect(page.get_by_role("region", name="Signing, Node")).to_contain_text("sha256")
    axe(page)
    look(page, f"integrations-identity-{width}")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("are refused, and lost")).to_be_visible()
    page.get_by_role("alertdialog").get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    path = f"/api/projects/{ada.project_id}/identity-verification"
    assert ada.call("GET", path)["identityVerification"] == "on"


def test_a_viewer_has_no_keys(site: Site) -> None:
    """Neither list nor secret; the reason is said."""
    page = site.open("/integrations?tab=keys", site.account().with_member("viewer"))
    expect(page.get_by_text("Keys are for admins")).to_be_visible()
    page.get_by_role("tab", name="Identity verification").click()
    expect(page.get_by_text("Signed identities are for admins")).to_be_visible()
    axe(page)
