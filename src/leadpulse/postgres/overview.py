"""What the command line asks of a whole installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection


async def project_ids(conn: Connection) -> list[str]:
    """Every project, oldest first."""
    cursor = await conn.execute("select id from projects order by created_at, id")
    return [row[0] for row in await cursor.fetchall()]


async def count_leads(conn: Connection, project_id: str | None) -> int:
    """How many leads there are, in one project or in all, merged ones included."""
    cursor = await conn.execute(
        "select count(*) from leads where %(project)s::uuid is null or project_id = %(project)s",
        {"project": project_id},
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])
