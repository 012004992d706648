"""What the documentation says of names is held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadpulse.domain.model import model_document
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("benchmarks/*.md")])


def test_every_setting_is_documented() -> None:
    """The table of settings names exactly the settings that there are."""
    text = (ROOT / "docs/reference/settings.md").read_text()
    written = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert written == {str(field.alias) for field in Settings.model_fields.values()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link in a page names a file that exists."""
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_architecture_names_files_that_exist() -> None:
    """The drawing of an event's way passes files that are there."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for name in re.findall(
        r"\b((?:domain|http|usecases|postgres|realtime|worker)/[a-z_/]+\.py)", text
    ):
        assert (ROOT / "src/leadpulse" / name).exists(), name


def test_the_guide_tells_the_presets_stages() -> None:
    """The stages in the guide are those of the presets."""
    text = (ROOT / "docs/guide/scoring.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| warm, hot"))
    told = [cell.strip() for cell in row.strip("|").split("|")[1:]]
    for name, cell in zip(PRESETS, told, strict=True):
        assert cell == ", ".join(f"{bound:g}" for bound in preset(name).stages[1:])
        assert model_document(preset(name))["version"] == 1


def test_nothing_names_a_place_on_one_machine() -> None:
    """No page holds an absolute path of a developer's machine."""
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(?:home|root|work|Users)/", page.read_text()), page
