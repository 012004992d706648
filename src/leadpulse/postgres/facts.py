"""Facts of leads as the fold takes them: of a whole tree of merged leads, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from leadpulse.domain.facts import ADJUSTMENT, PROFILE, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from leadpulse.domain.compiled import Models
    from leadpulse.postgres.connect import Connection

# Every sub-select is lateral on purpose: it fixes the order of the look-ups, so that no
# statistics of a table that was empty a minute ago can make PostgreSQL read all of it.
_FACTS: Final = f"""
select w.o, f.ts, f.event_id, f.claim, f.id::text, f.event_type, f.model_version
from (
    select o, p, l, n, timestamptz 'epoch' + since * interval '1 microsecond' as start
    from jsonb_to_recordset(%s::jsonb) w (o int, p uuid, l uuid, since bigint, n int)
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
            and not e.excluded and not e.quarantined and e.event_type <> '{PROFILE}'
        order by e.ts, e.event_id, (not e.trusted)::int
        limit w.n
    ) e
    order by e.ts, e.event_id, e.claim
    limit w.n
) f
"""  # noqa: S608 - a constant of ours

_PROPERTIES: Final = """
select w.e::text, e.properties
from jsonb_to_recordset(%s::jsonb) w (p uuid, e uuid)
cross join lateral (
    select e.properties from events e where e.project_id = w.p and e.id = w.e
) e
"""


class Wanted(NamedTuple):
    """The facts of one lead and all that merged into it: at most `limit`, from an instant on.

    `since` is in microseconds and inclusive: facts of that very instant come too.
    """

    project_id: str
    root_id: str
    since: int
    limit: int


async def load_facts(conn: Connection, wanted: Sequence[Wanted]) -> list[list[Fact]]:
    """Return the facts of each lead that was asked for, in order, without properties.

    Leaves out what never counts: excluded and quarantined events and profile changes.
    """
    found: list[list[Fact]] = [[] for _ in wanted]
    if not wanted:
        return found
    asked = [
        {"o": o, "p": w.project_id, "l": w.root_id, "since": w.since, "n": w.limit}
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
    asked: list[dict[str, str]] = []
    for project_id, of_lead in facts:
        models = models_of(project_id)
        for index, fact in enumerate(of_lead):
            if fact.properties is None and needs_properties(fact, models):
                places.append((of_lead, index))
                asked.append({"p": project_id, "e": fact.id})
    if not asked:
        return
    found = await load_properties(conn, asked)
    for of_lead, index in places:
        fact = of_lead[index]
        of_lead[index] = fact._replace(properties=found.get(fact.id))


async def load_properties(
    conn: Connection, asked: Iterable[dict[str, str]]
) -> dict[str, dict[str, object]]:
    """Return the properties of events, asked for as {"p": project id, "e": event id}."""
    cursor = await conn.execute(_PROPERTIES, (msgspec.json.encode(list(asked)).decode(),))
    return dict(await cursor.fetchall())
