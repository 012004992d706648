"""What goes wrong between us and a database, as sentences that say what to do."""

from __future__ import annotations

import re
import time
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from leadpulse.postgres.connect import redact

_OLD_SCHEMA: Final = (
    "The database does not have the schema of this version. Run `leadpulse migrate`."
)
_REASON: Final = re.compile(r"(?:FATAL|ERROR): *(.+)|failed: (.+)|(failed to resolve host .+)")

# The more special kinds come first.
_SENTENCES: Final[dict[type[Exception], str]] = {
    psycopg.errors.DiskFull: (
        "The disk that holds the database is full. Free some space, then try again."
    ),
    psycopg.errors.UndefinedTable: _OLD_SCHEMA,
    psycopg.errors.UndefinedColumn: _OLD_SCHEMA,
    psycopg.errors.InsufficientPrivilege: "The database user may not do this: {reason}.",
    psycopg.errors.ReadOnlySqlTransaction: (
        "The database only allows reading: DATABASE_URL leads to a standby server."
    ),
    psycopg.errors.TooManyConnections: (
        "The database has no free connection. Stop something else, or allow more."
    ),
    psycopg.OperationalError: "The database went away: {reason}. Try again when it is back.",
    PoolTimeout: "The database went away: {reason}. Try again when it is back.",
}


class DatabaseUnreachable(Exception):
    """No connection; the message says to where, why, and what to do."""


def reach(dsn: str, patience: float = 0.0) -> None:
    """Connects once, trying again for `patience` seconds; raises DatabaseUnreachable."""
    deadline = time.monotonic() + patience
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=10, application_name="leadpulse-start").close()
        except psycopg.Error as error:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            raise DatabaseUnreachable(
                f"The database can't be reached: {_reason(error)}. Check DATABASE_URL "
                f"({_shown(dsn)}) and that the server is running."
            ) from None
        return


def sentence(error: BaseException) -> str | None:
    """What to tell a person about an error of the database; None if it is another one."""
    for kind, text in _SENTENCES.items():
        if isinstance(error, kind):
            return text.format(reason=_reason(error))
    return None


def _reason(error: BaseException) -> str:
    text = str(error).strip()
    found = _REASON.search(text)
    reason = next(part for part in found.groups() if part) if found else text.split("\n", 1)[0]
    return reason.strip().rstrip(".")


def _shown(dsn: str) -> str:
    try:
        return redact(dsn)
    except psycopg.Error:
        return "which can't be understood"
