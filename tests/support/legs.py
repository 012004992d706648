"""Parts of the suite that not every machine can run, told apart from those that passed."""

from __future__ import annotations

import os
from typing import Final, NoReturn

import pytest

REQUIRE_ALL: Final = os.environ.get("LEADPULSE_REQUIRE_ALL", "") not in ("", "0")
NOT_RUN: Final = pytest.StashKey[dict[str, str]]()


class MissingLegError(Exception):
    """A part of the suite that this machine cannot run."""


def leave_out(config: pytest.Config, leg: str, reason: str) -> NoReturn:
    """Report a leg that this machine cannot run; where every leg is required, fail."""
    config.stash[NOT_RUN][leg] = reason
    if REQUIRE_ALL:
        pytest.fail(f"{leg} was not run: {reason}")
    pytest.skip(reason)
