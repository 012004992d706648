"""What a person does about work that failed and events that were kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.domain.errors import Conflict, NotFound
from leadpulse.postgres import failures, maintenance, repairs, scoring
from leadpulse.postgres.session import unit

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.failures import DeadLetter
    from leadpulse.postgres.session import Pool


async def retry_dead_letter(pool: Pool, project_id: str, key: str) -> DeadLetter:
    """Try failed work again: its lead is folded from all its events.

    Raises NotFound, and Conflict when it is settled already.
    """
    async with unit(pool) as (conn, _):
        letter = await _open_letter(conn, project_id, key)
        await failures.settle(conn, project_id, key, "replayed")
        await repairs.allow_tries(conn, project_id, letter.lead_id)
        await _refold(conn, project_id, letter.lead_id)
    return letter


async def discard_dead_letter(pool: Pool, project_id: str, key: str) -> DeadLetter:
    """Give failed work up; the event at fault, if it is known, is kept out of the score.

    `restore_event` takes that back. Raises NotFound and Conflict like `retry_dead_letter`.
    """
    async with unit(pool) as (conn, _):
        letter = await _open_letter(conn, project_id, key)
        await failures.settle(conn, project_id, key, "discarded")
        if letter.event is not None:
            await repairs.exclude_event(conn, project_id, letter.event, excluded=True)
            await repairs.allow_tries(conn, project_id, letter.lead_id)
            await _refold(conn, project_id, letter.lead_id)
    return letter


async def restore_event(pool: Pool, project_id: str, event: str) -> str:
    """Let an excluded event count again; returns its lead. Raises NotFound.

    An event that counts already stays as it is.
    """
    async with unit(pool) as (conn, _):
        lead_id = await repairs.exclude_event(conn, project_id, event, excluded=False)
        if lead_id is None:
            raise NotFound("event", event)
        await _refold(conn, project_id, lead_id)
    return lead_id


async def release_lead(pool: Pool, project_id: str, lead_id: str) -> int:
    """Score the events of a lead that a ceiling held back; returns how many. Raises NotFound."""
    async with unit(pool) as (conn, _):
        await _require_lead(conn, project_id, lead_id)
        return await repairs.release(conn, project_id, lead_id)


async def rebuild_lead(pool: Pool, project_id: str, lead_id: str) -> str:
    """Fold a lead from its first event; returns the survivor that is folded. Raises NotFound."""
    async with unit(pool) as (conn, _):
        await _require_lead(conn, project_id, lead_id)
        return await _refold(conn, project_id, lead_id)


async def rebuild_project(pool: Pool, project_id: str) -> None:
    """Fold every lead of a project from its first event, in the background. Raises NotFound."""
    async with unit(pool) as (conn, _):
        if not await maintenance.start_rebuild(conn, project_id):
            raise NotFound("project", project_id)


async def _refold(conn: Connection, project_id: str, lead_id: str) -> str:
    ((_, root),) = await scoring.roots_of(conn, [(project_id, lead_id)])
    await maintenance.request_refolds(conn, project_id, [root], "rebuild")
    return root


async def _open_letter(conn: Connection, project_id: str, key: str) -> DeadLetter:
    letter = await failures.dead_letter(conn, project_id, key)
    if letter is None:
        raise NotFound("dead letter", key)
    if letter.state != "open":
        raise Conflict(f"This dead letter was {letter.state} already.", "already_settled")
    return letter


async def _require_lead(conn: Connection, project_id: str, lead_id: str) -> None:
    if not await repairs.lead_exists(conn, project_id, lead_id):
        raise NotFound("lead", lead_id)
