"""Sign in with Google: ID tokens, checked with Google's public keys.

The keys are fetched when they are first needed and kept for as long as their answer says. Nobody
can make this ask Google more than once a minute, whatever tokens he sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jwt
import structlog

from leadpulse.domain.errors import Overloaded, Unauthorized
from leadpulse.usecases.outside import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

_log = structlog.get_logger("leadpulse.google")

KEYS_URL: Final = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
_ALGORITHM: Final = "RS256"
_NEEDED: Final = ("aud", "exp", "iat", "iss", "sub")
_LONGEST: Final = 8192
_LEEWAY: Final = 60
_PATIENCE: Final = 5.0
_MOST_BYTES: Final = 256 * 1024
# Seconds: between two questions; bounds of what the answer says; and how long old keys help
# out while Google can't be reached.
_PAUSE: Final = 60.0
_SHORTEST, _LONGEST_KEPT = 300.0, 86_400.0
_HELPING_OUT: Final = 86_400.0
_MAX_AGE: Final = re.compile(r"max-age=(\d{1,9})")


class _Answer(NamedTuple):
    keys: dict[str, Any]
    good_for: float


class GoogleIdentities:
    """`Identities` of Google, for one client id."""

    def __init__(
        self,
        client_id: str,
        keys_url: str = KEYS_URL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id = client_id
        self._url = keys_url
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._good_until = self._kept_until = self._again = float("-inf")
        self._lock = asyncio.Lock()

    async def verify(self, token: str) -> Identity:
        """Who that is. Raises Unauthorized; Overloaded when Google can't be asked."""
        if len(token) > _LONGEST:
            raise _bad()
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid")))
            claims = jwt.decode(
                token, key, algorithms=[_ALGORITHM], audience=self._client_id,
                issuer=ISSUERS, leeway=_LEEWAY, options={"require": list(_NEEDED)},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError):
            raise _bad() from None
        subject, email = claims["sub"], claims.get("email")
        if not isinstance(email, str) or not isinstance(subject, str) or not subject:
            raise _bad()
        name = claims.get("name")
        return Identity(
            subject=subject,
            email=email,
            verified=claims.get("email_verified") is True,
            name=name if isinstance(name, str) else "",
        )

    async def _key(self, kid: str) -> Any:
        if kid not in self._keys or self._clock() >= self._good_until:
            async with self._lock:
                await self._refresh(kid)
        key = self._keys.get(kid)
        if key is None:
            raise _bad()
        return key

    async def _refresh(self, kid: str) -> None:
        now = self._clock()
        if (kid in self._keys and now < self._good_until) or now < self._again:
            if not self._keys:
                raise Overloaded("Google can't be asked right now.", 30)
            return
        self._again = now + _PAUSE
        try:
            answer = await asyncio.to_thread(_fetch, self._url)
        except (OSError, ValueError, HTTPException) as error:
            _log.warning("Google's keys can't be fetched", error=type(error).__name__)
            if now >= self._kept_until:
                self._keys = {}
                raise Overloaded("Google can't be asked right now.", 30) from None
            return
        self._keys = answer.keys
        self._good_until = now + answer.good_for
        self._kept_until = self._good_until + _HELPING_OUT


def _fetch(url: str) -> _Answer:
    # The address is a constant of ours; only tests have another one.
    with urllib.request.urlopen(url, timeout=_PATIENCE) as response:  # noqa: S310
        body = response.read(_MOST_BYTES + 1)
        said = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
    if len(body) > _MOST_BYTES:
        raise ValueError("too long")
    keys = _read(body)
    age = float(said.group(1)) if said is not None else 0.0
    return _Answer(keys, min(max(age, _SHORTEST), _LONGEST_KEPT))


def _read(body: bytes) -> dict[str, Any]:
    """The keys of a document by their names. Raises ValueError without any."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    keys = {}
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        if all(isinstance(entry.get(name), str) for name in ("kid", "n", "e")):
            # One that can't be used is no reason to do without the others.
            with contextlib.suppress(jwt.PyJWTError, ValueError):
                keys[entry["kid"]] = jwt.PyJWK.from_dict(entry, _ALGORITHM).key
    if not keys:
        raise ValueError("no keys")
    return keys


def _bad() -> Unauthorized:
    return Unauthorized("This is no token that Google made for us.", "bad_identity")
