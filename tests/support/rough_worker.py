"""The worker's own entry, with a fold that does what the type of an event says.

`dies`: the process ends as if it had been killed. `eats`: it takes all the memory it gets.
`stops`: it halts itself in the middle of its transaction, as an unlucky SIGSTOP would. With
UNREAD set in the environment it halts while the database answers, and reads nothing of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadpulse.domain.fold import Folded, fold
from leadpulse.postgres import scoring
from leadpulse.usecases import batch
from leadpulse.worker.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leadpulse.domain.compiled import Models
    from leadpulse.domain.facts import Fact
    from leadpulse.domain.state import State

ENTRY = (sys.executable, str(Path(__file__).resolve()))


def _rough_fold(
    state: State,
    facts: Iterable[Fact],
    models: Models,
    progress: Callable[[Fact], None] | None = None,
) -> Folded:
    def watch(fact: Fact) -> None:
        if progress is not None:
            progress(fact)
        _act_on(fact.type)

    return fold(state, facts, models, watch)


def _act_on(event_type: str) -> None:
    if event_type == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if event_type == "eats":
        hoard: list[Any] = []
        while True:
            hoard.append(bytearray(1 << 26))
            if len(hoard) > 24:
                os.kill(os.getpid(), signal.SIGKILL)
    if event_type == "stops" and _is_first():
        os.kill(os.getpid(), signal.SIGSTOP)


def _is_first() -> bool:
    """Only one process leaves its number, however many get here at the same instant."""
    try:
        with Path(os.environ["STOPPED_MARK"]).open("x", encoding="ascii") as mark:
            mark.write(str(os.getpid()))
    except FileExistsError:
        return False
    return True


async def _halted_take(*arguments: Any) -> Any:
    answer = asyncio.create_task(_take_rows(*arguments))
    for _ in range(10):
        # Turns of the loop in which the query is sent; the answer takes much longer.
        await asyncio.sleep(0)
    if _is_first():
        os.kill(os.getpid(), signal.SIGSTOP)
    return await answer


_take_rows = scoring.take_rows

if __name__ == "__main__":
    if "UNREAD" in os.environ:
        scoring.take_rows = _halted_take  # type: ignore[assignment]  # the same
    batch.fold = _rough_fold  # type: ignore[attr-defined]  # the name that passes look up
    sys.exit(main(sys.argv[1:], ENTRY))
