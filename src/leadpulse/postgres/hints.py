"""Hints through the database: who listens, what is sent, what lists show of a lead.

Who watches is told by advisory locks: a project belongs to one of 64 signs, and an API process
holds those of the projects that it has pages of. So nothing has to be tidied up after a process
that died, nothing is written, and it costs a scorer one look into shared memory to learn that
nobody is there. NOTIFY serialises commits, so it stands in no transaction but its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import psycopg

from leadpulse.logging import get_logger
from leadpulse.postgres.connect import Instant, connect
from leadpulse.postgres.trouble import DATABASE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from leadpulse.postgres.connect import Connection

_log = get_logger("leadpulse.hints")

_CHANNEL: Final = "leadpulse_hints"
_SIGNS: Final = 64
# The first half of the keys of our locks; the second is the sign.
_LOCKS: Final = 0x4C500007
_DAY: Final = 86_400_000_000
_RECONNECT: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
_LOOK_EVERY: Final = 5.0
_PATIENCE: Final = 5.0

# Held by nobody else: nobody listens there. It is let go with the statement.
_WATCHED: Final = """
select w.sign from unnest(%s::int[]) w (sign) where not pg_try_advisory_xact_lock(%s, w.sign)
"""

_SEND: Final = "select pg_notify(%s, w.message) from unnest(%s::text[]) w (message)"

_LEADS: Final = """
select w.p, w.l, l.id, l.version, l.score, l.stage, l.last_event_at,
    case when l.last_event_at > %(day_ago)s then
        coalesce((l.state ->> 2)::int, 0) - coalesce((
            select g.acts from ledger g
            where g.project_id = l.project_id and g.lead_id = l.id
                and g.generation = l.generation and g.at <= %(day_ago)s
            order by g.at desc, g.entry desc limit 1), 0)
    else 0 end
from (
    select w.p, w.l,
        coalesce((select r.root_id from lead_roots r
                  where r.project_id = w.p and r.lead_id = w.l), w.l) as root
    from jsonb_to_recordset(%(leads)s::jsonb) w (p uuid, l uuid)
    offset 0  -- computed first: behind the wall only a plain value finds its lead by an index
) w
cross join lateral (
    select l.* from leads l where l.project_id = w.p and l.id = w.root limit 1
) l
"""


class LeadNow(NamedTuple):
    """A lead as it is now; `asked` is the id it was asked by, which may have been merged."""

    project_id: str
    asked: str
    id: str
    version: int
    score: float
    stage: int
    last_event_at: int | None
    acts_24h: int


async def prepare(conn: Connection) -> None:
    """Set up a connection that hints go through: none of them has to survive anything."""
    await conn.execute("set synchronous_commit = off")


async def leads_now(conn: Connection, leads: Sequence[tuple[str, str]]) -> list[LeadNow]:
    """What lists show of leads, given as (project, lead), or of those that they became."""
    cursor = await conn.execute("select clock_timestamp()")
    row = await cursor.fetchone()
    now: int = 0 if row is None else row[0]
    asked = msgspec.json.encode([{"p": p, "l": lead} for p, lead in leads]).decode()
    cursor = await conn.execute(_LEADS, {"day_ago": Instant(now - _DAY), "leads": asked})
    return [LeadNow(*row) for row in await cursor.fetchall()]


class Notifying:
    """Sends to every API process of this database that listens."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def watched(self, projects: Sequence[str]) -> set[str]:
        """Those of these projects whose sign somebody holds."""
        signs: dict[int, list[str]] = {}
        for project_id in projects:
            signs.setdefault(_sign(project_id), []).append(project_id)
        cursor = await self._conn.execute(_WATCHED, (list(signs), _LOCKS))
        return {p for (sign,) in await cursor.fetchall() for p in signs[sign]}

    async def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Sends messages in one transaction of their own."""
        await self._conn.execute(_SEND, (_CHANNEL, [message.decode() for _, message in messages]))

    async def close(self) -> None:
        """Nothing of its own is open."""


class Listening:
    """Listens on one connection, and holds the signs of what is watched on another."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._signs: Counter[int] = Counter()
        self._holder: Connection | None = None
        self._changing = asyncio.Lock()
        self._began = False
        self.up = False

    async def run(self, heard: Callable[[bytes | str], None], missed: Callable[[], None]) -> None:
        """Listens for ever. After an outage `missed` is called: much may have been sent."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(_PATIENCE):
                    listener = await self._connected()
                try:
                    if self._began:
                        missed()
                    self._began, failures = True, 0
                    await self._listen(listener, heard)
                finally:
                    await self._away(listener)
            except (*DATABASE_ERRORS, OSError, TimeoutError) as error:
                if not failures and self._began:
                    _log.warning("listening_stopped", error=error)
                await asyncio.sleep(_RECONNECT[min(failures, len(_RECONNECT) - 1)])
                failures += 1

    async def watch(self, project_id: str) -> None:
        """Returns when a project's sign is held. Raises what a database raises that is away.

        Who listens again after an outage holds it then.
        """
        sign = _sign(project_id)
        async with self._changing:
            self._signs[sign] += 1
            if self._signs[sign] == 1 and self._holder is not None:
                await _hold(self._holder, [sign])

    async def unwatch(self, project_id: str) -> None:
        """Lets a project's sign go when nothing else of it is watched."""
        sign = _sign(project_id)
        async with self._changing:
            self._signs[sign] -= 1
            if self._signs[sign] > 0:
                return
            del self._signs[sign]
            if self._holder is not None:
                await self._holder.execute(
                    "select pg_advisory_unlock_shared(%s, %s)", (_LOCKS, sign)
                )

    async def _connected(self) -> Connection:
        """Two connections, the one listening and the other one holding the signs."""
        listener = await connect(self._dsn, "live")
        try:
            await listener.execute(f"listen {_CHANNEL}")
            holder = await connect(self._dsn, "live")
            async with self._changing:
                self._holder = holder
                await _hold(holder, self._signs)
        except BaseException:
            await self._away(listener)
            raise
        self.up = True
        return listener

    async def _away(self, listener: Connection) -> None:
        self.up = False
        holder, self._holder = self._holder, None
        for conn in (listener, holder):
            if conn is not None:
                with contextlib.suppress(*DATABASE_ERRORS):
                    await conn.close()

    async def _listen(self, listener: Connection, heard: Callable[[bytes | str], None]) -> None:
        """Listens until one of the two connections has died."""
        tasks = [
            asyncio.create_task(_hear(listener, heard)),
            asyncio.create_task(self._look()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        """Raises when the connection that holds the signs does not answer."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            holder = self._holder
            if holder is None:
                raise psycopg.OperationalError("no connection")
            async with asyncio.timeout(_PATIENCE):
                await holder.execute("select 1")


async def _hear(listener: Connection, heard: Callable[[bytes | str], None]) -> None:
    async for notice in listener.notifies():
        heard(notice.payload)
    raise psycopg.OperationalError("the connection has ended")


async def _hold(conn: Connection, signs: Iterable[int]) -> None:
    """A scorer that asks for one at this moment has it for no longer than its question."""
    wanted: list[Any] = list(signs)
    if wanted:
        await conn.execute(
            "select pg_advisory_lock_shared(%s, w.sign) from unnest(%s::int[]) w (sign)",
            (_LOCKS, wanted),
        )


def _sign(project_id: str) -> int:
    return zlib.crc32(project_id.encode()) % _SIGNS
