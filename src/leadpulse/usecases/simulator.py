"""Single events sent by hand: through the ordinary intake, and told with what is known of each."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import Conflict, LeadPulseError, NotFound
from leadpulse.domain.wire import EventReader
from leadpulse.postgres import identity, lead_changes
from leadpulse.postgres.session import snapshot
from leadpulse.usecases.keys import project_caller

if TYPE_CHECKING:
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.grouping import Status
    from leadpulse.usecases.intake import IntakeBuffer
    from leadpulse.usecases.keys import Caller

_REMEMBERED: Final = 5_000


@dataclass(slots=True)
class Commits:
    """When events of the simulator were durable at the latest, by the database's clock.

    Those that this process sent, for a PostgreSQL that keeps no commit times.
    """

    _times: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)

    def note(self, project_id: str, event: str, instant: int) -> None:
        """Remembers one; of many the newest."""
        self._times.setdefault((project_id, event), instant)
        if len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)

    def of(self, project_id: str, event: str) -> int | None:
        """When an event of a project was durable at the latest (µs)."""
        return self._times.get((project_id, event))


class Simulated(NamedTuple):
    """What became of an event: the server's id and the lead that answers for it, if it is kept."""

    status: Status
    event_id: str
    id: str | None
    lead_id: str | None


async def trusted_caller(pool: Pool, project_id: str) -> Caller:
    """Whoever sends from within. Raises Conflict where no events are taken."""
    async with pool.connection() as conn:
        caller = await project_caller(conn, project_id)
    if caller is None:
        raise NotFound("project", project_id)
    if caller.paused:
        raise Conflict("This project is paused: it takes no events.", "paused")
    return caller


async def simulate(
    pool: Pool,
    intake: IntakeBuffer,
    commits: Commits,
    project_id: str,
    document: object,
) -> Simulated:
    """Sends one event in the wire form as a trusted caller; returns after the commit.

    Raises what the intake refuses events with.
    """
    event = EventReader().read(document)
    caller = await trusted_caller(pool, project_id)
    (item,) = await intake.take(caller, (event,))
    if isinstance(item, LeadPulseError):
        raise item
    if item.error is not None:
        raise item.error
    async with snapshot(pool, project_id) as (conn, now):
        stored = await lead_changes.stored_event(conn, project_id, bytes.fromhex(item.digest))
        # Nothing is kept of somebody who was erased.
        if stored is None:
            return Simulated(item.status, item.event_id, None, None)
        lead = await identity.resolve_lead(conn, project_id, stored.lead_id)
    if item.status == "queued":
        commits.note(project_id, stored.id, now)
    return Simulated(item.status, item.event_id, stored.id, lead)
