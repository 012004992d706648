"""A website that loads the browser script, and what its visitors did, as the server knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from support.doorway import Doorway, Websites
from support.server import Project, Server, wait_until


@dataclass
class Shop:
    """A website whose pages load the script from the proxy; what a visitor did arrives there."""

    server: Server
    project: Project
    door: Doorway
    sites: Websites
    browser: Browser
    errors: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def html(self, body: str = "", tag: str | None = None, head: str = "", title: str = "") -> str:
        """A page; `tag` are the attributes of the script's tag, by default the write key."""
        given = f'data-api-key="{self.project.write_key}"' if tag is None else tag
        return (
            f"<!doctype html><html><head><title>{title or 'Shop'}</title>{head}"
            f'<script async src="{self.door.url}/sdk/ls.js" {given}></script></head>'
            f"<body>{body}</body></html>"
        )

    @property
    def key(self) -> str:
        """The attribute that names the write key."""
        return f'data-api-key="{self.project.write_key}"'

    def visitor(self, script: str = "", **options: Any) -> BrowserContext:
        """A browser of somebody new; `script` runs in each page before all others."""
        context = self.browser.new_context(**options)
        if script:
            context.add_init_script(script)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.contexts.append(context)
        return context

    def came(self, *names: str, seconds: float = 10) -> list[dict[str, Any]]:
        """The events that the server took, once there are some of each of these names."""

        def those() -> bool:
            have = [event["event"] for event in self.door.taken()]
            return all(have.count(name) >= names.count(name) for name in names)

        wait_until(f"{names}, not {self.door.taken()}", those, seconds)
        return self.door.taken()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What the project's API says."""
        answer = httpx.get(
            self.server.url + path, params=query, headers={"X-API-Key": self.project.secret_key}
        )
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def stored(self, session: str) -> list[dict[str, Any]]:
        """The events of a session as the server keeps them, the oldest first."""
        found: list[dict[str, Any]] = self.get("/api/events", sessionId=session)["events"]
        return found[::-1]

    def lead(self, event: dict[str, Any], events: int = 1) -> dict[str, Any]:
        """The lead that an event belongs to, once so many of its events are scored."""
        wait_until("a stored event", lambda: self.stored(event["sessionId"]))
        lead_id = self.stored(event["sessionId"])[0]["leadId"]
        path = f"/api/leads/{lead_id}"

        def scored() -> bool:
            return len(self.get(f"{path}/history")["entries"]) >= events

        wait_until("scored events", scored)
        return self.get(path)


def on(page: Page, script: str) -> Any:
    """What a script of the page says, once the browser script is loaded."""
    page.wait_for_function("window.LS && LS.track && !Array.isArray(LS)")
    return page.evaluate(script)
