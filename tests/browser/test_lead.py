"""One lead: why its score is what it is, what was corrected, and with whom it is one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from support.browser import axe, look

if TYPE_CHECKING:
    from browser.conftest import Site

_UTM = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"}


def test_an_adjusted_score_says_why(site: Site) -> None:
    """A correction by hand is a part of the score with its points, and stands in the timeline."""
    ada = site.account()
    ada.send_trusted({"event": "demo_request", "email": "grace@navy.example"})
    lead = ada.lead("grace@navy")
    page = site.open(f"/leads/{lead['id']}", ada)
    why = page.get_by_role("table", name="What the score is made of")
    expect(why.get_by_role("row", name=re.compile("Demo request"))).to_contain_text("+50")

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Adjust the score").click()
    dialog = page.get_by_role("dialog", name="Adjust the score")
    dialog.get_by_role("button", name="Adjust").last.click()
    expect(dialog.get_by_label("Points")).to_have_attribute("aria-invalid", "true")
    axe(page)
    dialog.get_by_label("Points").fill("-15")
    dialog.get_by_label("Note").fill("Asked for a student")
    dialog.get_by_role("button", name="Adjust").last.click()
    expect(why.get_by_role("row", name=re.compile("Adjusted by hand"))).to_contain_text("\u221215")
    expect(why.get_by_role("row", name=re.compile("^Score"))).to_contain_text("35")
    axe(page)
    look(page, "lead")


def test_two_leads_become_one_and_two_again(site: Site) -> None:
    """A preview before, the old address leads to the survivor, and undoing parts them."""
    ada = site.account()
    ada.send_trusted(
        {
            "event": "demo_request",
            "email": "grace@navy.example",
            "traits": {"name": "Grace Hopper"},
        },
        {"event": "signup", "email": "g.hopper@home.example", "traits": {"name": "G. Hopper"}},
    )
    work, home = ada.lead("grace@navy"), ada.lead("g.hopper")
    page = site.open(f"/leads/{home['id']}", ada)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Merge with another lead").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The other lead").fill("grace@")
    dialog.get_by_role("button", name=re.compile("Grace Hopper")).click()
    expect(dialog.get_by_text("80 points")).to_be_visible()
    axe(page)
    look(page, "lead-merge")
    assert len(ada.call("GET", "/api/leads")["leads"]) == 2, "a preview has merged"
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page).to_have_url(re.compile(work["id"]))

    page.goto(f"/leads/{home['id']}")
    expect(page).to_have_url(re.compile(work["id"]))
    page.get_by_role("region", name="Identities").get_by_role("button", name="Undo").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Undo merge").click()
    expect(page.get_by_text("They are two leads again")).to_be_visible()
    page.goto(f"/leads/{home['id']}")
    expect(page.get_by_role("heading", name="G. Hopper", level=1)).to_be_visible()


def test_where_somebody_came_from_and_did(site: Site) -> None:
    """First touch with its campaign, and the timeline with the properties of an event."""
    ada = site.account()
    ada.send(
        {
            "event": "page_view",
            "email": "joan@park.example",
            "sessionId": "s1",
            "properties": {"url": "https://shop.example/pricing", **_UTM},
        }
    )
    lead = ada.lead("joan@park")
    page = site.open(f"/leads/{lead['id']}", ada)
    touch = page.get_by_role("region", name="First and last touch")
    expect(touch.get_by_text("https://shop.example/pricing")).to_be_visible()
    timeline = page.get_by_role("region", name="Timeline")
    timeline.get_by_role("button", name=re.compile("Page view")).click()
    expect(timeline.get_by_text('"utm_campaign": "spring"')).to_be_visible()
    axe(page)


def test_an_email_that_another_lead_has_is_told_in_words(site: Site) -> None:
    """The profile is edited in its place, and a conflict says what to do instead."""
    ada = site.account()
    ada.send_trusted(
        {"event": "signup", "email": "grace@navy.example"},
        {"event": "signup", "email": "joan@park.example"},
    )
    ada.lead("grace@navy")
    lead = ada.lead("joan@park")
    page = site.open(f"/leads/{lead['id']}", ada)
    profile = page.get_by_role("region", name="Profile")
    profile.get_by_role("button", name="Edit Company").click()
    profile.get_by_label("Company").fill("Bletchley Park")
    profile.get_by_label("Company").press("Enter")
    expect(profile.get_by_text("Bletchley Park")).to_be_visible()
    profile.get_by_role("button", name="Edit Email").click()
    profile.get_by_label("Email").fill("grace@navy.example")
    profile.get_by_label("Email").press("Enter")
    expect(profile.get_by_role("alert")).to_contain_text("merge the two instead")
    profile.get_by_label("Email").press("Escape")
    expect(profile.get_by_text("joan@park.example")).to_be_visible()


def test_an_unknown_lead_says_so(site: Site) -> None:
    """And leads to all others."""
    ada = site.account()
    page = site.open("/leads/00000000-0000-7000-8000-000000000000", ada)
    expect(page.get_by_text("There is no such lead")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="See all leads").click()
    expect(page.get_by_role("heading", name="Leads", level=1)).to_be_visible()


def test_a_removed_lead_is_gone(site: Site) -> None:
    """It asks before, and goes back to the list."""
    ada = site.account()
    ada.send_trusted({"event": "signup", "email": "grace@navy.example"})
    lead = ada.lead("grace@navy")
    page = site.open(f"/leads/{lead['id']}", ada)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Remove the lead").click()
    axe(page)
    page.get_by_role("alertdialog").get_by_role("button", name="Remove lead").click()
    expect(page.get_by_text("No leads yet")).to_be_visible()
