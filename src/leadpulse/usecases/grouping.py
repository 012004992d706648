"""One group commit: the events of many requests, decided and stored in one transaction.

Phases always come in the same order (identity, then events, then counts) and rows are sorted
within each, so that no two processes wait for each other in a circle.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from leadpulse.domain.digests import keyed_digest
from leadpulse.domain.errors import (
    FieldError,
    Invalid,
    LeadPulseError,
    Overloaded,
    Unauthorized,
    UnknownLead,
)
from leadpulse.domain.identity import EMAIL, USER_ID, Named
from leadpulse.domain.timestamps import place_in_time, to_rfc3339
from leadpulse.postgres import identity, shortcut
from leadpulse.postgres import intake as store
from leadpulse.postgres.session import Reach
from leadpulse.usecases import suppressing
from leadpulse.usecases.ceilings import OTHER, Ceilings, OverCeilingError
from leadpulse.usecases.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from leadpulse.domain.wire import WireEvent
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.suppressing import Forgotten
    from leadpulse.usecases.keys import Caller

Status = Literal["waiting", "queued", "duplicate", "conflict", "rejected"]

_TRIES: Final = 10
_EXACT: Final = 2**53


class _AgainError(Exception):
    """What was decided no longer holds: roll back and decide again."""


@dataclass(slots=True, eq=False)
class Item:
    """One event on its way.

    `id` and `event_id` stay the same in every try, so that a commit whose answer got lost is
    recognised as this very event. `email` is that of the event where it may name somebody.
    `when` and `original` are its place in time in this try. Of a queued one `lead_id`, `received`
    (µs) and whether it is `held` are known, too.
    """

    caller: Caller
    event: WireEvent
    index: int
    id: str
    event_id: str
    digest: str
    fingerprint: str
    email: str | None
    verified: int = 0
    when: int = 0
    original: int | None = None
    lead_id: str | None = None
    received: int = 0
    held: bool = False
    status: Status = "waiting"
    error: LeadPulseError | None = None

    @property
    def key(self) -> store.Key:
        return store.Key(self.caller.project_id, self.caller.trusted, self.digest)

    def reject(self, error: LeadPulseError) -> None:
        self.status = "rejected"
        self.error = error


def make_item(caller: Caller, event: WireEvent, index: int, id_: str) -> Item:
    """An event with its digests. Raises Invalid if the project demands a userHash it lacks."""
    event_id = event.event_id or id_
    sent = "" if event.sent is None else str(event.sent)
    # No part can hold U+0000, and none is empty when it is there: the join is unambiguous.
    said = "\0".join((
        event.type, event.user_id or "", event.email or "", event.anonymous_id or "",
        event.lead_id or "", sent,
    ))  # fmt: skip
    key = caller.digest_key
    verified = verified_kind(caller, event) if event.user_hash or caller.demands_hash else 0
    # Who proves his userId could put anybody's email beside it: where proof is demanded, that
    # is something he says (among the traits), and finds and attaches nobody.
    proven = not (caller.demands_hash and verified == USER_ID)
    return Item(
        caller, event, index, id_, event_id, keyed_digest(key, event_id),
        keyed_digest(key, said), event.email if proven else None, verified,
    )  # fmt: skip


def verified_kind(caller: Caller, event: WireEvent) -> int:
    """Which identifier a good userHash proves: the userId, else the email; 0 for none.

    The key of the HMAC is the project's identity secret as it is shown, 64 hexadecimal
    digits. Raises Invalid if a claim must prove who somebody is, and doesn't.
    """
    value = event.user_id or event.email
    if caller.trusted or value is None:
        return 0
    secret = caller.identity_secret.hex().encode()
    wanted = hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()
    if event.user_hash is not None and hmac.compare_digest(event.user_hash, wanted):
        return USER_ID if event.user_id else EMAIL
    if caller.demands_hash:
        told = "must be the HMAC-SHA256 of the userId, else of the email: this project demands it"
        raise Invalid([FieldError("userHash", told)])
    return 0


@dataclass(slots=True)
class _Draft:
    """What one try makes of the items of a group; it takes effect after the commit only."""

    now: int
    projects: dict[str, store.State]
    other_types: frozenset[tuple[str, str]] = frozenset()
    # The survivors of leads that merged.
    roots: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[Item, store.Row]] = field(default_factory=list)
    statuses: list[tuple[Item, Status]] = field(default_factory=list)
    errors: list[tuple[Item, LeadPulseError]] = field(default_factory=list)
    plain: int = 0
    # Items with an effect on identity, which must be new or have none.
    moved: set[str] = field(default_factory=set)
    later: list[Item] = field(default_factory=list)

    def place(self, item: Item) -> bool:
        """Says when the event happened, or that it can't be said."""
        event = item.event
        try:
            item.when, item.original = place_in_time(
                event.sent, event.sent_at, self.now, item.index
            )
        except ValueError as error:
            self.errors.append((item, Invalid([FieldError("sentAt", str(error))])))
            return False
        return True

    def add(self, item: Item, lead: str, *, has_traits: bool) -> None:
        """Adds the row of an item. `has_traits`: its lead's profile must be looked at."""
        event = item.event
        project, traits, original = item.caller.project_id, event.traits, item.original
        row = store.Row(
            project, item.id, lead, item.caller.trusted, item.event_id, item.digest,
            item.fingerprint, event.type,
            OTHER if (project, event.type) in self.other_types else event.type,
            self.projects[project].model_version, item.when, max(self.now, item.when),
            None if original is None else to_rfc3339(original), event.session_id,
            msgspec.Raw(event.properties), None if traits is None else msgspec.Raw(traits),
            x=event.test, h=has_traits, u=event.test or item.caller.sample,
        )  # fmt: skip
        self.rows.append((item, row))


