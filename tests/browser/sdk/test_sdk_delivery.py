"""Delivery: each event arrives, counts once, and nothing disturbs the page."""

from __future__ import annotations

import json

import httpx
import pytest

from support.server import wait_until
from support.shop import Shop, on

QUEUED = "Object.keys(localStorage).filter((name) => /^ls[.].*[.]q/.test(name)).length"


def emptied(page: object) -> None:
    """Waits until nothing is in the queue any more."""
    wait_until("an empty queue", lambda: page.evaluate(QUEUED) == 0, 10)  # type: ignore[attr-defined]


def test_what_was_done_offline_is_sent_when_the_line_is_back(shop: Shop) -> None:
    """Events wait in the browser, and go out as soon as it says that it is online."""
    visitor = shop.visitor()
    page = visitor.new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    visitor.set_offline(True)
    on(page, "LS.track('one'); LS.track('two')")
    page.wait_for_timeout(3000)
    assert page.evaluate(QUEUED) == 2
    assert len(shop.door.events()) == 1
    visitor.set_offline(False)
    events = shop.came("one", "two", seconds=1.5)
    assert [e["event"] for e in events] == ["page_view", "one", "two"]
    emptied(page)
    assert len(shop.door.events()) == 3


def test_what_waits_when_the_page_goes_is_handed_over_and_counts_once(shop: Shop) -> None:
    """Leaving at once loses nothing, and sending it again when back counts nothing twice."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    emptied(page)
    on(page, "LS.track('demo_request'); location.href = '/nowhere'")
    shop.came("demo_request")
    (beacon,) = [sent for sent in shop.door.sent if sent.beacon]
    assert [e["event"] for e in beacon.events] == ["demo_request"]

    page.goto(shop.sites.at("/pricing"))
    view, demo, _ = shop.came("page_view", "page_view")
    emptied(page)
    assert len(shop.door.events("demo_request")) == 2
    lead = shop.lead(view, events=3)
    assert lead["currentScore"] == 5 + 50 + 5 + 10  # a page of prices gives more
    names = [e["eventType"] for e in shop.stored(view["sessionId"])]
    assert names == ["page_view", "demo_request", "page_view"]
    assert demo["sessionId"] == view["sessionId"]


def test_a_hidden_page_sends_what_waits(shop: Shop) -> None:
    """As a page goes out of sight, on a phone its last chance, it hands over its events."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    emptied(page)
    on(
        page,
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden', writable: true});"
        "LS.track('last'); document.dispatchEvent(new Event('visibilitychange'))",
    )
    shop.came("last")
    assert next(s.beacon for s in shop.door.sent if s.events[0]["event"] == "last")


@pytest.mark.parametrize("failure", [(503, 1), (429, 1), (502, 0), None])
def test_what_fails_for_now_is_tried_again(shop: Shop, failure: tuple[int, int] | None) -> None:
    """After 429, 5xx or a broken connection the same events are sent until they are taken."""
    shop.door.failures.extend([failure, failure])
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    (view,) = shop.came("page_view", seconds=15)
    emptied(page)
    assert [s.status for s in shop.door.sent] == [failure[0] if failure else 0] * 2 + [202]
    assert {e["eventId"] for e in shop.door.events()} == {view["eventId"]}
    shop.lead(view)
    assert len(shop.stored(view["sessionId"])) == 1


def test_a_server_that_asks_for_patience_gets_it_on_the_next_page_too(shop: Shop) -> None:
    """Retry-After holds for further events, for the page's end, and for the next page."""
    shop.door.failures.append((503, 3))
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    wait_until("the refusal", lambda: shop.door.sent and shop.door.sent[0].status == 503, 5)
    on(page, "LS.track('step')")
    page.goto(shop.sites.at("/pricing"))
    on(page, "LS.track('step')")
    page.wait_for_timeout(1200)
    assert len(shop.door.sent) == 1
    events = shop.came("page_view", "step", "page_view", "step")
    assert len(shop.door.sent) == 2
    assert len(events) == 4


def test_what_is_refused_for_good_is_not_sent_again(shop: Shop) -> None:
    """A 4xx other than 429 ends it; later events go their way."""
    shop.door.failures.append((422, 0))
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    wait_until("the refusal", lambda: shop.door.sent and shop.door.sent[0].status == 422, 5)
    emptied(page)
    page.wait_for_timeout(2500)
    assert len(shop.door.sent) == 1
    on(page, "LS.track('later')")
    assert [e["event"] for e in shop.came("later")] == ["later"]


def test_an_event_that_is_wrong_does_not_hold_up_the_others(shop: Shop) -> None:
    """The server takes the good ones of a batch, and the wrong one is not sent again."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.track('$wrong'); LS.track('right')")
    shop.came("right")
    emptied(page)
    on(page, "LS.track('later')")
    (view, *_) = shop.came("later")
    emptied(page)
    assert len(shop.door.events("$wrong")) == 1
    shop.lead(view, events=3)
    names = [e["eventType"] for e in shop.stored(view["sessionId"])]
    assert names == ["page_view", "right", "later"]


def test_without_storage_it_works_from_memory(shop: Shop) -> None:
    """In a frame whose storage the browser blocks, events are sent and nothing is thrown."""
    shop.sites.pages["/frame"] = '<iframe sandbox="allow-scripts" src="/inside"></iframe>'
    blocked = "<script>try { localStorage; window.open_ = 1 } catch { window.blocked = 1 }</script>"
    shop.sites.pages["/inside"] = shop.html(blocked)
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/frame"))
    shop.came("page_view")
    inside = page.frames[1]
    assert inside.evaluate("window.blocked") == 1
    inside.evaluate("LS.identify('ann@example.com'); LS.track('step')")
    view, identify, step = shop.came("step")
    assert view["anonymousId"] == identify["anonymousId"] == step["anonymousId"]
    assert view["sessionId"] == step["sessionId"]
    assert step["email"] == "ann@example.com"


def test_a_full_storage_is_no_loss(shop: Shop) -> None:
    """What finds no place any more is held in memory, and sent."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    emptied(page)
    on(
        page,
        "for (let part = 'x'.repeat(2 ** 22); part; ) try {"
        " localStorage.setItem('f' + Math.random(), part) }"
        " catch { part = part.slice(part.length / 2 + 1) }",
    )
    on(page, "LS.track('step'); LS.track('step')")
    events = shop.came("step", "step")
    assert len({e["anonymousId"] for e in events}) == 1


