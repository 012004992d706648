"""Ends scorers' transactions that make no progress, so that their leads go on elsewhere.

PostgreSQL's own time-outs do not end a backend whose client is stopped with an answer
unread; ending the backend does.
"""

from __future__ import annotations

import asyncio
from typing import Final

from leadpulse.logging import get_logger
from leadpulse.postgres.connect import Connection, connect
from leadpulse.postgres.failures import DatabaseError
from leadpulse.postgres.maintenance import end_stuck_scorers

_log = get_logger("leadpulse.watchdog")

# A pass takes well under a second; nobody may hold leads for longer than this.
STUCK_AFTER: Final = 20.0
_EVERY: Final = 3.0


async def watch(dsn: str, stuck_after: float = STUCK_AFTER, every: float = _EVERY) -> None:
    """Look every few seconds, for ever; needs a connection of its own."""
    while True:
        try:
            conn = await connect(dsn, "watchdog")
            try:
                await _watch(conn, stuck_after, every)
            finally:
                await conn.close()
        except (DatabaseError, OSError, TimeoutError):
            await asyncio.sleep(every)


async def _watch(conn: Connection, stuck_after: float, every: float) -> None:
    while True:
        for pid in await end_stuck_scorers(conn, stuck_after):
            _log.error("stuck_scorer_ended", backend=pid, after=stuck_after)
        await asyncio.sleep(every)
