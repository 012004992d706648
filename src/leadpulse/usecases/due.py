"""Passes that time drives, found by an index and done in sets.

What they write follows from state, model and time alone: a pass that is late, missed or done
twice changes no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.fold import at, next_change
from leadpulse.domain.intelligence import stage_index
from leadpulse.domain.state import state_from_document
from leadpulse.postgres import due as store
from leadpulse.postgres import keeper, maintenance, scored
from leadpulse.postgres.due import Aged
from leadpulse.postgres.models import InForce
from leadpulse.postgres.scored import StageChange, Writes
from leadpulse.postgres.scoring import FIRST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.due import Mislabelled, Relabelling
    from leadpulse.postgres.models import ModelCache

# A pass of a scorer that began before a publish is over by then (it is ended after 20 s).
_PASSES_END: Final = 30_000_000


async def decay_pass(
    conn: Connection,
    models: ModelCache,
    limit: int = 1000,
    tell: Callable[[Sequence[tuple[str, str]]], None] | None = None,
) -> int:
    """Let leads show the decay that fell due; returns how many were looked at.

    `tell` hears, after the commit, which leads people see another score or stage of.
    """
    async with conn.transaction():
        await keeper.reach_due(conn, limit)
        found = await store.due_leads(conn, limit)
        if not found:
            return 0
        known = await models.get_many(
            conn, {InForce(d.project_id, d.newest, d.history) for d in found}
        )
        writes, aged = Writes(), list[Aged]()
        for lead in found:
            labels = known[InForce(lead.project_id, lead.newest, lead.history)].labels
            state = state_from_document(lead.state)
            now = lead.now if state.last is None else max(lead.now, state.last[0])
            score = at(state, now).score
            stage = stage_index(labels.source, score)
            if stage != lead.stage:
                writes.stage_changes.append(
                    StageChange(
                        lead.project_id, lead.id, now, lead.stage, stage, score,
                        labels.version, "decay", None,
                    )
                )  # fmt: skip
            seen = int(score != lead.score or stage != lead.stage)
            aged.append(
                Aged(
                    lead.project_id, lead.id, score, stage, seen, next_change(state, now), now
                )
            )  # fmt: skip
        await store.save_aged(conn, aged)
        await scored.save(conn, writes, found[0].now)
    if tell is not None:
        tell([(lead.project_id, lead.id) for lead in aged if lead.seen])
    return len(found)


class Relabeller:
    """Walks the leads of projects with a new model; remembers where it is, and may forget it."""

    def __init__(self, models: ModelCache) -> None:
        self._models = models
        self._project: str | None = None
        self._version = 0
        self._after = FIRST_ID
        self._began = 0

    async def step(self, conn: Connection, limit: int = 500) -> int:
        """Relabel some leads; returns how many were wrong.

        A scorer at work while a model is published may still write an old label; so a project
        counts as labelled only when a walk began after such passes have ended.
        """
        async with conn.transaction():
            await keeper.reach_to_relabel(conn)
            job = await store.project_to_relabel(conn)
            if job is None:
                self._project = None
                return 0
            key = InForce(job.project_id, job.newest, job.history)
            labels = (await self._models.get_many(conn, [key]))[key].labels
            if (self._project, self._version) != (job.project_id, job.newest):
                self._project, self._version, self._began = job.project_id, job.newest, 0
                self._after = FIRST_ID
            found = await store.mislabelled(
                conn, job.project_id, labels.source.stages, self._after, limit
            )
            await _relabel(conn, job, found, labels.source)
            now = await maintenance.clock(conn)
            self._began = self._began or now
            if len(found) < limit:
                if self._began >= job.published_at + _PASSES_END:
                    await store.labelled(conn, job.project_id, job.newest)
                self._project = None
            else:
                self._after = found[-1].id
        return len(found)


async def _relabel(
    conn: Connection, job: Relabelling, found: Sequence[Mislabelled], labels: ScoringModel
) -> None:
    writes, stages = Writes(), list[tuple[str, str, int]]()
    for lead in found:
        stage = stage_index(labels, lead.score)
        if stage == lead.stage:
            continue
        stages.append((lead.project_id, lead.id, stage))
        writes.stage_changes.append(
            StageChange(
                lead.project_id, lead.id, lead.now, lead.stage, stage, lead.score,
                job.newest, "model", None,
            )
        )  # fmt: skip
    if stages:
        await store.save_labels(conn, stages)
        await scored.save(conn, writes, found[0].now)
