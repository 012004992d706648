"""The simulator: any event as anybody, its way with its times, and whole journeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look

if TYPE_CHECKING:
    from browser.conftest import Site


def test_an_event_is_sent_and_watched(site: Site) -> None:
    """Each stage has its time, then the score before and after by its rules."""
    ada = site.account()
    page = site.open("/simulator", ada)
    expect(page.get_by_text("real events of this project")).to_be_visible()
    axe(page)
    look(page, "simulator-empty")
    page.get_by_label("Event", exact=True).fill("demo_request")
    page.get_by_label("Email").fill("not an address")
    page.get_by_role("button", name="Send the event").click()
    expect(page.get_by_text("An email address, such as")).to_be_visible()
    page.get_by_label("Email").fill("sim@example.com")
    page.get_by_role("button", name="Add a property").click()
    page.get_by_label("Name of property 1").fill("seats")
    page.get_by_label("Value of property 1").fill("25")
    page.get_by_role("button", name="Send the event").click()
    pipeline = page.get_by_role("list", name="Pipeline")
    for stage in ("Accepted", "Durable", "Claimed", "Folded", "Delivered"):
        expect(pipeline).to_contain_text(stage)
    expect(pipeline.get_by_role("listitem").filter(has_text="Folded")).to_contain_text("+")
    expect(pipeline.get_by_role("listitem").filter(has_text="Delivered")).to_contain_text("+")
    expect(page.get_by_role("list", name="Rules")).to_contain_text("Demo request")
    axe(page)
    look(page, "simulator-sent")
    (sent, *_) = ada.call("GET", "/api/events", type="demo_request")["events"]
    assert sent["properties"] == {"seats": 25}
    assert sent["trusted"]
    page.reload()
    expect(page.get_by_role("list", name="Rules")).to_contain_text("Demo request")


@pytest.mark.parametrize("width", [1440, PHONE])
def test_a_journey_turns_a_lead_hot(site: Site, width: int) -> None:
    """It is watched live, step by step, and one can go to the lead."""
    ada = site.account()
    page = site.open("/simulator?tab=journey", ada, width=width)
    page.get_by_role("button", name="Play “Turns hot in one visit”").click()
    steps = page.get_by_role("list", name="Steps")
    expect(page.get_by_text("Played", exact=True)).to_be_visible(timeout=40_000)
    expect(steps).to_contain_text("Hot")
    axe(page)
    look(page, f"simulator-journey-{width}")
    (lead,) = ada.call("GET", "/api/leads")["leads"]
    assert lead["leadStage"] in {"hot", "qualified"}
    assert page.get_by_role("link", name="Open the lead").first.get_attribute("href") == (
        f"/leads/{lead['id']}"
    )


def test_a_journey_can_be_stopped(site: Site) -> None:
    """What was sent stays; nothing more follows."""
    ada = site.account()
    page = site.open("/simulator?tab=journey", ada)
    page.get_by_role("button", name="Play “From first visit to contract”").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Play “From first visit to contract”")).to_be_enabled()
    assert len(ada.call("GET", "/api/events")["events"]) < 6


def test_a_viewer_sees_why_not(site: Site) -> None:
    """Sending is for members; the reason stands beside the button."""
    page = site.open("/simulator", site.account().with_member("viewer"))
    expect(page.get_by_role("button", name="Send the event")).to_be_disabled()
    expect(page.get_by_text("Needs the role member or more").first).to_be_visible()
    axe(page)
