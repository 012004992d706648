"""Failed tries of leads: recorded, tried again later, in the end given up as dead letters."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from leadpulse.domain.retry import Failures, delay_after
from leadpulse.ids import uuid7
from leadpulse.postgres import failures as store
from leadpulse.postgres import lead_changes, scoring
from leadpulse.postgres.failures import Failure, GivenUp
from leadpulse.postgres.session import reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.connect import Connection
    from leadpulse.usecases.batch import FoldFailed

LeadKey = tuple[str, str]


async def held(conn: Connection, lead: LeadKey) -> LeadKey:
    """The survivor of a lead, locked: as in a pass, the lead comes before what is known of it."""
    (root,) = await scoring.roots_of(conn, [lead])
    await lead_changes.lock_leads(conn, root[0], [root[1]])
    return root


async def record(conn: Connection, failed: Mapping[LeadKey, FoldFailed]) -> list[GivenUp]:
    """Record one more failed try of locked leads; returns those whose last try it was.

    What is known is read under the lock: a pass may have picked a lead just before another
    scorer's failure of it was committed.
    """
    known = await store.failures_of(conn, list(failed))
    failures: list[Failure] = []
    given_up: list[GivenUp] = []
    for key, error in failed.items():
        attempts = known.get(key, Failures()).attempts + 1
        wait = delay_after(attempts, random.random())  # noqa: S311 - only spreads retries
        failures.append(Failure(*key, 1, 0, 0, wait or 0.0, str(error), error.event))
        if wait is None:
            given_up.append(GivenUp(*key, uuid7(), str(error), attempts, error.event))
    await store.record_failures(conn, failures)
    if given_up:
        await store.give_up(conn, given_up)
    return given_up


async def bury(conn: Connection, lead: LeadKey, error: str, event: str | None = None) -> None:
    """Make a dead letter of a lead that takes down whoever folds it; `event` if it is known."""
    async with conn.transaction():
        await reach(conn, lead[0])
        root = await held(conn, lead)
        known = (await store.failures_of(conn, [root])).get(root, Failures())
        tries = known.attempts + known.crashes + known.solo_crashes
        await store.give_up(conn, [GivenUp(*root, uuid7(), error, tries, event)])
