"""What an error of the database means for whoever has work to save."""

from __future__ import annotations

from typing import Final, Literal

import psycopg
from psycopg_pool import PoolTimeout

Trouble = Literal["gone", "busy", "refused", "broken"]

# What callers may catch without knowing the driver.
DATABASE_ERRORS: Final = (psycopg.Error, PoolTimeout, OSError)

# Deadlock, serialization, lock and statement time-outs: the same work may pass at once.
_AGAIN: Final = ("40", "55P03", "57014")
# Data that a column, a constraint or a limit of a statement refuses.
_DATA: Final = ("22", "23", "54")
# Connection, resources (a full disk), shutting down, a standby that only reads.
_GONE: Final = ("08", "53", "57P", "58", "25006")


def trouble(error: BaseException) -> Trouble:
    """Sorts an error.

    `gone`: no database, or none that can write; whether a commit came through is not known.
    `busy`: the same transaction may pass if tried again. `refused`: some row of it is at fault.
    `broken`: the statement itself fails, as on a database that was not migrated.
    """
    state = getattr(error, "sqlstate", None)
    if not isinstance(state, str):
        return "refused" if isinstance(error, psycopg.DataError) else "gone"
    if state.startswith(_AGAIN):
        return "busy"
    if state.startswith(_DATA):
        return "refused"
    return "gone" if state.startswith(_GONE) else "broken"
