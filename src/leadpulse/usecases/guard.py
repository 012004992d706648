"""How often passwords may be tried and links be asked for.

Nobody can lock somebody else out: guesses from everywhere add up per account, and when there are
too many of them, only places from which the account was never used have to wait. A browser that
was logged in once, and the addresses of the account's sessions, have counts of their own. Whoever
is at a new place then has the link by mail, which makes it a known one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import TooMany
from leadpulse.domain.rates import Rate

if TYPE_CHECKING:
    from leadpulse.usecases.sessions import Origin
    from leadpulse.usecases.throttle import Throttle
    from leadpulse.usecases.tokens import Tokens

# Of everybody behind one address, right passwords included: the time of hashing is bounded, too.
FROM_ADDRESS: Final = Rate(100, 600)
# Of one account from one place.
FROM_PLACE: Final = Rate(10, 900)
# Of one account from all places at which it is not known.
FROM_STRANGERS: Final = Rate(50, 3_600)
REGISTERED: Final = Rate(20, 3_600)
FORGOTTEN: Final = Rate(20, 3_600)
LINKED: Final = Rate(60, 600)
# Of one kind, to one address.
MAILED: Final = Rate(5, 3_600)
CHANGED: Final = Rate(10, 900)
# Of one project in a day, and to one address: our mail is nobody's way to write to strangers.
INVITED: Final = Rate(100, 86_400)
INVITED_ADDRESS: Final = Rate(5, 86_400)


class Attempt(NamedTuple):
    """Somebody tries a password of an account.

    `place` is the browser or address that it comes from, `known` whether the account was used
    there before; of a known browser the address doesn't matter.
    """

    account: str
    address: str | None
    place: str
    known: bool


class Guard:
    """Asks the throttle, and refuses."""

    def __init__(self, throttle: Throttle, tokens: Tokens) -> None:
        self._throttle = throttle
        self._tokens = tokens

    def attempt(self, email: str, user_id: str | None, origin: Origin, *, known: bool) -> Attempt:
        """What is counted of somebody who logs in. `known`: the address is one of the account."""
        if origin.device is not None and user_id is not None:
            device = self._tokens.known_device(origin.device, user_id)
            if device is not None:
                return Attempt(email, None, device, known=True)
        return Attempt(email, origin.network, origin.network, known)

    async def admit(self, attempt: Attempt) -> None:
        """Counts a try. Raises TooMany."""
        if attempt.address is not None:
            await self._count("login.address", attempt.address, FROM_ADDRESS)
        await self._count("login.place", f"{attempt.account} {attempt.place}", FROM_PLACE)
        if not attempt.known:
            await self._count("login.strangers", attempt.account, FROM_STRANGERS)

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: this place begins anew."""
        key = f"{attempt.account} {attempt.place}"
        await self._throttle.forget("login.place", key, FROM_PLACE)

    async def registering(self, origin: Origin) -> None:
        """Somebody wants an account. Raises TooMany."""
        await self._count("register", origin.network, REGISTERED)

    async def forgetting(self, origin: Origin) -> None:
        """Somebody says that a password is forgotten. Raises TooMany."""
        await self._count("forgot", origin.network, FORGOTTEN)

    async def linking(self, origin: Origin) -> None:
        """Somebody follows a link. Raises TooMany."""
        await self._count("link", origin.network, LINKED)

    async def identifying(self, origin: Origin) -> None:
        """Somebody brings a token of an identity provider. Raises TooMany."""
        await self._count("identity", origin.network, FROM_ADDRESS)

    async def changing(self, user_id: str) -> None:
        """Somebody changes his password, in whichever session. Raises TooMany."""
        await self._count("change", user_id, CHANGED)

    async def mailing(self, email: str) -> None:
        """A person asks for a link to his own address. Raises TooMany.

        It has a count of its own, as each kind of mail has that strangers can cause.
        """
        await self._count("mail.verify", email, MAILED)

    async def inviting(self, project_id: str, email: str) -> None:
        """Somebody lets us mail an invitation. Raises TooMany."""
        await self._count("invite.address", email, INVITED_ADDRESS)
        await self._count("invite", project_id, INVITED)

    async def may_reset(self, email: str) -> bool:
        """Somebody says that this is his address and the password forgotten; he isn't told."""
        return await self._throttle.hit("mail.reset", email, MAILED) is None

    async def may_warn(self, email: str) -> bool:
        """Somebody wants to register with this address, which is another's; he isn't told."""
        return await self._throttle.hit("mail.taken", email, MAILED) is None

    async def _count(self, name: str, key: str, rate: Rate) -> None:
        seconds = await self._throttle.hit(name, key, rate)
        if seconds is not None:
            raise TooMany("Too many tries; wait a while.", "too_many", seconds)
