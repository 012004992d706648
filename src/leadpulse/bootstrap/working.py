"""Doing the scorers' work inside a command, where no scorer runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.maintain import rescore_walk
from leadpulse.usecases.refold import refold_pass
from leadpulse.usecases.score import Desk, score_pass

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_ROWS: Final = 1_000


async def work_off(connection: Connection) -> None:
    """Scores what waits, until nothing is left that can be done at once.

    Leads that fail stay for a scorer, which knows how to isolate them.
    """
    desk, rotation = Desk(connection), Rotation()
    while True:
        walked = await rescore_walk(connection)
        scored = await score_pass(desk, rotation, _ROWS)
        folded = await refold_pass(desk)
        if not walked and scored.idle and folded.idle:
            return
