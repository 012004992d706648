"""The command line. Each command is a module of its own, imported when it is asked for."""

from __future__ import annotations

import sys

from leadpulse.cli.commands import root
from leadpulse.cli.failures import told


def main() -> None:
    """Runs the command in sys.argv; exit status 0 only if it did what was asked."""
    with told():
        root(prog_name="leadpulse")
    sys.exit(0)
