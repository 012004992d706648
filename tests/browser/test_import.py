"""Leads come out of a file: looked at before, with what can't be taken to mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import FilePayload, expect

from support.browser import axe, look

if TYPE_CHECKING:
    from pathlib import Path

    from browser.conftest import Site

_FILE = (
    "Contact mail,Full name,Plan\n"
    "grace@navy.example,Grace Hopper,pro\n"
    "joan@park.example,Joan Clarke,free\n"
    "nobody at all,Nobody,free\n"
)


def test_a_file_is_looked_at_imported_and_its_rejected_rows_come_back(
    site: Site, tmp_path: Path
) -> None:
    """What a column is can be said; progress survives a reload; the rest is a file again."""
    ada = site.account()
    page = site.open("/leads/import", ada)
    expect(page.get_by_role("heading", name="Import leads")).to_be_visible()
    axe(page)
    look(page, "import")
    file = FilePayload(name="fair.csv", mimeType="text/csv", buffer=_FILE.encode())
    page.locator("input[type=file]").set_input_files(file)
    choice = page.get_by_label("What Contact mail is taken for")
    expect(choice).to_be_visible()
    choice.select_option("email")
    page.get_by_label("What Full name is taken for").select_option("name")
    expect(page.get_by_text("Line 4")).to_be_visible()
    begin = page.get_by_role("button", name="Import 2 rows")
    expect(begin).to_be_enabled()
    axe(page)
    look(page, "import-preview")
    assert ada.call("GET", "/api/leads")["leads"] == [], "a preview has made leads"

    begin.click()
    expect(page).to_have_url(re.compile("import="))
    page.reload()
    expect(page.get_by_role("link", name="Rejected rows")).to_be_visible()
    axe(page)
    look(page, "import-done")
    with page.expect_download() as started:
        page.get_by_role("link", name="Rejected rows").click()
    path = tmp_path / "rejected.csv"
    started.value.save_as(path)
    assert "nobody at all" in path.read_text("utf-8-sig")
    made = ada.call("GET", "/api/leads", q="grace@navy")["leads"]
    assert [(lead["name"], lead["traits"]) for lead in made] == [("Grace Hopper", {"Plan": "pro"})]
    page.get_by_role("link", name="See the newest leads").click()
    expect(page.locator("[data-row]")).to_have_count(2)


def test_what_is_no_table_is_told_before_it_is_sent(site: Site) -> None:
    """A picture, or nothing at all."""
    page = site.open("/leads/import", site.account())
    file = FilePayload(name="logo.png", mimeType="image/png", buffer=b"\x89PNG\x00\x01")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("logo.png is no text")).to_be_visible()
    axe(page)


def test_who_may_only_look_imports_nothing(site: Site) -> None:
    """The page says which role it needs."""
    page = site.open("/leads/import", site.account().with_member("viewer"))
    expect(page.get_by_text("Needs the role member")).to_be_visible()
