"""Erasing a person: everything that is stored about him, at once or in bounded portions.

The first transaction takes the leads with their profiles and identifiers away, and lets the
intake keep nothing more of the person. What is long goes after it, in portions: rows of the
leads, then traces in what belongs to others. Each portion is a transaction that notes how far it
came, so that whoever finds an erasure half done goes on with it. Of events digests stay, so that
callers who send one again are answered as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.errors import FieldError, Invalid, NotFound
from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, LEAD_ID, USER_ID
from leadpulse.domain.names import email as an_email
from leadpulse.ids import uuid7
from leadpulse.postgres import erasing as store
from leadpulse.postgres import identity, lead_changes, profiles
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit, paging
from leadpulse.usecases.leads import survivor
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.suppressing import coded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.erasing import Erasure, Suppression
    from leadpulse.postgres.session import Pool

_PORTION: Final = 5_000
# Portions before the rest is left to the upkeep and the caller is answered.
_AT_ONCE: Final = 40
KINDS: Final = {LEAD_ID: "leadId", USER_ID: "userId", EMAIL: "email", ANONYMOUS_ID: "anonymousId"}


class Erased(NamedTuple):
    """A person who was erased; not `done`: rows are still being removed in the background."""

    root_id: str
    leads: list[str]
    made_at: int
    done: bool


async def erase(pool: Pool, project_id: str, lead_id: str, by: str) -> Erased:
    """Erases a person, with all leads that merged; again, it tells what was done. NotFound."""
    async with unit(pool, project_id) as (conn, _):
        await identity.lock_identities(conn, [project_id])
        erasure = await store.of_lead(conn, project_id, lead_id) if is_id(lead_id) else None
        if erasure is None:
            root = await survivor(conn, project_id, lead_id)
            erasure = await _begin(conn, project_id, root, by)
    done = erasure.phase == "done"
    for _ in range(_AT_ONCE):
        if done:
            break
        async with unit(pool, project_id) as (conn, _):
            done = await go_on(conn, project_id, erasure.id)
    return Erased(erasure.root_id, erasure.leads, erasure.made_at, done)


async def _begin(conn: Connection, project_id: str, root: str, by: str) -> Erasure:
    """Takes the leads away and suppresses their names. Holds the identity lock."""
    project = await lead_changes.project_facts(conn, project_id)
    if project is None:
        raise NotFound("project", project_id)
    leads = sorted(await identity.members(conn, project_id, root))
    await lead_changes.lock_leads(conn, project_id, leads)
    held = (await identity.load_held(conn, [(project_id, root)]))[project_id, root]
    by_kind: dict[int, list[str]] = {kind: [] for kind in KINDS}
    for one in held:
        by_kind[one.kind].append(one.value)
    by_kind[LEAD_ID] = leads
    now = await lead_changes.clock(conn)
    erasure = store.Erasure(
        project_id, uuid7(), root, leads, None, "rows", store.FIRST, now, by, None
    )
    names = store.Names(by_kind[USER_ID], by_kind[EMAIL], by_kind[ANONYMOUS_ID])
    # A browser may be shared with somebody who was not erased.
    digests = [
        coded(project[0], kind, value)
        for kind in (LEAD_ID, USER_ID, EMAIL)
        for value in by_kind[kind]
    ]
    await store.add(conn, erasure, names, digests)
    await lead_changes.remove_leads(conn, project_id, leads, now, erased=True)
    await audit.record(conn, project_id, "lead.erased", f"lead:{root}", {"leads": len(leads)})
    return erasure


# ── Portions ─────────────────────────────────────────────────────────────────────────


async def go_on(conn: Connection, project_id: str, erasure_id: str) -> bool:
    """One more portion of an erasure, in the caller's transaction; True if it is over."""
    erasure = await store.held(conn, project_id, erasure_id)
    if erasure is None or erasure.phase == "done":
        return True
    if erasure.phase == "rows":
        await _remove_rows(conn, erasure)
    elif erasure.phase == "conflicts":
        seen, last = await store.drop_conflicts(conn, erasure, _PORTION)
        if last is None or seen < _PORTION:
            await store.go_on(conn, erasure, "profiles")
        else:
            await store.go_on(conn, erasure, "conflicts", last)
    elif await _clean_profiles(conn, erasure):
        await store.go_on(conn, erasure, "done")
        return True
    return False


