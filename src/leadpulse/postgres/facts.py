"""Facts of leads as the fold takes them: of a whole tree of merged leads, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, PROFILE, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadpulse.domain.compiled import Models
    from leadpulse.postgres.connect import Connection

# Every sub-select is lateral on purpose: it fixes the order of the look-ups, so that no
# statistics of a table that was empty a minute ago can make PostgreSQL read all of it.
_FACTS: Final = f"""
select w.o, f.ts, f.event_id, f.claim, f.id::text, f.event_type, f.model_version
from (
    select o, p, l, v, n, after, timestamptz 'epoch' + since * interval '1 microsecond' as start
    from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, l uuid, since bigint, v int, n int,
        after text)
) w
cross join lateral (
    select e.* from (
        select w.l as lead_id
        union all
        select r.lead_id from lead_roots r where r.project_id = w.p and r.root_id = w.l
    ) m cross join lateral (
        select e.ts, e.event_id, (not e.trusted)::int as claim, e.id, e.event_type,
            e.model_version
        from events e
        where e.project_id = w.p and e.lead_id = m.lead_id and e.ts >= w.start
            and (e.ts, e.event_id) >= (w.start, w.after)
            and e.model_version <= w.v and not e.excluded and not e.quarantined
            and e.event_type <> '{PROFILE}'
        order by e.ts, e.event_id, (not e.trusted)::int
        limit w.n
    ) e
    order by e.ts, e.event_id, e.claim
    limit w.n
) f
"""  # noqa: S608 - a constant of ours

# Of a tree only the newest: a profile shows the last word on each field.
_TRAITS: Final = """
select w.p::text, e.lead_id::text, w.r::text, e.ts, e.event_id, e.trusted, e.traits
from jsonb_to_recordset(%s::jsonb) w (p uuid, r uuid, e uuid)
cross join lateral (
    select e.* from events e where w.e is not null and e.project_id = w.p and e.id = w.e
    union all
    select e.* from (
        select w.r as lead_id
        union all
        select t.lead_id from lead_roots t where t.project_id = w.p and t.root_id = w.r
    ) m cross join lateral (
        select e.* from events e
        where w.e is null and e.project_id = w.p and e.lead_id = m.lead_id
            and e.traits is not null and not e.excluded and not e.quarantined
        order by e.ts desc limit 200
    ) e
) e
where e.traits is not null
"""

# What a fold sees of the content of an event `e`: a list instead of an object tells that it is
# gone, and which rules held for it. Of an adjustment the points stay.
CONTENT: Final = f"""
case when e.matched is null or e.event_type = '{ADJUSTMENT}' then e.properties
     else to_jsonb(e.matched) end
"""

# A client that is stopped with a long answer unread holds its locks; so an answer ends after
# a megabyte (its first row always comes), and what is missing is asked for again.
_PROPERTIES: Final = f"""
select p.e, case when p.upto <= 1000000 or p.o = 0 then p.properties end
from (
    select w.o, w.e::text as e, e.properties,
        sum(octet_length(e.properties)) over (order by w.o) as upto
    from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, e uuid)
    cross join lateral (
        select ({CONTENT})::text as properties from events e
        where e.project_id = w.p and e.id = w.e
    ) e
) p
"""  # noqa: S608 - a constant of ours


class Wanted(NamedTuple):
    """The facts of one lead and all that merged into it: at most `limit`, from an instant on.

    `since` is in microseconds and inclusive: of that very instant come those from the eventId
    `after` on, it included. `newest`
    is the newest version of the models at hand: what came under a newer one is left out.
    """

    project_id: str
    root_id: str
    since: int
    newest: int
    limit: int
    after: str = ""


class Statement(NamedTuple):
    """Traits of an event; `root_id` is the survivor of its lead."""

    project_id: str
    lead_id: str
    root_id: str
    ts: int
    event_id: str
    trusted: bool
    traits: dict[str, object]


async def load_facts(conn: Connection, wanted: Sequence[Wanted]) -> list[list[Fact]]:
    """Return the facts of each lead that was asked for, in order, without properties.

    Leaves out what never counts: excluded and quarantined events and profile changes.
    """
    found: list[list[Fact]] = [[] for _ in wanted]
    if not wanted:
        return found
    asked = [
        {
            "o": o,
            "p": w.project_id,
            "l": w.root_id,
            "since": w.since,
            "v": w.newest,
            "after": w.after,
            "n": w.limit,
        }
        for o, w in enumerate(wanted)
    ]
    cursor = await conn.execute(_FACTS, (msgspec.json.encode(asked).decode(),))
    for o, *fact in await cursor.fetchall():
        found[o].append(Fact(*fact))
    for facts in found:
        facts.sort()
    return found


def needs_properties(fact: Fact, models: Models) -> bool:
    """Tell whether anything looks at the properties of this fact."""
    if fact.type == ADJUSTMENT:
        return True
    return models.in_force(fact.version).meaning(fact.type).needs_properties


async def with_properties(
    conn: Connection,
    facts: Sequence[tuple[str, list[Fact]]],
    models_of: Callable[[str], Models],
) -> None:
    """Fill in, in place, the properties that rules ask for: (project, facts) of many leads."""
    places: list[tuple[list[Fact], int]] = []
    asked: list[tuple[str, str]] = []
    for project_id, of_lead in facts:
        models = models_of(project_id)
        for index, fact in enumerate(of_lead):
            if fact.properties is None and needs_properties(fact, models):
                places.append((of_lead, index))
                asked.append((project_id, fact.id))
    if not asked:
        return
    found = await load_properties(conn, asked)
    for of_lead, index in places:
        fact = of_lead[index]
        of_lead[index] = fact._replace(properties=found.get(fact.id))


async def load_properties(
    conn: Connection, asked: Sequence[tuple[str, str]]
) -> dict[str, dict[str, object] | list[str]]:
    """Return the properties of events, asked for as (project, event); see `Fact`."""
    found: dict[str, dict[str, object] | list[str]] = {}
    while asked:
        document = [{"o": o, "p": p, "e": event} for o, (p, event) in enumerate(asked)]
        cursor = await conn.execute(_PROPERTIES, (msgspec.json.encode(document).decode(),))
        rows = await cursor.fetchall()
        found.update((event, _decode(text)) for event, text in rows if text is not None)
        missing = {event for event, text in rows if text is None}
        asked = [pair for pair in asked if pair[1] in missing]
    return found


async def load_traits(
    conn: Connection, asked: Sequence[tuple[str, str, str | None]]
) -> list[Statement]:
    """Return what events say about people: (project, root, event), or None for all events."""
    document = [{"p": p, "r": root, "e": event} for p, root, event in asked]
    cursor = await conn.execute(_TRAITS, (msgspec.json.encode(document).decode(),))
    return [Statement(*row) for row in await cursor.fetchall()]


_decode: Final = msgspec.json.Decoder(dict[str, object] | list[str]).decode
