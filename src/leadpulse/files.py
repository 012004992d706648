"""The data directory and the secrets in it."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_data_dir(path: Path) -> None:
    """Create the data directory if it is missing; never change one that exists.

    Root's is open to pass through, not to list: the embedded server below it runs
    as another user.
    """
    if path.exists():
        return
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def secret_once(path: Path) -> str:
    """Return the secret in this file, making a random one of 256 bits on first use.

    Readable by the owner only. Two processes that come first at the same time
    agree on one.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    make_data_dir(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_hex(32)}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link appears complete or not at all, and refuses to replace another's.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return _read(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
