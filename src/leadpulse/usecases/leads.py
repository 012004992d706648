"""Changing single leads: made, corrected, adjusted, removed. All by callers that are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.facts import ADJUSTMENT, PROFILE, SECOND
from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, USER_ID, Name, Named
from leadpulse.domain.lead_change import (
    LeadChange,
    parse_adjustment,
    parse_lead_patch,
    parse_new_lead,
)
from leadpulse.domain.profile import OWNER, Held, Source, view
from leadpulse.ids import uuid7
from leadpulse.postgres import identity, members, profiles, test_marks
from leadpulse.postgres import lead_changes as store
from leadpulse.postgres.session import unit
from leadpulse.usecases import audit
from leadpulse.usecases.inside import Saying, own_event
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.resolve import resolve
from leadpulse.usecases.suppressing import refuse_suppressed

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

_FIELDS: Final = {USER_ID: "userId", EMAIL: "email", ANONYMOUS_ID: "anonymousId"}
# Rows that one transaction removes, and transactions before the rest is left to maintenance.
_PORTION: Final = 10_000
_PORTIONS_AT_ONCE: Final = 10
# Longer than any transaction of the intake lives.
STRAGGLERS: Final = 60 * SECOND


class Saved(NamedTuple):
    """The lead that a call made or completed."""

    lead_id: str
    created: bool


class Adjusted(NamedTuple):
    """A correction by hand; `known`: its eventId came before, and nothing changed."""

    id: str
    event_id: str
    lead_id: str
    known: bool


async def survivor(conn: Connection, project_id: str, lead_id: str) -> str:
    """The lead that answers for an id. Raises NotFound."""
    root = None
    if is_id(lead_id):
        root = await identity.resolve_lead(conn, project_id, lead_id)
    if root is None:
        raise NotFound("lead", lead_id)
    return root


# ── Making and changing ──────────────────────────────────────────────────────────────


async def create_or_update(
    pool: Pool, project_id: str, document: Mapping[str, Any], by: str
) -> Saved:
    """Makes a lead, or completes the one that has the identifier; a name alone makes one.

    Raises Invalid, and Conflict if the identifiers belong to different people.
    """
    change = parse_new_lead(document)
    async with unit(pool, project_id) as (conn, _):
        await identity.lock_identities(conn, [project_id])
        now = await store.clock(conn)
        await refuse_suppressed(conn, project_id, change.identifiers)
        if change.identifiers:
            saved = await _find_or_make(conn, project_id, change, now)
        else:
            saved = Saved(uuid7(), created=True)
            lead = identity.NewLead(project_id, saved.lead_id, {}, view({}, ()), now, test=False)
            await identity.create(conn, now, [lead], [])
        root = await survivor(conn, project_id, saved.lead_id)
        await _state(conn, project_id, root, (change, by))
        if not saved.created:
            await test_marks.make_real(conn, project_id, [root])
        else:
            await identity.ask_refold(conn, now, [(project_id, root)], "rebuild")
    return Saved(root, saved.created)


async def _find_or_make(conn: Connection, project_id: str, change: LeadChange, now: int) -> Saved:
    user, email = (next(iter(change.identifiers.get(kind, ())), None) for kind in (USER_ID, EMAIL))
    # The facts follow with their own event: here they would get an event that isn't stored.
    named = Named(project_id, trusted=True, ts=now, event_id=uuid7(), user_id=user, email=email)
    (resolved,) = await resolve(conn, now, [named])
    if resolved.error is not None:
        raise resolved.error
    names = [(project_id, name) for name in named.names()]
    graph = (await identity.load_graphs(conn, names, [], set()))[project_id]
    root = graph.root(resolved.lead_id)
    for name in named.names():
        known = graph.identifiers.get(name)
        if known is None or graph.root(known.lead) != root:
            raise _taken("These identifiers belong to different people.")
    return Saved(resolved.lead_id, resolved.created)


async def patch(
    pool: Pool, project_id: str, lead_id: str, document: Mapping[str, Any], by: str
) -> str:
    """Changes a lead and returns its survivor's id; null removes; read at once.

    Raises Invalid, NotFound, and Conflict if another lead has one of the identifiers.
    """
    change = parse_lead_patch(document)
    async with unit(pool, project_id) as (conn, _):
        await _require_member(conn, project_id, change.facts.get(OWNER), by)
        await identity.lock_identities(conn, [project_id])
        root = await survivor(conn, project_id, lead_id)
        await refuse_suppressed(conn, project_id, change.identifiers)
        if change.identifiers:
            await _set_identifiers(conn, project_id, root, change)
        if change.facts or change.identifiers:
            await _state(conn, project_id, root, (change, by))
    return root


async def _require_member(conn: Connection, project_id: str, owner: object, by: str) -> None:
    """A person gives leads to members only; programs may have names of their own for people."""
    if owner is None or not by.startswith("user:"):
        return
    if not is_id(str(owner)) or not await members.is_member(conn, project_id, str(owner)):
        raise Invalid([FieldError("owner", "must be the user id of a member of the project")])


async def _state(
    conn: Connection, project_id: str, root: str, said: tuple[LeadChange, str]
) -> None:
    """Stores a change as a fact of its own time, and shows it."""
    change, by = said
    await store.lock_leads(conn, project_id, [root])
    # After the lock: no earlier pass has seen a later time.
    now = await store.clock(conn)
    traits = dict(change.facts)
    saying = Saying(PROFILE, by, traits=traits)
    event = await own_event(conn, project_id, root, saying, now)
    await store.insert_event(conn, event, scored=False)
    source = Source(now, event.event_id, confirmed=True)
    item = profiles.Said(project_id, root, root, source, traits, inside=True)
    if await profiles.apply_traits(conn, now, [item], by):
        await store.count_change(conn, project_id, root, now)


async def _set_identifiers(
    conn: Connection, project_id: str, root: str, change: LeadChange
) -> None:
    held = (await identity.load_held(conn, [(project_id, root)]))[project_id, root]
    gone: list[Name] = []
    given: list[Name] = []
    for kind, wanted in change.identifiers.items():
        # A new email or userId becomes the shown one and the old stays; null removes all.
        replaces = kind == ANONYMOUS_ID or not wanted
        gone += [
            (kind, one.value)
            for one in held
            if one.kind == kind and replaces and one.value not in wanted
        ]
        given += [(kind, value) for value in wanted]
    await store.drop_names(conn, project_id, gone)
    await _give(conn, project_id, root, (given, held))


async def _give(
    conn: Connection, project_id: str, root: str, names: tuple[list[Name], list[Held]]
) -> None:
    given, held = names
    standing = {(one.kind, one.value): one.confirmed for one in held}
    await identity.change_names(
        conn,
        [
            identity.ChangedName(project_id, name, None, confirmed=True)
            for name in given
            if standing.get(name) is False
        ],
    )
    fresh = [name for name in given if name not in standing]
    if not fresh:
        return
    asked = [(project_id, name) for name in fresh]
    graphs = await identity.load_graphs(conn, asked, [], set())
    for kind, value in graphs[project_id].identifiers if graphs else ():
        raise _taken(f"Another lead has the {_FIELDS[kind]} {value}.")
    new = [identity.NewName(project_id, name, root, confirmed=True) for name in fresh]
    if not await identity.create(conn, await store.clock(conn), [], new):
        raise _taken("Another lead was given one of these identifiers just now.")


def _taken(detail: str) -> Conflict:
    return Conflict(detail, code="identifier_taken")


# ── Adjusting ────────────────────────────────────────────────────────────────────────


async def adjust(
    pool: Pool, project_id: str, lead_id: str, document: Mapping[str, Any], by: str
) -> Adjusted:
    """Adds a correction by hand to the facts; the scorer folds it. Idempotent by eventId.

    Raises Invalid, NotFound, and Conflict for an eventId that says something else.
    """
    wanted = parse_adjustment(document)
    properties = {"points": wanted.points, "note": wanted.note}
    async with unit(pool, project_id) as (conn, now):
        root = await survivor(conn, project_id, lead_id)
        saying = Saying(ADJUSTMENT, by, properties, event_id=wanted.event_id)
        event = await own_event(conn, project_id, root, saying, now)
        if await store.insert_event(conn, event, scored=True):
            return Adjusted(event.id, event.event_id, root, known=False)
        stored = await store.stored_event(conn, project_id, event.digest)
        if stored is None or stored.fingerprint != event.fingerprint:
            raise Conflict(f"The eventId {event.event_id} stands for another event.")
        if await identity.resolve_lead(conn, project_id, stored.lead_id) != root:
            raise Conflict(f"The eventId {event.event_id} stands for another lead's adjustment.")
    return Adjusted(stored.id, event.event_id, root, known=True)


# ── Removing ─────────────────────────────────────────────────────────────────────────


async def delete(pool: Pool, project_id: str, lead_id: str) -> None:
    """Removes a lead with all that merged into it. It comes back when it is seen again.

    The lead is gone at once; what is long of its events and ledger goes in portions, the rest
    of it by a pass beside the scorers. Raises NotFound.
    """
    async with unit(pool, project_id) as (conn, now):
        await identity.lock_identities(conn, [project_id])
        root = await survivor(conn, project_id, lead_id)
        leads = await identity.members(conn, project_id, root)
        await store.lock_leads(conn, project_id, leads)
        await store.remove_leads(conn, project_id, leads, now)
        await audit.record(conn, project_id, "lead.removed", f"lead:{root}")
    for lead in leads:
        for _ in range(_PORTIONS_AT_ONCE):
            async with unit(pool, project_id) as (conn, _):
                if await store.remove_rows(conn, project_id, lead, _PORTION) < _PORTION:
                    break