class Group:
    """Stores groups of items over one connection."""

    def __init__(self, ceilings: Ceilings) -> None:
        self._ceilings = ceilings
        self._reach = Reach()
        self._now = 0
        # Whether most events of late were about known people.
        self._mostly_plain = False
        # Projects that suppress somebody, as far as this process met them: only there the short
        # way needs digests of names. Whoever is missing takes the long way once.
        self._suppressing: set[str] = set()

    async def settle(self, conn: Connection, items: Sequence[Item]) -> None:
        """Gives every item its status, each committed before.

        Raises database errors as they are: then nothing of the last transaction was kept, or
        it is recognised next time. Raises Overloaded if others are always first.
        """
        left = [item for item in items if item.status == "waiting"]
        await self._reach.set(conn, {item.caller.project_id for item in left})
        short = self._mostly_plain
        if short:
            left = await self._short_way(conn, left)
        for _ in range(_TRIES):
            if not left:
                return
            try:
                draft = await self._try(conn, left)
            except (_AgainError, OverCeilingError):
                continue
            if not short:
                self._mostly_plain = draft.plain * 2 >= len(left)
            for item, status in draft.statuses:
                item.status = status
            for item, error in draft.errors:
                item.reject(error)
            left = draft.later
        raise Overloaded("Too many events about the same people at once.")

    async def _short_way(self, conn: Connection, items: Sequence[Item]) -> list[Item]:
        """Stores what one statement can decide by itself; tells the others."""
        claims = [(i.caller.project_id, i.event.type) for i in items if not i.caller.trusted]
        # By the day of the group before: at midnight, figures may be late by one group.
        others = await self._ceilings.shown_types(conn, self._now, claims)
        slow = self._ceilings.every_claim_is_looked_at
        fit = [item for item in items if _fits(item, others, slow=slow)]
        if not fit:
            return list(items)
        events = [_event(item, self._suppressing) for item in fit]
        counted = self._ceilings.count_by_lead and bool(claims)
        watched = self._ceilings.watched() if counted else ()
        taken = await shortcut.take(conn, events, watched, rooted=counted)
        self._now = taken.now
        leads = taken.leads
        for item in fit:
            if item.id in leads:
                item.status = "queued"
                item.lead_id, item.received = leads[item.id], taken.now
        self._ceilings.note(
            taken.now,
            (
                (i.caller.project_id, leads[i.id])
                for i in fit
                if i.id in leads and not i.caller.trusted
            ),
            taken.roots,
        )
        self._mostly_plain = len(leads) * 2 >= len(items)
        return [item for item in items if item.status == "waiting"]

    async def _try(self, conn: Connection, items: Sequence[Item]) -> _Draft:
        found = await store.look_up(conn, [_ask(item) for item in items])
        claims = [(i.caller.project_id, i.event.type) for i in items if not i.caller.trusted]
        shown_as_other = await self._ceilings.shown_types(conn, found.now, claims)
        draft = _Draft(found.now, found.projects, shown_as_other, found.roots)
        others = await self._sort(conn, draft, items, found.leads)
        self._now = found.now
        draft.plain = len(draft.rows)
        if not others:
            # Nothing but facts about known people: the one statement is the transaction.
            if draft.rows:
                await self._store(conn, draft)
            return draft
        async with conn.transaction():
            made = await self._resolve(conn, draft, others)
            await self._store(conn, draft)
            await self._ceilings.count_new_leads(conn, draft.now, made)
        return draft

    async def _sort(
        self, conn: Connection, draft: _Draft, items: Sequence[Item], leads: Sequence[str]
    ) -> list[Item]:
        """Drafts what is plain, answers what must not be kept, returns the others."""
        self._suppressing |= {p for p, state in draft.projects.items() if state.suppressions}
        unwanted = await suppressing.unwanted(conn, items, draft.projects)
        aside: list[tuple[Item, Forgotten]] = []
        others: list[Item] = []
        held = {items[n].key for n in unwanted}
        for n, (item, lead) in enumerate(zip(items, leads, strict=True)):
            why = unwanted.get(n)
            error = _obstacle(item, lead, draft.projects, erased=why is not None and why.by_lead)
            if error is not None:
                draft.errors.append((item, error))
            elif draft.place(item):
                if why is not None:
                    aside.append((item, why))
                elif item.key in held:
                    draft.later.append(item)  # after the one that is not kept
                elif lead == store.NOT_PLAIN:
                    others.append(item)
                else:
                    draft.add(item, lead, has_traits=item.event.traits is not None)
        if aside:
            answers, again = await suppressing.answer(conn, aside)
            draft.statuses += answers
            draft.later += again
        return others

    async def _resolve(
        self, conn: Connection, draft: _Draft, others: Sequence[Item]
    ) -> Counter[str]:
        """Finds, makes and joins leads; tells how many new ones claims made, by project."""
        fresh = await self._only_new(conn, draft, others)
        named = [_named(item) for item in fresh]
        allowance = self._ceilings.allowance(conn, draft.now)
        made: Counter[str] = Counter()
        resolved = await resolve(conn, draft.now, named, allowance) if named else []
        for item, one in zip(fresh, resolved, strict=True):
            if one.error is not None:
                draft.errors.append((item, one.error))
                continue
            if one.created or one.linked:
                draft.moved.add(item.id)
            draft.roots[one.lead_id] = one.root
            if one.merged and not item.caller.trusted:
                self._ceilings.joined(item.caller.project_id, one.root)
            if one.created and not item.caller.trusted:
                made[item.caller.project_id] += 1
            has_traits = not one.created and (one.linked or item.event.traits is not None)
            draft.add(item, one.lead_id, has_traits=has_traits)
        return made

    async def _only_new(
        self, conn: Connection, draft: _Draft, others: Sequence[Item]
    ) -> list[Item]:
        """Those whose eventId is not taken: what is stored already has no effect on identity."""
        known = await store.stored(conn, [item.key for item in others])
        fresh: list[Item] = []
        seen = {item.key for item, _ in draft.rows}
        rivals: list[tuple[Item, str]] = []
        for n, item in enumerate(others):
            there = known.get(n)
            if there is not None:
                _compare(draft, item, there, rivals)
            elif item.key in seen:
                draft.later.append(item)  # the same id twice: one decides, then this one
            else:
                seen.add(item.key)
                fresh.append(item)
        await _keep(conn, draft, rivals)
        return fresh

    async def _store(self, conn: Connection, draft: _Draft) -> None:
        await self._quarantine(conn, draft)
        versions = {p: state.suppressions for p, state in draft.projects.items()}
        new = await store.store(conn, [row for _, row in draft.rows], versions)
        if new is None:
            raise _AgainError
        missing = []
        for item, row in draft.rows:
            if item.id in new:
                draft.statuses.append((item, "queued"))
                item.lead_id, item.received, item.held = row.l, draft.now, row.q
            else:
                missing.append(item)
        if not missing:
            return
        if any(item.id in draft.moved for item in missing):
            raise _AgainError
        known = await store.stored(conn, [item.key for item in missing])
        rivals: list[tuple[Item, str]] = []
        for n, item in enumerate(missing):
            if n not in known:
                raise _AgainError
            _compare(draft, item, known[n], rivals)
        await _keep(conn, draft, rivals)

    async def _quarantine(self, conn: Connection, draft: _Draft) -> None:
        claims = [row for item, row in draft.rows if not item.caller.trusted]
        if claims:
            leads = [(row.p, row.l) for row in claims]
            beyond = await self._ceilings.beyond(conn, draft.now, leads, draft.roots)
            held = [claims[n] for n in beyond]
            for row in held:
                row.q = True
            # What they link stands all the same, and no row in the inbox will show it.
            linked = [(row.p, row.l) for row in held if row.h and row.i in draft.moved]
            await identity.ask_refold(conn, draft.now, linked, identity.LOOK)


