"""Facts about a lead, in the one order that everything is folded in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND

ADJUSTMENT: Final = "$adjustment"
PROFILE: Final = "$profile"

# (timestamp in µs since the epoch, eventId, 0 trusted | 1 claim): compared as it stands.
Place = tuple[int, str, int]


class Fact(NamedTuple):
    """A stored event or adjustment; the first three fields are its place in the order.

    Tuples sort by place, since no two facts of a project share one. Of an event that has lost
    its content `properties` is the list of the rules that held for it (see domain.blanking).
    """

    ts: int
    event_id: str
    claim: int
    id: str
    type: str
    version: int
    properties: Mapping[str, object] | list[str] | None = None

    @property
    def place(self) -> Place:
        """Where the fact stands among the facts of its lead."""
        return (self.ts, self.event_id, self.claim)


def day_of(ts: int) -> int:
    """The UTC calendar day of an instant, counted from the epoch."""
    return ts // DAY
