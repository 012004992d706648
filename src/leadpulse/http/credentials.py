"""Where a key can stand in a request: the first place that holds something counts."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from leadpulse.domain.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping


def header_key(headers: Mapping[bytes, bytes]) -> str | None:
    """The key out of X-API-Key, Authorization (Bearer or Basic) or X-Write-Key, in this order.

    Raises Unauthorized for one that can't be read: no other place is tried then.
    """
    key = headers.get(b"x-api-key")
    if key:
        return key.decode("latin-1").strip()
    authorization = headers.get(b"authorization")
    if authorization:
        scheme, _, value = authorization.decode("latin-1").strip().partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
        if scheme.lower() == "basic":
            return _user_name(value.strip())
    key = headers.get(b"x-write-key")
    return key.decode("latin-1").strip() if key else None


def _user_name(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        raise Unauthorized("The Authorization header can't be read.", "unknown_key") from None


def body_key(document: Any, query: bytes) -> str:
    """The key out of the body or else the query string. Raises Unauthorized without one."""
    if isinstance(document, dict):
        for field in ("apiKey", "writeKey"):
            value = document.get(field)
            if value is not None and value != "":
                return value if isinstance(value, str) else ""
    found = parse_qs(query.decode("latin-1")).get("writeKey") if query else None
    if found:
        return found[0]
    raise Unauthorized(
        "Send a key: X-API-Key, Authorization, X-Write-Key, apiKey in the body, or ?writeKey=.",
        "missing_key",
    )
