"""When the statements of a connection that is kept for long are planned again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_FIRST: Final = 0.25
_LONGEST: Final = 5.0


@dataclass(slots=True)
class Plans:
    """Has the plans of one connection forgotten, so often at first, then every few seconds.

    A plan that was made for an empty table is kept, and ruins a full one: tables that were nearly
    empty at the first time may be full a second later, and statistics come late.
    """

    at: float = 0.0
    pause: float = _FIRST

    async def renew(self, conn: Connection) -> None:
        """Forgets them if it is time; outside of any transaction."""
        now = time.monotonic()
        if now >= self.at:
            await conn.execute("discard plans")
            self.at, self.pause = now + self.pause, min(_LONGEST, self.pause * 2)
