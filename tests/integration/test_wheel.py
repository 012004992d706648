"""What is installed without the sources."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wheel_brings_what_browsers_load(tmp_path: Path) -> None:
    """Built and packed: who installs it needs no Node."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for file in ("web/index.html", "sdk/ls.js", "sdk/ls.js.br", "sdk/ls.js.gz"):
        assert f"leadpulse/http/{file}" in held
