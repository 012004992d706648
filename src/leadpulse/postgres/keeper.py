"""Questions whose answers are projects, asked before it is known which ones work is about.

Each asks a function of the keeper, which may look across projects and tells ids only. What it
tells is at once what the connection reaches, until the end of the transaction or, for scorers,
until they ask again; the work is done by statements that see nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

_ASK: Final = """
with found as materialized (select array(select keeper.{question}) as ids)
select ids::text[],
    set_config('leadpulse.projects', array(select unnest(ids) order by 1)::text, {local})
from found
"""


async def reach_keys(conn: Connection, hashes: Sequence[bytes]) -> list[str]:
    """The projects of keys."""
    return await _reach(conn, "projects_of_keys(%s)", list(hashes))


async def reach_invitation(conn: Connection, token_hash: bytes) -> list[str]:
    """The project that an invitation leads to."""
    return await _reach(conn, "project_of_invitation(%s)", token_hash)


async def reach_everything(conn: Connection) -> list[str]:
    """Every project, oldest first: for the command line, and for nobody who calls."""
    return await _reach(conn, "every_project()")


async def reach_ownerless(conn: Connection) -> list[str]:
    """Projects without a member, oldest first: made by the command line, for nobody yet."""
    return await _reach(conn, "ownerless_projects()")


async def reach_waiting(conn: Connection, after: str, most: int) -> list[str]:
    """Projects with rows in the inbox, in the order of their ids; reached until it asks again."""
    return await _reach(conn, "waiting_projects(%s, %s)", after, most, local="false")


async def reach_refolding(conn: Connection, among: int) -> list[str]:
    """Projects of the oldest folds that go on over several passes."""
    return await _reach(conn, "refolding_projects(%s)", among)


async def reach_due(conn: Connection, most: int) -> list[str]:
    """Projects of the leads whose decay fell due first."""
    return await _reach(conn, "due_projects(%s)", most)


async def reach_to_relabel(conn: Connection) -> list[str]:
    """A project with a model newer than its labels, if there is one."""
    return await _reach(conn, "project_to_relabel()")


async def reach_counting(conn: Connection, most: int) -> list[str]:
    """Projects of the first so many changes of figures."""
    return await _reach(conn, "counting_projects(%s)", most)


async def reach_old_conflicts(conn: Connection, most: int) -> list[str]:
    """Projects of the oldest conflicts that have had their week."""
    return await _reach(conn, "projects_with_old_conflicts(%s)", most)


async def reach_old_generations(conn: Connection) -> list[str]:
    """Projects with ledgers that nobody reads any more."""
    return await _reach(conn, "projects_with_old_generations()")


async def reach_rescoring(conn: Connection, most: int) -> list[str]:
    """Projects of the oldest unfinished walks over all leads."""
    return await _reach(conn, "rescoring_projects(%s)", most)


async def reach_removals(conn: Connection, most: int) -> list[str]:
    """Projects of the leads that were removed first and are not quite gone."""
    return await _reach(conn, "projects_with_removals(%s)", most)


async def reach_erasing(conn: Connection, most: int) -> list[str]:
    """Projects of the people whose erasure is not over."""
    return await _reach(conn, "erasing_projects(%s)", most)


async def reach_retaining(conn: Connection, most: int) -> list[str]:
    """Projects whose events are to be looked through for those that are too old."""
    return await _reach(conn, "retaining_projects(%s)", most)


async def reach_suppressing(conn: Connection) -> list[str]:
    """Projects that keep nothing of some people."""
    return await _reach(conn, "suppressing_projects()")


async def reach_leaving(conn: Connection, most: int) -> list[str]:
    """Projects that were deleted so long ago that nobody can undo it."""
    return await _reach(conn, "leaving_projects(%s)", most)


async def reach_importing(conn: Connection, most: int) -> list[str]:
    """Projects with imports that are not over, in the order of their turns."""
    return await _reach(conn, "importing_projects(%s)", most)


async def reach_old_imports(conn: Connection, most: int) -> list[str]:
    """Projects of the imports that were over first and have had their month."""
    return await _reach(conn, "projects_with_old_imports(%s)", most)


async def reach_to_count(conn: Connection, most: int) -> list[str]:
    """Projects whose leads are to be counted, those that have waited longest first."""
    return await _reach(conn, "projects_to_count(%s)", most)


async def sessions_in_force(conn: Connection, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The sessions, given as (session, project), that run and may read just that project."""
    cursor = await conn.execute(
        "select keeper.sessions_in_force(%s::uuid[], %s::uuid[])",
        ([session for session, _ in pairs], [project for _, project in pairs]),
    )
    return [row[0] for row in await cursor.fetchall()]


async def _reach(
    conn: Connection, question: LiteralString, *values: Any, local: LiteralString = "true"
) -> list[str]:
    cursor = await conn.execute(_ASK.format(question=question, local=local), values)
    row = await cursor.fetchone()
    return [] if row is None else row[0]
