"""Imports of leads, portion by portion: each a transaction that also notes how far it came.

So a process that dies leaves nothing half done: whoever goes on begins with the row behind the
last one that is done. A portion that fails for no fault of its rows goes row by row then, and a
row that fails alone is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from leadpulse.domain.facts import PROFILE
from leadpulse.domain.lead_change import LeadChange
from leadpulse.domain.lead_file import names_in
from leadpulse.domain.profile import Source
from leadpulse.postgres import identity, keeper, lead_changes, profiles, test_marks
from leadpulse.postgres import lead_imports as store
from leadpulse.postgres.lead_imports import Import, Rejection, Step, StoredRow
from leadpulse.postgres.session import is_outage, reach
from leadpulse.usecases import lead_rows
from leadpulse.usecases.inside import Saying, own_events
from leadpulse.usecases.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.domain.identity import Named
    from leadpulse.postgres.connect import Connection

_log = structlog.get_logger("leadpulse.imports")

# While one is taken in, events that link people wait.
PORTION: Final = 100
_AMONG: Final = 20
_FORGOTTEN_AT_ONCE: Final = 5_000
# So often may a portion fail before an import is given up.
MOST_STUMBLES: Final = 20
_OUR_FAULT: Final = "This row could not be imported because of an error of ours."
_NOT_REACHED: Final = "The import was given up before this row."
_GIVEN_UP: Final = "The import was given up after too many errors of ours; see the rejected rows."


class _Item(NamedTuple):
    """A row and the change that it asks for."""

    row: StoredRow
    change: LeadChange


class _Made(NamedTuple):
    """A row, the person whom it is about, and whether he is new."""

    item: _Item
    root: str
    created: bool


class _Lost(Exception):
    """Somebody was faster: these rows are about different people by now."""

    def __init__(self, rows: set[str]) -> None:
        super().__init__()
        self.rows = rows


async def import_pass(conn: Connection, limit: int = PORTION) -> int:
    """Goes on with the import whose turn it is; returns how many rows it looked at, or 1."""
    job: Import | None = None
    try:
        async with conn.transaction():
            job = await _next(conn)
            return 0 if job is None else await _go_on(conn, job, limit)
    except Exception as error:
        if job is None or is_outage(error):
            raise
        _log.exception("a portion of an import failed", import_id=job.id)
        async with conn.transaction():
            await reach(conn, job.project_id)
            await _stumble(conn, job, limit)
    return 1


async def forget_pass(conn: Connection) -> int:
    """Forgets imports that were over a month ago, with their rejected rows."""
    async with conn.transaction():
        for project_id in await keeper.reach_old_imports(conn, _AMONG):
            gone = await store.forget_some(conn, project_id, _FORGOTTEN_AT_ONCE)
            if gone:
                return gone
    return 0


async def _next(conn: Connection) -> Import | None:
    for project_id in await keeper.reach_importing(conn, _AMONG):
        job = await store.hold_next(conn, project_id)
        if job is not None:
            await reach(conn, project_id)
            return job
    return None


async def _stumble(conn: Connection, job: Import, limit: int) -> None:
    if not await store.stands(conn, job):
        return
    await identity.lock_identities(conn, [job.project_id])
    if job.stumbles + 1 >= MOST_STUMBLES:
        await store.give_up(conn, job, _NOT_REACHED)
        await store.finish(conn, job, "failed", _GIVEN_UP)
        return
    await store.stumble(conn, job, limit)
    if job.careful:
        rows = await store.next_rows(conn, job, 1)
        out = [Rejection(row.id, _OUR_FAULT) for row in rows]
        await store.settle(conn, job, Step(rows[-1].id, 0, 0, len(out)), (out, ()))


async def _go_on(conn: Connection, job: Import, limit: int) -> int:
    # Before the rows: an erasure under way has suppressed its person by then.
    await identity.lock_identities(conn, [job.project_id])
    rows = await store.next_rows(conn, job, 1 if job.careful else limit)
    if not rows:
        await store.finish(conn, job, "done")
        return 1
    items, rejections = await _read(conn, job, rows)
    made = await _make(conn, job, items, rejections) if items else []
    created = sum(one.created for one in made)
    step = Step(rows[-1].id, created, len(made) - created, len(rejections))
    await store.settle(conn, job, step, (rejections, [one.item.row.id for one in made]))
    return len(rows)


async def _read(
    conn: Connection, job: Import, rows: Sequence[StoredRow]
) -> tuple[list[_Item], list[Rejection]]:
    """What rows ask for, and those that ask for nothing that can be done."""
    around = await lead_rows.circumstances(conn, job.project_id)
    named = [names_in(job.columns, row.cells) for row in rows]
    gone = await lead_rows.erased(conn, job.project_id, around.digest_key, named)
    items: list[_Item] = []
    rejections: list[Rejection] = []
    for n, row in enumerate(rows):
        if n in gone:
            rejections.append(Rejection(row.id, lead_rows.ERASED, keep=False))
            continue
        said = row.problem or lead_rows.read(job.columns, row.cells, around.owners)
        if isinstance(said, str):
            rejections.append(Rejection(row.id, said))
        else:
            items.append(_Item(row, said))
    return items, rejections


async def _make(
    conn: Connection, job: Import, items: list[_Item], rejections: list[Rejection]
) -> list[_Made]:
    """Makes and completes leads; rows that name several people are rejected instead."""
    now = await lead_changes.clock(conn)
    while items:
        named = lead_rows.all_named(job.project_id, [item.change for item in items], now)
        graph = await lead_rows.known(conn, job.project_id, named)
        foreseen = lead_rows.foresee(graph, named)
        lost = {item.row.id for item, one in zip(items, foreseen, strict=True) if not one.agrees}
        try:
            if lost:
                raise _Lost(lost)  # noqa: TRY301 - as if somebody had been faster
            async with conn.transaction():
                found = await _find(conn, job, items, named)
        except _Lost as error:
            rejections += [Rejection(row, lead_rows.DIFFERENT) for row in sorted(error.rows)]
            items = [item for item in items if item.row.id not in error.rows]
            continue
        await _state(conn, job, found)
        return found
    return []


async def _find(
    conn: Connection, job: Import, items: Sequence[_Item], named: Sequence[Named]
) -> list[_Made]:
    """The person of each row, made where nobody has its names. Raises _Lost."""
    now = await lead_changes.clock(conn)
    resolved = await resolve(conn, now, named)
    graph = await lead_rows.known(conn, job.project_id, named)
    lost = {
        item.row.id
        for item, name, one in zip(items, named, resolved, strict=True)
        if one.error is not None or not lead_rows.agrees(graph, name, one.lead_id)
    }
    if lost:
        raise _Lost(lost)
    return [
        _Made(item, graph.root(one.lead_id), one.created)
        for item, one in zip(items, resolved, strict=True)
    ]


async def _state(conn: Connection, job: Import, made: Sequence[_Made]) -> None:
    """Stores what rows say as facts of this moment, in the order of the file, and shows it."""
    project_id = job.project_id
    roots = sorted({one.root for one in made})
    await lead_changes.lock_leads(conn, project_id, roots)
    # After the lock: no earlier pass has seen a later time.
    now = await lead_changes.clock(conn)
    said = [
        (one.root, Saying(PROFILE, job.made_by, traits=dict(one.item.change.facts))) for one in made
    ]
    events = await own_events(conn, project_id, said, now)
    await lead_changes.insert_events(conn, events, now)
    items = [
        profiles.Said(
            project_id, event.lead_id, event.lead_id,
            Source(now, event.event_id, confirmed=True), event.traits, inside=True,
        )
        for event in events
    ]  # fmt: skip
    changed = await profiles.apply_traits(conn, now, items, job.made_by)
    await test_marks.make_real(conn, project_id, roots)
    if changed:
        await lead_changes.count_changes(conn, project_id, sorted(root for _, root in changed), now)
    fresh = [(project_id, one.root) for one in made if one.created]
    await identity.ask_refold(conn, now, fresh, "rebuild")
