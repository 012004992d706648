"""What the dashboard is made of in memory, and which form of a file a browser gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadpulse.http import pages
from support.web import PICTURE, SCRIPT, small_web

ROUTES = Path(__file__).parents[2] / "web" / "src" / "app" / "routes"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0.5,gzip;q=0.5", "br"),
        ("BR", "br"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.2, gzip;q=0.5", "gzip"),
        ("br;q=0, gzip;q=0", "identity"),
        ("*", "br"),
        ("br;q=0, *;q=0.1", "gzip"),
        ("*;q=0", "identity"),
        ("gzip;q=much", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=nan", "identity"),
        (";;,,;q=1, deflate", "identity"),
    ],
)
def test_the_wanted_form_is_taken(accepted: str, coding: str) -> None:
    """By weight; among equals the smallest; what can't be read asks for nothing."""
    assert pages.preferred(accepted, {"identity": b"", "gzip": b"", "br": b""}) == coding


def test_only_a_form_that_is_there_is_taken() -> None:
    """A file that no packing made smaller has none beside it."""
    assert pages.preferred("br, gzip", ["identity"]) == "identity"
    assert pages.preferred("br, gzip;q=0.1", ["identity", "gzip"]) == "gzip"


def test_everything_of_a_build_is_held(tmp_path: Path) -> None:
    """Under its address; the page apart, packed forms with their file, hidden files not at all."""
    sdk = tmp_path / "sdk"
    sdk.mkdir()
    (sdk / "ls.js").write_text("LS={}")
    held = pages.load(small_web(tmp_path / "web"), sdk)
    assert held.page is not None
    assert set(held.files) == {SCRIPT, PICTURE, "/sdk/ls.js"}
    assert set(held.files[SCRIPT].forms) == {"identity", "gzip", "br"}


def test_without_a_build_nothing_is_held(tmp_path: Path) -> None:
    """A source checkout that was not built serves its API all the same."""
    held = pages.load(tmp_path / "none", tmp_path / "none")
    assert held.page is None
    assert not held.files


def test_more_than_a_process_should_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where, and how much there is."""
    monkeypatch.setattr(pages, "LARGEST", 100)
    with pytest.raises(ValueError, match=r"web holds \d+ bytes, and may hold 100"):
        pages.load(small_web(tmp_path / "web"))


def test_every_route_of_the_app_is_served_as_a_page() -> None:
    """Whoever reloads it, or is sent its link, gets it with status 200."""
    told = {
        re.sub(r"\$\w+", "*", path)
        for file in ROUTES.glob("*.ts*")
        for path in re.findall(r"path: '(/[^']*)'", file.read_text(encoding="utf-8"))
    }
    assert told
    assert told <= {re.sub(r"{\w+}", "*", path) for path in pages.PAGES}
