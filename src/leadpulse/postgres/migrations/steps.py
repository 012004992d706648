"""How a revision runs its SQL file, so that a database administrator reads plain SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import op

# A migration that waits for a lock blocks everybody behind it; it gives up early
# and is tried again, rather than stopping the service.
LOCK_TIMEOUT: Final = "5s"
_FOLDER = Path(__file__).parent / "sql"


def run_file(name: str) -> None:
    """Run one SQL file as it stands, or print it when only the text is wanted."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    migration = op.get_context()
    if migration.as_sql:
        migration.impl.static_output(text)
        return
    # Handed to the driver without parameters: then a file may hold many statements,
    # and its percent signs and colons mean nothing.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration has no connection")
    connection.execute(text)
