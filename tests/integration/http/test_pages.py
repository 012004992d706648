"""The dashboard as browsers and programs get it: pages, files, and what is neither."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from leadpulse.http.openapi import document
from leadpulse.http.pages import NOT_BUILT, PAGES, load
from support.api import Api, running_api
from support.web import BROTLI, CODE, PAGE, PICTURE, SCRIPT, small_web
from support.wire import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

# As browsers say it when somebody follows a link.
READER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Api]:
    sdk = tmp_path / "sdk"
    sdk.mkdir()
    (sdk / "ls.js").write_text("LS={}")
    built = load(small_web(tmp_path / "web"), sdk)
    async with running_api(database, tmp_path, pages=built) as running:
        yield running


async def ask(api: Api, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """A request without any key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.request(method, path, headers=named)


async def test_every_address_of_the_app_is_its_page(api: Api) -> None:
    """With whatever stands in the address: the app reads it."""
    for path in PAGES:
        told = path.format(lead_id="0189", section="members") if "{" in path else path
        page = await ask(api, f"{told}?sort=-score&q=a%20b")
        assert page.status_code == 200, path
        assert page.text == PAGE
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"


async def test_a_page_runs_its_own_scripts_and_talks_to_its_own_server(api: Api) -> None:
    """Nothing inline, nothing of elsewhere, nothing evaluated."""
    policy = (await ask(api, "/dashboard")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "connect-src 'self';" in policy  # of a websocket, too
    assert "unsafe" not in policy


async def test_an_unknown_address_is_a_page_that_says_so_for_readers(api: Api) -> None:
    """Status 404 and the app; a program gets a problem, and so does who asks below the API."""
    page = await ask(api, "/no/such/page", **READER)
    assert (page.status_code, page.text) == (404, PAGE)
    assert "etag" not in page.headers
    for path, headers in (
        ("/no/such/page", {}),
        ("/no/such/page", {"Accept": "*/*"}),
        ("/no/such/page", {"Accept": "application/json"}),
        ("/no/such/page", {"Accept": "application/json, text/html;q=0"}),
        ("/index.html/", {"Accept": "image/png"}),
        ("/api", READER),
        ("/api/nothing", READER),
        ("/assets/gone-Aa1.js", READER),
        ("/sdk/gone.js", READER),
        ("/socket.io", READER),
        ("/metrics/more", READER),
    ):
        told = await ask(api, path, **headers)
        assert told.status_code == 404, path
        assert told.headers["content-type"] == "application/problem+json", path
        assert told.json()["code"] == "not_found"


async def test_a_file_with_its_hash_in_its_name_is_kept_for_good(api: Api) -> None:
    """Packed as the browser wants it, and never asked for again."""
    for accepted, coding, body in (
        ("gzip, deflate, br", "br", BROTLI),
        ("gzip", "gzip", gzip.compress(CODE.encode())),
        ("identity", None, CODE.encode()),
    ):
        async with api.client.stream(
            "GET", SCRIPT, headers={"Accept-Encoding": accepted}
        ) as answer:
            sent = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers.get("content-encoding") == coding
        assert sent[10:] == body[10:]  # a gzip head holds the time
        assert int(answer.headers["content-length"]) == len(sent)
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"].startswith("Accept-Encoding")


async def test_what_a_browser_has_is_not_sent_again(api: Api) -> None:
    """A page with the same tag is 304, as long as it is the same form of it."""
    first = await ask(api, "/leads", Accept_Encoding="identity")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await ask(api, "/dashboard", Accept_Encoding="identity", If_None_Match=known)
        assert again.status_code == 304, known
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "no-cache"
        policy = first.headers["content-security-policy"]
        assert again.headers["content-security-policy"] == policy
    changed = await ask(api, "/leads", If_None_Match='"other"')
    assert (changed.status_code, changed.text) == (200, PAGE)
    script = (await ask(api, SCRIPT, Accept_Encoding="gzip")).headers["etag"]
    other = await ask(api, SCRIPT, Accept_Encoding="identity", If_None_Match=script)
    assert other.status_code == 200


async def test_the_head_of_a_page_tells_its_size(api: Api) -> None:
    """And of a file; what may be asked is told, too, and anything else refused."""
    for path, size in (("/", len(PAGE)), (SCRIPT, len(CODE))):
        head = await ask(api, path, "HEAD", Accept_Encoding="identity")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(size)
        options = await ask(api, path, "OPTIONS")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        refused = await ask(api, path, "POST")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


# Sent as they stand, since clients tidy addresses up.
WAYS_OUT = (
    "/assets/../index.html", "/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/pages.py",
    "/assets//etc/passwd", "/assets/%00", "/assets/", "/assets/..", "/assets/.hidden",
    "/.hidden", "/assets/index-B1x.js/", "/assets/index-B1x.js.gz", "/assets/\\..\\pages.py",
    "/sdk/../pages.py", "/assets/" + "a/" * 500,
)  # fmt: skip


async def test_no_address_leads_out_of_the_build(database: str, tmp_path: Path) -> None:
    """However it is written: files are found by their whole names only."""
    web = small_web(tmp_path / "web")
    async with serving(database, tmp_path, web=web) as wire:
        for path in WAYS_OUT:
            reply = await wire.ask(wire.head(f"GET {path} HTTP/1.1"))
            assert reply.status == 404, path
            assert reply.problem["code"] == "not_found", path


async def test_the_script_for_websites_is_loaded_by_any_of_them(api: Api) -> None:
    """Under one name for good, so that it is asked for again within the hour."""
    script = await ask(api, "/sdk/ls.js", Origin="https://shop.example")
    assert script.text == "LS={}"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["cache-control"] == "public, max-age=3600"


async def test_pages_are_counted_under_a_bounded_number_of_names(api: Api) -> None:
    """Whatever addresses are asked for."""
    for number in range(30):
        await ask(api, f"/leads/{number}")
        await ask(api, f"/settings/{number}")
        await ask(api, f"/assets/{number}.js")
        await ask(api, f"/{number}", **READER)
    await ask(api, PICTURE)
    counted = api.services.metrics.requests.collect()
    paths = {sample.labels["path"] for metric in counted for sample in metric.samples}
    names = {"/leads/{lead_id}", "/settings/{section}", "/assets/{name:path}", "other", PICTURE}
    assert paths == names


async def test_an_installation_without_the_dashboard_says_so(database: str, tmp_path: Path) -> None:
    """One plain sentence at its addresses; elsewhere what a program gets."""
    async with running_api(database, tmp_path) as api:
        root = await ask(api, "/", **READER)
        assert (root.status_code, root.text) == (404, NOT_BUILT)
        assert root.headers["content-type"].startswith("text/plain")
        unknown = await ask(api, "/nowhere", **READER)
        assert unknown.headers["content-type"] == "application/problem+json"


def test_pages_are_no_part_of_the_description() -> None:
    """It is of the calls, and of nothing else."""
    assert not {path for path in document()["paths"] if not path.startswith(("/api/", "/metrics"))}
