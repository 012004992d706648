"""What a person does about work that failed and events that were kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.domain.errors import Conflict, NotFound
from leadpulse.postgres import failures, identity, lead_changes, maintenance, repairs
from leadpulse.postgres.session import unit
from leadpulse.usecases import audit

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.failures import DeadLetter
    from leadpulse.postgres.session import Pool


async def retry_dead_letter(pool: Pool, project_id: str, key: str) -> DeadLetter:
    """Try failed work again: its lead is folded from all its events.

    Raises NotFound, and Conflict when it is settled already.
    """
    async with unit(pool, project_id) as (conn, _):
        letter, root = await _open_letter(conn, project_id, key)
        await failures.settle(conn, project_id, key, "replayed")
        await repairs.allow_tries(conn, project_id, letter.lead_id)
        await _refold(conn, project_id, root)
        await audit.record(conn, project_id, "failure.replayed", f"failure:{key}")
    return letter


async def discard_dead_letter(pool: Pool, project_id: str, key: str) -> DeadLetter:
    """Give failed work up; the event at fault, if it is known, is kept out of the score.

    `restore_event` takes that back. Raises NotFound and Conflict like `retry_dead_letter`.
    """
    async with unit(pool, project_id) as (conn, _):
        letter, root = await _open_letter(conn, project_id, key)
        await failures.settle(conn, project_id, key, "discarded")
        if letter.event is not None:
            await repairs.exclude_event(conn, project_id, letter.event, excluded=True)
            await repairs.allow_tries(conn, project_id, letter.lead_id)
            await _refold(conn, project_id, root)
        said = {"event": letter.event}
        await audit.record(conn, project_id, "failure.discarded", f"failure:{key}", said)
    return letter


async def restore_event(pool: Pool, project_id: str, event: str) -> str:
    """Let an excluded event count again; returns its lead. Raises NotFound.

    An event that counts already stays as it is.
    """
    async with unit(pool, project_id) as (conn, _):
        lead_id = await repairs.lead_of_event(conn, project_id, event)
        if lead_id is None:
            raise NotFound("event", event)
        root = await _hold(conn, project_id, lead_id)
        await repairs.exclude_event(conn, project_id, event, excluded=False)
        await repairs.requeue(conn, project_id, event)
        await _refold(conn, project_id, root)
        await audit.record(conn, project_id, "event.restored", f"event:{event}")
    return lead_id


async def release_lead(pool: Pool, project_id: str, lead_id: str) -> int:
    """Score what a ceiling held back of a lead and all that merged with it; returns how many.

    Raises NotFound.
    """
    async with unit(pool, project_id) as (conn, _):
        root = await _hold(conn, project_id, lead_id)
        released = await repairs.release(conn, project_id, root)
        said = {"events": released}
        await audit.record(conn, project_id, "lead.released", f"lead:{root}", said)
    return released


async def rebuild_lead(pool: Pool, project_id: str, lead_id: str) -> str:
    """Fold a lead from its first event; returns the survivor that is folded. Raises NotFound."""
    async with unit(pool, project_id) as (conn, _):
        root = await _hold(conn, project_id, lead_id)
        await _refold(conn, project_id, root)
        await audit.record(conn, project_id, "lead.rebuilt", f"lead:{root}")
    return root


async def rebuild_project(pool: Pool, project_id: str) -> None:
    """Fold every lead of a project from its first event, in the background. Raises NotFound."""
    async with unit(pool, project_id) as (conn, _):
        if not await maintenance.start_rebuild(conn, project_id):
            raise NotFound("project", project_id)
        await audit.record(conn, project_id, "project.rebuilt")


async def _refold(conn: Connection, project_id: str, root: str) -> None:
    await maintenance.request_refolds(conn, project_id, [root], "rebuild")


async def _hold(conn: Connection, project_id: str, lead_id: str) -> str:
    """The survivor of a lead, held until the end: nobody folds or removes it meanwhile."""
    root = await identity.resolve_lead(conn, project_id, lead_id)
    if root is None or not await lead_changes.lock_leads(conn, project_id, [root]):
        raise NotFound("lead", lead_id)
    return root


async def _open_letter(conn: Connection, project_id: str, key: str) -> tuple[DeadLetter, str]:
    """An open dead letter and the survivor of its lead, both held. The lead comes first."""
    lead_id = await repairs.lead_of_letter(conn, project_id, key)
    if lead_id is None:
        raise NotFound("dead letter", key)
    root = await _hold(conn, project_id, lead_id)
    letter = await failures.dead_letter(conn, project_id, key)
    if letter is None:
        raise NotFound("dead letter", key)
    if letter.state != "open":
        raise Conflict(f"This dead letter was {letter.state} already.", "already_settled")
    return letter, root
