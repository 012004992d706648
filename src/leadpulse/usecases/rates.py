"""The rates of callers: who sends events, and who calls the rest of the API.

Everything here is decided at once, without waiting, and before anything is stored. A request
counts when it arrives, its events when it is known how many they are; what is refused does not
count, so that whoever passes a rate all the time still gets the rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import Standing, TooMany
from leadpulse.domain.rates import Rate

if TYPE_CHECKING:
    from leadpulse.usecases.keys import Caller
    from leadpulse.usecases.tally import Tally

_MINUTE: Final = 60


class Amounts(NamedTuple):
    """What is allowed a minute; 0 is no limit.

    Of a write key from one address: requests and events. Events of all write keys of a project,
    and of a secret key. Requests of an account or a secret key to the rest of the API.
    """

    requests: int = 0
    events: int = 0
    project: int = 0
    server: int = 0
    api: int = 0


class Rates:
    """The rates that one API process keeps.

    `address` tells callers apart: an IP address, or the network of one.
    """

    def __init__(self, amounts: Amounts, tally: Tally) -> None:
        self.amounts = amounts
        self._tally = tally

    def request(self, caller: Caller, address: str) -> int:
        """Counts a request that sends events; how many are left. Raises TooMany."""
        amount = 0 if caller.trusted else self.amounts.requests
        if not amount:
            return 0
        key = f"r {caller.key_id} {address}"
        left = self._tally.spend(key, amount, 1)
        if left < 0:
            raise self._refused("requests", key, amount, 1)
        return left

    def events(self, caller: Caller, address: str, number: int) -> int:
        """Counts events, all or none; how many are left to the sender. Raises TooMany."""
        if caller.trusted:
            key, amount, all_ = f"s {caller.key_id}", self.amounts.server, 0
        else:
            key, amount = f"e {caller.key_id} {address}", self.amounts.events
            all_ = self.amounts.project
        left = 0
        if amount:
            left = self._tally.spend(key, amount, number)
            if left < 0:
                raise self._refused("events", key, amount, number)
        if all_ and self._tally.spend(f"p {caller.project_id}", all_, number) < 0:
            if amount:
                self._tally.take_back(key, number)
            raise self._refused("project", f"p {caller.project_id}", all_, number)
        return left

    def take_back(self, caller: Caller, address: str, number: int) -> None:
        """Events that were not stored, and will be sent again, were not sent."""
        if caller.trusted:
            counted = [(f"s {caller.key_id}", self.amounts.server)]
        else:
            counted = [
                (f"e {caller.key_id} {address}", self.amounts.events),
                (f"p {caller.project_id}", self.amounts.project),
            ]
        for key, amount in counted:
            if amount:
                self._tally.take_back(key, number)

    def call(self, who: str) -> int:
        """Counts a call to the rest of the API; how many are left. Raises TooMany."""
        amount = self.amounts.api
        if not amount:
            return 0
        left = self._tally.spend(f"c {who}", amount, 1)
        if left < 0:
            raise self._refused("calls", f"c {who}", amount, 1)
        return left

    def stranger(self, address: str) -> None:
        """Counts a call whose credential is not good, by where it came from. Raises TooMany."""
        self.call(f"stranger {address}")

    def check_stranger(self, address: str) -> None:
        """Raises TooMany where one more such call would; counts nothing."""
        amount, key = self.amounts.api, f"c stranger {address}"
        if amount and self._tally.seen(key).wait(Rate(amount), 1) is not None:
            raise self._refused("calls", key, amount, 1)

    @property
    def reset(self) -> int:
        """Whole seconds until the running minute ends."""
        return self._tally.reset

    def _refused(self, name: str, key: str, amount: int, cost: int) -> TooMany:
        rate, seen = Rate(amount), self._tally.seen(key)
        wait = seen.wait(rate, cost) or 1
        # How much a project gets is its own affair: its public keys are read by anybody.
        left = 0 if name == "project" else max(0, amount - seen.used(_MINUTE))
        told = _TOLD[name].format(amount)
        if cost > amount:
            told = f"{cost} events at once are more than the {amount} a minute that are taken."
        return TooMany(told, "too_many", wait, Standing(name, amount, _MINUTE, left, wait))


_TOLD: Final = {
    "requests": "No more than {} requests a minute are taken from one address.",
    "events": "No more than {} events a minute are taken from one sender.",
    "project": "No more than {} events a minute are taken with this project's write keys.",
    "calls": "No more than {} calls a minute are answered.",
}
