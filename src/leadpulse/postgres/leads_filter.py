"""Which leads are asked for, in SQL: conditions, orders, and the words of a search.

A search has two ways. The index of parts of words is quick for rare ones; but of a word that half
of all leads have it reads every place before the first lead is there. Such a word is met soon by
looking at one lead after the other, in the order that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from leadpulse.postgres.connect import Instant

Sort = Literal["score", "lastEventAt", "createdAt", "name"]
Order = Literal["asc", "desc"]

_BEFORE_WORDS: Final = ("\n", " ", "-", ".", "@", "\\_", "'", "+", "(", "/")

# What a merge left over is hidden, and so are test leads; in the words of the partial indexes.
_SHOWN: Final = "p.project_id = %(project)s and not p.hidden"
_OWN_ROW: Final = "l.project_id = %(project)s and l.merged_into is null and not l.test"
_SHOWN_TEST: Final = "p.project_id = %(project)s"
_TEST_ROW: Final = "l.project_id = %(project)s and l.merged_into is null and l.test"


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
class Segment:
    """Rows that one index serves: a condition, and the key they are ordered by (then by id)."""

    condition: str | None
    key: str | None
    cast: str = ""

    def order_by(self, order: Order, key: str | None, row_id: str) -> str:
        """This order, by its key and id under these names."""
        # No null is among them; the words must be those of the index.
        nulls = ""
        if self.key == "l.last_event_at":
            nulls = " nulls last" if order == "desc" else " nulls first"
        return (f"{key} {order}{nulls}, " if self.key else "") + f"{row_id} {order}"


SEGMENTS: Final[dict[Sort, tuple[Segment, ...]]] = {
    "score": (Segment(None, "l.score", "float8"),),
    "lastEventAt": (
        Segment("l.last_event_at is not null", "l.last_event_at", "timestamptz"),
        Segment("l.last_event_at is null", None),
    ),
    # Ids are made in the order of creation.
    "createdAt": (Segment(None, None),),
    "name": (
        Segment("p.name_key > ''", "p.name_key", "text"),
        Segment("p.name_key = ''", None),
    ),
}


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
    # A search that is looked up for one lead after the other, and no condition of the rest.
    words: Query | None = None

    @property
    def shown(self) -> str:
        return _SHOWN_TEST if self.test else _SHOWN

    @property
    def own_row(self) -> str:
        return _TEST_ROW if self.test else _OWN_ROW

    def add(self, condition: str, **values: Any) -> None:
        self.conditions.append(condition)
        self.values.update(values)


def conditions_of(project_id: str, wanted: LeadFilter, *, one_by_one: bool = False) -> Query:
    """What is asked for as conditions; the words of a search stand apart if `one_by_one`."""
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
        part = query
        if one_by_one:
            part = query.words = Query()
        _search(part, wanted.search, one_by_one=one_by_one)
        query.values |= part.values
    return query


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)


def _search(query: Query, text: str, *, one_by_one: bool) -> None:
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
        if one_by_one or len(text) == 1 or not all(map(_in_words, text)):
            query.add("p.search like any (%(starts)s)", starts=starts)
        else:
            # They all have the same parts of words, and the index would be read for each of them
            # anew. It is read once: two of the three parts that `an` has, begin a word with it.
            query.add(
                "%(word)s <%% p.search and (p.search || '') like any (%(starts)s)",
                word=text, starts=starts,
            )  # fmt: skip
    else:
        query.add("false")


def _in_words(character: str) -> bool:
    """Whether the database takes it for a part of a word, too."""
    return character.isalpha() or character in "0123456789"


def matching(query: Query, key: str | None, *, by_name: bool) -> str:
    """A select of `id` and `key` of all rows that match."""
    query.add(query.own_row)
    if by_name or query.profile:
        query.add(query.shown)
    return " ".join([
        f"select {'p.lead_id' if by_name else 'l.id'} as id, {key or 'null'} as key from",
        source_of(query, by_name=by_name),
        has(query.words) if query.words else "",
        "where",
        " and ".join(query.conditions),
    ])  # fmt: skip


def has(words: Query) -> str:
    """Joins to leads `l` that they have these words.

    With the offset nothing can be made of it but a look at one lead after the other, which ends
    when enough are found.
    """
    return (
        f"cross join lateral (select from {words.profiles} p where p.project_id = %(project)s"
        f" and p.lead_id = l.id and {' and '.join(words.conditions)} offset 0) found"
    )


def source_of(query: Query, *, by_name: bool) -> str:
    profiles = f"{query.profiles} p"
    if by_name:
        return f"{profiles} join leads l on l.project_id = p.project_id and l.id = p.lead_id"
    if query.profile:
        return f"leads l join {profiles} on p.project_id = l.project_id and p.lead_id = l.id"
    return "leads l"
