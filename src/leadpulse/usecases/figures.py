"""How many leads a project has, of what kind: told at the same cost for a million as for ten.

A small project is counted by whoever asks. A large one is counted beside the scorers, again and
again in a small share of the time, and what was counted last is told. Once an hour every project
is counted for comparison.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.facts import DAY, SECOND
from leadpulse.postgres import figures as store
from leadpulse.postgres import keeper, maintenance
from leadpulse.usecases.reading import labels

if TYPE_CHECKING:
    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.figures import Counted
    from leadpulse.postgres.models import ModelCache

HOUR: Final = DAY // 24
# With up to so many leads, counting takes a few milliseconds.
SMALL: Final = 10_000
_GROWING: Final = 1_000
# Counting takes this share of the time at most, and begins this often (µs).
_REST: Final = 30
_SOON: Final = 5 * SECOND
_LATER: Final = 60 * SECOND
_LATEST: Final = 600 * SECOND
_FIGURES: Final = 5


class Standing(NamedTuple):
    """Figures of leads at some time; None is not known, or an average of nobody."""

    leads: int | None = None
    identified: int | None = None
    resolutions: int | None = None
    qualified: int | None = None
    average: float | None = None

    @classmethod
    def of(cls, part: store.Part) -> Standing:
        """Those of some leads."""
        average = part.score / part.leads if part.leads else None
        return cls(part.leads, part.identified, part.resolutions, part.qualified, average)


def bucket_width(low: float, qualified: float) -> float:
    """A round width of which ten reach well beyond the highest stage."""
    wanted = max(qualified - low, 1.0) * 1.5 / 10
    unit = 10.0 ** math.floor(math.log10(wanted))
    return next(unit * step for step in (1, 2, 5, 10) if unit * step >= wanted * (1 - 1e-9))


async def present(connection: Connection, project_id: str, model: ScoringModel) -> Counted:
    """The leads of a project: as they are, of a large one as they were counted last."""
    if await store.has_more(connection, project_id, SMALL):
        found = await store.kept(connection, project_id)
        # One that was small an hour ago and is large now is counted until its turn comes.
        if found is not None and found.large:
            return found
    return await _count(connection, project_id, model)


async def _count(connection: Connection, project_id: str, model: ScoringModel) -> Counted:
    stages = model.stages
    return await store.count(connection, project_id, stages, bucket_width(stages[0], stages[3]))


async def a_day_ago(
    connection: Connection, project_id: str, sample: store.Part, now: int
) -> Standing:
    """The same a day before. Of a project that is younger everything was 0 then.

    Sample data that is older than a day was there then, as it is now. What nobody counted,
    because nothing ran, is not known.
    """
    found = await store.before(connection, project_id, now - DAY, now - 2 * DAY)
    if found is None:
        return Standing()
    if found.real is None:
        return Standing.of(store.Part()) if found.made_at > now - DAY else Standing()
    lasting = found.sample_since is not None and found.sample_since <= now - DAY
    return Standing.of(store.added(found.real, sample) if lasting else found.real)


async def count_pass(conn: Connection, models: ModelCache) -> int:
    """Counts the leads of the project whose turn it is; 0 if there is none."""
    async with conn.transaction():
        if not await maintenance.try_alone(conn, _FIGURES):
            return 0
        for project_id in await keeper.reach_to_count(conn, 1):
            now = await maintenance.clock(conn)
            model = (await labels(conn, models, project_id)).labels.source
            began = time.perf_counter()
            counted = await _count(conn, project_id, model)
            took = round((time.perf_counter() - began) * SECOND)
            counted.large = await store.has_more(conn, project_id, SMALL)
            times = (now, _following(now, counted, took), now - now % HOUR)
            await store.keep(conn, project_id, counted, times)
            return 1
    return 0


def _following(now: int, counted: Counted, took: int) -> int:
    """When to count again: at the next full hour at the latest."""
    if counted.large:
        pause = max(_SOON, took * _REST)
    else:
        pause = _LATER if counted.all.leads > _GROWING else _LATEST
    return min(now - now % HOUR + HOUR, now + pause)
