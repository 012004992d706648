"""What use cases ask of the world outside; who keeps it up stands in `leadpulse.channels`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

MailKind = Literal[
    "verify", "reset", "invitation", "password_changed", "address_taken", "google_joined"
]


class Mailer(Protocol):
    """Sends mail, later and beside: call it when the transaction has ended."""

    @property
    def ready(self) -> bool:
        """Whether mail can be sent at all; without it links come from the command line."""

    def send(self, kind: MailKind, to: str, values: Mapping[str, str]) -> bool:
        """Takes a mail on; False if there is no way or no room, which is logged.

        Values: `link` and `good_for` where there is a link, of an invitation also `inviter`,
        `project` and `role`.
        """


class NoMail:
    """A `Mailer` where no mail server is set up."""

    @property
    def ready(self) -> bool:
        return False

    def send(self, kind: MailKind, to: str, values: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Sends nothing."""
        return False


class Identity(NamedTuple):
    """Whom an identity provider vouches for."""

    subject: str
    email: str
    verified: bool
    name: str


class Identities(Protocol):
    """Checks the tokens of an identity provider."""

    async def verify(self, token: str) -> Identity:
        """Who that is. Raises Unauthorized; Overloaded when the provider can't be asked."""
