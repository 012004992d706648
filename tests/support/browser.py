"""A real browser before a real server: what a page did wrong, how it looks, what axe finds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from support.legs import MissingLegError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
# A folder that `look` fills; without it nothing is drawn.
LOOKS: Final = os.environ.get("LEADPULSE_LOOKS")
WIDE: Final = 1440
PHONE: Final = 390
HEIGHTS: Final = {WIDE: 900, PHONE: 844}
# What a page needs at most to show what a test waits for, on a loaded machine.
PATIENCE: Final = 15_000

Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")

# Lines of Chromium itself: about answers, which are looked at as such, and about a page that was
# left while its socket was being opened.
_NO_MISDEED: Final = (
    "Failed to load resource: the server responded",
    "WebSocket is closed before the connection is established",
)
_RULES: Final = (
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice",
)  # fmt: skip


def chromium_path() -> str:
    """The browser of this machine. Raises MissingLegError."""
    found = subprocess.run(
        ["sh", str(ROOT / "scripts" / "browser.sh")], capture_output=True, text=True, check=False
    )
    path = shutil.which(found.stdout.strip()) if found.returncode == 0 else None
    if path is None:
        raise MissingLegError("no Chromium was found; CHROMIUM=/path/to/it names one")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the length of a block, without a window."""
    path = chromium_path()
    with sync_playwright() as playwright:
        # Its sandbox needs rights that root in a container hasn't.
        browser = playwright.chromium.launch(
            executable_path=path, chromium_sandbox=False,
            args=["--disable-dev-shm-usage", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        )  # fmt: skip
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """Everything that a page should never do; `allow` names what a test causes itself."""

    url: str
    problems: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """Problems that match are no failure, as when the server is stopped on purpose."""
        self.allowed.append(re.compile(pattern))

    def on(self, context: BrowserContext) -> None:
        """Listens to all pages of a context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self._add(f"page error: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)

    def found(self) -> list[str]:
        """What is left to complain about."""
        return [p for p in self.problems if not any(a.search(p) for a in self.allowed)]

    def _add(self, problem: str) -> None:
        self.problems.append(problem)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(line in message.text for line in _NO_MISDEED):
            self._add(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:", "about:")):
            socket = f"ws{self.url.removeprefix('http')}/"
            if not request.url.startswith(socket):
                self._add(f"a request to elsewhere: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._add(f"{response.request.method} {response.url}: {response.status}")


# ── How it looks ─────────────────────────────────────────────────────────────────────


# How wide the page is, with what its middle would scroll sideways; and how much of that is below.
_EXTENT: Final = """() => {
    const main = document.querySelector('main') ?? document.documentElement;
    const beside = main.scrollWidth - main.clientWidth;
    return [document.documentElement.scrollWidth + beside, main.scrollHeight - main.clientHeight];
}"""
_TALLEST: Final = 6_000


def wear(page: Page, theme: Theme) -> None:
    """Shows the page in a theme, whatever was chosen, and without motion."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    settle(page)


def settle(page: Page) -> None:
    """Waits for fonts, and for what moves to its end."""
    page.evaluate("""async () => {
        await document.fonts.ready;
        const ending = document.getAnimations().filter(
            (one) => one.effect?.getComputedTiming().endTime !== Infinity);
        await Promise.all(ending.map((one) => one.finished.catch(() => null)));
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""")


def look(page: Page, name: str) -> None:
    """Looks at a view wide and on a phone: nothing may scroll the page sideways.

    With LEADPULSE_LOOKS pictures go there, of each width in each theme: `make looks`.
    """
    before = page.viewport_size
    for width, height in HEIGHTS.items():
        page.set_viewport_size({"width": width, "height": height})
        settle(page)
        shown, missing = page.evaluate(_EXTENT)
        assert shown <= width, f"{name} is {shown} px wide on a screen of {width} px"
        if LOOKS is None:
            continue
        # What scrolls is the middle of the page, which a picture shows only as far as it is seen.
        page.set_viewport_size({"width": width, "height": min(height + missing, _TALLEST)})
        for theme in THEMES:
            wear(page, theme)
            path = Path(LOOKS) / f"{name}-{width}-{theme}.png"
            page.screenshot(path=path, full_page=True, animations="disabled")
    if before is not None:
        page.set_viewport_size(before)
        settle(page)


# ── What axe finds ───────────────────────────────────────────────────────────────────


@cache
def _axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


def axe(page: Page, *, within: str | None = None) -> None:
    """Fails with everything that axe finds on a page in both themes, each with its place.

    `within`: a selector of the part to look at. The script comes in by the debugger, so that the
    page keeps its policy.
    """
    told: list[str] = []
    for theme in THEMES:
        wear(page, theme)
        if not page.evaluate("typeof window.axe === 'object'"):
            page.evaluate(f"{_axe_source()};0")
        result: dict[str, Any] = page.evaluate(
            """([within, rules]) => window.axe.run(within ?? document, {
                runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'],
            })""",
            [within, list(_RULES)],
        )
        told += [_told(each, theme) for each in result["violations"] if _counts(each)]
    assert not told, f"axe at {page.url}:\n" + "\n".join(told)


def _counts(violation: dict[str, Any]) -> bool:
    """All but where a menu stands: at the end of the document, and what opened it leads there."""
    places = [str(node["target"]) for node in violation["nodes"]]
    popped = all("data-radix-popper-content-wrapper" in place for place in places)
    return not (violation["id"] == "region" and popped)


def _told(violation: dict[str, Any], theme: Theme) -> str:
    places = "".join(
        f"\n    {' '.join(map(str, node['target']))}\n      {node['html'][:160]}"
        f"\n      {' · '.join(node['failureSummary'].splitlines()[1:]).strip()}"
        for node in violation["nodes"]
    )
    return f"  {violation['id']} ({violation['impact']}, {theme}): {violation['help']}{places}"
