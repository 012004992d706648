"""In an office without certificates, where browsers take some abilities from pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from browser.conftest import Site


def test_pages_work_without_https(site: Site) -> None:
    """Under a name that is not the machine's own: sending, copying, adjusting."""
    ada = site.account()
    ada.send({"event": "demo_request", "email": "plain@example.com"})
    lead = ada.lead("plain@example.com")
    port = site.server.url.rsplit(":", 1)[1]
    office = f"http://office.test:{port}"
    site.watch.allow(office)
    site.watch.allow("Cross-Origin-Opener-Policy header has been ignored")
    page = site.open("/integrations", ada, url=office)
    assert not page.evaluate("isSecureContext"), "such a page has all abilities"
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_text("Scored").first).to_be_visible()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("Copied", exact=True).first).to_be_attached()
    page.goto(f"/leads/{lead['id']}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Adjust the score").click()
    page.get_by_label("Points").fill("7")
    page.get_by_label("Note").fill("met at the fair")
    page.get_by_role("button", name="Adjust", exact=True).click()
    expect(page.get_by_text("+7 points for")).to_be_visible()
