"""What a server is and how it is set, for somebody who judges that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadpulse.postgres.queue import QueueState, queue_state
from leadpulse.postgres.trouble import DATABASE_ERRORS

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_SETTINGS: Final = (
    "fsync", "synchronous_commit", "full_page_writes", "track_commit_timestamp", "autovacuum",
    "autovacuum_naptime", "max_connections", "server_encoding",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`skew`: seconds that the server's clock is ahead of ours, as exact as a question allows.

    `settings`: values as the server means them (`autovacuum_naptime` in seconds).
    `queue`: the work of the installation, if there are such tables.
    """

    version: int
    settings: dict[str, str]
    skew: float
    superuser: bool
    encrypted: bool
    local: bool
    free_connections: int
    queue: QueueState | None


async def diagnose(conn: Connection) -> Diagnosis:
    """Asks a server everything that `doctor` looks at."""
    settings = await _settings(conn)
    used = await _number(conn, "select count(*) from pg_stat_activity where datid is not null")
    superuser = await _number(
        conn, "select rolsuper::int from pg_roles where rolname = current_user"
    )
    return Diagnosis(
        version=conn.info.server_version // 10_000,
        settings=settings,
        skew=await _skew(conn),
        superuser=bool(superuser),
        encrypted=conn.pgconn.ssl_in_use,
        local=conn.info.host.startswith("/") or conn.info.host in ("localhost", "127.0.0.1", "::1"),
        free_connections=int(settings["max_connections"]) - used,
        queue=await _queue(conn),
    )


async def _settings(conn: Connection) -> dict[str, str]:
    cursor = await conn.execute(
        "select name::text, setting::text from pg_settings where name = any (%s)",
        [list(_SETTINGS)],
    )
    return dict(await cursor.fetchall())


async def _skew(conn: Connection) -> float:
    before = time.time()
    theirs = await _number(conn, "select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
    after = time.time()
    return theirs / 1e6 - (before + after) / 2


async def _queue(conn: Connection) -> QueueState | None:
    try:
        await conn.execute("set role leadpulse_app")
        return await queue_state(conn)
    except DATABASE_ERRORS:
        return None


async def _number(conn: Connection, query: str) -> int:
    row = await (await conn.execute(query)).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
