"""Sums over a lead's ledger up to an instant, and the facts behind its entries in portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.explanation import RuleShare, Shares
from leadpulse.domain.facts import Fact
from leadpulse.domain.state import State, state_from_document
from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import fetch_all, fetch_one

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.history_read import LedgerOf

_OF_LEDGER: Final = """
g.project_id = %(project)s and g.lead_id = %(lead)s and g.generation = %(generation)s
"""

# Decay stands behind the event that it follows: the last entry of a fact ends what is known then.
_LAST: Final = f"""
select g.at, g.entry from ledger g
where {_OF_LEDGER} and g.kind <> 1 and g.at <= %(at)s
order by g.at desc, g.entry desc limit 1
"""  # noqa: S608 - constants of ours

_RULES: Final = f"""
select r.key, count(*), sum(r.value::numeric)::float8, max(g.model_version), max(g.at)
from ledger g cross join lateral jsonb_each_text(g.rules) r
where {_OF_LEDGER} and (g.at, g.entry) <= (%(at)s, %(entry)s) and g.rules is not null
group by r.key order by r.key collate "C"
"""  # noqa: S608 - constants of ours

_SUMS: Final = f"""
select count(*) filter (where g.kind = 2),
    coalesce(sum(g.points::numeric) filter (where g.kind = 2), 0)::float8,
    coalesce(sum(g.steps), 0),
    coalesce(sum(g.delta) filter (where g.kind = 1), 0)::float8,
    max(g.decayed_at),
    coalesce(bool_or(g.kind <> 1 and g.new_score <> g.old_score + g.points), false),
    array_agg(distinct g.model_version)
from ledger g
where {_OF_LEDGER} and (g.at, g.entry) <= (%(at)s, %(entry)s)
"""  # noqa: S608 - constants of ours

# The first that leaves no more than so many entries to fold, else (least = 0) the nearest.
_CHECKPOINT: Final = """
select g.state from checkpoints g
where g.project_id = %(project)s and g.lead_id = %(lead)s and g.generation = %(generation)s
    and (g.at, g.entry) <= (%(at)s, %(entry)s) and g.entry >= %(least)s
order by g.at {order}, g.entry {order} limit 1
"""

_FACTS: Final = f"""
select g.at, g.entry, e.ts, e.event_id, (not e.trusted)::int, e.id::text, e.event_type,
    e.model_version
from (
    select g.at, g.entry, g.event from ledger g
    where {_OF_LEDGER} and g.kind <> 1
        and (g.at, g.entry) > (%(after_at)s, %(after_entry)s)
        and (g.at, g.entry) <= (%(at)s, %(entry)s)
    order by g.at, g.entry limit %(limit)s
) g
join events e on e.project_id = %(project)s and e.id = g.event
order by g.at, g.entry
"""  # noqa: S608 - constants of ours

Place = tuple[int, int]


class Summed(NamedTuple):
    """The sums, and the versions that entries were scored by."""

    shares: Shares
    versions: set[int]


def _values(ledger: LedgerOf, upto: Place) -> dict[str, Any]:
    return {
        "project": ledger.project_id, "lead": ledger.lead_id, "generation": ledger.generation,
        "at": Instant(upto[0]), "entry": upto[1],
    }  # fmt: skip


async def last_fact(connection: Connection, ledger: LedgerOf, t: int) -> Place | None:
    """The place (at, entry) of the last fact up to an instant (µs); None: there is none yet."""
    row = await fetch_one(connection, _LAST, _values(ledger, (t, 0)))
    return None if row is None else (row[0], row[1])


async def sums(connection: Connection, ledger: LedgerOf, upto: Place) -> Summed:
    """Adds up the entries to a place, in the database: in bounded memory, however many."""
    values = _values(ledger, upto)
    rules = [RuleShare(*row) for row in await fetch_all(connection, _RULES, values)]
    # Without a group there is always a row.
    ((*rest, versions),) = await fetch_all(connection, _SUMS, values)
    return Summed(Shares(rules, *rest), set(versions or ()))


async def epoch_of(connection: Connection, project_id: str, lead_id: str) -> int:
    """The version for all history that a lead was folded under."""
    query = "select l.epoch from leads l where l.project_id = %(project)s and l.id = %(lead)s"
    row = await fetch_one(connection, query, {"project": project_id, "lead": lead_id})
    return 1 if row is None else int(row[0])


async def checkpoint(
    connection: Connection, ledger: LedgerOf, upto: Place, least: int
) -> State | None:
    """The first checkpoint from an entry on, or (0) the nearest one to a place."""
    query = _CHECKPOINT.format(order="asc" if least else "desc")
    row = await fetch_one(connection, query, {**_values(ledger, upto), "least": least})
    return None if row is None else state_from_document(row[0])


async def facts_between(
    connection: Connection, ledger: LedgerOf, places: tuple[Place, Place], limit: int
) -> tuple[list[Fact], Place]:
    """Facts that the ledger holds behind a place up to another, and the place of the last."""
    after, upto = places
    values = {
        **_values(ledger, upto), "after_at": Instant(after[0]), "after_entry": after[1],
        "limit": limit,
    }  # fmt: skip
    rows = await fetch_all(connection, _FACTS, values)
    last = (rows[-1][0], rows[-1][1]) if rows else after
    return [Fact(*row[2:]) for row in rows], last