async def _remove_rows(conn: Connection, erasure: Erasure) -> None:
    """Rows of the leads, one lead after the other."""
    left = _PORTION
    for lead in erasure.leads:
        if lead <= erasure.cursor:
            continue
        left -= await lead_changes.remove_rows(conn, erasure.project_id, lead, left, erased=True)
        if left <= 0:
            return
        await store.go_on(conn, erasure, "rows", lead)
    await store.go_on(conn, erasure, "conflicts")


async def _clean_profiles(conn: Connection, erasure: Erasure) -> bool:
    """What events of other people said of this one's names; True if there is no more."""
    names = erasure.names or {}
    if not (names.get("users") or names.get("emails")):
        return True
    seen, last, found = await store.profiles_with_traces(conn, erasure, _PORTION)
    for lead in found:
        await _clean_profile(conn, erasure, lead)
    if last is None or seen < _PORTION:
        return True
    await store.go_on(conn, erasure, "profiles", last)
    return False


async def _clean_profile(conn: Connection, erasure: Erasure, lead: str) -> None:
    project_id = erasure.project_id
    root = await identity.resolve_lead(conn, project_id, lead)
    if root is None or not await lead_changes.lock_leads(conn, project_id, [root]):
        return
    facts = await store.facts(conn, project_id, lead)
    if facts is None:
        return
    names = erasure.names or {}
    left = without(facts, frozenset(names["users"]), frozenset(names["emails"]))
    await store.clean_traits(conn, erasure, lead)
    if left != facts:
        now = await lead_changes.clock(conn)
        await store.save_facts(conn, project_id, lead, left)
        if await profiles.refresh_views(conn, now, [(project_id, root)]):
            await lead_changes.count_change(conn, project_id, root, now)


def without(
    facts: Mapping[str, Any], users: frozenset[str], emails: frozenset[str]
) -> dict[str, Any]:
    """Profile facts without somebody's names; a userId counts only where it stands as one."""
    left: dict[str, Any] = {}
    for field, fact in facts.items():
        if field in ("email", "userId"):
            kept = [
                one
                for one in fact
                if not _holds(one[0], emails) and not (field == "userId" and one[0] in users)
            ]
            if kept:
                left[field] = kept
        elif not _holds(fact[0], emails):
            left[field] = fact
    return left


def _holds(value: object, emails: frozenset[str]) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in emails
    if isinstance(value, dict):
        return any(_holds(item, emails) for item in value.values())
    return isinstance(value, list) and any(_holds(item, emails) for item in value)


# ── Suppressions ─────────────────────────────────────────────────────────────────────


async def list_suppressions(
    pool: Pool, project_id: str, name: tuple[int, str] | None, page: tuple[str | None, int]
) -> tuple[list[Suppression], str | None]:
    """Suppressions, newest first; of one name (kind and value) only, if it is given."""
    cursor, limit = page
    limit = paging.page_size(limit)
    before = None
    if cursor is not None:
        before = str(paging.decode(cursor, "suppressions", (str,))[0])
        if not is_id(before):
            raise paging.bad_cursor()
    async with snapshot(pool, project_id) as (conn, _):
        named = None
        if name is not None:
            project = await lead_changes.project_facts(conn, project_id)
            if project is None:
                raise NotFound("project", project_id)
            named = coded(project[0], *name)
        found = await store.suppressions(conn, project_id, named, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return shown, paging.encode("suppressions", shown[-1].id) if more else None


async def lift(pool: Pool, project_id: str, suppression_id: str) -> None:
    """Lets events of an erased person in again; what was erased stays so. Raises NotFound."""
    async with unit(pool, project_id) as (conn, _):
        await identity.lock_identities(conn, [project_id])
        if not await store.lift(conn, project_id, suppression_id):
            raise NotFound("suppression", suppression_id)
        await audit.record(conn, project_id, "suppression.lifted", f"suppression:{suppression_id}")


def a_name(user_id: str | None, email: str | None, lead_id: str | None) -> tuple[int, str] | None:
    """The one name that is asked for, normalised; Invalid if there are several or it is none."""
    given = [
        (kind, value)
        for kind, value in ((USER_ID, user_id), (EMAIL, email), (LEAD_ID, lead_id))
        if value is not None
    ]
    if not given:
        return None
    if len(given) > 1:
        raise Invalid([FieldError("email", "can't be asked for together with another name")])
    kind, value = given[0]
    if kind == EMAIL:
        address = an_email(value)
        if address is None:
            raise Invalid([FieldError("email", "must be an email address")])
        value = address
    return kind, value.lower() if kind == LEAD_ID else value
