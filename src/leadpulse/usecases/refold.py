"""Folds longer than one pass: a chunk at a time into a shadow, swapped in at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.fold import Folded, at, fold, next_change
from leadpulse.domain.intelligence import stage_index
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres import facts as facts_store
from leadpulse.postgres import failures as failures_store
from leadpulse.postgres import identity, keeper, lead_changes, refolds, scored
from leadpulse.postgres.models import InForce
from leadpulse.postgres.scored import LeadUpdate, Revision, StageChange, Writes
from leadpulse.postgres.session import reach
from leadpulse.usecases import setbacks
from leadpulse.usecases.batch import LONGEST_FOLD, FoldFailed, drop_ledger
from leadpulse.usecases.score import Desk, PassResult

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.domain.facts import Fact
    from leadpulse.postgres.refolds import Refold

# Of the oldest long folds, so many are looked at for one that nobody is at.
_AMONG: Final = 20


async def refold_pass(desk: Desk) -> PassResult:
    """Fold one more chunk of the oldest long fold that nobody is at.

    New events of its lead wait in the inbox meanwhile; those that the fold met already are
    recognised there afterwards.
    """
    found: Refold | None = None
    try:
        async with desk.conn.transaction():
            await keeper.reach_refolding(desk.conn, _AMONG)
            found = await refolds.next_refold(desk.conn, _AMONG)
            if found is None:
                return PassResult()
            await _go_on(desk, found)
    except Exception as error:
        if desk.claims is not None:
            desk.claims.end()
        if found is None or failures_store.fault_of(error) == "database":
            raise
        return await _put_aside(desk, found, error)
    if desk.claims is not None:
        desk.claims.end()
    return PassResult(leads=1, changed=[(found.project_id, found.lead_id)])


async def _go_on(desk: Desk, found: Refold) -> None:
    key = InForce(found.project_id, found.newest, found.history)
    writes = Writes()
    if found.merged or found.shadow_epoch != found.history:
        # The survivor folds these facts now, or the lead itself anew, or another model does.
        drop_ledger(*_shadow(found), found.shadow_entries, writes)
        await refolds.finish(desk.conn, found)
        if not found.merged:
            again = (found.project_id, found.lead_id, found.shadow + 1, found.history)
            await refolds.start(desk.conn, [again])
        await scored.save(desk.conn, writes, found.now)
        return
    if desk.claims is not None:
        desk.claims.begin([(found.project_id, found.lead_id)], alone=True)
    models = (await desk.models.get_many(desk.conn, [key]))[key]
    state = state_from_document(found.shadow_state)
    facts, more = await _chunk(desk, found, state, models)
    folded = _fold(desk, facts, state, models)
    writes.entries.append((*_shadow(found), folded.entries))
    writes.older += await refolds.older_ledgers(desk.conn, found)
    for checkpoint in folded.checkpoints:
        writes.checkpoints.append((*_shadow(found), checkpoint))
    if more:
        await refolds.advance(desk.conn, found, folded.state)
    else:
        _swap(found, folded.state, models, writes)
        await refolds.finish(desk.conn, found)
        tree = await identity.members(desk.conn, found.project_id, found.lead_id)
        settled = [(found.project_id, lead_id) for lead_id in tree]
        await failures_store.forget_failures(desk.conn, settled)
        await failures_store.settle_dead_letters(desk.conn, settled)
    if not folded.entries:
        writes.entries.clear()
    await scored.save(desk.conn, writes, found.now)


def _shadow(found: Refold) -> tuple[str, str, int]:
    return (found.project_id, found.lead_id, found.shadow)


async def _chunk(
    desk: Desk, found: Refold, state: State, models: Models
) -> tuple[list[Fact], bool]:
    """The next facts behind the state, and whether there are more."""
    last = state.last
    wanted = facts_store.Wanted(
        found.project_id,
        found.lead_id,
        last[0] if last else 0,
        found.newest,
        LONGEST_FOLD + 2,
        last[1] if last else "",
    )
    ((*loaded,),) = await facts_store.load_facts(desk.conn, [wanted])
    facts = [fact for fact in loaded if last is None or fact[:3] > last][:LONGEST_FOLD]
    more = len(loaded) > LONGEST_FOLD
    await facts_store.with_properties(desk.conn, [(found.project_id, facts)], lambda _: models)
    return facts, more


def _fold(desk: Desk, facts: list[Fact], state: State, models: Models) -> Folded:
    seen: list[Fact] = []

    def watch(fact: Fact) -> None:
        seen[:] = [fact]
        if desk.progress is not None:
            desk.progress(fact)

    try:
        return fold(state, facts, models, watch)
    except Exception as error:
        raise FoldFailed(error, seen[0].id if seen else None) from error


def _swap(found: Refold, state: State, models: Models, writes: Writes) -> None:
    """Let readers see the shadow, and record what they see change."""
    now = found.now if state.last is None else max(found.now, state.last[0])
    labels = models.labels
    project_id, lead_id = found.project_id, found.lead_id
    cause = "model" if found.epoch < found.shadow_epoch else "rebuild"
    before = at(state_from_document(found.state), now).score
    after = at(state, now).score
    stage = stage_index(labels.source, after)
    if before != after:
        writes.revisions.append(Revision(project_id, lead_id, now, cause, None, before, after))
    if stage != found.stage:
        writes.stage_changes.append(
            StageChange(
                project_id, lead_id, now, found.stage, stage, after, labels.version,
                cause, None,
            )
        )  # fmt: skip
    drop_ledger(project_id, lead_id, found.generation, found.entries, writes)
    writes.leads.append(
        LeadUpdate(
            project_id, lead_id, after, stage, int(after != found.score or stage != found.stage),
            next_change(state, now), now, found.shadow, state, found.shadow_epoch, 0, None,
        )
    )  # fmt: skip


async def _put_aside(desk: Desk, found: Refold, error: Exception) -> PassResult:
    key = (found.project_id, found.lead_id)
    failed = error if isinstance(error, FoldFailed) else FoldFailed(error, None)
    async with desk.conn.transaction():
        await reach(desk.conn, found.project_id)
        await lead_changes.lock_leads(desk.conn, found.project_id, [found.lead_id])
        now = await refolds.read_again(desk.conn, found)
        if now is None or now.merged:
            return PassResult()
        if await setbacks.record(desk.conn, {key: failed}):
            writes = Writes()
            drop_ledger(*_shadow(now), now.shadow_entries, writes)
            await refolds.finish(desk.conn, now)
            await scored.save(desk.conn, writes, now.now)
    return PassResult(failed={key: str(failed)})
