"""The watch over pages itself: what it finds, and that the policy of pages is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser import Watch, look

if TYPE_CHECKING:
    from browser.conftest import Site

# For everybody, and quiet: it asks the server nothing.
PAGE = "/no/such/page"
MISDEEDS = {
    "an error in the console": ("console.error('no good')", "console: no good"),
    "an error nobody caught": ("setTimeout(() => { throw new Error('oh') })", "page error: "),
    "a style inside": (
        """const style = document.createElement('style');
        style.textContent = 'p { color: red }';
        document.head.append(style);""",
        "style-src",
    ),
    "a style in an attribute": (
        "document.body.setAttribute('style', 'color: red')", "style-src",
    ),
    "a script inside": (
        """const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);""",
        "script-src",
    ),
    "another host": (
        "void fetch('https://elsewhere.example/x').catch(() => null)", "connect-src",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISDEEDS)
def test_what_a_page_does_wrong_is_found(site: Site, kind: str) -> None:
    """Each by a line that says what it was; and nothing of it works."""
    script, told = MISDEEDS[kind]
    page = site.open(PAGE)
    own = Watch(site.server.url)
    own.on(page.context)
    site.watch.allow(".")
    # Later, as the page's own: what the debugger runs itself has more freedom.
    page.evaluate(f"() => new Promise((done) => setTimeout(() => {{ done(); {script} }}))")
    page.wait_for_function("() => new Promise((done) => setTimeout(() => done(true), 50))")
    assert any(told in problem for problem in own.found()), own.problems
    assert page.evaluate("window.ran") is None


def test_a_page_may_style_itself_by_script(site: Site) -> None:
    """What libraries do: properties, and sheets that are adopted."""
    page = site.open(PAGE)
    page.evaluate("""() => {
        document.body.style.setProperty('outline', '1px solid');
        const sheet = new CSSStyleSheet();
        sheet.replaceSync('body { overflow: hidden }');
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }""")
    assert page.evaluate("getComputedStyle(document.body).overflow") == "hidden"
    assert site.watch.found() == []


def test_what_is_too_wide_is_seen(site: Site) -> None:
    """Nothing scrolls a page sideways, on a phone neither."""
    page = site.open(PAGE)
    page.evaluate("""() => {
        const wide = document.body.appendChild(document.createElement('div'));
        wide.style.width = '900px';
        wide.style.height = '1px';
    }""")
    with pytest.raises(AssertionError, match="on a screen of 390 px"):
        look(page, "too-wide")
