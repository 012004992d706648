"""Reading leads: pages in every order, totals up to a cap, single leads.

Every page follows an index and goes on behind its last row. An order is made of segments that
follow each other (leads with a name, then those without), because a null or an empty key would
otherwise take the index away from the rows that have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

Sort = Literal["score", "lastEventAt", "createdAt", "name"]
Order = Literal["asc", "desc"]

DAY: Final = 86_400_000_000
_ANONYMOUS_IDS_SHOWN: Final = 100
_MERGED_SHOWN: Final = 100
_BEFORE_WORDS: Final = ("\n", " ", "-", ".", "@", "\\_", "'", "+", "(", "/")


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
# What a merge left over is hidden, and so are test leads; in the words of the partial indexes.
_SHOWN: Final = "p.project_id = %(project)s and not p.hidden"
_OWN_ROW: Final = "l.project_id = %(project)s and l.merged_into is null and not l.test"
_SHOWN_TEST: Final = "p.project_id = %(project)s"
_TEST_ROW: Final = "l.project_id = %(project)s and l.merged_into is null and l.test"
PROFILE_OF: Final = """
    left join lead_profiles p on p.project_id = l.project_id and p.lead_id = l.id
"""


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads: every condition that is given must hold. Instants in µs.

    `low` ≤ score < `below`; `seen_from` ≤ last act < `seen_before`. `search` is lower-cased. With
    `test` it is about test leads alone, without it about all others.
    """

    low: float | None = None
    below: float | None = None
    min_score: float | None = None
    max_score: float | None = None
    status: str | None = None
    owner: str | None = None
    seen_from: int | None = None
    seen_before: int | None = None
    seen_after: int | None = None
    search: str | None = None
    test: bool = False
    # Only open ones that are at least warm, in the words of an index.
    to_call: bool = False


@dataclass(frozen=True, slots=True)
class _Segment:
    """Rows that one index serves: a condition, and the key they are ordered by (then by id)."""

    condition: str | None
    key: str | None
    cast: str = ""


_SEGMENTS: Final[dict[Sort, tuple[_Segment, ...]]] = {
    "score": (_Segment(None, "l.score", "float8"),),
    "lastEventAt": (
        _Segment("l.last_event_at is not null", "l.last_event_at", "timestamptz"),
        _Segment("l.last_event_at is null", None),
    ),
    # Ids are made in the order of creation.
    "createdAt": (_Segment(None, None),),
    "name": (
        _Segment("p.name_key > ''", "p.name_key", "text"),
        _Segment("p.name_key = ''", None),
    ),
}


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
    """

    sort: Sort
    order: Order
    limit: int
    now: int
    after: Place | None = None
    skip: int = 0
    few: bool = False


@dataclass(slots=True)
class Query:
    """Conditions and their values, gathered on the way. Text in it is only ever our own."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    # Whether the profile is needed to decide, and whether the lead's own row is.
    profile: bool = False
    row: bool = False
    # Where profiles are looked through.
    profiles: str = "lead_profiles"
    test: bool = False

    @property
    def shown(self) -> str:
        return _SHOWN_TEST if self.test else _SHOWN

    @property
    def own_row(self) -> str:
        return _TEST_ROW if self.test else _OWN_ROW

    def add(self, condition: str, **values: Any) -> None:
        self.conditions.append(condition)
        self.values.update(values)


