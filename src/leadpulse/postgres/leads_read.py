"""Reading leads: pages in every order, totals up to a cap, single leads.

Every page follows an index and goes on behind its last row. An order is made of segments that
follow each other (leads with a name, then those without), because a null or an empty key would
otherwise take the index away from the rows that have one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.leads_filter import (
    SEGMENTS,
    LeadFilter,
    Order,
    Query,
    Sort,
    conditions_of,
    has,
    matching,
    source_of,
)
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

DAY: Final = 86_400_000_000
_ANONYMOUS_IDS_SHOWN: Final = 100
_MERGED_SHOWN: Final = 100
# How many leads are looked at to judge a word, and how many of them make it one that a page of
# leads is soon met by, and one that is counted sooner than the index of words tells all places.
_SAMPLE: Final = 1_000
_MET: Final = 10
_COMMON: Final = 200


class LeadRow(NamedTuple):
    """A lead as it is stored: its row, its profile, and counts that cost an index probe."""

    id: str
    score: float
    version: int
    last_act: int | None
    as_of: int
    state: Any
    generation: int
    created_at: int
    updated_at: int
    email: str | None
    user_id: str | None
    name: str | None
    company: str | None
    traits: dict[str, Any]
    claimed: list[str]
    anonymous_id: str | None
    owner: str | None
    status: str
    test: bool
    sample: bool
    first_seen_at: int | None
    anonymous_ids: list[str]
    merged: list[str]
    acts_24h: int


# Acts of a lead `l` in the last 24 hours.
ACTS_24H: Final = """
    case when l.last_event_at > %(day_ago)s then
        coalesce((l.state ->> 2)::int, 0) - coalesce((
            select g.acts from ledger g
            where g.project_id = l.project_id and g.lead_id = l.id
                and g.generation = l.generation and g.at <= %(day_ago)s
            order by g.at desc, g.entry desc limit 1), 0)
    else 0 end
"""
COLUMNS: Final = f"""
    l.id, l.score, l.version, l.last_event_at, l.as_of, l.state, l.generation, l.created_at,
    greatest(l.updated_at, p.updated_at), p.email, p.user_id, p.name, p.company,
    coalesce(p.traits, '{{}}'), coalesce(p.claimed, '{{}}'), p.anonymous_id, p.owner,
    coalesce(p.status, 'open'), l.test, l.sample, p.first_seen_at,
    array(
        select i.value from identifiers i
        where i.project_id = l.project_id and i.kind = 3
            and i.lead_id = any (array(
                select l.id union all
                select r.lead_id from lead_roots r
                where r.project_id = l.project_id and r.root_id = l.id))
        order by i.created_at desc, i.value limit {_ANONYMOUS_IDS_SHOWN}),
    array(
        select r.lead_id from lead_roots r
        where r.project_id = l.project_id and r.root_id = l.id
        order by r.lead_id limit {_MERGED_SHOWN}),
    {ACTS_24H}
"""  # noqa: S608 - constants of ours
PROFILE_OF: Final = """
    left join lead_profiles p on p.project_id = l.project_id and p.lead_id = l.id
