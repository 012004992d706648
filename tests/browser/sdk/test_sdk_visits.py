"""Visits: what a page sends of somebody who comes, comes again, and says who he is."""

from __future__ import annotations

import datetime as dt
import time

from support.shop import Shop, on

NEWS = "https://news.example/review?reader=ann@example.com"


def test_a_first_visit_is_one_page_view_with_all_that_tells_where_it_came_from(shop: Shop) -> None:
    """The first event names landing page, referrer and campaign, and so does the lead."""
    visitor = shop.visitor()
    landing = "/pricing?utm_source=news&utm_campaign=may&token=secret#top"
    visitor.new_page().goto(shop.sites.at(landing), referer=NEWS)
    (view,) = shop.came("page_view")

    assert view["event"] == "page_view"
    assert view["properties"] == {
        "url": shop.sites.at("/pricing"),
        "path": "/pricing",
        "title": "Prices",
        "landing_page": shop.sites.at("/pricing"),
        "referrer": "https://news.example/review",
        "utm_source": "news",
        "utm_campaign": "may",
    }
    assert len(view["anonymousId"]) == 24
    assert view["sessionId"]
    assert view["timestamp"] <= shop.door.sent[0].body["sentAt"]
    assert not {"userId", "email", "test", "traits"} & set(view)
    first = shop.lead(view)["firstTouch"]
    assert first["page"] == shop.sites.at("/pricing")
    assert first["referrer"] == "https://news.example/review"
    assert first["utm"] == {"source": "news", "campaign": "may"}
    # No cookie, and no question of the browser before the request.
    assert visitor.cookies() == []
    assert shop.door.methods == ["POST"]


def test_somebody_who_returns_is_the_same_visitor_in_the_same_session(shop: Shop) -> None:
    """A second page goes on with who it is, the session, and the campaign that brought him."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/?utm_source=news"), referer=NEWS)
    shop.came("page_view")
    page.goto(shop.sites.at("/pricing"))
    first, second = shop.came("page_view", "page_view")

    assert first["anonymousId"] == second["anonymousId"]
    assert first["sessionId"] == second["sessionId"]
    assert first["eventId"] < second["eventId"]
    assert second["properties"]["utm_source"] == "news"
    assert second["properties"]["landing_page"] == shop.sites.at("/")
    lead = shop.lead(second, events=2)
    assert lead["firstTouch"]["page"] == shop.sites.at("/")
    assert lead["lastTouch"]["utm"] == {"source": "news"}


def test_a_new_campaign_is_the_last_touch_and_leaves_the_first_as_it_is(shop: Shop) -> None:
    """Coming again by another way changes the last touch only."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/?utm_source=news"), referer=NEWS)
    shop.came("page_view")
    page.goto(shop.sites.at("/pricing?utm_source=mail"))
    _, second = shop.came("page_view", "page_view")

    lead = shop.lead(second, events=2)
    assert lead["firstTouch"]["utm"] == {"source": "news"}
    assert lead["lastTouch"]["utm"] == {"source": "mail"}
    assert lead["lastTouch"]["referrer"] is None


def test_thirty_idle_minutes_begin_a_new_session(shop: Shop) -> None:
    """What is done within 30 minutes belongs together, what comes later doesn't."""
    page = shop.visitor().new_page()
    page.clock.install()
    page.goto(shop.sites.at("/?utm_source=news"))
    shop.came("page_view")
    page.clock.fast_forward("29:00")
    on(page, "LS.track('within')")
    shop.came("within")
    page.clock.fast_forward("30:05")
    on(page, "LS.track('after')")
    first, within, after = shop.came("after")

    assert first["sessionId"] == within["sessionId"]
    assert after["sessionId"] != first["sessionId"]
    assert after["anonymousId"] == first["anonymousId"]


def test_a_wrong_clock_does_not_change_when_things_happened(shop: Shop) -> None:
    """A browser that is two days ahead sends events that the server puts into the present."""
    page = shop.visitor().new_page()
    page.clock.install(time=time.time() + 2 * 86_400)
    page.goto(shop.sites.at("/"))
    (view,) = shop.came("page_view")

    sent = dt.datetime.fromisoformat(view["timestamp"])
    assert sent - dt.datetime.now(dt.UTC) > dt.timedelta(hours=47)
    shop.lead(view)
    kept = dt.datetime.fromisoformat(shop.stored(view["sessionId"])[0]["timestamp"])
    assert abs(kept - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_who_says_who_he_is_stays_the_same_lead(shop: Shop) -> None:
    """Identify gives the visitor's lead a name, with all that he did before and does after."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.identify(' Zoe@Example.com ', {name: 'Zoe', plan: 'team'})")
    on(page, "LS.track('demo_request', {seats: 5})")
    view, identify, demo = shop.came("demo_request")

    assert identify["event"] == "identify"
    assert identify["traits"] == {"name": "Zoe", "plan": "team"}
    assert identify["email"] == demo["email"] == "zoe@example.com"
    assert "email" not in view
    assert demo["properties"]["seats"] == 5
    assert {e["anonymousId"] for e in (view, identify, demo)} == {view["anonymousId"]}
    lead = shop.lead(view, events=3)
    assert (lead["email"], lead["name"]) == ("zoe@example.com", "Zoe")
    assert lead["currentScore"] == 55


def test_a_user_id_with_its_proof_goes_with_each_event(shop: Shop) -> None:
    """An id without @ is a userId; the userHash is sent wherever the id is."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.identify(42, {}, 'ab'.repeat(32))")
    on(page, "LS.track('later')")
    *_, identify, later = shop.came("later")
    assert identify["userId"] == later["userId"] == "42"
    assert identify["userHash"] == later["userHash"] == "ab" * 32