def conditions_of(project_id: str, wanted: LeadFilter) -> Query:
    query = Query(values={"project": project_id}, test=wanted.test)
    for name, condition, value in (
        ("low", "l.score >= %(low)s::float8", wanted.low),
        ("below", "l.score < %(below)s::float8", wanted.below),
        ("min_score", "l.score >= %(min_score)s::float8", wanted.min_score),
        ("max_score", "l.score <= %(max_score)s::float8", wanted.max_score),
        ("seen_from", "l.last_event_at >= %(seen_from)s", _instant(wanted.seen_from)),
        ("seen_before", "l.last_event_at < %(seen_before)s", _instant(wanted.seen_before)),
        ("seen_after", "l.last_event_at > %(seen_after)s", _instant(wanted.seen_after)),
    ):
        if value is not None:
            query.add(condition, **{name: value})
            query.row = True
    for name, condition, text in (
        ("status", "p.status = %(status)s", wanted.status),
        ("owner", "p.owner = %(owner)s", wanted.owner),
    ):
        if text is not None:
            query.add(condition, **{name: text})
            query.profile = True
    if wanted.to_call:
        query.add("l.open and l.stage > 0")
        query.row = True
    if wanted.search is not None:
        _search(query, wanted.search)
    return query


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)


def _search(query: Query, text: str) -> None:
    query.profile = True
    # Behind the wall of the table itself `like` is not trusted with rows of others, and so gets
    # no index: 200 ms instead of 2. The view is a wall that trusts it.
    query.profiles = "keeper.profiles"
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if len(text) > 2:
        query.add(
            "(p.search like %(part)s or p.anonymous_id like %(start)s)",
            part=f"%{literal}%",
            start=f"{literal}%",
        )
    elif any(character.isalnum() for character in text):
        # One pattern per sign that a word can follow: the index knows beginnings of words,
        # but finds them for patterns only, not for regular expressions.
        starts = [f"{literal}%", *(f"%{sign}{literal}%" for sign in _BEFORE_WORDS)]
        query.add("p.search like any (%(starts)s)", starts=starts)
    else:
        query.add("false")


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
    segments = _SEGMENTS[page.sort]
    for index in range(page.after.segment if page.after else 0, len(segments)):
        query = conditions_of(project_id, wanted)
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
    segment = _SEGMENTS[page.sort][index]
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
    query.add(query.own_row)
    if by_name or query.profile:
        query.add(query.shown)
    # No null is among them; the words must be those of the index.
    nulls = ""
    if segment.key == "l.last_event_at":
        nulls = " nulls last" if page.order == "desc" else " nulls first"
    key_name, id_name = ("key", "id") if page.few else (segment.key, row_id)
    keys = ([f"{key_name} {page.order}{nulls}"] if segment.key else []) + [
        f"{id_name} {page.order}"
    ]
    query.values |= {"limit": limit, "skip": skip, "day_ago": Instant(page.now - DAY)}
    matching = " ".join([
        f"select l.id, {segment.key or 'null'} as key from",
        source_of(query, by_name=by_name),
        "where",
        " and ".join(query.conditions),
    ])  # fmt: skip
    text = " ".join([
        f"with few as materialized ({matching})," if page.few else "with",
        "page as materialized (select id, key, row_number() over () as place from (",
        "select id, key from few" if page.few else matching,
        "order by",
        ", ".join(keys),
        "limit %(limit)s offset %(skip)s) rows) select page.key, ",
        COLUMNS,
        "from page join leads l on l.project_id = %(project)s and l.id = page.id",
        PROFILE_OF,
        "order by page.place",
    ])  # fmt: skip
    rows = await fetch_all(connection, text, query.values)
    return [Found(Place(index, row[0], row[1]), LeadRow(*row[1:])) for row in rows]


def source_of(query: Query, *, by_name: bool) -> str:
    profiles = f"{query.profiles} p"
    if by_name:
        return f"{profiles} join leads l on l.project_id = p.project_id and l.id = p.lead_id"
    if query.profile:
        return f"leads l join {profiles} on p.project_id = l.project_id and p.lead_id = l.id"
    return "leads l"


async def lead_total(connection: Connection, project_id: str, wanted: LeadFilter, most: int) -> int:
    """How many leads match; counting ends at `most`."""
    return await _count(connection, conditions_of(project_id, wanted), most)


async def _count(connection: Connection, query: Query, most: int) -> int:
    # What the profile alone decides is counted there: a join would look up every lead.
    alone = query.profile and not query.row and not query.test
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