"""


class Place(NamedTuple):
    """The row that a page goes on behind: its segment, sort value and id."""

    segment: int
    key: float | int | str | None
    id: str


class Found(NamedTuple):
    """A row of a page and where it stands."""

    place: Place
    row: LeadRow


@dataclass(frozen=True, slots=True)
class PageOrder:
    """How a page is ordered, and where it begins: behind a place, or after `skip` rows.

    `now` (µs) is the end of the last 24 hours that acts are counted in. `few`: so few leads
    match that they are gathered and sorted, whatever the planner thinks of walking an index.
    `one_by_one`: so many have the words of the search that these are looked up lead by lead.
    """

    sort: Sort
    order: Order
    limit: int
    now: int
    after: Place | None = None
    skip: int = 0
    few: bool = False
    one_by_one: bool = False


async def follow_indexes(connection: Connection) -> None:
    """Read by indexes and alone from here to the end of the transaction.

    The planner takes matches for evenly spread and hopes to meet enough of them early in the
    whole table; where they stand at its end that reads everything. And processes that help a
    page of fifty rows cost more than they bring, the more so while events come in.
    """
    await connection.execute(
        "select set_config('enable_seqscan', 'off', true),"
        " set_config('max_parallel_workers_per_gather', '0', true)"
    )


async def lead_page(
    connection: Connection, project_id: str, wanted: LeadFilter, page: PageOrder
) -> list[Found]:
    """Up to `page.limit` leads, in order."""
    found: list[Found] = []
    skip = page.skip
    segments = SEGMENTS[page.sort]
    for index in range(page.after.segment if page.after else 0, len(segments)):
        query = conditions_of(project_id, wanted, one_by_one=page.one_by_one)
        condition = segments[index].condition
        if condition:
            query.add(condition)
        if skip and index + 1 < len(segments):
            # How many of the rows to skip are in this segment.
            counted = replace(
                query,
                conditions=list(query.conditions),
                profile=query.profile or page.sort == "name",
                row=query.row or page.sort != "name",
            )
            here = await _count(connection, counted, skip)
            if here < skip:
                skip -= here
                continue
        cut = (page.limit - len(found), skip)
        found += await _segment_page(connection, query, page, index, cut)
        skip = 0
        if len(found) >= page.limit:
            break
    return found


async def _segment_page(
    connection: Connection, query: Query, page: PageOrder, index: int, cut: tuple[int, int]
) -> list[Found]:
    limit, skip = cut
    segment = SEGMENTS[page.sort][index]
    by_name = page.sort == "name"
    row_id = "p.lead_id" if by_name else "l.id"
    behind = "<" if page.order == "desc" else ">"
    if page.after is not None and page.after.segment == index:
        if segment.key is None:
            query.add(f"{row_id} {behind} %(after_id)s::uuid", after_id=page.after.id)
        else:
            key: Any = page.after.key
            query.add(
                f"({segment.key}, {row_id}) {behind} "
                f"(%(after_key)s::{segment.cast}, %(after_id)s::uuid)",
                after_key=Instant(key) if segment.cast == "timestamptz" else key,
                after_id=page.after.id,
            )
    query.values |= {"limit": limit, "skip": skip, "day_ago": Instant(page.now - DAY)}
    rows_of = matching(query, segment.key, by_name=by_name)
    names = ("key", "id") if page.few else (segment.key, row_id)
    text = " ".join([
        f"with few as materialized ({rows_of})," if page.few else "with",
        "page as materialized (select id, key, row_number() over () as place from (",
        "select id, key from few" if page.few else rows_of,
        "order by",
        segment.order_by(page.order, *names),
        "limit %(limit)s offset %(skip)s) rows) select page.key, ",
        COLUMNS,
        "from page join leads l on l.project_id = %(project)s and l.id = page.id",
        PROFILE_OF,
        "order by page.place",
    ])  # fmt: skip
    rows = await fetch_all(connection, text, query.values)
    return [Found(Place(index, row[0], row[1]), LeadRow(*row[1:])) for row in rows]


async def lead_total(connection: Connection, project_id: str, wanted: LeadFilter, most: int) -> int:
    """How many leads match; counting ends at `most`."""
    return await _count(connection, conditions_of(project_id, wanted), most)


class Common(NamedTuple):
    """What a look at the first leads of an order tells of a search.

    `total` is how many match, up to a bound; None when the index of words tells it sooner.
    `met`: a page in this order is sooner filled `one_by_one` than by the index of words.
    """

    total: int | None
    met: bool


async def common(
    connection: Connection, project_id: str, wanted: LeadFilter, by: tuple[Sort, Order], most: int
) -> Common:
    """Whether many of the leads that come first in an order match a search, if there is one."""
    if wanted.search is None:
        return Common(None, met=False)
    room = _SAMPLE
    read, found = await _look(connection, (project_id, wanted), by, (room, most))
    met = read < room or found >= _MET
    if read == room and _COMMON <= found < most:
        # By what was found so far, and some more.
        room = most * _SAMPLE * 3 // (found * 2)
        read, found = await _look(connection, (project_id, wanted), by, (room, most))
    return Common(found if found >= most or read < room else None, met)


async def _look(
    connection: Connection,
    which: tuple[str, LeadFilter],
    by: tuple[Sort, Order],
    bounds: tuple[int, int],
) -> tuple[int, int]:
    """How many leads were looked at, and how many of them match; each up to its bound."""
    project_id, wanted = which
    room, most = bounds
    # These have indexes of their own, in which the order costs more than it tells.
    picked = wanted.owner is not None or wanted.status not in {None, "open"}
    by_name = by[0] == "name"
    row_id = "p.lead_id" if by_name else "l.id"
    read = found = 0
    for segment in SEGMENTS[by[0]]:
        query = conditions_of(project_id, wanted, one_by_one=True)
        if query.words is None:
            break
        if segment.condition:
            query.add(segment.condition)
        words, query.words = query.words, None
        query.values |= {"room": room - read, "most": most - found}
        order_by = f"order by {segment.order_by(by[1], segment.key, row_id)}"
        text = " ".join([
            "with looked as materialized (",
            matching(query, segment.key, by_name=by_name),
            "" if picked else order_by,
            "limit %(room)s),",
            f"found as materialized (select from looked l {has(words)} limit %(most)s)",
            "select (select count(*) from looked), (select count(*) from found)",
        ])  # fmt: skip
        row = await fetch_one(connection, text, query.values)
        if row is not None:
            read, found = read + row[0], found + row[1]
        if read >= room or found >= most:
            break
    return read, found


async def _count(connection: Connection, query: Query, most: int) -> int:
    # What the profile alone decides is counted there: a join would look up every lead.
    alone = query.profile and not (query.row or query.test or query.words)
    if query.profile:
        query.add(query.shown)
    if not alone:
        query.add(query.own_row)
    if query.profiles != "lead_profiles":
        return await _count_found(connection, query, most)
    source = f"{query.profiles} p" if alone else source_of(query, by_name=False)
    text = " ".join([
        "select count(*) from (select 1 from",
        source,
        has(query.words) if query.words else "",
        "where",
        " and ".join(query.conditions),
        "limit %(most)s) found",
    ])  # fmt: skip
    row = await fetch_one(connection, text, {**query.values, "most": most})
    return 0 if row is None else int(row[0])


async def _count_found(connection: Connection, query: Query, most: int) -> int:
    """The same for a search: what is found comes first, and is read no further than needed.

    In one with the limit the planner would hope to meet enough of it among all leads, and read
    a whole project for a word that nobody is called.
    """
    of_lead = [each for each in query.conditions if each.startswith("l.")]
    found = [each for each in query.conditions if each not in of_lead]
    lead = "join leads l on l.project_id = %(project)s and l.id = p.lead_id" if of_lead else ""
    text = " ".join([
        "with p as materialized (select p.lead_id from",
        f"{query.profiles} p where {' and '.join(found)})",
        "select count(*) from (select 1 from p",
        lead,
        f"where {' and '.join(of_lead)}" if of_lead else "",
        "limit %(most)s) found",
    ])  # fmt: skip
    row = await fetch_one(connection, text, {**query.values, "most": most})
    return 0 if row is None else int(row[0])


# The survivor is found first: behind the wall no index serves a comparison with a coalesce.
_ONE: Final = f"""
select {COLUMNS}
from (
    select coalesce(
        (select r.root_id from lead_roots r
         where r.project_id = %(project)s and r.lead_id = %(lead)s::uuid),
        %(lead)s::uuid) as id
    offset 0
) w
join leads l on l.project_id = %(project)s and l.id = w.id
{PROFILE_OF}
"""  # noqa: S608 - constants of ours


async def one_lead(
    connection: Connection, project_id: str, lead_id: str, now: int
) -> LeadRow | None:
    """A lead, or the survivor of a merged one."""
    cursor = await connection.execute(
        _ONE,
        {"project": project_id, "lead": lead_id, "day_ago": Instant(now - DAY)},
    )
    row = await cursor.fetchone()
    return None if row is None else LeadRow(*row)


class Touch(NamedTuple):
    """The first or last scored event of a lead that says where the person came from."""

    at: int
    event_type: str
    properties: dict[str, Any]


# Of the events at either end of the ledger the outermost that tells where somebody came from: what
# a server sends, or opening a mail, tells nothing. If none does, the outermost.
_TOUCH: Final = """
select e.ts, e.event_type, e.properties
from (
    select g.at, g.entry, g.event from ledger g
    where g.project_id = %(project)s and g.lead_id = %(lead)s
        and g.generation = %(generation)s and g.kind = 0
    order by g.at {way}, g.entry {way} limit 20
) g
join events e on e.project_id = %(project)s and e.id = g.event
order by not e.properties ?| array['url', 'path', 'referrer', 'landing_page', 'utm', 'utm_source',
    'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'], g.at {way}, g.entry {way} limit 1
"""


async def touches(
    connection: Connection, project_id: str, lead: LeadRow
) -> tuple[Touch | None, Touch | None]:
    """First and last touch of a lead, by the ledger; both None for a lead without events."""
    found: list[Touch | None] = []
    for way in ("asc", "desc"):
        values = {"project": project_id, "lead": lead.id, "generation": lead.generation}
        row = await fetch_one(connection, _TOUCH.format(way=way), values)
        found.append(None if row is None else Touch(*row))
    return found[0], found[1]
