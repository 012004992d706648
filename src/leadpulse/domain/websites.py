"""Names of websites as people type them, brought to the one form in which browsers send them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_LONGEST_HOST: Final = 253
_LONGEST_ORIGIN: Final = 300
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_IN_BRACKETS: Final = re.compile(r"\[[0-9a-f:.]{2,45}\]")
_USUAL_PORTS: Final = {"http": 80, "https": 443}


def host(text: str) -> str:
    """A host name, lower case and in ASCII; raises ValueError for anything else."""
    name = text.strip().lower()
    if not name.isascii():
        # Raises a ValueError of its own for what can't be a name.
        name = name.encode("idna").decode("ascii")
    if len(name) > _LONGEST_HOST or not _HOST.fullmatch(name):
        raise ValueError("must be a host name, like www.example.com")
    return name


def origin(text: str) -> str:
    """A website as the header Origin names it; raises ValueError for anything else.

    The port that its scheme implies is left out, as browsers do.
    """
    told = "must be a website, like https://www.example.com"
    if len(text) > _LONGEST_ORIGIN or re.search(r"[\x00-\x20\x7f\\]", text.strip()):
        raise ValueError(told)
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ValueError(told) from None
    scheme = parts.scheme.lower()
    name = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    if (
        scheme not in _USUAL_PORTS
        or parts.path not in ("", "/")
        or "?" in text
        or "#" in text
        or "@" in parts.netloc
    ):
        raise ValueError(told)
    if not _IN_BRACKETS.fullmatch(name.lower()):
        try:
            name = host(name)
        except ValueError:
            raise ValueError(told) from None
    shown = "" if port is None or port == _USUAL_PORTS[scheme] else f":{port}"
    return f"{scheme}://{name.lower()}{shown}"
