"""The stream of events: it comes by itself, stands still when told, and each event says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import PHONE, axe, look

if TYPE_CHECKING:
    from browser.conftest import Site


def test_events_appear_live_in_every_tab(site: Site) -> None:
    """Sent by HTTP, they stand in both tabs without a reload, and say when they are scored."""
    ada = site.account()
    first = site.open("/events", ada)
    expect(first.get_by_text("No event has come yet")).to_be_visible()
    axe(first)
    look(first, "events-empty")
    second = first.context.new_page()
    second.goto("/events?type=signup")
    expect(second.get_by_text("No event fits these filters")).to_be_visible()
    ada.send({"event": "signup", "email": "ann@example.com", "traits": {"name": "Ann Live"}})
    for page in (first, second):
        expect(page.get_by_role("row").filter(has_text="Ann Live")).to_contain_text("Scored")
    ada.send({"event": "download", "email": "ann@example.com"})
    expect(first.get_by_role("row").filter(has_text="download")).to_contain_text("Claimed")
    expect(second.get_by_text("download", exact=True)).to_have_count(0)


def test_a_paused_stream_stands_still_and_counts(site: Site) -> None:
    """What came meanwhile is shown when one goes on."""
    ada = site.account()
    ada.send({"event": "first", "email": "ann@example.com"})
    page = site.open("/events", ada)
    expect(page.get_by_role("row").filter(has_text="first")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    ada.send({"event": "second", "email": "ann@example.com"})
    ada.send({"event": "third", "email": "ann@example.com"})
    expect(page.get_by_role("button", name="Resume (2)")).to_be_visible()
    expect(page.get_by_text("second", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Resume (2)").click()
    expect(page.get_by_role("row").filter(has_text="third")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="second")).to_be_visible()


def test_an_opened_event_tells_what_it_did(site: Site) -> None:
    """Its rules, its way, its JSON; the address opens it again, and Escape closes it."""
    ada = site.account()
    ada.send({
        "event": "demo_request", "email": "ann@example.com", "sessionId": "visit-1",
        "properties": {"seats": 25}, "traits": {"name": "Ann Rules"},
    })  # fmt: skip
    ada.lead("ann@example.com")
    page = site.open("/events", ada)
    page.get_by_role("row").filter(has_text="demo_request").get_by_text("demo_request").click()
    rules = page.get_by_role("list", name="Rules")
    expect(rules).to_contain_text("Demo request")
    expect(rules).to_contain_text("+50")
    expect(page.get_by_role("list", name="Pipeline")).to_contain_text("Folded")
    expect(page.get_by_role("region", name="Event as JSON")).to_contain_text('"seats": 25')
    axe(page)
    look(page, "events-open")
    page.reload()
    expect(page.get_by_role("list", name="Rules")).to_contain_text("Demo request")
    page.get_by_role("link", name="visit-1").click()
    page.wait_for_url("**/events?session=visit-1&event=*")
    expect(page.get_by_role("list", name="Rules")).to_contain_text("Demo request")
    page.keyboard.press("Escape")
    expect(page.get_by_role("list", name="Rules")).to_have_count(0)
    page.get_by_role("button", name="Take off the filter Session").click()
    page.wait_for_url("**/events")


def test_two_tenants_see_their_own_events_only(site: Site) -> None:
    """Side by side: neither what was there, nor what comes, nor by its address."""
    ada, bob = site.account("Ada"), site.account("Bob")
    ada.send({"event": "adas_event", "email": "a@example.com"})
    bob.send({"event": "bobs_event", "email": "b@example.com"})
    at_ada, at_bob = site.open("/events", ada), site.open("/events", bob)
    expect(at_ada.get_by_role("row").filter(has_text="adas_event")).to_be_visible()
    expect(at_bob.get_by_role("row").filter(has_text="bobs_event")).to_be_visible()
    ada.send({"event": "adas_second", "email": "a@example.com"})
    bob.send({"event": "bobs_second", "email": "b@example.com"})
    expect(at_ada.get_by_role("row").filter(has_text="adas_second")).to_be_visible()
    expect(at_bob.get_by_role("row").filter(has_text="bobs_second")).to_be_visible()
    expect(at_ada.get_by_text("bobs_")).to_have_count(0)
    expect(at_bob.get_by_text("adas_")).to_have_count(0)
    (other, *_) = ada.call("GET", "/api/events")["events"]
    at_bob.goto(f"/events?event={other['id']}")
    expect(at_bob.get_by_text("The event can’t be shown")).to_be_visible()


@pytest.mark.parametrize("width", [1440, PHONE])
def test_many_events_can_be_gone_through(site: Site, width: int) -> None:
    """By scrolling, by keyboard; nothing that axe finds, wide and on a phone."""
    ada = site.account()
    ada.send(*({"event": f"step_{n:03}", "email": "ann@example.com"} for n in range(260)))
    page = site.open("/events", ada, width=width)
    expect(page.get_by_text("step_259")).to_be_visible()
    axe(page)
    look(page, f"events-{width}")
    for _ in range(40):
        page.locator("[data-row]").last.focus()
        page.keyboard.press("End")
        if page.get_by_text("step_000").count() > 0:
            break
    expect(page.get_by_text("step_000")).to_be_visible()
