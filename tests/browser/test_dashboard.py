"""The dashboard: first steps, figures, whom to call, and what changes while one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from support.browser import axe, look

if TYPE_CHECKING:
    from browser.conftest import Site


def test_a_new_project_shows_the_first_steps(site: Site) -> None:
    """Each is ticked off by what really happened, and they can be put away and taken out again."""
    ada = site.account()
    page = site.open("/dashboard", ada)
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_contain_text("0 of 3 done")
    expect(steps.get_by_role("link", name="Get the snippet")).to_be_visible()
    axe(page)
    look(page, "dashboard-empty")
    ada.send({"event": "page_view", "anonymousId": "somebody"})
    ada.lead("somebody")
    expect(steps).to_contain_text("1 of 3 done")
    steps.get_by_role("button", name="Hide").click()
    expect(steps).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(steps).to_be_visible()


def test_sample_data_comes_and_goes_by_a_click(site: Site) -> None:
    """It fills every part of the page, says that it is made up, and leaves nothing behind."""
    ada = site.account()
    page = site.open("/dashboard", ada)
    page.get_by_role("button", name="Fill with sample data").click()
    notice = page.get_by_text("made-up leads from the sample data")
    expect(notice).to_be_visible()
    call = page.get_by_role("region", name="Whom to call now")
    expect(call.get_by_role("listitem").first).to_contain_text("Qualified")
    expect(page.get_by_role("region", name="Latest score changes")).to_contain_text("Page view")
    axe(page)
    look(page, "dashboard")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(notice).to_be_hidden()
    expect(call).to_contain_text("Nobody to call right now")
    assert ada.call("GET", "/api/leads")["total"] == 0


def test_a_hot_lead_appears_while_one_looks(site: Site) -> None:
    """With what to do about it, and the event that made it hot; a click leads to the lead."""
    ada = site.account()
    page = site.open("/dashboard", ada)
    call = page.get_by_role("region", name="Whom to call now")
    expect(call).to_contain_text("Nobody to call right now")
    ada.send({"event": "demo_request", "email": "kim@example.com"})
    row = call.get_by_role("link", name="kim@example.com")
    expect(row).to_contain_text("Hot")
    expect(row).to_contain_text("demo")
    changes = page.get_by_role("region", name="Latest score changes")
    expect(changes).to_contain_text("Demo request")
    expect(changes).to_contain_text("+50")
    row.click()
    page.wait_for_url(f"**/leads/{ada.lead('kim@example.com')['id']}")


def test_the_period_stands_in_the_address(site: Site) -> None:
    """So that a link shows the same chart, also to readers of the table behind it."""
    ada = site.account()
    page = site.open("/dashboard", ada)
    page.get_by_role("radio", name="30 days").click()
    page.wait_for_url("**/dashboard?period=month")
    page.reload()
    expect(page.get_by_role("radio", name="30 days")).to_be_checked()
    table = page.get_by_role("table", name="Events and score changes per day")
    expect(table.get_by_role("row").nth(29)).to_be_attached()
