"""The state of a lead's fold: everything that the next step needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, cast

from leadpulse.domain.compiled import DecaySchedule
from leadpulse.domain.facts import Place


class RuleUse(NamedTuple):
    """How often a rule gave points on the newest day that it did, and how many (absolute)."""

    day: int
    times: int
    points: float


@dataclass(slots=True)
class State:
    """`score` is the newest ledger entry's; decay since then is taken by `at`.

    `last` is the place of the newest fact and `last_fact` its id; `last_act`, `act_version`
    and `schedule` belong to the newest act, which opened the present gap. `taken` counts
    the due times of that gap that a later fact has already looked at; `uses` holds every rule
    that ever gave points.
    """

    score: float = 0.0
    entries: int = 0
    acts: int = 0
    first: int | None = None
    last: Place | None = None
    last_fact: str = ""
    last_act: int | None = None
    act_version: int = 0
    schedule: DecaySchedule | None = None
    taken: int = 0
    uses: dict[str, RuleUse] = field(default_factory=dict)

    def copy(self) -> State:
        """An independent state; only `uses` is mutable inside."""
        return State(
            self.score, self.entries, self.acts, self.first, self.last, self.last_fact,
            self.last_act, self.act_version, self.schedule, self.taken, dict(self.uses),
        )  # fmt: skip

    def to_document(self) -> list[object]:
        """Plain JSON that from_document reads back to an equal state."""
        return [
            self.score, self.entries, self.acts, self.first, self.last, self.last_fact,
            self.last_act, self.act_version, self.schedule, self.taken, self.uses,
        ]  # fmt: skip


def state_from_document(document: object) -> State:
    """Reads what to_document wrote; an empty document is a lead without facts."""
    if not document:
        return State()
    score, entries, acts, first, last, fact, last_act, version, schedule, taken, uses = cast(
        "tuple[float, int, int, int | None, list[object] | None, str, int | None, int,"
        " list[float] | None, int, dict[str, tuple[int, int, float]]]",
        document,
    )
    return State(
        float(score), entries, acts, first,
        cast("Place", tuple(last)) if last else None,
        fact, last_act, version,
        DecaySchedule(schedule[0], int(schedule[1]), int(schedule[2])) if schedule else None,
        taken,
        {rule: RuleUse(use[0], use[1], float(use[2])) for rule, use in uses.items()},
    )  # fmt: skip