def test_the_queue_has_an_end(shop: Shop) -> None:
    """A browser that is offline for long keeps the newest 300 events, in requests of a size."""
    visitor = shop.visitor()
    page = visitor.new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    emptied(page)
    visitor.set_offline(True)
    on(page, "for (let i = 0; i < 350; i++) LS.track('step', {i, text: 'ü'.repeat(99)})")
    assert page.evaluate(QUEUED) == 300
    visitor.set_offline(False)
    steps = [e for e in shop.came(*["step"] * 300, seconds=20) if e["event"] == "step"]
    assert [e["properties"]["i"] for e in steps] == list(range(50, 350))
    assert max(len(json.dumps(s.body, ensure_ascii=False).encode()) for s in shop.door.sent) < 65536


def test_nothing_that_a_page_does_wrong_is_thrown_at_it(shop: Shop) -> None:
    """Calls that make no sense, and a storage that others wrote into, are survived."""
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    on(
        page,
        """
        for (const name of Object.keys(localStorage)) localStorage.setItem(name, '{[');
        const circle = {}; circle.circle = circle;
        LS.track(); LS.track(null); LS.track('circle', circle); LS.track('big', {n: 10n});
        LS.identify(Symbol('s')); LS.push(['nothing'], 5); LS.init(); LS.page(7);
        """,
    )
    on(page, "LS.track('later')")
    assert shop.came("later")[-1]["event"] == "later"


SNIPPET = """<script>
window.LS = window.LS || [];
["init", "track", "page", "identify", "reset", "consent"].forEach(function (name) {
  LS[name] = LS[name] || function () { LS.push([name].concat([].slice.call(arguments))); };
});
LS.init({apiKey: "KEY", host: "HOST/", forms: false});
LS.identify("ann@example.com");
LS.track("early", {n: 1});
var kept = LS;
</script>"""


def test_calls_made_before_the_script_is_there_are_not_lost(shop: Shop) -> None:
    """The snippet takes calls that the script then makes, in their order, and goes on after."""
    snippet = SNIPPET.replace("KEY", shop.project.write_key).replace("HOST", shop.door.url)
    shop.sites.pages["/"] = shop.html(tag="", head=snippet)
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("early")
    on(page, "kept.track('held on to'); kept.push(['track', 'pushed'])")
    events = shop.came("pushed")
    assert [e["event"] for e in events] == [
        "page_view", "identify", "early", "held on to", "pushed",
    ]  # fmt: skip
    assert events[2]["properties"]["n"] == 1


def test_the_script_twice_in_a_page_is_the_script_once(shop: Shop) -> None:
    """A second tag changes nothing and sends nothing."""
    twice = f'<script src="{shop.door.url}/sdk/ls.js?2" {shop.key}></script>'
    shop.sites.pages["/"] = shop.html(twice)
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    on(page, "LS.track('later')")
    assert [e["event"] for e in shop.came("later")] == ["page_view", "later"]


def test_a_key_for_one_website_is_of_no_use_to_another(shop: Shop) -> None:
    """A key with origins takes events from its website, and from no other."""
    done = shop.server.run(
        "keys", "create", "--project", shop.project.id, "--name", "site", "--kind", "write",
        "--origin", shop.sites.at("").rstrip("/"), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shop.sites.pages["/"] = shop.html(tag=f'data-api-key="{json.loads(done.stdout)["key"]}"')
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/", name="thief"))
    wait_until("the refusal", lambda: shop.door.sent and shop.door.sent[0].status == 403)
    page.goto(shop.sites.at("/"))
    (view,) = shop.came("page_view")
    assert view["properties"]["url"] == shop.sites.at("/")


def test_a_website_with_a_strict_policy_names_the_host_twice(shop: Shop) -> None:
    """script-src and connect-src with the host of LeadPulse are all that is needed."""
    host = shop.door.url
    shop.sites.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {host}; connect-src {host}"
    )
    page = shop.visitor().new_page()
    page.goto(shop.sites.at("/"))
    shop.came("page_view")
    page.goto("about:blank")
    assert len(shop.door.taken()) == 1


def test_the_script_is_small_and_every_website_may_load_it(shop: Shop) -> None:
    """Under 4 KB as it is sent, cached for a while, and asked for again by its tag."""
    address = f"{shop.server.url}/sdk/ls.js"
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    headers = answer.headers
    assert answer.status_code == 200
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["content-encoding"] == "gzip"
    assert len(sent) <= 4000
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["cache-control"] == "public, max-age=3600"
    again = {"Accept-Encoding": "gzip", "If-None-Match": headers["etag"]}
    assert httpx.get(address, headers=again).status_code == 304
