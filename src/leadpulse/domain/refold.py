"""What new facts ask of a lead that was folded before, and what people see of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.fold import DECAY
from leadpulse.domain.intelligence import stage_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from leadpulse.domain.facts import Fact, Place
    from leadpulse.domain.fold import Entry
    from leadpulse.domain.model import ScoringModel

# Late claims re-fold a lead so often a minute at once; what comes beyond is gathered.
CLAIMED_REFOLDS: Final = 20
REFOLD_WINDOW: Final = 60_000_000


class Plan(NamedTuple):
    """What to do with new facts of a lead.

    `append` go on top of the state. `late` lie before its end: fold again from before the
    first of them. `gather` wait for others of their kind.
    """

    append: list[Fact]
    late: list[Fact]
    gather: list[Fact]


def plan(last: Place | None, new: list[Fact], *, claims_may_refold: bool) -> Plan:
    """Sort new facts (given in order) by what they ask for; `last` is the end of the state."""
    if last is None or (new and new[0][:3] > last):
        return Plan(new, [], [])
    late = [fact for fact in new if fact[:3] <= last]
    behind = new[len(late) :]
    if not claims_may_refold and all(fact.claim for fact in late):
        return Plan(behind, [], late)
    return Plan(behind, late, [])


class Window(NamedTuple):
    """Late re-folds of claims in the minute that began at `since` (µs)."""

    used: int
    since: int | None

    def is_open(self, now: int) -> bool:
        """Tell whether one more may run at once."""
        return self.used < CLAIMED_REFOLDS or self.ended(now)

    def ended(self, now: int) -> bool:
        return self.since is None or now >= self.since + REFOLD_WINDOW

    def counted(self, now: int) -> Window:
        """The window after one more."""
        return Window(1, now) if self.ended(now) else Window(self.used + 1, self.since)

    def end(self, now: int) -> int:
        """When those that are gathered are looked at again."""
        return (now if self.since is None else self.since) + REFOLD_WINDOW


def unseen_from(facts: Sequence[Fact], new: AbstractSet[str]) -> int:
    """Where the end of the ledger begins that nobody has seen: the longest run of new facts.

    `new` holds ids. What stands before it is history told again, whatever is new in it.
    """
    index = len(facts)
    while index and facts[index - 1].id in new:
        index -= 1
    return index


class Step(NamedTuple):
    """A change of stage at the end of the ledger."""

    before: int
    after: int
    entry: Entry

    @property
    def cause(self) -> str:
        return "decay" if self.entry.kind == DECAY else "event"


def stage_steps(labels: ScoringModel, shown: int, entries: Sequence[Entry]) -> Iterator[Step]:
    """The changes of stage that these entries make, in order, from the stage last shown."""
    for entry in entries:
        stage = stage_index(labels, entry.new)
        if stage != shown:
            yield Step(shown, stage, entry)
            shown = stage
