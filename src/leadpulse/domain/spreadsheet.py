"""Texts that others wrote, in a file that a spreadsheet will open."""

from __future__ import annotations

from typing import Final

# What makes a spreadsheet take a text for a formula, also in its full-width forms.
_STARTERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(text: str) -> str:
    """A text as a spreadsheet shows it, never as a formula: an apostrophe comes first.

    Blanks before the sign don't help whoever sends one.
    """
    return f"'{text}" if text.startswith(_STARTERS) or text.lstrip().startswith(_STARTERS) else text


def plain(text: str) -> str:
    """A text as it was before `harmless`: without the apostrophe that it adds."""
    return text[1:] if text[:1] == "'" and harmless(text[1:]) != text[1:] else text
