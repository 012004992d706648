"""Signed tokens of sessions, and the small secrets that go with them.

Keys are derived from the installation's signing key, one for each purpose. While it is being
changed, what the previous one signed is good as well.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leadpulse.domain.errors import Unauthorized

if TYPE_CHECKING:
    from leadpulse.settings import Settings

DAYS: Final = 7
SECONDS: Final = DAYS * 86_400
_ALGORITHM: Final = "HS256"
_NAME: Final = "leadpulse"
_NEEDED: Final = ("aud", "exp", "iat", "iss", "nbf", "sid", "sub")
_LONGEST: Final = 4096
# Clocks of several machines may differ by so many seconds.
_LEEWAY: Final = 30


class Claims(NamedTuple):
    """What a token says. The database has the last word on all of it."""

    session_id: str
    user_id: str
    email: str
    project_id: str | None


class Tokens:
    """Signs and reads tokens."""

    def __init__(self, current: str, previous: str | None = None) -> None:
        secrets_ = [current] if previous is None else [current, previous]
        keys = [_derived(secret, "session token") for secret in secrets_]
        self._keys = {_kid(key): key for key in keys}
        self._kid = _kid(keys[0])
        self._csrf = [_derived(secret, "csrf") for secret in secrets_]
        self._device = [_derived(secret, "known device") for secret in secrets_]

    @classmethod
    def of(cls, settings: Settings) -> Tokens:
        """Those of an installation."""
        previous = settings.signing_key_previous
        return cls(
            settings.signing_secret(), None if previous is None else previous.get_secret_value()
        )

    def sign(self, claims: Claims, issued_at: int) -> str:
        """A token that is good for a week from `issued_at` (µs)."""
        seconds = issued_at // 1_000_000
        body = {
            "iss": _NAME,
            "aud": _NAME,
            "iat": seconds,
            "nbf": seconds,
            "exp": seconds + SECONDS,
            "sid": claims.session_id,
            "sub": claims.user_id,
            # Under the names that clients know, too.
            "userId": claims.user_id,
            "email": claims.email,
            "projectId": claims.project_id,
        }
        return jwt.encode(body, self._keys[self._kid], _ALGORITHM, headers={"kid": self._kid})

    def read(self, token: str) -> Claims:
        """What a token of ours says. Raises Unauthorized for any other."""
        if len(token) > _LONGEST:
            raise _bad()
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise _bad()
            body = jwt.decode(
                token, key, algorithms=[_ALGORITHM], audience=_NAME, issuer=_NAME,
                leeway=_LEEWAY, options={"require": list(_NEEDED)},
            )  # fmt: skip
        except jwt.ExpiredSignatureError:
            raise Unauthorized("This session has ended; log in again.", "expired_session") from None
        except (jwt.PyJWTError, ValueError):
            raise _bad() from None
        session_id, user_id, project_id = body["sid"], body["sub"], body.get("projectId")
        if not isinstance(session_id, str) or not isinstance(project_id, str | None):
            raise _bad()
        return Claims(session_id, user_id, str(body.get("email", "")), project_id)

    def csrf(self, session_id: str) -> str:
        """What a page of ours sends with changes, which no other page can know."""
        return _mac(self._csrf[0], session_id)

    def is_csrf(self, given: str, session_id: str) -> bool:
        """Tell whether a value is that of this session."""
        return any(_same(given, _mac(key, session_id)) for key in self._csrf)

    def device(self, user_id: str) -> str:
        """Names a browser in which this person has logged in."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{_mac(self._device[0], f'{nonce}.{user_id}')}"

    def known_device(self, given: str, user_id: str) -> str | None:
        """A short name of that browser; None if this person never logged in there."""
        nonce, _, mac = given.partition(".")
        if not any(_same(mac, _mac(key, f"{nonce}.{user_id}")) for key in self._device):
            return None
        return nonce


def new_link_token() -> str:
    """What a mailed link carries."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of it. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _derived(secret: str, purpose: str) -> bytes:
    kdf = HKDF(SHA256(), 32, salt=b"leadpulse", info=f"leadpulse {purpose} 1".encode())
    return kdf.derive(secret.encode())


def _kid(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _bad() -> Unauthorized:
    return Unauthorized("This is no token of a session.", "unknown_session")
