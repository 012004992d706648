"""The Scoring page: what gives points is changed, looked at, published, and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look
from support.server import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.conftest import Site

TABS = ("rules", "stages", "decay", "velocity", "actions", "versions")


def publish(page: Page, *, all_history: bool = False) -> None:
    """Reviews what is pending, and publishes it."""
    page.get_by_role("button", name="Review and publish").click()
    dialog = page.get_by_role("dialog")
    if all_history:
        dialog.get_by_role("radio", name="All history").click()
    dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is in force").first).to_be_visible()
    expect(page.get_by_text("not published")).to_have_count(0)


def test_more_points_for_all_history_change_what_a_lead_has(site: Site) -> None:
    """A rule is opened, its points are raised, and everybody who met it has more."""
    ada = site.account()
    ada.send({"event": "demo_request", "email": "lead@example.com"})
    assert ada.lead("lead@example.com")["currentScore"] == 50
    page = site.open("/scoring", ada)
    page.get_by_role("searchbox", name="Find a rule").fill("demo")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_text("Demo request").click()
    page.get_by_label("Points", exact=True).fill("70")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("1 change, not published")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 change, not published")).to_be_visible()
    page.get_by_role("button", name="Review and publish").click()
    expect(page.get_by_text("points +50 → +70")).to_be_visible()
    axe(page)
    look(page, "scoring-publish")
    page.get_by_role("button", name="Keep editing").click()
    publish(page, all_history=True)
    expect(page.get_by_text("Version 2", exact=True)).to_be_visible()
    wait_until(
        "the lead has the new points",
        lambda: ada.lead("lead@example.com")["currentScore"] == 70,
    )


def test_a_stage_is_moved_by_the_keyboard(site: Site) -> None:
    """Arrow keys move a handle, which never passes its neighbour."""
    ada = site.account()
    page = site.open("/scoring?tab=stages", ada)
    handle = page.get_by_role("slider", name="Warm begins at")
    handle.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "15")
    expect(page.get_by_label("Warm from, in points")).to_have_value("15")
    page.keyboard.press("End")
    expect(handle).to_have_attribute("aria-valuenow", "30")
    publish(page)
    assert [stage["from"] for stage in ada.call("GET", "/api/model")["stages"]] == [0, 30, 31, 60]


def test_decay_is_turned_off_and_an_old_version_comes_back(site: Site) -> None:
    """The page says whom it concerns; the version before can be published again."""
    ada = site.account()
    page = site.open("/scoring?tab=decay", ada)
    page.get_by_role("switch").click()
    page.get_by_role("button", name="Review and publish").click()
    expect(page.get_by_text("concerns no lead right now")).to_be_visible()
    page.get_by_role("button", name="Keep editing").click()
    publish(page)
    assert ada.call("GET", "/api/model")["decay"] is None
    page.get_by_role("tab", name="Versions").click()
    page.get_by_text("Version 1", exact=True).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("off → ×")).to_be_visible()
    axe(page)
    look(page, "scoring-version")
    drawer.get_by_role("button", name="Use as my edit").click()
    publish(page)
    assert ada.call("GET", "/api/model")["decay"]["afterDays"] == 7


def test_two_who_edit_at_once_both_keep_their_edits(site: Site) -> None:
    """Who comes second is told, and takes the edit over to the new version."""
    ada = site.account()
    first, second = site.open("/scoring", ada), site.open("/scoring?tab=velocity", ada)
    second.get_by_label("Factor").fill("5")
    expect(second.get_by_text("1 change, not published")).to_be_visible()
    first.get_by_role("switch", name="Download is on").click()
    publish(first)
    second.get_by_role("button", name="Review and publish").click()
    second.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(second.get_by_text("Version 2 was published meanwhile.")).to_be_visible()
    axe(second)
    second.get_by_role("button", name="Keep my edits").click()
    publish(second)
    model = ada.call("GET", "/api/model")
    assert (model["version"], model["velocity"]["factor"]) == (3, 5)
    assert [rule["active"] for rule in model["rules"] if rule["id"]].count(False) == 1


def test_a_rule_with_a_condition_is_added(site: Site) -> None:
    """What the server finds wrong stands beside its field until it is mended."""
    ada = site.account()
    page = site.open("/scoring", ada)
    page.get_by_role("button", name="Add rule").click()
    expect(
        page.get_by_text("must not be empty").or_(page.get_by_text("at least 1"))
    ).to_be_visible()
    page.get_by_label("Event", exact=True).fill("Plan Chosen")
    page.get_by_label("Points", exact=True).fill("20000")
    page.get_by_role("button", name="Add condition").click()
    page.get_by_label("Field").fill("plan")
    page.get_by_label("Comparison").select_option("eq")
    page.get_by_label("Value", exact=True).fill("pro")
    expect(page.get_by_label("Points", exact=True)).to_have_attribute("aria-invalid", "true")
    axe(page)
    look(page, "scoring-rule")
    page.get_by_label("Points", exact=True).fill("12.5")
    expect(page.get_by_label("Points", exact=True)).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Done").click()
    publish(page)
    ada.send(
        {"event": "plan-chosen", "email": "pro@example.com", "properties": {"plan": "pro"}},
        {"event": "plan-chosen", "email": "free@example.com", "properties": {"plan": "free"}},
    )
    assert ada.lead("pro@example.com")["currentScore"] == 12.5
    assert ada.lead("free@example.com")["currentScore"] == 0


def test_a_preset_shows_what_it_changes_first(site: Site) -> None:
    """It becomes an edit, of which nothing is published yet."""
    ada = site.account()
    page = site.open("/scoring", ada)
    page.get_by_role("button", name="More of the model").click()
    page.get_by_role("menuitem", name="Start from a preset").click()
    page.get_by_role("radio", name="Sales").click()
    expect(page.get_by_text("warm from 11 → 30")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Use as my edit").click()
    expect(page.get_by_text("not published")).to_be_visible()
    assert ada.call("GET", "/api/model")["version"] == 1
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("not published")).to_have_count(0)


def test_who_only_looks_can_change_nothing(site: Site) -> None:
    """Everything is there to read, with the reason why nothing can be changed."""
    ada = site.account()
    bob = ada.with_member("viewer")
    page = site.open("/scoring", bob)
    expect(page.get_by_text("needs the role admin or more")).to_be_visible()
    expect(page.get_by_role("button", name="Add rule")).to_have_count(0)
    expect(page.get_by_role("switch").first).to_be_disabled()
    page.get_by_role("tab", name="Stages").click()
    expect(page.get_by_label("Warm from, in points")).to_be_disabled()
    axe(page)


@pytest.mark.parametrize("tab", TABS)
def test_every_part_looks_right(site: Site, tab: str) -> None:
    """Wide and on a phone, in both themes, and axe finds nothing."""
    ada = site.account()
    ada.send(
        *({"event": "demo_request", "email": f"{n}@example.com"} for n in range(3)),
        *({"event": "page_view", "email": "0@example.com"} for _ in range(4)),
    )
    ada.lead("0@example.com")
    page = site.open(f"/scoring?tab={tab}", ada)
    expect(page.get_by_role("tabpanel")).to_be_visible()
    expect(page.get_by_role("main").locator("[aria-busy=true]")).to_have_count(0)
    axe(page)
    look(page, f"scoring-{tab}")
    phone = site.open(f"/scoring?tab={tab}", ada, width=PHONE)
    expect(phone.get_by_role("tabpanel")).to_be_visible()
    axe(phone)
