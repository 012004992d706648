"""Why a lead has the score that it has, at any instant: now, back then, or later if it is idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.explanation import CapWatch, Explanation, Shares, explain, has_caps
from leadpulse.domain.facts import DAY
from leadpulse.domain.state import State
from leadpulse.postgres import explaining
from leadpulse.postgres import facts as fact_store
from leadpulse.postgres.history_read import LedgerOf
from leadpulse.postgres.session import snapshot
from leadpulse.usecases.reading import found_lead, instant_for, labels, state_of

if TYPE_CHECKING:
    from leadpulse.domain.compiled import Models
    from leadpulse.domain.model import Rule
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.explaining import Place
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

# How far ahead decay is told.
FURTHEST: Final = 365 * DAY
# What caps cut isn't written down: it is found by folding the newest so many entries again.
LOOKED_THROUGH: Final = 10_000
_PORTION: Final = 500


class Explained(NamedTuple):
    """An explanation, made at `as_of` (µs) by the newest model.

    `rules` are as they are now, or as they were when they gave last. `cuts_since` is the instant
    from which on cuts by caps are told; None: from the beginning.
    """

    lead_id: str
    told: Explanation
    rules: dict[str, Rule]
    model_version: int
    as_of: int
    cuts_since: int | None


class _Found(NamedTuple):
    """What the ledger up to an instant comes to."""

    shares: Shares
    watch: CapWatch
    since: int | None


async def lead_explanation(
    pool: Pool, cache: ModelCache, lead: tuple[str, str], when: int | None
) -> Explained:
    """Explains the score of a lead (project, id) at an instant (µs), by default now.

    It is the score by what is known now: a late event counts from when it happened. Raises
    NotFound, and Invalid for an instant too far ahead.
    """
    async with snapshot(pool, lead[0]) as (connection, now):
        if when is not None and when > now + FURTHEST:
            raise Invalid([FieldError("at", "must be at most 365 days ahead")])
        row = await found_lead(connection, *lead, now)
        newest = await labels(connection, cache, lead[0])
        state = state_of(row)
        t = instant_for(state, now) if when is None else when
        ledger = LedgerOf(lead[0], row.id, row.generation)
        place = await explaining.last_fact(connection, ledger, t)
        if place is None:
            found = _Found(Shares(), CapWatch(State(), newest), None)
        else:
            found = await _found(connection, cache, ledger, place)
        cuts = found.watch.cuts
        told = explain(found.shares, found.watch.state, cuts, newest.labels.source, t)
    rules = _rules(newest, found.watch.models, told)
    return Explained(row.id, told, rules, newest.newest, now, found.since)


async def _found(
    connection: Connection, cache: ModelCache, ledger: LedgerOf, upto: Place
) -> _Found:
    shares, versions = await explaining.sums(connection, ledger, upto)
    newest = await labels(connection, cache, ledger.project_id)
    # As the ledger was folded: a rescore may be under way.
    epoch = await explaining.epoch_of(connection, ledger.project_id, ledger.lead_id)
    models = await cache.get(
        connection, ledger.project_id, newest.newest, epoch, versions_needed=versions
    )
    start, since = State(), None
    if not has_caps(models):
        start = await explaining.checkpoint(connection, ledger, upto, 0) or start
    elif upto[1] > LOOKED_THROUGH:
        least = upto[1] - LOOKED_THROUGH
        known = await explaining.checkpoint(connection, ledger, upto, least)
        start = known or await explaining.checkpoint(connection, ledger, upto, 0) or start
        since = start.last[0] if start.last else None
    watch = CapWatch(start, models)
    after = (start.last[0], start.entries) if start.last else (0, 0)
    while True:
        facts, after = await explaining.facts_between(connection, ledger, (after, upto), _PORTION)
        await fact_store.with_properties(connection, [(ledger.project_id, facts)], lambda _: models)
        watch.watch(facts)
        if len(facts) < _PORTION:
            return _Found(shares, watch, since)


def _rules(newest: Models, models: Models, told: Explanation) -> dict[str, Rule]:
    """The rules that it is about, by id; one that is gone as it was last."""
    known = {rule.id: rule for rule in newest.labels.source.rules}
    for _, model in sorted(models.versions.items(), reverse=True):
        for rule in model.source.rules:
            known.setdefault(rule.id, rule)
    return {part.share.rule: known[part.share.rule] for part in told.rules}
