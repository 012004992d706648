"""Settings: the project, its people, and one's own account."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from support.browser import axe, look

if TYPE_CHECKING:
    from browser.conftest import Site

SECTIONS = (
    "project", "members", "invitations", "privacy", "audit", "profile", "password", "sessions",
    "appearance",
)  # fmt: skip


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_can_be_read_by_everybody(site: Site, section: str) -> None:
    """Nothing that axe finds, nothing too wide; for a viewer, too, who is told what he may not."""
    ada = site.account(company="The Analytical Engines and Difference Machines Company of London")
    viewer = ada.with_member("viewer")
    for account, name in ((ada, f"settings-{section}"), (viewer, f"settings-{section}-viewer")):
        page = site.open(f"/settings/{section}", account)
        expect(page.locator("main section").first).to_be_visible()
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        axe(page)
        look(page, name)


def test_a_paused_project_takes_no_events(site: Site) -> None:
    """Pause asks first; events are refused until somebody resumes."""
    ada = site.account()

    def sent() -> int:
        return httpx.post(
            f"{site.server.url}/api/ingest/event", json={"event": "signup", "userId": "u"},
            headers={"X-API-Key": ada.write_key}, timeout=30,
        ).status_code  # fmt: skip

    page = site.open("/settings/project", ada)
    page.get_by_role("button", name="Pause project").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("Every event is refused")
    axe(page)
    asked.get_by_role("button", name="Pause project").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    assert sent() == 401
    page.get_by_role("button", name="Resume project").click()
    expect(page.get_by_text("Taking events")).to_be_visible()
    assert sent() == 202


def test_a_project_is_named_and_what_is_typed_is_kept(site: Site) -> None:
    """Errors stand beside their field; leaving with something unsaved asks."""
    page = site.open("/settings/project", site.account())
    page.get_by_label("Domain").fill("not a domain")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Domain")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("link", name="Members").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("/settings/project$"))
    page.get_by_label("Domain").fill("example.com")
    page.get_by_label("Name").fill("Renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Project saved")).to_be_visible()
    expect(page.get_by_role("button", name="Project: Renamed")).to_be_visible()


def test_a_project_is_deleted_and_comes_back(site: Site) -> None:
    """Its name has to be typed; an owner restores it from what is shown then."""
    ada = site.account(company="Short lived")
    page = site.open("/settings/project", ada)
    page.get_by_role("button", name="Delete project").click()
    asked = page.get_by_role("alertdialog")
    expect(asked.get_by_role("button", name="Delete project")).to_be_disabled()
    axe(page)
    asked.get_by_role("textbox").fill(ada.project_name)
    asked.get_by_role("button", name="Delete project").click()
    expect(page.get_by_text("You work in no project")).to_be_visible()
    axe(page)
    look(page, "settings-project-deleted")
    page.get_by_role("button", name=f"Restore {ada.project_name}").click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_role("button", name=f"Project: {ada.project_name}")).to_be_visible()


def test_sample_data_comes_and_goes(site: Site) -> None:
    """Added in one click, and removed as a whole after a question."""
    ada = site.account()
    page = site.open("/settings/project", ada)
    page.get_by_role("button", name="Add sample data").click()
    page.get_by_role("button", name="Remove sample data").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove sample data").click()
    expect(page.get_by_role("button", name="Add sample data")).to_be_visible()
    assert ada.call("GET", "/api/leads")["leads"] == []


def test_an_invited_person_gets_the_role(site: Site) -> None:
    """Without mail the page says by which command the link is made; it opens the project."""
    ada = site.account()
    page = site.open("/settings/invitations", ada)
    page.get_by_label("Email").fill("bob@example.com")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Send invitation").click()
    command = page.get_by_role("region", name="Command").inner_text().split()
    expect(page.get_by_text("bob@example.com", exact=True)).to_be_visible()
    axe(page)
    made = site.server.run(*command[1:], "--json")
    token = json.loads(made.stdout)["url"].partition("#token=")[2]
    theirs = site.open("/login")
    answer = theirs.request.post(
        "/api/auth/accept-invitation",
        data={"token": token, "name": "Bob", "password": "harbour violin meadow"},
        headers={"Origin": site.server.url},
    )
    assert answer.ok, answer.text()
    theirs.goto("/settings/members")
    expect(theirs.get_by_role("listitem").filter(has_text="Bob")).to_contain_text("Viewer")
    expect(theirs.get_by_label("Role of Bob")).to_have_count(0)
    page.get_by_role("link", name="Members").click()
    expect(page.get_by_label("Role of Bob")).to_have_value("viewer")


def test_a_role_is_changed_and_a_member_removed(site: Site) -> None:
    """The other person's page follows: more is offered, then the project is shut."""
    ada = site.account()
    bob = ada.with_member("viewer", "Bob")
    page = site.open("/settings/members", ada)
    page.get_by_label("Role of Bob").select_option("admin")
    expect(page.get_by_text("Bob is admin now")).to_be_visible()
    theirs = site.open("/settings/project", bob)
    expect(theirs.get_by_role("button", name="Pause project")).to_be_enabled()
    page.get_by_role("button", name="More about Bob").click()
    page.get_by_role("menuitem", name=re.compile("Remove")).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_label("Role of Bob")).to_have_count(0)


def test_another_session_is_ended_and_asks_for_the_password(site: Site) -> None:
    """In place: the page behind stays, and goes on after it."""
    ada = site.account()
    other = site.open("/settings/profile", ada)
    other.get_by_label("Name").fill("Ada Lovelace")
    ada.log_in()
    page = site.open("/settings/sessions", ada)
    expect(page.get_by_text("This one")).to_be_visible()
    page.get_by_role("button", name=re.compile("End the session")).first.click()
    expect(page.get_by_text("That session has ended")).to_be_visible()
    # Within seconds, by itself: the live connection is gone, and what is asked then is refused.
    asked = other.get_by_role("dialog", name="Your session has ended")
    expect(asked).to_be_visible(timeout=30_000)
    asked.get_by_label("Password").fill(ada.password)
    asked.get_by_role("button", name="Sign in", exact=True).click()
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Your name is saved")).to_be_visible()
    expect(other.get_by_label("Name")).to_have_value("Ada Lovelace")


def test_a_password_is_changed(site: Site) -> None:
    """By the old one; a wrong one is said beside its field."""
    ada = site.account()
    page = site.open("/settings/password", ada)
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password", exact=True).fill("harbour violin meadow")
    page.get_by_label("New password again").fill("harbour violin meadow")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("is not the password of this account")).to_be_visible()
    page.get_by_label("Current password").fill(ada.password)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text(re.compile("The password is changed"))).to_be_visible()
    ada.password = "harbour violin meadow"
    ada.log_in()


def test_the_audit_log_is_filtered_by_its_address(site: Site) -> None:
    """Who did what; the filter stands in the address, and the export has it, too."""
    ada = site.account()
    ada.call("PATCH", f"/api/projects/{ada.project_id}", {"name": "Audited"})
    page = site.open("/settings/audit", ada)
    log = page.get_by_role("list", name="Audit log")
    expect(log.get_by_text("Project: changed")).to_be_visible()
    page.get_by_label("About").select_option("member")
    expect(log.get_by_text("Project: changed")).to_have_count(0)
    expect(page).to_have_url(re.compile("action=member"))
    page.go_back()
    page.goto("/settings/audit?action=project")
    expect(log.get_by_text("Project: changed")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as found:
        page.get_by_role("menuitem", name="As CSV").click()
    assert "project.changed" in found.value.path().read_text(encoding="utf-8")
