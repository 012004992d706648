"""What the command line asks of a whole installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection


async def count_leads(conn: Connection, project_id: str | None) -> int:
    """How many leads there are, in one project or in all within reach, merged ones included."""
    cursor = await conn.execute(
        "select count(*) from leads where %(project)s::uuid is null or project_id = %(project)s",
        {"project": project_id},
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


class OpenLetter(NamedTuple):
    """Work of any project that failed for good and that nobody has settled; times in µs."""

    project_id: str
    id: str
    lead_id: str
    kind: str
    error: str
    attempts: int
    event: str | None
    first_failed_at: int
    failed_at: int


async def open_letters(conn: Connection, project_id: str | None) -> list[OpenLetter]:
    """Open dead letters of one project or of all within reach, oldest first."""
    cursor = await conn.execute(
        """
        select project_id, id, lead_id, kind, error, attempts, event, first_failed_at, failed_at
        from dead_letters
        where state = 'open' and (%(project)s::uuid is null or project_id = %(project)s)
        order by failed_at, id
        """,
        {"project": project_id},
    )
    return [OpenLetter(*row) for row in await cursor.fetchall()]