def _obstacle(
    item: Item, lead: str, projects: Mapping[str, store.State], *, erased: bool
) -> LeadPulseError | None:
    """Why an event can't be taken at all, if so; `erased`: its leadId was known once."""
    project = projects.get(item.caller.project_id)
    if project is None:
        return Unauthorized("This key is not known.", "unknown_key")
    if project.closed:
        return Unauthorized("This project is paused.", "project_paused")
    if lead == store.UNKNOWN_LEAD_ID and not erased:
        return UnknownLead(f"No lead of this project has the leadId {item.event.lead_id}.")
    return None


def _fits(item: Item, others: frozenset[tuple[str, str]], *, slow: bool) -> bool:
    """True if the short way may be tried; times behind 2255 are not exact in it."""
    if item.event.sent is not None and item.event.sent > _EXACT:
        return False
    if item.caller.sample:
        return False  # it counts events
    if item.caller.trusted:
        return True
    return not slow and (item.caller.project_id, item.event.type) not in others


def _event(item: Item, known: AbstractSet[str]) -> shortcut.Event:
    event, caller = item.event, item.caller
    names = None
    if caller.project_id in known:
        names = suppressing.names_of(item, lead=True)
    return shortcut.Event(
        caller.project_id, item.id, item.event_id, item.digest, item.fingerprint, event.type,
        msgspec.Raw(event.properties), event.lead_id, event.user_id, item.email,
        event.anonymous_id, caller.trusted, item.verified, event.sent, event.sent_at, item.index,
        event.session_id, None if event.traits is None else msgspec.Raw(event.traits), event.test,
        names,
    )  # fmt: skip


