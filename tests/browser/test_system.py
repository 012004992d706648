"""System: whether everything works, what went wrong, and how it is mended."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString

import psycopg
from playwright.sync_api import expect

from support.browser import axe, look
from support.server import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browser.conftest import Site
    from support.office import Account
    from support.server import Server


def _store(server: Server, statement: LiteralString, *values: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _fault(server: Server, account: Account) -> Iterator[None]:
    """A database that refuses scores of one project, as a broken disk would."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(
            "alter table ledger add constraint fault check (project_id <> "
            f"'{account.project_id}') not valid".encode()
        )
    try:
        yield
    finally:
        _store(server, "alter table ledger drop constraint if exists fault")


def _fail_for_good(server: Server, account: Account, email: str) -> None:
    """Sends what can't be scored now, and waits, without the waits between tries, for the end."""
    account.send({"event": "demo_request", "email": email})

    def given_up() -> bool:
        _store(
            server, "update scoring_failures set retry_at = now() where project_id = %s",
            account.project_id,
        )  # fmt: skip
        return bool(account.call("GET", "/api/admin/failed-jobs")["jobs"])

    wait_until("a dead letter", given_up, 60)


def test_a_dead_letter_is_looked_at_and_replayed(site: Site) -> None:
    """What failed for good says why and of whom; once the fault is mended, replay scores it."""
    ada = site.account()
    with _fault(site.server, ada):
        _fail_for_good(site.server, ada, "lost@example.com")
    page = site.open("/system", ada)
    row = page.get_by_role("row").filter(has_text="fault")
    expect(row).to_be_visible()
    axe(page)
    look(page, "system-dead-letters")
    row.click()
    sheet = page.get_by_role("dialog", name="Failed work")
    expect(sheet.get_by_role("link", name=re.compile("lost@example"))).to_be_visible()
    expect(sheet.get_by_text("No single event is known to be the cause.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"open="))
    axe(page)
    look(page, "system-dead-letter")
    sheet.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("No dead letters")).to_be_visible()
    assert ada.lead("lost@example.com")["currentScore"] > 0
    page.get_by_role("radio", name="Replayed").click()
    expect(page.get_by_role("row").filter(has_text="fault")).to_be_visible()


def test_what_is_discarded_can_come_back(site: Site) -> None:
    """Discard says what is lost; the event counts again as soon as it is restored."""
    ada = site.account()
    with _fault(site.server, ada):
        _fail_for_good(site.server, ada, "gone@example.com")
    _store(
        site.server,
        "update dead_letters set event = (select id from events where project_id = %s limit 1)"
        " where project_id = %s",
        ada.project_id, ada.project_id,
    )  # fmt: skip
    page = site.open("/system", ada)
    page.get_by_role("row").filter(has_text="fault").click()
    page.get_by_role("button", name="Discard").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("The event at fault no longer counts")
    axe(page)
    asked.get_by_role("button", name="Discard").click()
    page.get_by_role("radio", name="Discarded").click()
    page.get_by_role("row").filter(has_text="fault").click()
    page.get_by_role("button", name="Let the event count again").click()
    expect(page.get_by_text("The event counts again")).to_be_visible()
    assert ada.lead("gone@example.com")["currentScore"] > 0


def test_scores_are_held_against_their_events(site: Site) -> None:
    """Verify tells a score that was tampered with, and a rebuild mends it."""
    ada = site.account()
    ada.send({"event": "demo_request", "email": "true@example.com"})
    lead = ada.lead("true@example.com")
    page = site.open("/system", ada)
    expect(page.get_by_text("All scores")).to_have_count(0)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(re.compile("All right: the scores of 1 lead"))).to_be_visible()
    _store(site.server, "update leads set score = score + 1 where id = %s", lead["id"])
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(re.compile("1 of 1 lead"))).to_be_visible()
    expect(page.get_by_role("link", name="Open lead")).to_have_attribute(
        "href", f"/leads/{lead['id']}"
    )
    axe(page)
    page.get_by_role("button", name="Rebuild", exact=True).click()
    expect(page.get_by_text(re.compile("will be folded again"))).to_be_visible()

    def mended() -> bool:
        found = ada.call("GET", f"/api/leads/{lead['id']}")
        return bool(found["currentScore"] == lead["currentScore"])

    wait_until("the score to be right again", mended, 20)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(re.compile("All right"))).to_be_visible()


def test_held_leads_and_conflicts_are_told(site: Site) -> None:
    """An eventId that was used for two things shows the call that does not count."""
    ada = site.account()
    ada.send({"event": "signup", "email": "one@example.com", "eventId": "twice"})
    ada.send({"event": "signup", "email": "two@example.com", "eventId": "twice"})
    lead = ada.lead("one@example.com")
    _store(
        site.server, "update events set quarantined = true where project_id = %s", ada.project_id
    )
    page = site.open("/system?tab=conflicts", ada)
    page.get_by_role("row").filter(has_text="twice").click()
    sheet = page.get_by_role("dialog", name="Conflict")
    expect(sheet.get_by_text("two@example.com")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name=re.compile("Held back")).click()
    expect(page.get_by_role("link", name=lead["id"])).to_be_visible()
    axe(page)
    page.get_by_role("button", name=re.compile("Release")).click()
    expect(page.get_by_text("Nobody is held back")).to_be_visible()


def test_a_viewer_sees_how_the_parts_are_and_no_more(site: Site) -> None:
    """The rest says which role it needs."""
    ada = site.account()
    page = site.open("/system", ada.with_member("viewer"))
    parts = page.get_by_role("region", name="Parts")
    expect(parts.get_by_text("Up", exact=True)).to_have_count(4)
    expect(page.get_by_text(re.compile("Needs the role admin"))).to_be_visible()
    expect(page.get_by_role("button", name="Verify")).to_have_count(0)
    axe(page)
    look(page, "system-viewer")
