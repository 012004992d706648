"""The loop of a scorer process: a pass, and at once the next while there is work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from leadpulse.ids import uuid7
from leadpulse.logging import get_logger
from leadpulse.postgres import maintenance, refolds, scoring
from leadpulse.postgres.connect import Connection, connect
from leadpulse.postgres.failures import DatabaseError
from leadpulse.postgres.maintenance import Sign
from leadpulse.postgres.models import ModelCache
from leadpulse.postgres.plans import Plans
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.hints import Teller
from leadpulse.usecases.refold import refold_pass
from leadpulse.usecases.score import (
    Desk,
    NearlyEverythingFails,
    PassResult,
    score_leads,
    score_pass,
)
from leadpulse.worker.alone import fold_in_child
from leadpulse.worker.counters import Counters, Status
from leadpulse.worker.marks import ClaimMark, Mark, status_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from leadpulse.domain.retry import Treatment
    from leadpulse.usecases.score import LeadKey

_log = get_logger("leadpulse.scorer")

# Between passes that found nothing: short at first, so that a quiet system answers fast.
_SHORTEST: Final = 0.002
# After a pass that was not half full a scorer rests three times as long as it took, at most so
# long (s): what comes meanwhile shares one pass, which costs hardly more.
_LONGEST_REST: Final = 0.04
_LONGEST: Final = 0.05
_LENGTHEN: Final = 1.3
_RECONNECT_AFTER: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
# While nearly everything fails.
_STOPPED_FOR: Final = 5.0
_PROBE_ROWS: Final = 20

_GROUP: Final = 10
_SPECIAL_AT_ONCE: Final = 200
_SIGN_EVERY: Final = 5.0
_STATUS_EVERY: Final = 1.0
_LOOK_FOR_LONG_FOLDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class ScorerOptions:
    """How a scorer works.

    `marks` is the directory of its files, `child` begins a command line that folds one lead
    (see worker.__main__).
    """

    dsn: str
    marks: Path
    child: Sequence[str]
    index: int = 0
    of: int = 1
    rows: int = 1000
    leads_per_second: int = 0
    stopped_for: float = _STOPPED_FOR


@dataclass(slots=True)
class Scorer:
    """One scorer: one connection, one pass at a time."""

    options: ScorerOptions
    models: ModelCache = field(default_factory=ModelCache)
    counters: Counters = field(default_factory=Counters)
    teller: Teller | None = None
    _rotation: Rotation = field(default_factory=Rotation)
    _children: dict[LeadKey, asyncio.Task[None]] = field(default_factory=dict)
    _id: str = field(default_factory=uuid7)
    _signed: float = 0.0
    _looked: float = 0.0
    _away: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """Score until told to stop; finishes the pass it is at. Outlives the database's absence."""
        claims = ClaimMark(self.options.marks / f"claim-{self.options.index}")
        reporting = asyncio.create_task(self._report(stop))
        attempt = 0
        try:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    await self._serve(claims, stop)
                except (DatabaseError, OSError, TimeoutError) as error:
                    claims.end()
                    attempt = 0 if time.monotonic() - began > 5 else attempt + 1
                    if not self._away:
                        _log.warning("database_away", error=error)
                        self._away = True
                    pause = _RECONNECT_AFTER[min(attempt, len(_RECONNECT_AFTER) - 1)]
                    await _wait(stop, pause)
        finally:
            for task in self._children.values():
                task.cancel()
            await asyncio.gather(*self._children.values(), return_exceptions=True)
            reporting.cancel()

    async def _serve(self, claims: ClaimMark, stop: asyncio.Event) -> None:
        conn = await connect(self.options.dsn, "scorer")
        try:
            started_at = await maintenance.clock(conn)
            if self._away:
                _log.info("database_back")
                self._away = False
            await scoring.prepare_session(conn)
            share = scoring.Share(self.options.index % self.options.of, self.options.of)
            desk = Desk(conn, self.models, claims, share=share)
            pause, plans = _SHORTEST, Plans()
            while not stop.is_set():
                await self._sign(conn, started_at)
                await plans.renew(conn)
                began = time.monotonic()
                result = await self._step(desk)
                took = time.monotonic() - began
                self._count(result, took)
                if self.counters.state == "stopped":
                    await _wait(stop, self.options.stopped_for)
                elif result.idle:
                    await _wait(stop, pause)
                    pause = min(_LONGEST, pause * _LENGTHEN)
                else:
                    pause = _SHORTEST
                    await self._hold_back(result, took, stop)
                    if result.events < self.options.rows // 2:
                        await _wait(stop, min(_LONGEST_REST, 3 * took))
            await maintenance.say_goodbye(conn, self._id)
        finally:
            await conn.close()

    async def _step(self, desk: Desk) -> PassResult:
        """One pass, what it found to be special, and a chunk of a long fold if there is one."""
        stopped = self.counters.state == "stopped"
        try:
            result = await score_pass(
                desk, self._rotation, _PROBE_ROWS if stopped else self._rows()
            )
            if result.special:
                result.add(await self._special(desk, result.special))
            now = time.monotonic()
            if now - self._looked >= _LOOK_FOR_LONG_FOLDS:
                if await refolds.any_waiting(desk.conn):
                    result.add(await refold_pass(desk))
                else:
                    self._looked = now
        except NearlyEverythingFails as error:
            if not stopped:
                _log.error("scoring_stopped", reason=str(error))
            self.counters.state, self.counters.detail = "stopped", str(error)
            self._signed = 0.0
            return PassResult()
        if stopped and (result.leads or not result.failed):
            _log.info("scoring_goes_on")
            self.counters.state, self.counters.detail = "scoring", None
            self._signed = 0.0
        return result

    def _rows(self) -> int:
        ceiling = self.options.leads_per_second
        return min(self.options.rows, max(1, ceiling // 4)) if ceiling else self.options.rows

    async def _hold_back(self, result: PassResult, took: float, stop: asyncio.Event) -> None:
        if self.options.leads_per_second:
            await _wait(stop, result.leads / self.options.leads_per_second - took)

    async def _special(self, desk: Desk, leads: dict[LeadKey, Treatment]) -> PassResult:
        """Try leads that were there when a scorer died: in groups, alone, or in a child."""
        total = PassResult()
        kinds: dict[str, list[LeadKey]] = {}
        for lead, how in list(leads.items())[:_SPECIAL_AT_ONCE]:
            kinds.setdefault(how, []).append(lead)
        group = kinds.get("group", [])
        for start in range(0, len(group), _GROUP):
            total.add(await score_leads(desk, group[start : start + _GROUP], ("normal", "group")))
        for lead in kinds.get("alone", []):
            total.add(await score_leads(desk, [lead], ("normal", "group", "alone")))
        # Two scorers may die of it before the first death is known. A child may die too, but it
        # tells of which event.
        for lead in kinds.get("child", []) + kinds.get("dead", []):
            if lead not in self._children:
                self._children[lead] = asyncio.create_task(self._child(lead))
        total.special.clear()
        return total

    async def _child(self, lead: LeadKey) -> None:
        try:
            await fold_in_child(self.options.child, self.options.marks, self.options.dsn, lead)
        except (DatabaseError, OSError) as error:
            _log.warning("child_not_run", error=error)
        finally:
            del self._children[lead]

    def _count(self, result: PassResult, took: float) -> None:
        self.counters.note(result, took)
        if self.teller is not None:
            self.teller.told_of(result.scored, result.changed)
        for (project_id, lead_id), error in result.failed.items():
            _log.warning("lead_failed", project=project_id, lead=lead_id, error=error)

    async def _sign(self, conn: Connection, started_at: int) -> None:
        now = time.monotonic()
        if now - self._signed < _SIGN_EVERY and self._signed:
            return
        self._signed = now
        sign = Sign(
            self._id, socket.gethostname(), os.getpid(), started_at, self.counters.state,
            self.counters.detail,
        )  # fmt: skip
        await maintenance.sign_of_life(conn, sign)

    async def _report(self, stop: asyncio.Event) -> None:
        """Let the parent see the counters, for health and metrics."""
        mark = Mark(status_file(self.options.marks, self.options.index))
        try:
            while not stop.is_set():
                mark.write(Status(self.counters, time.time()).document())
                await asyncio.sleep(_STATUS_EVERY)
        finally:
            mark.close()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    if seconds <= 0:
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
