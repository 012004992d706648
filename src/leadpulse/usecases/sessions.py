"""Sessions: begun, found with a short memory, moved to another project, ended."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import Forbidden, NotFound, Overloaded, Unauthorized
from leadpulse.ids import uuid7
from leadpulse.postgres import accounts, members
from leadpulse.postgres import sessions as store
from leadpulse.postgres.session import unit
from leadpulse.postgres.trouble import DATABASE_ERRORS
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.principals import Principal
from leadpulse.usecases.tokens import SECONDS, Claims, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leadpulse.postgres.accounts import User
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool
    from leadpulse.postgres.sessions import FoundSession, SessionRow

# A revoked session, a lowered role: known everywhere after at most this many seconds, and what
# the question itself takes.
MEMORY_SECONDS: Final = 4.0
# Of one person; the oldest go.
MOST_OF_ONE: Final = 100
_REMEMBERED: Final = 10_000
_LONGEST_AGENT: Final = 300
_LONGEST_ADDRESS: Final = 64


class Origin(NamedTuple):
    """From where somebody calls.

    `network` is what counts as one address; `device` what a browser keeps of an earlier login.
    """

    address: str = ""
    network: str = ""
    agent: str | None = None
    device: str | None = None


class Begun(NamedTuple):
    """A new session, or an old one with another project."""

    session_id: str
    user_id: str
    project_id: str | None
    token: str
    csrf: str
    seconds: int = SECONDS


class SessionRing:
    """Finds sessions by their tokens; remembers good and bad ones for a few seconds, bounded."""

    def __init__(
        self, pool: Pool, tokens: Tokens, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._tokens = tokens
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, FoundSession | None]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[FoundSession | None]] = {}
        self._changes = 0

    async def find(self, token: str, *, switched: bool = False) -> FoundSession:
        """The session of a token. Raises Unauthorized; Overloaded when the database is away.

        The project in the token must be the one in which the session works by now, unless the
        call is about the account and not about a project (`switched`).
        """
        claims = self._tokens.read(token)
        if not is_id(claims.session_id) or not is_id(claims.user_id):
            raise Unauthorized("This is no token of a session.", "unknown_session")
        found = await self._lookup(claims)
        if found is None or found.over or found.user_id != claims.user_id:
            raise Unauthorized("This session has ended; log in again.", "expired_session")
        moved = found.project_id is not None and found.project_id != claims.project_id
        if moved and not switched:
            raise Unauthorized(
                "This session works in another project by now; use its newest token.",
                "session_switched",
            )
        return found

    def forget(self, session_ids: Iterable[str] | None = None) -> None:
        """Drops what is remembered of these sessions, or all, after a change by this process."""
        self._changes += 1
        if session_ids is None:
            self._known.clear()
            return
        for session_id in session_ids:
            self._known.pop(session_id, None)

    async def _lookup(self, claims: Claims) -> FoundSession | None:
        known = self._known.get(claims.session_id)
        if known is not None and self._clock() < known[0]:
            return known[1]
        # Many requests with one token ask once.
        key = f"{self._changes}.{claims.session_id}.{claims.user_id}"
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(claims))
            task.add_done_callback(lambda done: self._answered(key, done))
        try:
            return await asyncio.shield(task)
        except DATABASE_ERRORS:
            raise Overloaded("Sessions can't be checked right now.") from None

    def _answered(self, key: str, done: asyncio.Task[FoundSession | None]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever asked may be gone; nobody has to hear of it

    async def _ask(self, claims: Claims) -> FoundSession | None:
        asked, changes = self._clock(), self._changes
        async with unit(self._pool, None, user=claims.user_id) as (conn, _):
            found = await store.find_session(conn, claims.session_id, claims.user_id)
            if found is not None and found.idle and not found.over:
                await store.note_seen(conn, found.id)
        if changes == self._changes:
            self._known[claims.session_id] = (asked + MEMORY_SECONDS, found)
            self._known.move_to_end(claims.session_id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


def session_principal(found: FoundSession) -> Principal:
    """Who that is within the session's project. Raises Forbidden without one."""
    if found.project_id is None or found.role is None:
        raise Forbidden(
            "You are no member of the project of this session; switch to another one.",
            "no_project",
        )
    return Principal(
        project_id=found.project_id,
        kind="session",
        id=found.user_id,
        name=found.email,
        role=found.role,
        verified=found.verified,
        operator=found.operator,
        session_id=found.id,
    )


async def begin_session(
    conn: Connection, tokens: Tokens, user: User, project_id: str | None, origin: Origin
) -> Begun:
    """Logs somebody in, in the caller's transaction, which must reach what is the user's."""
    session = store.NewSession(
        id=uuid7(),
        user_id=user.id,
        project_id=project_id,
        seconds=SECONDS,
        address=origin.address[:_LONGEST_ADDRESS] or None,
        agent=origin.agent and origin.agent[:_LONGEST_AGENT],
    )
    now = await store.insert_session(conn, session, MOST_OF_ONE)
    token = tokens.sign(Claims(session.id, user.id, user.email, project_id), now)
    return Begun(session.id, user.id, project_id, token, tokens.csrf(session.id))


async def switch_project(
    pool: Pool, ring: SessionRing, tokens: Tokens, session: FoundSession, project_id: str
) -> Begun:
    """Lets a session work in another project of its user's. Raises NotFound.

    The token of before is no good for projects any more; the new one ends when it did.
    """
    if not is_id(project_id):
        raise NotFound("project", project_id[:100])
    project_id = project_id.lower()
    async with unit(pool, None, user=session.user_id) as (conn, now):
        if project_id not in await members.memberships(conn, session.user_id):
            raise NotFound("project", project_id)
        await store.move_session(conn, session.id, project_id)
    ring.forget([session.id])
    claims = Claims(session.id, session.user_id, session.email, project_id)
    token = tokens.sign(claims, session.expires_at - SECONDS * 1_000_000)
    left = max(0, session.expires_at - now) // 1_000_000
    return Begun(session.id, session.user_id, project_id, token, tokens.csrf(session.id), left)


async def list_sessions(pool: Pool, session: FoundSession) -> list[SessionRow]:
    """The sessions of the same person that run, the one seen last first."""
    async with unit(pool, None, user=session.user_id) as (conn, _):
        return await store.list_sessions(conn, session.user_id)


async def log_out(pool: Pool, ring: SessionRing, session: FoundSession) -> None:
    """Ends the session of who asks; another process may have done so before."""
    await _end(pool, ring, session.user_id, session.id)


async def end_session(pool: Pool, ring: SessionRing, user_id: str, session_id: str) -> None:
    """Ends one session of a person. Raises NotFound."""
    if not await _end(pool, ring, user_id, session_id):
        raise NotFound("session", session_id)


async def _end(pool: Pool, ring: SessionRing, user_id: str, session_id: str) -> bool:
    async with unit(pool, None, user=user_id) as (conn, _):
        ended = await store.end_session(conn, user_id, session_id)
    ring.forget([session_id])
    return ended


async def end_all_sessions(pool: Pool, ring: SessionRing, user_id: str) -> int:
    """Logs a person out everywhere; returns how many sessions ran."""
    async with unit(pool, None, user=user_id) as (conn, _):
        # Before the sessions, as whoever logs in and clears up among them.
        await accounts.hold_user(conn, user_id)
        ended = await store.end_sessions(conn, user_id)
    ring.forget(ended)
    return len(ended)
