"""Which schema a database has, told without loading the migration tool: a start is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg

_FILES: Final = Path(__file__).parent / "migrations" / "versions"


def newest() -> str:
    """The newest revision that this code knows, by the names of its files (r0001_….py)."""
    return max(path.name[1:].split("_", 1)[0] for path in _FILES.glob("r[0-9]*_*.py"))


def applied(dsn: str) -> str | None:
    """The revision that a database is at; None for one without any."""
    with psycopg.connect(dsn, autocommit=True, application_name="leadpulse-start") as connection:
        row = connection.execute("select to_regclass('alembic_version') is not null").fetchone()
        if row is None or not row[0]:
            return None
        found = connection.execute("select version_num from alembic_version").fetchone()
        return None if found is None else str(found[0])
