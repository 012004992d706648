"""A page that stays open: through an outage, and under somebody's pointer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from support.server import wait_until

if TYPE_CHECKING:
    from browser.conftest import Site


def test_after_the_server_was_killed_a_page_is_right_again(site: Site) -> None:
    """Without being loaded anew: the connection comes back, and what was missed is asked for."""
    site.watch.allow("WebSocket")  # it tries again, and Chromium says so
    ada = site.account()
    ada.send_trusted({"event": "demo_request", "email": "ann@example.com"})
    ada.lead("ann@example.com")
    page = site.open("/leads", ada)
    row = page.get_by_role("row").filter(has_text="ann@example.com")
    expect(row).to_contain_text("50")
    health = page.get_by_role("button", name="Health")
    expect(health).to_have_accessible_name(re.compile("All parts work"))
    page.evaluate("window.loadedOnce = true")
    for process in site.server.apis():
        process.kill()
    expect(health).to_have_accessible_name(re.compile("Live"))
    wait_until("a server again", site.server.healthy)
    ada.send_trusted({"event": "signup", "email": "ann@example.com"})
    expect(row).to_contain_text("80", timeout=20_000)
    expect(health).to_have_accessible_name(re.compile("All parts work"), timeout=20_000)
    assert page.evaluate("window.loadedOnce") is True


def test_a_list_under_the_pointer_holds_still(site: Site) -> None:
    """What has changed is offered, and shown as soon as the pointer is elsewhere."""
    ada = site.account()
    ada.send_trusted(
        {"event": "demo_request", "email": "first@example.com"},
        {"event": "signup", "email": "second@example.com"},
    )
    ada.lead("first@example.com")
    ada.lead("second@example.com")
    page = site.open("/leaderboard", ada)
    rows = page.get_by_role("row").filter(has_text="@example.com")
    expect(rows.first).to_contain_text("first@example.com")
    rows.first.hover()
    ada.send_trusted({"event": "contract_signed", "email": "second@example.com"})
    expect(page.get_by_role("button", name="Show the new order")).to_be_visible()
    expect(rows.first).to_contain_text("first@example.com")
    page.get_by_role("heading", name="Leaderboard").hover()
    expect(rows.first).to_contain_text("second@example.com")
