"""Who is calling: keys are made here, and looked up with a short memory."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from leadpulse.domain.errors import Forbidden, Overloaded, Unauthorized
from leadpulse.domain.permissions import SCOPES
from leadpulse.postgres import keeper
from leadpulse.postgres import keys as store
from leadpulse.postgres.session import reach
from leadpulse.postgres.trouble import DATABASE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

# A revoked key, a paused project: known everywhere after at most this many seconds.
MEMORY_SECONDS: Final = 5.0
_REMEMBERED: Final = 10_000
_ASKED_AT_ONCE: Final = 500
# That a key was used is written together with others, so long after.
_NOTED_AFTER: Final = 1.0
_FORM: Final = re.compile(r"[ps]k_[0-9a-f]{48}")

_T = TypeVar("_T")


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

    `origins` limits a write key to websites (lower case; empty: any). `sample`: what it sends is
    sample data, which marks its leads and is counted elsewhere.
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
    sample: bool = False

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
    async with conn.transaction():
        await reach(conn, project_id)
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
    """Finds the caller of a key; remembers good and bad ones for a few seconds, bounded.

    Each apart: anybody can make up keys that are none, and must not push out those that are.
    Keys that are asked for while the database looks others up are looked up together next.
    """

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[float, Unauthorized]] = OrderedDict()
        # Those that were good when they were last looked up, however long ago.
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: dict[bytes, asyncio.Future[Caller | Unauthorized]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._used: set[tuple[str, str]] = set()
        self._noting: asyncio.Task[None] | None = None

    def remembered(self, key: str) -> Caller | None:
        """The caller if it is freshly known, without waiting. Raises Unauthorized."""
        return self._recall(_digest(key))

    def was_good(self, key: str) -> bool:
        """True if this key was good when it was last looked up: it is worth another look."""
        return _FORM.fullmatch(key) is not None and hash_key(key) in self._good

    async def find(self, key: str) -> Caller:
        """The caller of a key. Raises Unauthorized; Overloaded when the database is away."""
        digest = _digest(key)
        caller = self._recall(digest)
        if caller is not None:
            return caller
        # Many requests with one key ask once.
        answer = self._waiting.get(digest)
        if answer is None:
            answer = self._waiting[digest] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask_all())
        return _raised(await asyncio.shield(answer))

    def forget(self) -> None:
        """Drops all that is remembered, after a change made by this process."""
        self._known.clear()
        self._refused.clear()

    async def close(self) -> None:
        """Writes down which keys were used, as far as the database can be reached."""
        if self._noting is not None:
            self._noting.cancel()
        await self._note_used()

    def _recall(self, digest: bytes) -> Caller | None:
        known = self._known.get(digest) or self._refused.get(digest)
        if known is None or known[0] < self._clock():
            return None
        return _raised(known[1])

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                asked = dict(islice(self._waiting.items(), _ASKED_AT_ONCE))
                try:
                    answers = await self._ask(asked)
                except DATABASE_ERRORS:
                    self._refuse(asked)
                    continue
                for digest, answer in asked.items():
                    del self._waiting[digest]
                    if not answer.done():
                        answer.set_result(answers[digest])
        finally:
            self._asking = None
            self._refuse(dict(self._waiting))

    def _refuse(self, asked: Mapping[bytes, asyncio.Future[Caller | Unauthorized]]) -> None:
        for digest, answer in asked.items():
            del self._waiting[digest]
            if not answer.done():
                answer.set_exception(Overloaded("Keys can't be checked right now."))
                answer.exception()  # whoever asked may be gone; nobody has to hear of it

    async def _ask(self, digests: Iterable[bytes]) -> dict[bytes, Caller | Unauthorized]:
        asked = self._clock()
        async with self._pool.connection() as conn, conn.transaction():
            await keeper.reach_keys(conn, [*digests])
            found = {key.key_hash: key for key in await store.find_keys(conn, [*digests])}
        answers = {digest: _judged(found.get(digest), digest) for digest in digests}
        for digest, answer in answers.items():
            self._remember(digest, answer, asked + MEMORY_SECONDS)
        self._used |= {(k.project_id, k.id) for k in found.values() if k.idle and not k.over}
        if self._used and self._noting is None:
            self._noting = asyncio.create_task(self._note_soon())
        return answers

    def _remember(self, digest: bytes, answer: Caller | Unauthorized, until: float) -> None:
        if isinstance(answer, Unauthorized):
            self._known.pop(digest, None)
            self._good.pop(digest, None)
            _put(self._refused, digest, (until, answer))
        else:
            self._refused.pop(digest, None)
            _put(self._good, digest, None)
            _put(self._known, digest, (until, answer))

    async def _note_soon(self) -> None:
        try:
            await asyncio.sleep(_NOTED_AFTER)
            await self._note_used()
        finally:
            self._noting = None

    async def _note_used(self) -> None:
        used, self._used = self._used, set()
        if not used:
            return
        # Nobody misses a time that could not be written.
        with contextlib.suppress(*DATABASE_ERRORS):
            async with self._pool.connection() as conn, conn.transaction():
                await reach(conn, {project_id for project_id, _ in used})
                await store.note_used(conn, used)


def _put(memory: OrderedDict[bytes, _T], digest: bytes, value: _T) -> None:
    memory[digest] = value
    memory.move_to_end(digest)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


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
        return Unauthorized("This key was revoked, has expired or is switched off.", "expired_key")
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
