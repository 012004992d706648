"""Identifiers, leads that merged, and what a batch of events changes in them.

Whatever changes a stored link (an identifier's lead, a merge, an undo) holds the identity
lock of its project until it commits. Making a lead for an unknown identifier needs no lock:
the primary key of `identifiers` decides who was first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from leadpulse.domain.identity import Graph, Known, Name, Tree
from leadpulse.domain.profile import Facts, Held, View
from leadpulse.ids import uuid7, uuid7s
from leadpulse.postgres.connect import Connection, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A request that folds nothing: an identifier went elsewhere.
LOOK: Final = "look"

# Any constant will do; it keeps these locks apart from other advisory locks.
_LOCK_SPACE: Final = 0x1D

_LOCK: Final = """
select pg_advisory_xact_lock(key)
from (
    select hashtextextended(p, %s) as key from unnest(string_to_array(%s, ',')) p order by 1
) keys
"""

# Every sub-select is lateral with a limit: that fixes the look-ups by key, whatever the
# statistics of a table that was empty a minute ago say.
_IDENTIFIERS: Final = """
select n.p::text, n.k, n.v, i.lead_id::text, coalesce(r.root_id, i.lead_id)::text, i.confirmed,
    i.links,
    case when i.people is not null then array(
        select coalesce(
            (select m.root_id from lead_roots m where m.project_id = n.p and m.lead_id = person),
            person)::text
        from unnest(i.people) person
    ) end
from jsonb_to_recordset(%s::jsonb) n (p uuid, k smallint, v text)
cross join lateral (
    select * from identifiers i
    where i.project_id = n.p and i.kind = n.k and i.value = n.v limit 1
) i
left join lateral (
    select root_id from lead_roots r
    where r.project_id = n.p and r.lead_id = i.lead_id limit 1
) r on true
"""

_LEADS: Final = """
select n.p::text, n.l::text, coalesce(r.root_id, n.l)::text
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid)
cross join lateral (
    select 1 from leads l where l.project_id = n.p and l.id = n.l limit 1
) l
left join lateral (
    select root_id from lead_roots r where r.project_id = n.p and r.lead_id = n.l limit 1
) r on true
"""

_TREES: Final = """
select n.p::text, n.l::text, i.kind, bool_or(i.confirmed)
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid)
cross join lateral (
    select n.l as lead_id
    union all
    select r.lead_id from lead_roots r where r.project_id = n.p and r.root_id = n.l
) m
cross join lateral (
    select i.kind, i.confirmed from identifiers i
    where i.project_id = n.p and i.lead_id = m.lead_id offset 0
) i
group by 1, 2, 3
"""

_UNDONE: Final = """
select n.p::text, u.child_id::text, u.parent_id::text,
    coalesce((select r.root_id from lead_roots r
              where r.project_id = n.p and r.lead_id = u.child_id), u.child_id)::text,
    coalesce((select r.root_id from lead_roots r
              where r.project_id = n.p and r.lead_id = u.parent_id), u.parent_id)::text
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid)
cross join lateral (
    select n.l as lead_id
    union all
    select r.lead_id from lead_roots r where r.project_id = n.p and r.root_id = n.l
) m
cross join lateral (
    select g.child_id, g.parent_id from lead_merges g
    where g.project_id = n.p and g.child_id = m.lead_id and g.undone_at is not null offset 0
) u
"""

_CREATE: Final = """
with n as materialized (
    select * from jsonb_to_recordset(%(leads)s::jsonb) n (
        p uuid, l uuid, f jsonb, e text, u text, n text, c text, t jsonb, cl text[], a text,
        ts bigint, test boolean, s boolean)
), made as (
    insert into leads (project_id, id, as_of, epoch, created_at, updated_at, test, sample)
    select n.p, n.l, %(now)s, (select j.history_version from projects j where j.id = n.p),
        %(now)s, %(now)s, n.test, n.s
    from n order by n.p, n.l
), profiles as (
    insert into lead_profiles (
        project_id, lead_id, facts, email, user_id, name, company, traits, claimed,
        anonymous_id, test, hidden, first_seen_at, updated_at)
    select n.p, n.l, n.f, n.e, n.u, n.n, n.c, n.t, n.cl, n.a, n.test, n.test,
        timestamptz 'epoch' + n.ts * interval '1 microsecond', %(now)s
    from n order by n.p, n.l
)
insert into identifiers (project_id, kind, value, lead_id, confirmed, created_at)
select i.p, i.k, i.v, i.l, i.c, %(now)s
from jsonb_to_recordset(%(names)s::jsonb) i (p uuid, k smallint, v text, l uuid, c boolean)
order by i.p, i.k, i.v collate "C"
on conflict do nothing
"""

_CHANGE: Final = """
update identifiers i set
    lead_id = coalesce(n.l, i.lead_id),
    confirmed = coalesce(n.c, i.confirmed),
    links = coalesce(n.n, i.links),
    people = coalesce(n.m, i.people)
