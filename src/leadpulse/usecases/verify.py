"""Verify: every stored score and ledger held against a fold of the raw events.

Read only, in bounded batches, each under one snapshot; runs beside a working installation.
A lead for which work still waits is pending, not wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leadpulse.domain.compiled import Models
from leadpulse.domain.errors import Overloaded
from leadpulse.domain.facts import Fact
from leadpulse.domain.fold import Entry, at, fold
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres import verifying
from leadpulse.postgres.models import load_models
from leadpulse.postgres.session import Pool, snapshot
from leadpulse.postgres.verifying import StoredLead

BATCH: Final = 200
NAMED_AT_MOST: Final = 1_000
# A check of everything may take its time, but not for ever (ms).
STATEMENT_LIMIT: Final = 600_000
# Checks that callers wait for, by project.
_AT_ONCE: Final = 2
_under_way: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class Difference:
    """A lead whose stored state is not what its events give, and the first thing that differs."""

    lead_id: str | None
    what: str


@dataclass(slots=True)
class VerifyReport:
    """What was found. `pending`: leads with waiting work; `failed`: open dead letters."""

    leads_checked: int = 0
    events_checked: int = 0
    pending: int = 0
    failed: int = 0
    differing_count: int = 0
    differing: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if nothing differs and nothing failed; waiting work is no fault."""
        return not self.differing_count and not self.failed

    def differs(self, difference: Difference) -> None:
        """Counts a difference; the first thousand are named."""
        self.differing_count += 1
        if len(self.differing) < NAMED_AT_MOST:
            self.differing.append(difference)


def difference(
    lead: StoredLead, facts: Sequence[Fact], ledger: Sequence[Entry], models: Models
) -> str | None:
    """The first thing in which a stored lead is not the fold of its facts; None if none.

    The score is compared at the lead's own `as_of`, exactly: nothing is rounded on the way.
    """
    folded = fold(State(), facts, models)
    wrong = _ledger_difference(folded.entries, ledger)
    if wrong is not None:
        return wrong
    if lead.entries != len(ledger):
        return f"counts {lead.entries} ledger entries, there are {len(ledger)}"
    last = folded.state.last
    score = at(folded.state, max(lead.as_of, last[0]) if last else lead.as_of).score
    if lead.score != score:
        return f"score is {lead.score!r}, the events give {score!r}"
    if lead.last_event_at != folded.state.last_act:
        return f"last act is {lead.last_event_at}, the events give {folded.state.last_act}"
    stored = state_from_document(lead.state)
    return None if stored == folded.state else "the fold's stored state differs"


def _ledger_difference(made: Sequence[Entry], stored: Sequence[Entry]) -> str | None:
    for right, found in zip(made, stored, strict=False):
        for name, expected, value in zip(Entry._fields, right, found, strict=True):
            if expected != value:
                return (
                    f"ledger entry {right.entry} ({right.event}): {name} is {value!r}, "
                    f"the events give {expected!r}"
                )
    if len(made) != len(stored):
        return f"{len(stored)} ledger entries, the events give {len(made)}"
    return None


def _differences(
    leads: Sequence[StoredLead],
    facts: Mapping[str, Sequence[Fact]],
    ledgers: Mapping[str, Sequence[Entry]],
    models: Models,
) -> list[Difference]:
    told = ((lead.id, difference(lead, facts[lead.id], ledgers[lead.id], models)) for lead in leads)
    return [Difference(lead_id, what) for lead_id, what in told if what is not None]


async def verify_within(pool: Pool, project_id: str, seconds: float) -> VerifyReport:
    """The same for a caller who waits; raises Overloaded when it takes longer than that.

    One check of a project at a time, and few at once, so that they don't take all connections.
    """
    if project_id in _under_way or len(_under_way) >= _AT_ONCE:
        raise Overloaded("Another check is under way.", 10)
    _under_way.add(project_id)
    try:
        async with asyncio.timeout(seconds):
            return await verify_project(pool, project_id)
    except TimeoutError:
        raise Overloaded(
            f"A check of this project takes longer than {seconds:.0f} s, which is the most for a "
            "call. `leadpulse verify` takes its time.",
            retry_after=60,
        ) from None
    finally:
        _under_way.discard(project_id)


async def verify_project(
    pool: Pool,
    project_id: str,
    progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Checks every lead of a project; `progress` is told how many were looked at since.

    Raises NotFound for an unknown project.
    """
    report = VerifyReport()
    after: str | None = None
    while True:
        async with snapshot(pool, project_id, STATEMENT_LIMIT) as (connection, _):
            models = await load_models(connection, project_id)
            leads = await verifying.leads_after(connection, project_id, after, BATCH)
            settled = [lead for lead in leads if not lead.pending]
            ids = [lead.id for lead in settled]
            facts = await verifying.facts_of(connection, project_id, ids)
            ledgers = await verifying.ledgers_of(connection, project_id, ids)
        report.leads_checked += len(leads)
        report.pending += len(leads) - len(settled)
        report.events_checked += sum(map(len, facts.values()))
        # Beside the loop, which has events to answer meanwhile.
        for found in await asyncio.to_thread(_differences, settled, facts, ledgers, models):
            report.differs(found)
        if progress is not None:
            progress(len(leads))
        if len(leads) < BATCH:
            break
        after = leads[-1].id
    async with snapshot(pool, project_id, STATEMENT_LIMIT) as (connection, _):
        _, report.failed = await verifying.waiting_and_failed(connection, project_id)
        strays = await verifying.stray_events(connection, project_id)
    if strays:
        report.differs(Difference(None, f"{strays} events belong to no lead"))
    return report
