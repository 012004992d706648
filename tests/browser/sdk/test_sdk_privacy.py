"""What is not sent, and to whom what is sent goes."""

from __future__ import annotations

import json

import pytest

from support.shop import Shop, on

# Longer than the script waits before it sends.
A_WHILE = 700
STORED = "Object.keys(localStorage).filter((name) => name.startsWith('ls.'))"
DNT = "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


@pytest.mark.parametrize("signal", [DNT, GPC], ids=["dnt", "gpc"])
def test_a_browser_that_asks_not_to_be_watched_is_not(shop: Shop, signal: str) -> None:
    """With Do Not Track or Global Privacy Control nothing is sent and nothing stored."""
    page = shop.visitor(signal).new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.track('step'); LS.identify('ann@example.com'); LS.page()")
    page.wait_for_timeout(A_WHILE)
    assert shop.door.events() == []
    assert page.evaluate(STORED) == []


def test_a_website_can_decide_otherwise_about_do_not_track(shop: Shop) -> None:
    """With data-respect-dnt="false" the signal is not asked for."""
    shop.sites.pages["/"] = shop.html(tag=f'{shop.key} data-respect-dnt="false"')
    shop.visitor(DNT + ";" + GPC).new_page().goto(shop.sites.at("/"))
    assert len(shop.came("page_view")) == 1


def test_a_visitors_own_yes_goes_before_the_browsers_general_no(shop: Shop) -> None:
    """LS.consent(true) counts for this website, also on the next page."""
    page = shop.visitor(GPC).new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.consent(true)")
    shop.came("page_view")
    page.goto(shop.sites.at("/pricing"))
    assert len(shop.came("page_view", "page_view")) == 2


def test_nothing_happens_before_a_demanded_consent(shop: Shop) -> None:
    """Until the yes nothing is kept; then this page is seen, with how the visitor came."""
    for path in ("/", "/pricing"):
        shop.sites.pages[path] = shop.html(tag=f"{shop.key} data-require-consent")
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/?utm_source=news"))
    on(page, "LS.track('before'); LS.identify('ann@example.com')")
    on(page, "history.pushState({}, '', '/plans')")
    page.wait_for_timeout(A_WHILE)
    assert shop.door.events() == []
    assert page.evaluate(STORED) == []

    on(page, "LS.consent(true)")
    (view,) = shop.came("page_view")
    assert view["properties"]["path"] == "/plans"
    assert view["properties"]["landing_page"] == shop.sites.at("/")
    assert view["properties"]["utm_source"] == "news"
    assert "email" not in view
    assert shop.lead(view)["firstTouch"]["page"] == shop.sites.at("/")


def test_after_a_no_only_the_no_is_kept(shop: Shop) -> None:
    """LS.consent(false) drops what waits and what is known, and holds on the next page."""
    shop.door.delay = 1
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    on(page, "LS.identify('ann@example.com'); LS.track('step'); LS.consent(false)")
    page.goto(shop.sites.at("/pricing"))
    on(page, "LS.track('step')")
    page.wait_for_timeout(A_WHILE)
    assert [e["event"] for e in shop.door.events()] == ["page_view"]
    (name,) = page.evaluate(STORED)
    assert name.endswith(".consent")


FORM = """
<form id="contact" action="/thanks?mail=1" method="post">
  <input name="email" value="ann@example.com"><input name="seats" type="number" value="7">
  <input name="plan" type="radio" value="team" checked><input name="plan" type="radio" value="solo">
  <input name="secret" type="password" value="hunter2">
  <input name="new_password" type="text" value="hunter3">
  <input name="again" autocomplete="new-password" value="hunter4">
  <input name="csrf" type="hidden" value="token5"><input value="nameless">
  <select name="country"><option>CH</option></select><textarea name="note">My note</textarea>
  <input name="id" value="hides the id of the form"><button name="go" value="go">Send</button>
</form>
<form data-ls-ignore id="search" action="/thanks"><input name="q" value="x"><button>Find</button>
</form>
"""


def test_forms_send_the_names_of_fields_and_never_what_is_in_them(shop: Shop) -> None:
    """No value leaves the page, nor the names of hidden fields and passwords."""
    shop.sites.pages |= {"/": shop.html(FORM), "/thanks": shop.html()}
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "1")
    page.get_by_text("Send").click()
    page.wait_for_url("**/thanks*")
    events = shop.came("page_view", "page_view", "form_submit")
    (submit,) = [e for e in events if e["event"] == "form_submit"]
    assert submit["properties"]["form"] == "contact"
    assert submit["properties"]["fields"] == ["email", "seats", "plan", "country", "note", "id"]
    wire = json.dumps([sent.body for sent in shop.door.sent])
    for value in ("ann@", "team", "hunter", "token5", "nameless", "CH", "My note", "mail=1"):
        assert value not in wire


def test_what_is_marked_to_be_ignored_is_ignored(shop: Shop) -> None:
    """Forms within data-ls-ignore are not watched."""
    shop.sites.pages |= {"/": shop.html(FORM), "/thanks": shop.html()}
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "1")
    page.get_by_text("Find").click()
    events = shop.came("page_view", "page_view")
    assert [e["event"] for e in events] == ["page_view", "page_view"]


def test_downloads_and_links_to_elsewhere_are_seen(shop: Shop) -> None:
    """A click tells which file or page it goes to, without what stands behind the ?."""
    shop.sites.pages["/"] = shop.html(
        '<a id="a" href="/files/Guide.PDF?key=secret">guide</a>'
        f'<a id="b" href="{shop.sites.at("/", name="partner")}?ref=1"><b>partner</b></a>'
        '<a id="c" href="mailto:ann@example.com">mail</a><a id="d" href="/pricing">prices</a>'
        "<script>addEventListener('click', (event) => event.preventDefault())</script>"
    )
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "1")
    for link in ("#a", "#b b", "#c", "#d"):
        page.click(link)
    events = shop.came("download", "outbound_click")
    assert [e["event"] for e in events] == ["page_view", "download", "outbound_click"]
    assert events[1]["properties"]["file"] == shop.sites.at("/files/Guide.PDF")
    assert events[2]["properties"]["link"] == shop.sites.at("/", name="partner")


def test_what_a_website_does_not_want_seen_is_not_seen(shop: Shop) -> None:
    """Page views, forms and clicks can each be switched off; tests are marked so."""
    off = 'data-page-views="false" data-forms="false" data-clicks="false" data-test'
    shop.sites.pages |= {
        "/": shop.html(FORM + '<a href="/a.pdf" download>a</a>', tag=f"{shop.key} {off}")
    }
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "document.querySelector('a').click()")
    on(page, "document.forms[0].addEventListener('submit', (event) => event.preventDefault())")
    page.get_by_text("Send").click()
    on(page, "LS.track('later')")
    (later,) = shop.came("later")
    assert later["test"] is True
    assert shop.lead(later)["test"] is True
