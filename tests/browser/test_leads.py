"""Leads are found, opened, worked on and taken along: the list and what stands beside it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look
from support.server import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.conftest import Site
    from support.office import Account


def _people(ada: Account) -> None:
    """Three leads: one that is ready to buy, one that looks around, one who just came."""
    ada.send_trusted(
        {
            "event": "demo_request",
            "email": "grace@navy.example",
            "traits": {"name": "Grace Hopper"},
        },
        {"event": "signup", "email": "grace@navy.example"},
        {"event": "form_submit", "email": "alan@park.example", "traits": {"name": "Alan Turing"}},
        {"event": "page_view", "email": "joan@park.example", "traits": {"name": "Joan Clarke"}},
    )
    for email in ("grace@navy", "alan@park", "joan@park"):
        ada.lead(email)


def _rows(page: Page) -> list[str]:
    return page.locator("[data-row]").all_inner_texts()


def test_a_lead_is_found_and_its_link_shared(site: Site) -> None:
    """Search and filters narrow the list; the address alone shows a colleague the same."""
    ada = site.account()
    _people(ada)
    page = site.open("/leads", ada)
    expect(page.get_by_text("3 leads", exact=True)).to_be_visible()
    assert "Grace" in _rows(page)[0]

    page.get_by_role("searchbox", name="Search leads").fill("park.ex")
    expect(page.get_by_text("2 leads", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stage: any").click()
    page.get_by_role("menuitemradio", name="Warm").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("[data-row]")).to_contain_text("Alan Turing")
    expect(page).to_have_url(re.compile(r"q=park\.ex.*stage=warm"))

    page.locator("[data-row]").click()
    expect(page.get_by_role("dialog", name="Alan Turing")).to_be_visible()
    colleague = site.open(page.url.removeprefix(site.server.url), ada.with_member("viewer"))
    expect(colleague.get_by_role("dialog", name="Alan Turing")).to_be_visible()
    expect(colleague.get_by_text("1 lead", exact=True)).to_be_visible()
    # Who may only look is offered nothing else.
    for name in ("New lead", "Take it"):
        expect(colleague.get_by_role("button", name=name)).to_have_count(0)
    expect(colleague.get_by_role("link", name="Export")).to_have_count(0)

    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("3 leads", exact=True)).to_be_visible()
    axe(page)
    look(page, "leads")


def test_a_lead_is_opened_and_left_by_keyboard(site: Site) -> None:
    """Arrows move, Enter opens, j goes on to the next one, Escape comes back to the row."""
    ada = site.account()
    _people(ada)
    page = site.open("/leads", ada)
    expect(page.locator("[data-row]")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.locator("[data-row='0']")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-row='1']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Alan Turing")).to_be_visible()
    page.keyboard.press("j")
    drawer = page.get_by_role("dialog", name="Joan Clarke")
    expect(drawer).to_be_visible()
    axe(page)
    look(page, "lead-drawer")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-row='2']")).to_be_focused()


def test_whom_to_call_leaves_out_who_is_worked_on(site: Site) -> None:
    """Taking a lead and setting its status takes it off the list of whom to call; history tells."""
    ada = site.account("Ada Lovelace")
    _people(ada)
    page = site.open("/leads", ada)
    page.get_by_role("radio", name="To call").click()
    expect(page.locator("[data-row]")).to_have_count(2)
    page.locator("[data-row='0']").click()
    drawer = page.get_by_role("dialog", name="Grace Hopper")
    drawer.get_by_role("button", name="Take it").click()
    expect(drawer.get_by_role("button", name="Owner: Ada Lovelace")).to_be_visible()
    drawer.get_by_role("button", name="Status: Open").click()
    page.get_by_role("menuitemradio", name="Working").click()
    expect(drawer.get_by_role("button", name="Status: Working")).to_be_visible()
    drawer.get_by_role("tab", name="History").click()
    expect(drawer.get_by_role("listitem").filter(has_text="Working")).to_be_visible()
    expect(drawer.get_by_role("listitem").filter(has_text="No owner")).to_be_visible()
    page.reload()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("[data-row]")).to_contain_text("Alan Turing")


def test_a_lead_is_made_by_hand(site: Site) -> None:
    """Errors stand beside their field; who is made is opened, and who is here is completed."""
    ada = site.account()
    page = site.open("/leads", ada)
    expect(page.get_by_text("No leads yet")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="New lead").first.click()
    dialog = page.get_by_role("dialog", name="New lead")
    dialog.get_by_label("Name").fill("Radia Perlman")
    dialog.get_by_label("Email").fill("no address")
    dialog.get_by_role("button", name="Make lead").click()
    expect(dialog.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    axe(page)
    dialog.get_by_label("Email").fill("radia@net.example")
    dialog.get_by_role("button", name="Make lead").click()
    expect(page.get_by_role("dialog", name="Radia Perlman")).to_be_visible()
    assert ada.call("GET", "/api/leads", q="radia")["leads"][0]["email"] == "radia@net.example"


def test_what_is_shown_is_exported(site: Site, tmp_path: Path) -> None:
    """The file has the leads of the filters, no others."""
    ada = site.account()
    _people(ada)
    page = site.open("/leads?q=park.example", ada)
    expect(page.locator("[data-row]")).to_have_count(2)
    with page.expect_download() as started:
        page.get_by_role("link", name="Export").click()
    path = tmp_path / "leads.csv"
    started.value.save_as(path)
    assert started.value.suggested_filename == "leads-export.csv"
    emails = [row["email"] for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))]
    assert sorted(emails) == ["alan@park.example", "joan@park.example"]


def test_test_leads_stand_apart_and_go_away(site: Site) -> None:
    """They are in no list but their own, and an admin removes them in one go."""
    ada = site.account()
    _people(ada)
    ada.send({"event": "page_view", "email": "try@test.example", "test": True})
    page = site.open("/leads?test=true", ada)
    expect(page.locator("[data-row]")).to_contain_text("try@test.example")
    page.get_by_role("button", name="Remove test leads").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove test leads").click()
    expect(page.get_by_text("There are no test leads")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_text("3 leads", exact=True)).to_be_visible()


def test_a_phone_shows_leads_in_two_lines(site: Site) -> None:
    """What to do stands below each name, and the drawer fills the screen."""
    ada = site.account()
    _people(ada)
    page = site.open("/leads", ada, width=PHONE)
    row = page.locator("[data-row='0']")
    expect(row).to_contain_text("Grace Hopper")
    row.click()
    drawer = page.get_by_role("dialog", name="Grace Hopper")
    expect(drawer).to_be_visible()
    box = drawer.bounding_box()
    assert box is not None
    assert box["width"] == PHONE
    axe(page)


@pytest.mark.parametrize("width", [1280, PHONE])
def test_a_long_list_is_scrolled_steadily(site: Site, width: int) -> None:
    """It moves as far as the hand says, draws only what is near, and keys reach its end."""
    ada = site.account()
    ada.send_trusted(
        *({"event": "signup", "email": f"person{number}@x.example"} for number in range(240))
    )
    wait_until("all scored", lambda: ada.call("GET", "/api/leads")["total"] == 240)
    page = site.open("/leads", ada, width=width)
    expect(page.get_by_text("240 leads", exact=True)).to_be_visible()
    ends = page.evaluate(
        """async () => {
            const row = document.querySelector('main [data-row]');
            let list = row;
            while (getComputedStyle(list).overflowY !== 'auto') list = list.parentElement;
            const ends = [];
            for (let step = 0; step < 100; step += 1) {
                const before = list.scrollTop;
                list.scrollTop += 40;
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                ends.push(list.scrollTop - before);
            }
            return ends;
        }"""
    )
    assert set(ends) == {40}
    assert page.locator("[data-row]").count() < 60
    axe(page)
    page.locator("[data-row]").last.focus()
    for _ in range(5):  # each brings the rows that follow
        page.keyboard.press("End")
        page.wait_for_timeout(300)
    expect(page.locator("[data-row='239']")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("[data-row='0']")).to_be_focused()
    expect(page.locator("[data-row='0']")).to_be_in_viewport()