from jsonb_to_recordset(%s::jsonb) n (
    p uuid, k smallint, v text, l uuid, c boolean, n int, m uuid[])
where i.project_id = n.p and i.kind = n.k and i.value = n.v
"""

_MERGE: Final = """
insert into lead_merges (project_id, id, child_id, parent_id, cause, event, made_by, made_at)
select n.p, n.id, n.c, n.t, n.cause, n.e, n.by, %(now)s
from jsonb_to_recordset(%(merges)s::jsonb) n (
    p uuid, id uuid, c uuid, t uuid, cause text, e uuid, by text)
"""

# Children of a survivor that has merged follow it, then it becomes one of them itself.
_REROOT: Final = """
with n as materialized (
    select * from jsonb_to_recordset(%(roots)s::jsonb) n (p uuid, o uuid, r uuid)
), moved as (
    update lead_roots l set root_id = n.r from n where l.project_id = n.p and l.root_id = n.o
)
insert into lead_roots (project_id, lead_id, root_id) select n.p, n.o, n.r from n
"""

_REFOLD: Final = """
insert into inbox (project_id, lead_id, id, kind, event_type, received_at)
select n.p, n.l, n.id, 1, %(cause)s, %(now)s
from jsonb_to_recordset(%(leads)s::jsonb) n (p uuid, l uuid, id uuid)
order by n.p, n.l
"""

_MEMBERS: Final = """
select %(l)s::uuid::text
union all
select r.lead_id::text from lead_roots r where r.project_id = %(p)s and r.root_id = %(l)s
"""

_HELD: Final = """
select n.p::text, n.l::text, i.kind, i.value, i.confirmed, i.lead_id = n.l
from jsonb_to_recordset(%s::jsonb) n (p uuid, l uuid)
cross join lateral (
    select n.l as lead_id
    union all
    select r.lead_id from lead_roots r where r.project_id = n.p and r.root_id = n.l
) m
cross join lateral (
    select i.kind, i.value, i.confirmed, i.lead_id from identifiers i
    where i.project_id = n.p and i.lead_id = m.lead_id offset 0
) i
"""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _rows(conn: Connection, query: str, parameter: object) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(query, (_json(parameter),))
    return await cursor.fetchall()


# ── Reading ──────────────────────────────────────────────────────────────────────────


async def lock_identities(conn: Connection, project_ids: Iterable[str]) -> None:
    """Take the identity locks of projects until the transaction ends, in one order for all."""
    await conn.execute(_LOCK, (_LOCK_SPACE, ",".join(sorted(set(project_ids)))))


async def load_graphs(
    conn: Connection,
    names: Iterable[tuple[str, Name]],
    leads: Iterable[tuple[str, str]],
    linking: frozenset[str] | set[str],
) -> dict[str, Graph]:
    """Return what is known of the named identifiers and leads, by project.

    What their trees hold is read only for the projects in `linking`.
    """
    graphs: dict[str, Graph] = {}
    asked = [{"p": p, "k": kind, "v": value} for p, (kind, value) in dict.fromkeys(names)]
    for p, kind, value, lead, root, confirmed, links, people in await _rows(
        conn, _IDENTIFIERS, asked
    ):
        graph = graphs.setdefault(p, Graph())
        graph.identifiers[kind, value] = Known(lead, confirmed, links, tuple(people or ()))
        graph.roots[lead] = root
    wanted = [{"p": p, "l": lead} for p, lead in dict.fromkeys(leads)]
    if wanted:
        for p, lead, root in await _rows(conn, _LEADS, wanted):
            graphs.setdefault(p, Graph()).roots[lead] = root
    await _load_trees(conn, {p: graph for p, graph in graphs.items() if p in linking})
    return graphs


async def _load_trees(conn: Connection, graphs: Mapping[str, Graph]) -> None:
    roots = [
        {"p": p, "l": root} for p, graph in graphs.items() for root in set(graph.roots.values())
    ]
    if not roots:
        return
    for p, root, kind, confirmed in await _rows(conn, _TREES, roots):
        tree = graphs[p].trees.setdefault(root, Tree(root))
        tree.note(kind, confirmed=confirmed)
    if len(roots) < 2:
        return
    for p, child, parent, child_root, parent_root in await _rows(conn, _UNDONE, roots):
        graph = graphs[p]
        graph.never.append((child, parent))
        graph.roots[child], graph.roots[parent] = child_root, parent_root


async def resolve_lead(conn: Connection, project_id: str, lead_id: str) -> str | None:
    """Return the survivor that answers for a lead, itself if it never merged; None: no lead."""
    cursor = await conn.execute(
        """select coalesce(
               (select r.root_id from lead_roots r
                where r.project_id = l.project_id and r.lead_id = l.id), l.id)::text
           from leads l where l.project_id = %s and l.id = %s""",
        (project_id, lead_id),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def members(conn: Connection, project_id: str, root_id: str) -> list[str]:
    """Return a survivor and every lead that merged into it."""
    cursor = await conn.execute(_MEMBERS, {"p": project_id, "l": root_id})
    return [row[0] for row in await cursor.fetchall()]


async def load_held(
    conn: Connection, roots: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[Held]]:
    """Return the identifiers of the trees of survivors, by (project, survivor)."""
    found: dict[tuple[str, str], list[Held]] = {key: [] for key in roots}
    if roots:
        asked = [{"p": p, "l": root} for p, root in found]
        for p, root, *held in await _rows(conn, _HELD, asked):
            found[p, root].append(Held(*held))
    return found


# ── Writing ──────────────────────────────────────────────────────────────────────────


class NewLead(NamedTuple):
    """A lead to make, with the profile that its first event gives it."""

    project_id: str
    lead_id: str
    facts: Facts
    view: View
    ts: int
    test: bool
    sample: bool = False


class NewName(NamedTuple):
    """An identifier that nobody has yet, and the lead that gets it."""

    project_id: str
    name: Name
    lead_id: str
    confirmed: bool


class ChangedName(NamedTuple):
    """What changes of a stored identifier; None stays as it is."""

    project_id: str
    name: Name
    lead_id: str | None
    confirmed: bool | None
    links: int | None = None
    people: tuple[str, ...] | None = None


class NewMerge(NamedTuple):
    """An edge between two survivors; `cause` is event or manual."""

    project_id: str
    child: str
    parent: str
    cause: str
    made_by: str
    event: str | None = None


async def create(
    conn: Connection, now: int, leads: Sequence[NewLead], names: Sequence[NewName]
) -> bool:
    """Make leads and give out identifiers; False if somebody else was first with one of them.

    Then the caller has to roll back to before, and read again.
    """
    if not names and not leads:
        return True
    made = [
        {
            "p": lead.project_id, "l": lead.lead_id, "f": lead.facts, "e": lead.view.email,
            "u": lead.view.user_id, "n": lead.view.name, "c": lead.view.company,
            "t": lead.view.traits, "cl": lead.view.claimed, "a": lead.view.anonymous_id,
            "ts": lead.ts, "test": lead.test, "s": lead.sample,
        }
        for lead in leads
    ]  # fmt: skip
    given = [
        {"p": n.project_id, "k": n.name[0], "v": n.name[1], "l": n.lead_id, "c": n.confirmed}
        for n in names
    ]
    cursor = await conn.execute(
        _CREATE, {"leads": _json(made), "names": _json(given), "now": Instant(now)}
    )
    return cursor.rowcount == len(names)


async def change_names(conn: Connection, changes: Sequence[ChangedName]) -> None:
    """Move identifiers to other leads, confirm them, count their people. Needs the lock."""
    if changes:
        document = [
            {
                "p": c.project_id, "k": c.name[0], "v": c.name[1], "l": c.lead_id,
                "c": c.confirmed, "n": c.links, "m": c.people,
            }
            for c in changes
        ]  # fmt: skip
        await conn.execute(_CHANGE, (_json(document),))


async def add_merges(conn: Connection, now: int, merges: Sequence[NewMerge]) -> list[str]:
    """Record edges, derive the survivors anew and ask for the folds. Needs the lock.

    The edges come in the order in which they were decided, each joins two leads that are
    survivors at its turn. Returns their ids.
    """
    if not merges:
        return []
    ids = uuid7s(len(merges))
    document = [
        {
            "p": m.project_id, "id": id_, "c": m.child, "t": m.parent, "cause": m.cause,
            "e": m.event, "by": m.made_by,
        }
        for m, id_ in zip(merges, ids, strict=True)
    ]  # fmt: skip
    await conn.execute(_MERGE, {"merges": _json(document), "now": Instant(now)})
    joined = {(m.project_id, m.child): m.parent for m in merges}
    roots: list[dict[str, str]] = []
    for (project_id, child), parent in joined.items():
        root = parent
        while (project_id, root) in joined:
            root = joined[project_id, root]
        roots.append({"p": project_id, "o": child, "r": root})
    await conn.execute(_REROOT, {"roots": _json(roots)})
    await ask_refold(conn, now, [(m["p"], lead) for m in roots for lead in (m["o"], m["r"])])
    return ids


async def ask_refold(
    conn: Connection, now: int, leads: Iterable[tuple[str, str]], cause: str = "merge"
) -> None:
    """Ask the scorer to fold leads from their first fact; `cause` is merge, model or rebuild.

    With the cause LOOK it only looks at what their profiles show.
    """
    document = [{"p": p, "l": lead, "id": uuid7()} for p, lead in dict.fromkeys(leads)]
    if document:
        parameters = {"leads": _json(document), "cause": cause, "now": Instant(now)}
        await conn.execute(_REFOLD, parameters)
