"""Who is calling: keys are made here, and looked up with a short memory."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.domain.errors import Forbidden, Overloaded, Unauthorized
from leadpulse.postgres import keys as store
from leadpulse.postgres.trouble import DATABASE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

SCOPES: Final = (
    "events:write", "leads:read", "leads:write", "leads:erase", "rules:write", "exports:read",
    "admin",
)  # fmt: skip
DEFAULT_SCOPES: Final = SCOPES[:3]

# A revoked key, a paused project: known everywhere after at most this many seconds.
MEMORY_SECONDS: Final = 5.0
_REMEMBERED: Final = 10_000
_FORM: Final = re.compile(r"[ps]k_[0-9a-f]{48}")


def new_write_key() -> str:
    """A public key: it stands in web pages."""
    return f"pk_{secrets.token_hex(24)}"


def new_secret_key() -> str:
    """A secret key: to be shown once and stored as its hash only."""
    return f"sk_{secrets.token_hex(24)}"


def hash_key(key: str) -> bytes:
    """What is stored of a key. 192 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends: a project, and in which class. `trusted`: not a write key.

    `origins` limits a write key to websites (lower case; empty: any).
    """

    project_id: str
    trusted: bool
    digest_key: bytes
    identity_secret: bytes
    demands_hash: bool = False
    paused: bool = False
    scopes: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    key_id: str = ""

    def may_send(self) -> None:
        """Raises unless this caller may send events now."""
        if self.paused:
            raise Unauthorized("This project is paused.", "project_paused")
        if self.trusted:
            self.require("events:write")

    def require(self, scope: str) -> None:
        """Raises Forbidden unless this is a secret key with the scope."""
        if not self.trusted:
            raise Forbidden("A write key can only send events.", "write_key_cannot_read")
        if scope not in self.scopes:
            raise Forbidden(f"This key lacks the scope {scope}.", "missing_scope")


async def project_caller(conn: Connection, project_id: str) -> Caller | None:
    """A trusted caller without a key, for imports and the like; None without such a project."""
    found = await store.find_project(conn, project_id)
    if found is None:
        return None
    return Caller(
        project_id=project_id,
        trusted=True,
        digest_key=found.digest_key,
        identity_secret=found.identity_secret,
        paused=found.paused,
        scopes=frozenset(SCOPES),
    )


class KeyRing:
    """Finds the caller of a key; remembers good and bad ones for a few seconds, bounded."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Caller | Unauthorized]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller | Unauthorized]] = {}

    def remembered(self, key: str) -> Caller | None:
        """The caller if it is freshly known, without waiting. Raises Unauthorized."""
        return self._recall(_digest(key))

    async def find(self, key: str) -> Caller:
        """The caller of a key. Raises Unauthorized; Overloaded when the database is away."""
        digest = _digest(key)
        caller = self._recall(digest)
        if caller is not None:
            return caller
        # Many requests with one key ask once.
        asking = self._asking.get(digest)
        if asking is None:
            asking = asyncio.create_task(self._ask(digest))
            self._asking[digest] = asking
            asking.add_done_callback(lambda task: self._asked(digest, task))
        return _raised(await asyncio.shield(asking))

    def forget(self) -> None:
        """Drops all that is remembered, after a change made by this process."""
        self._known.clear()

    def _recall(self, digest: bytes) -> Caller | None:
        known = self._known.get(digest)
        if known is None or known[0] < self._clock():
            return None
        return _raised(known[1])

    def _asked(self, digest: bytes, task: asyncio.Task[Caller | Unauthorized]) -> None:
        self._asking.pop(digest, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; nobody has to hear of it

    async def _ask(self, digest: bytes) -> Caller | Unauthorized:
        asked = self._clock()
        try:
            async with self._pool.connection() as conn:
                found = await store.find_key(conn, digest)
        except DATABASE_ERRORS:
            raise Overloaded("Keys can't be checked right now.") from None
        answer = _judged(found, digest)
        self._known[digest] = (asked + MEMORY_SECONDS, answer)
        self._known.move_to_end(digest)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return answer


def _digest(key: str) -> bytes:
    if not _FORM.fullmatch(key):
        raise Unauthorized("This is not one of our keys.", "unknown_key")
    return hash_key(key)


def _raised(answer: Caller | Unauthorized) -> Caller:
    if isinstance(answer, Unauthorized):
        # A fresh one: a remembered exception would gather tracebacks.
        raise Unauthorized(answer.detail, answer.code)
    return answer


def _judged(found: store.FoundKey | None, digest: bytes) -> Caller | Unauthorized:
    if found is None or not hmac.compare_digest(found.key_hash, digest):
        return Unauthorized("This key is not known.", "unknown_key")
    if found.over:
        return Unauthorized("This key was revoked or has expired.", "expired_key")
    return Caller(
        project_id=found.project_id,
        trusted=found.kind == "secret",
        digest_key=found.digest_key,
        identity_secret=found.identity_secret,
        demands_hash=found.identity_verification,
        paused=found.paused,
        scopes=frozenset(found.scopes),
        origins=frozenset(origin.lower().rstrip("/") for origin in found.origins),
        key_id=found.id,
    )