def _ask(item: Item) -> store.Ask:
    event = item.event
    return store.Ask(
        item.caller.project_id, event.lead_id, event.user_id, item.email, event.anonymous_id,
        item.caller.trusted, item.verified,
    )  # fmt: skip


def _named(item: Item) -> Named:
    event = item.event
    return Named(
        item.caller.project_id, item.caller.trusted, item.when, item.event_id, event.lead_id,
        event.user_id, item.email, event.anonymous_id, item.verified, item.id, event.known,
        event.test, item.caller.sample,
    )  # fmt: skip


def _compare(
    draft: _Draft, item: Item, there: store.Stored, rivals: list[tuple[Item, str]]
) -> None:
    status = suppressing.judged(item, there.id, there.fingerprint)
    draft.statuses.append((item, status))
    if status == "conflict":
        rivals.append((item, there.id))


async def _keep(conn: Connection, draft: _Draft, rivals: list[tuple[Item, str]]) -> None:
    if rivals:
        await store.keep_conflicts(
            conn,
            [
                store.Conflict(
                    item.key,
                    item.id,
                    item.event_id,
                    event,
                    _body(item),
                    draft.now,
                    draft.projects[item.caller.project_id].suppressions,
                )
                for item, event in rivals
            ],
        )


def _body(item: Item) -> dict[str, object]:
    """The event in the wire form, for people to compare."""
    event = item.event
    sent = None if event.sent is None else to_rfc3339(event.sent)
    said = {
        "event": event.type, "eventId": item.event_id, "leadId": event.lead_id,
        "userId": event.user_id, "email": event.email, "anonymousId": event.anonymous_id,
        "timestamp": sent, "sessionId": event.session_id,
        "properties": msgspec.Raw(event.properties),
        "traits": None if event.traits is None else msgspec.Raw(event.traits),
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}
