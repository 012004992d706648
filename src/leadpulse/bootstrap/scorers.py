"""The scorers of an installation as a family of processes, with one health page for all."""

from __future__ import annotations

from leadpulse.worker.main import Crew as Family
from leadpulse.worker.main import crew as family
from leadpulse.worker.main import run_workers as run_scorers

__all__ = ["Family", "family", "run_scorers"]
