"""Ceilings of what write keys may add on a UTC day. Memory here only saves questions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.facts import DAY
from leadpulse.postgres import ceilings as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from leadpulse.postgres.connect import Connection
    from leadpulse.usecases.resolve import Allowance

OTHER: Final = "other"
_REMEMBERED: Final = 50_000
# At most so many events go into one transaction.
_GROUP: Final = 1_000


class Limits(NamedTuple):
    """Events of one lead, new leads of a project, event types of a project; 0 is none."""

    lead: int = 5_000
    leads: int = 100_000
    types: int = 500


class OverCeilingError(Exception):
    """Claims made more leads than there was room for: the transaction must be run again."""


@dataclass(slots=True)
class _Types:
    """The types of a project today; `full`: no other one gets a place."""

    names: set[str] = field(default_factory=set)
    full: bool = False


@dataclass(slots=True)
class _Lead:
    """Claims of a lead today as far as this process knows, and when to count them again.

    From `watch_at` on none is stored before `beyond` was asked.
    """

    count: int
    check_at: int
    watch_at: int

    def is_due(self, more: int) -> bool:
        """True if the database has to be asked before so many more are stored."""
        return self.count + more >= self.check_at


class Ceilings:
    """The three ceilings, for one process.

    Claims count for the survivor of the lead that they are stored with. `roots` tells the
    survivors of those leads that merged.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._day = -1
        self._types: dict[str, _Types] = {}
        self._leads: dict[tuple[str, str], _Lead] = {}
        self._watched: set[tuple[str, str]] = set()

    def _turn_to(self, now: int) -> None:
        if now // DAY != self._day:
            self._day = now // DAY
            self._types.clear()
            self._leads.clear()
            self._watched.clear()

    async def shown_types(
        self, conn: Connection, now: int, claims: Iterable[tuple[str, str]]
    ) -> frozenset[tuple[str, str]]:
        """Those (project, type) of claims that figures show as "other".

        Asks for types that are new to this process only, in statements of their own.
        """
        if not self.limits.types:
            return frozenset()
        self._turn_to(now)
        unseen: dict[str, list[str]] = {}
        others = []
        for pair in dict.fromkeys(claims):
            known = self._types.get(pair[0])
            if known is not None and pair[1] in known.names:
                continue
            if known is not None and known.full:
                others.append(pair)
            else:
                unseen.setdefault(pair[0], []).append(pair[1])
        for project in sorted(unseen):
            names = await store.add_types(conn, now, project, unseen[project], self.limits.types)
            if sum(len(known.names) for known in self._types.values()) > _REMEMBERED:
                self._types.clear()
            full = len(names) >= self.limits.types
            self._types[project] = _Types(names, full)
            others += [(project, name) for name in unseen[project] if name not in names]
        return frozenset(others)

    async def beyond(
        self,
        conn: Connection,
        now: int,
        leads: Sequence[tuple[str, str]],
        roots: Mapping[str, str],
    ) -> frozenset[int]:
        """Which of these claims, given by (project, lead), are too many for their lead.

        Reaching the ceiling is decided by a count in the database; the own count only tells
        when to look.
        """
        ceiling = self.limits.lead
        if not ceiling:
            return frozenset()
        self._turn_to(now)
        keys = [self._survivor(key, roots) for key in leads]
        look = [k for k, more in Counter(keys).items() if self._of(k).is_due(more)]
        if look:
            counts = await store.claims_of_leads(conn, now, look, ceiling)
            for key, count in zip(look, counts, strict=True):
                self._leads[key] = self._counted(count)
        over = []
        for index, key in enumerate(keys):
            known = self._leads[key]
            if known.count >= ceiling:
                over.append(index)
            known.count += 1
        self._watch(frozenset(keys))
        self._shrink()
        return frozenset(over)

    def note(self, now: int, leads: Iterable[tuple[str, str]], roots: Mapping[str, str]) -> None:
        """Counts claims that were stored without asking `beyond`."""
        if not self.limits.lead:
            return
        self._turn_to(now)
        more = Counter(self._survivor(key, roots) for key in leads) if roots else Counter(leads)
        for key, number in more.items():
            self._of(key).count += number
        self._watch(more.keys())
        self._shrink()

    def joined(self, project: str, root: str) -> None:
        """A claim made leads one: `beyond`, asked about it, counts what they are together."""
        if self.limits.lead:
            self._leads[project, root] = _Lead(0, 0, 0)

    @property
    def count_by_lead(self) -> bool:
        """True if `note` and `beyond` want to know of claims."""
        return self.limits.lead > 0

    @property
    def every_claim_is_looked_at(self) -> bool:
        """True if a lead's ceiling is so low that one group of events could pass it."""
        return 0 < self.limits.lead <= _GROUP

    def watched(self) -> AbstractSet[tuple[str, str]]:
        """Leads whose claims have to go through `beyond` before they are stored."""
        return self._watched

    def _of(self, key: tuple[str, str]) -> _Lead:
        known = self._leads.get(key)
        if known is None:
            known = self._leads[key] = self._counted(0)
        return known

    def _counted(self, count: int) -> _Lead:
        """So many were stored when the database was asked, and when to ask it again.

        Other processes count too, so the nearer the ceiling, the sooner; once it is reached,
        now and then, since a lead that was parted again may be below it.
        """
        ceiling = self.limits.lead
        step = ceiling // 10
        if count < ceiling:
            step = min(step, (ceiling - count) // 5)
        check_at = count + max(1, step)
        return _Lead(count, check_at, min(check_at, ceiling - _GROUP))

    def _survivor(self, key: tuple[str, str], roots: Mapping[str, str]) -> tuple[str, str]:
        project, lead = key
        root = roots.get(lead, lead)
        if root == lead:
            return key
        before = self._leads.pop(key, None)
        if before is not None:
            # Somebody merged it meanwhile. Perhaps the survivor was counted with it since: then
            # the database is asked sooner than it need be.
            self._watched.discard(key)
            self._of((project, root)).count += before.count
        return (project, root)

    def _watch(self, keys: AbstractSet[tuple[str, str]]) -> None:
        for key in keys:
            known = self._leads[key]
            if known.count >= known.watch_at:
                self._watched.add(key)
            else:
                self._watched.discard(key)

    def _shrink(self) -> None:
        if len(self._leads) <= _REMEMBERED:
            return
        # Whoever floods stands out; of the rest nothing need be known.
        middle = sorted(lead.count for lead in self._leads.values())[_REMEMBERED // 2]
        self._leads = {k: v for k, v in self._leads.items() if v.count > max(middle, 1)}
        self._watched &= self._leads.keys()

    def allowance(self, conn: Connection, now: int) -> Allowance | None:
        """What `resolve` asks before claims make leads; None where there is no ceiling."""
        ceiling = self.limits.leads
        if not ceiling:
            return None

        async def allowed(wanted: Mapping[str, int]) -> Mapping[str, int]:
            used = await store.new_leads(conn, now, wanted)
            return {p: min(n, max(0, ceiling - used.get(p, 0))) for p, n in wanted.items()}

        return allowed

    async def count_new_leads(self, conn: Connection, now: int, made: Mapping[str, int]) -> None:
        """Notes leads that claims made, at the end of the transaction that made them.

        Raises OverCeilingError if another transaction took the room meanwhile.
        """
        if not self.limits.leads or not made:
            return
        sums = await store.add_new_leads(conn, now, made)
        if any(total > self.limits.leads for total in sums.values()):
            raise OverCeilingError