def test_what_only_means_nobody_is_no_name(shop: Shop) -> None:
    """A page that doesn't know its user yet identifies nobody."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(
        page,
        "for (const nobody of [undefined, null, '', ' ', 'undefined', 'Guest', NaN, {}])"
        " LS.identify(nobody)",
    )
    on(page, "LS.track('later')")
    events = shop.came("later")
    assert [e["event"] for e in events] == ["page_view", "later"]


def test_somebody_else_at_the_same_browser_is_somebody_else(shop: Shop) -> None:
    """A second email, and a reset, begin a new visitor in a new session."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.identify('one@example.com')")
    on(page, "LS.identify('two@example.com')")
    on(page, "LS.reset()")
    on(page, "LS.track('later')")
    _, one, two, later = shop.came("later")
    assert len({e["anonymousId"] for e in (one, two, later)}) == 3
    assert len({e["sessionId"] for e in (one, two, later)}) == 3
    assert (one["email"], two["email"]) == ("one@example.com", "two@example.com")
    assert "email" not in later


def test_two_tabs_are_one_visitor_and_send_each_event_once(shop: Shop) -> None:
    """Tabs share visitor and session, and leave the queue to one of them at a time."""
    shop.door.delay = 0.4
    visitor = shop.visitor()
    pages = [visitor.new_page() for _ in range(2)]
    pages[0].goto(shop.sites.at("/"))
    pages[1].goto(shop.sites.at("/pricing"))
    for number in range(6):
        on(pages[number % 2], f"LS.track('step', {{number: {number}}})")
    events = shop.came(*["step"] * 6)

    assert len({e["anonymousId"] for e in events}) == 1
    assert len({e["sessionId"] for e in events}) == 1
    sent = [e["eventId"] for e in shop.door.events()]
    assert len(sent) == len(set(sent)) == 8


def test_on_plain_http_two_tabs_take_turns_as_well(shop: Shop) -> None:
    """Where browsers offer neither locks nor random UUIDs, each event is sent once all the same."""
    shop.door.delay = 0.4
    visitor = shop.visitor()
    pages = [visitor.new_page() for _ in range(2)]
    for page in pages:
        page.goto(shop.sites.at("/", name="shop.test"))
        assert on(page, "[isSecureContext, typeof crypto.randomUUID]") == [False, "undefined"]
        shop.came("page_view")
    for number in range(6):
        on(pages[number % 2], f"LS.track('step', {{number: {number}}})")
    events = shop.came(*["step"] * 6)
    assert len({e["anonymousId"] for e in events}) == 1
    sent = [e["eventId"] for e in shop.door.events()]
    assert len(sent) == len(set(sent)) == 8


def test_pages_without_a_load_are_seen(shop: Shop) -> None:
    """History changes are page views when the path changes, back and forth."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "history.pushState({}, '', '/plans?sort=price'); document.title = 'Plans'")
    shop.came("page_view", "page_view")
    on(page, "history.pushState({}, '', '/plans?sort=name')")
    page.wait_for_timeout(50)
    on(page, "history.go(-2)")
    events = shop.came(*["page_view"] * 3)
    assert [e["properties"]["path"] for e in events] == ["/", "/plans", "/"]
    assert events[1]["properties"]["title"] == "Plans"
    assert events[1]["properties"]["url"] == shop.sites.at("/plans")


def test_a_page_that_was_put_aside_is_seen_again(shop: Shop) -> None:
    """Going back to a page that the browser kept whole is a page view."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "window.kept = true")
    shop.came("page_view")
    page.goto(shop.sites.at("/pricing", name="other"))
    # Playwright would wait for a load, which there is none of.
    page.evaluate("setTimeout(() => history.back())")
    events = shop.came(*["page_view"] * 3)
    assert events[-1]["properties"]["path"] == "/"
    assert events[-1]["anonymousId"] == events[0]["anonymousId"]
    assert page.evaluate("window.kept") is True


def test_a_page_made_ready_in_advance_is_seen_when_somebody_goes_there(shop: Shop) -> None:
    """While a page is prerendered nothing is sent; what it asked for follows."""
    ahead = "Object.defineProperty(document, 'prerendering', {value: true})"
    page = shop.visitor(ahead).new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.track('early')")
    page.wait_for_timeout(600)
    assert shop.door.events() == []
    on(page, "document.dispatchEvent(new Event('prerenderingchange'))")
    assert [e["event"] for e in shop.came("early")] == ["page_view", "early"]
