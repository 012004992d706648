"""Leads that somebody may have to call: the best of a stage, with what judging them needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.postgres.connect import Instant
from leadpulse.postgres.leads_filter import LeadFilter, conditions_of, has, source_of
from leadpulse.postgres.leads_read import ACTS_24H, COLUMNS, DAY, PROFILE_OF, LeadRow, common
from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.connect import Connection

_ROWS: Final = f"""
select {COLUMNS}
from unnest(string_to_array(%(ids)s, ',')::uuid[]) with ordinality w (id, place)
join leads l on l.project_id = %(project)s and l.id = w.id
{PROFILE_OF}
order by w.place
"""  # noqa: S608 - constants of ours


class Candidate(NamedTuple):
    """What tells how urgent a lead is; the instant of its last act in µs."""

    id: str
    score: float
    last_act: int | None
    acts_24h: int


async def best_of(
    connection: Connection, project_id: str, wanted: LeadFilter, most: int, now: int
) -> list[Candidate]:
    """The leads with the highest scores among those that match."""
    counted, _ = await common(connection, project_id, wanted, ("score", "desc"), most)
    query = conditions_of(project_id, wanted, one_by_one=counted is not None)
    query.add(query.own_row)
    if query.profile:
        query.add(query.shown)
    query.values |= {"most": most, "day_ago": Instant(now - DAY)}
    # Acts are counted of those that are left only.
    text = " ".join([
        "with l as materialized (",
        "select l.project_id, l.id, l.score, l.last_event_at, l.state, l.generation from",
        source_of(query, by_name=False),
        has(query.words) if query.words else "",
        "where",
        " and ".join(query.conditions),
        "order by l.score desc, l.id desc limit %(most)s)",
        f"select l.id::text, l.score, l.last_event_at, {ACTS_24H} from l",  # noqa: S608 - ours
    ])  # fmt: skip
    return [Candidate(*row) for row in await fetch_all(connection, text, query.values)]


async def rows_of(
    connection: Connection, project_id: str, ids: Sequence[str], now: int
) -> list[LeadRow]:
    """The rows of leads, in this order."""
    values = {"project": project_id, "ids": ",".join(ids), "day_ago": Instant(now - DAY)}
    return [LeadRow(*row) for row in await fetch_all(connection, _ROWS, values)]
