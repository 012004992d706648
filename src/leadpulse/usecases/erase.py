"""Erasing a person: everything that is stored about him, at once or in bounded portions.

The first transaction takes the leads with their profiles and identifiers away, and lets the
intake keep nothing more of the person. What is long goes after it, in portions: rows of the
leads, then traces in what belongs to others. Each portion is a transaction that notes how far it
came, so that whoever finds an erasure half done goes on with it. Of events digests stay, so that
callers who send one again are answered as before.

Others' events are cleaned before their profiles, and under the locks that scorers hold while they
read the one and write the other: so no profile takes up afterwards what an event said before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from leadpulse.domain.errors import FieldError, Invalid, NotFound
from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, LEAD_ID, USER_ID
from leadpulse.domain.lead_file import names_in
from leadpulse.domain.names import email as an_email
from leadpulse.domain.traces import Traces, as_id
from leadpulse.ids import uuid7
from leadpulse.postgres import erasing as store
from leadpulse.postgres import identity, lead_changes, lead_imports, profiles
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit, paging
from leadpulse.usecases.lead_rows import ERASED
from leadpulse.usecases.leads import survivor
from leadpulse.usecases.paging import is_id
from leadpulse.usecases.suppressing import coded, codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.domain.identity import Name
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.erasing import Erasure, Suppression
    from leadpulse.postgres.session import Pool

_PORTION: Final = 5_000
# Rows of others that one portion looks at, and how many of them it changes.
_LOOKED: Final = 5_000
_FOUND: Final = 200
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
    by_kind = await _names(conn, project_id, root, leads)
    now = await lead_changes.clock(conn)
    erasure = store.Erasure(
        project_id, uuid7(), root, leads, None, "rows", store.FIRST, now, by, None
    )
    names = store.Names(by_kind[USER_ID], by_kind[EMAIL], by_kind[ANONYMOUS_ID])
    # A browser may be shared with somebody who was not erased.
    digests = [
        coded(project[0], kind, value)
        for kind, values in ((LEAD_ID, leads), (USER_ID, names.users), (EMAIL, names.emails))
        for value in values
    ]
    await store.add(conn, erasure, names, digests)
    await lead_changes.remove_leads(conn, project_id, leads, now, erased=True)
    await audit.record(conn, project_id, "lead.erased", f"lead:{root}", {"leads": len(leads)})
    return erasure


async def _names(
    conn: Connection, project_id: str, root: str, leads: list[str]
) -> dict[int, list[str]]:
    """The identifiers of a person, by kind: also earlier ones, and every address among them.

    Only those that he holds now are his for certain: of the others those stay that somebody
    else holds.
    """
    held = (await identity.load_held(conn, [(project_id, root)]))[project_id, root]
    own = {(one.kind, one.value) for one in held}
    said = await store.names_said(conn, project_id, leads)
    for facts in (await profiles.facts_of(conn, [(project_id, root)]))[root]:
        said += [(fact[0], None) for fact in facts.get("userId", ())]
        said += [(None, fact[0]) for fact in facts.get("email", ())]
    more = {(USER_ID, user) for value, _ in said if (user := as_id(value)) is not None}
    more |= _addresses([email for _, email in said])
    more |= _addresses([value for kind, value in own | more if kind != EMAIL])
    asked = more | {(USER_ID, value) for kind, value in more if kind == EMAIL}
    taken = await store.held_by_others(conn, project_id, asked, leads)
    more -= taken | _addresses([value for _, value in taken])
    by_kind: dict[int, list[str]] = {USER_ID: [], EMAIL: [], ANONYMOUS_ID: []}
    for kind, value in sorted(own | more):
        by_kind[kind].append(value)
    return by_kind


def _addresses(values: Iterable[object]) -> set[Name]:
    return {(EMAIL, address) for value in values if (address := an_email(value)) is not None}


# ── Portions ─────────────────────────────────────────────────────────────────────────


async def go_on(conn: Connection, project_id: str, erasure_id: str) -> bool:
    """One more portion of an erasure, in the caller's transaction; True if it is over."""
    erasure = await store.held(conn, project_id, erasure_id)
    if erasure is None or erasure.phase == "done":
        return True
    if erasure.phase == "rows":
        await _remove_rows(conn, erasure)
        return False
    names = erasure.names or {}
    traces = Traces(names.get("users", ()), names.get("emails", ()))
    clean, then = _WALKS[erasure.phase]
    # The more there is to look for, the less there is done at once.
    share = 1 + len(traces.needles) // 100
    portion = store.Portion(max(1, _LOOKED // share), max(1, _FOUND // share))
    upto = None
    if traces or erasure.phase == "conflicts":  # which also name browsers and leads
        upto = await clean(conn, erasure, traces, portion)
    await store.go_on(conn, erasure, *((then,) if upto is None else (erasure.phase, upto)))
    return upto is None and then == "done"


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


async def _drop_conflicts(
    conn: Connection, erasure: Erasure, traces: Traces, portion: store.Portion
) -> str | None:
    """Events whose eventId was taken are not kept if they name the person in any way."""
    walked = await store.conflicts(conn, erasure, traces.needles, portion)
    gone = [row[0] for row in walked.found if row[1] or traces.stand_in(row[2])]
    if gone:
        await store.drop_conflicts(conn, erasure.project_id, gone)
    return walked.upto


async def _blank_imports(
    conn: Connection, erasure: Erasure, traces: Traces, portion: store.Portion
) -> str | None:
    """Rows of files that name the person lose their cells, whether they were imported or not."""
    # None of them is being imported meanwhile.
    await identity.lock_identities(conn, [erasure.project_id])
    walked = await store.imported(conn, erasure, traces.needles, portion)
    of = {row[1] for row in walked.found}
    columns = await lead_imports.columns_of(conn, erasure.project_id, of) if of else {}
    gone = [
        id_
        for id_, import_id, cells in walked.found
        if traces.stand_in(cells)
        or any(name in traces.users for _, name in names_in(columns.get(import_id, ()), cells))
    ]
    if gone:
        await lead_imports.blank(conn, erasure.project_id, gone, ERASED)
    return walked.upto


async def _clean_events(
    conn: Connection, erasure: Erasure, traces: Traces, portion: store.Portion
) -> str | None:
    """Traits of other people's events, whether a profile shows them or not."""
    walked = await store.events(conn, erasure, traces.needles, portion)
    left = {
        event: (lead, cleaned)
        for event, lead, traits in walked.found
        if (cleaned := traces.without(traits)) != traits
    }
    if left:
        leads = sorted({lead for lead, _ in left.values()})
        if await _locked(conn, erasure.project_id, leads) is None:
            return erasure.cursor
        said = {event: traits for event, (_, traits) in left.items()}
        await store.save_traits(conn, erasure.project_id, said)
    return walked.upto


async def _clean_profiles(
    conn: Connection, erasure: Erasure, traces: Traces, portion: store.Portion
) -> str | None:
    """What is known of other people, and what they showed before they were merged."""
    walked = await store.profiles(conn, erasure, traces.needles, portion)
    leads = [row[0] for row in walked.found]
    if leads:
        roots = await _locked(conn, erasure.project_id, leads)
        if roots is None:
            return erasure.cursor
        for lead in leads:
            await _clean_profile(conn, erasure.project_id, (lead, roots[lead]), traces)
    return walked.upto


async def _clean_profile(
    conn: Connection, project_id: str, of: tuple[str, str], traces: Traces
) -> None:
    lead, root = of
    facts = await store.facts(conn, project_id, lead)
    if facts is None:
        return
    if lead != root:
        await store.show_nothing(conn, project_id, lead)
    left = traces.without_facts(facts)
    if left != facts:
        now = await lead_changes.clock(conn)
        await store.save_facts(conn, project_id, lead, left)
        if await profiles.refresh_views(conn, now, [(project_id, root)]):
            await lead_changes.count_change(conn, project_id, root, now)


async def _locked(
    conn: Connection, project_id: str, leads: Sequence[str]
) -> Mapping[str, str] | None:
    """Locks the survivors of leads and returns them; None if they are others by then."""
    roots = await store.roots(conn, project_id, leads)
    await lead_changes.lock_leads(conn, project_id, sorted(set(roots.values())))
    return roots if await store.roots(conn, project_id, leads) == roots else None


class _Clean(Protocol):
    """A portion of a walk; tells up to where it came, None if it is over."""

    async def __call__(
        self, conn: Connection, erasure: Erasure, traces: Traces, portion: store.Portion
    ) -> str | None: ...


# What each walk does, and what comes after it.
_WALKS: Final[Mapping[str, tuple[_Clean, store.Phase]]] = {
    "conflicts": (_drop_conflicts, "imports"),
    "imports": (_blank_imports, "events"),
    "events": (_clean_events, "profiles"),
    "profiles": (_clean_profiles, "done"),
}


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
            named = ",".join(codes(project[0], *name))
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
