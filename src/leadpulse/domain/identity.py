"""Who an event is about: which lead, and what it says about identifiers belonging together.

Pure: `decide` looks at what is known and says what follows; `apply` makes it known. An event
is decided once, in commit order, and later ones of the same batch see its effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from leadpulse.domain.errors import LeadPulseError, UnknownLead

# Kinds of identifiers, by strength; a leadId is stronger than all.
LEAD_ID: Final = 0
USER_ID: Final = 1
EMAIL: Final = 2
ANONYMOUS_ID: Final = 3

# An anonymousId of more people than this is a kiosk or a bug, and links nobody any more.
MOST_PEOPLE: Final = 20

# (kind, value) within a project.
Name = tuple[int, str]


class Named(NamedTuple):
    """What an event names, normalised: at least one identifier.

    `ts` is the instant of the event in µs; `verified` the kind (USER_ID or EMAIL) of the one
    identifier that a good userHash proves, else 0; `event` the server's id of the event, to be
    kept with a link that it makes; `traits` what it says about the person.
    """

    project_id: str
    trusted: bool
    ts: int
    event_id: str
    lead_id: str | None = None
    user_id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    verified: int = 0
    event: str | None = None
    traits: Mapping[str, object] | None = None
    test: bool = False

    def names(self) -> list[Name]:
        """The named identifiers, strongest first, without the leadId."""
        given = ((USER_ID, self.user_id), (EMAIL, self.email), (ANONYMOUS_ID, self.anonymous_id))
        return [(kind, value) for kind, value in given if value is not None]


class Resolved(NamedTuple):
    """Which lead an event belongs to (as stored with it; the survivor may be another).

    `created`: the lead was made for this event and got its first profile from it. `linked`: an
    identifier was attached, confirmed or moved, or leads were merged, so that the shown profile
    must be looked at. With an `error` nothing happened and there is no lead.
    """

    lead_id: str
    created: bool = False
    linked: bool = False
    error: LeadPulseError | None = None
