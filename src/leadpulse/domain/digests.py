"""Keyed digests: by them we recognise what we must not keep. The key is a project's own."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

_SIZE: Final = 16


def keyed_digest(key: bytes, text: str) -> str:
    """The digest of a text, in hexadecimal."""
    hasher = _keyed(key).copy()
    hasher.update(text.encode())
    return hasher.hexdigest()


def name_digest(key: bytes, kind: int, value: str) -> str:
    """The digest of an identifier; no eventId has the same one, since none holds U+0000."""
    return keyed_digest(key, f"name\0{kind}\0{value}")


@lru_cache(maxsize=1_000)
def _keyed(key: bytes) -> hashlib.blake2b:
    """A hash that has seen its key, to be copied: half of the work for a short text."""
    return hashlib.blake2b(digest_size=_SIZE, key=key)
