"""Events that must not be kept, in the group commit: set aside, answered as if they were.

Whoever was erased is known by keyed digests of his userIds and emails, and of the ids of his
leads. Of an event that names one of them only digests of its eventId and of what it said are
kept, so that the next one with this eventId is a duplicate or a conflict as ever. An anonymousId
names a browser, perhaps a shared one, and suppresses nothing; unless it is an erased address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadpulse.domain.digests import name_digest
from leadpulse.domain.errors import Conflict
from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, LEAD_ID, USER_ID
from leadpulse.domain.names import email as an_email
from leadpulse.domain.traces import as_id
from leadpulse.postgres import intake, lead_changes
from leadpulse.postgres import suppressing as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.suppressing import Forgotten
    from leadpulse.usecases.grouping import Item, Status

# Digests of events that were not kept are kept so long; then the same event would be answered
# as if it were new, and not kept again.
KEPT_DAYS: Final = 30
# And so many of a project.
KEPT_AT_MOST: Final = 100_000


def coded(key: bytes, kind: int, value: str) -> str:
    """A name as it is looked up: its kind and its digest."""
    return f"{kind}{name_digest(key, kind, value)}"


def codes(key: bytes, kind: int, value: str) -> list[str]:
    """Whatever a name is suppressed by; an address is one person's, whatever it is sent as."""
    found = [] if kind == ANONYMOUS_ID else [coded(key, kind, value)]
    if kind in (USER_ID, ANONYMOUS_ID):
        address = an_email(value) if "@" in value else None
        if address is not None:
            found.append(coded(key, EMAIL, address))
    return found


def names_of(item: Item, *, lead: bool) -> str:
    """The names of an event that count, coded; `lead`: its leadId as well.

    A userId among the traits counts also where the event itself has another one: it would be
    stored. An email there is the event's own by now.
    """
    event, key = item.event, item.caller.digest_key
    names = (
        (USER_ID, event.user_id),
        (USER_ID, as_id((event.known or {}).get("userId"))),
        (EMAIL, event.email),
        (ANONYMOUS_ID, event.anonymous_id),
        (LEAD_ID, event.lead_id if lead else None),
    )
    return ",".join({
        code for kind, value in names if value is not None for code in codes(key, kind, value)
    })  # fmt: skip


async def refuse_suppressed(
    conn: Connection, project_id: str, identifiers: Mapping[int, Iterable[str]]
) -> None:
    """Raises Conflict if one of these names (kind and values) belongs to an erased person.

    Whoever changes leads by hand hears of it, where the sender of an event doesn't.
    """
    names = [(kind, name) for kind, values in identifiers.items() for name in values]
    project = await lead_changes.project_facts(conn, project_id) if names else None
    if project is None:
        return
    asked = [code for kind, name in names for code in codes(project[0], kind, name)]
    if await store.any_suppressed(conn, project_id, asked):
        raise Conflict(
            "This person was erased, and nothing is kept of him until an owner lifts that.",
            "suppressed",
        )


async def unwanted(
    conn: Connection, items: Sequence[Item], projects: Mapping[str, intake.State]
) -> dict[int, Forgotten]:
    """Which of these items must not be kept, by their index. Asks only where it can be so."""
    questions = []
    for n, item in enumerate(items):
        project = projects.get(item.caller.project_id)
        if project is None or not project.suppressions:
            continue
        lead = item.event.lead_id
        questions.append(
            store.Question(
                n, item.caller.project_id, item.caller.trusted, item.digest,
                names_of(item, lead=False),
                "" if lead is None else coded(item.caller.digest_key, LEAD_ID, lead),
            )
        )  # fmt: skip
    return await store.ask(conn, questions) if questions else {}


def judged(item: Item, id_: str, fingerprint: str) -> Status:
    """What an event is beside the one that had its eventId first."""
    if id_ == item.id:
        return "queued"  # our own, of a try whose answer got lost
    return "duplicate" if fingerprint == item.fingerprint else "conflict"


async def answer(
    conn: Connection, items: Sequence[tuple[Item, Forgotten]]
) -> tuple[list[tuple[Item, Status]], list[Item]]:
    """The answers to items that are not kept, and those that must be looked at once more."""
    answers: list[tuple[Item, Status]] = []
    fresh: dict[intake.Key, Item] = {}
    again: list[Item] = []
    for item, known in items:
        if known.event is not None and known.fingerprint is not None:
            answers.append((item, judged(item, known.event, known.fingerprint)))
        elif item.key in fresh:
            again.append(item)
        else:
            fresh[item.key] = item
    if fresh:
        answers += await _as_new(conn, fresh.values(), again)
    return answers, again


async def _as_new(
    conn: Connection, fresh: Iterable[Item], again: list[Item]
) -> list[tuple[Item, Status]]:
    """The answers to those of which no trace is there yet; leaves one of each."""
    candidates = list(fresh)
    answers: list[tuple[Item, Status]] = []
    unkept: list[store.Unkept] = []
    # The eventId may stand for an event of somebody else.
    stored = await intake.stored(conn, [item.key for item in candidates])
    for n, item in enumerate(candidates):
        there = stored.get(n)
        if there is not None:
            answers.append((item, judged(item, there.id, there.fingerprint)))
        else:
            project, trusted, digest = item.key
            unkept.append(store.Unkept(project, trusted, digest, item.fingerprint, item.id))
    if unkept:
        kept = await store.remember(conn, unkept, KEPT_DAYS)
        new = {one.e for one in unkept}
        for item in candidates:
            if item.id in kept:
                answers.append((item, "queued"))
            elif item.id in new:
                again.append(item)  # somebody was first, and is there to be compared with
    return answers
