from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from leadpulse.cli.commands import COMMANDS, root

PAGE = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()


def command(name: str) -> Any:
    """A command as the parser sees it."""
    found = root.get_command(typer.Context(root), name)  # type: ignore[attr-defined]
    assert found is not None
    return found


def section(name: str) -> str:
    """What the page says about a command."""
    found = re.search(rf"^### `leadpulse {name}`\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} is not documented"
    return found.group(1)


def test_the_page_names_exactly_the_commands() -> None:
    """No command is missing from the page, and none is made up."""
    assert set(re.findall(r"^### `leadpulse (\w+)`", PAGE, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_on_the_page_exists(name: str) -> None:
    """An option that the page names is one of the command or of those below it."""
    below = getattr(command(name), "commands", {"": command(name)})
    options = {
        option
        for one in below.values()
        for parameter in one.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    words = set(below)
    for option in re.findall(r"--[a-z][a-z-]+", section(name)):
        assert option in options, option
    if len(words) > 1:
        assert all(f"`{word}" in section(name) for word in words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    """The help of a command and of each below it begins with a whole sentence."""
    below = getattr(command(name), "commands", {})
    for one in (command(name), *below.values()):
        assert re.match(r"[A-Z`].*?[.:]", one.help or "", re.DOTALL), one.name
