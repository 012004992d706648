"""Everything about a person as one JSON document: streamed, in bounded memory.

Each portion is read in a transaction of its own, so a slow reader holds no snapshot open; what
changes meanwhile may be told as before or as after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from leadpulse.domain.model import STAGES
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres import identity, person
from leadpulse.postgres.connect import Instant
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import audit
from leadpulse.usecases.leads import survivor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from leadpulse.postgres.person import Section
    from leadpulse.postgres.session import Pool

FORMAT: Final = "leadpulse-person"
VERSION: Final = 1
_PORTION: Final = 200
_MARKED: Final = ("value", "at", "eventId", "confirmed")
_MANY: Final = ("email", "userId")


async def export_person(pool: Pool, project_id: str, lead_id: str) -> AsyncIterator[bytes]:
    """The pieces of the document. Raises NotFound before the first."""
    async with snapshot(pool, project_id) as (conn, now):
        root = await survivor(conn, project_id, lead_id)
        leads = sorted(await identity.members(conn, project_id, root))
    await audit.record_alone(pool, project_id, "lead.exported", f"lead:{root}")
    head = {
        "format": FORMAT, "version": VERSION, "exportedAt": to_rfc3339(now),
        "projectId": project_id, "leadId": root,
    }  # fmt: skip
    yield msgspec.json.encode(head)[:-1]
    for section in person.SECTIONS:
        yield b',"' + section.name.encode() + b'":['
        first = True
        for lead in leads[:1] if section.whole else leads:
            async for rows in _portions(pool, section, person.Where(
                project_id, lead, leads, section.first
            )):  # fmt: skip
                told = b",".join(msgspec.json.encode(_shown(section, row)) for row in rows)
                yield told if first else b"," + told
                first = False
        yield b"]"
    yield b"}\n"


async def _portions(
    pool: Pool, section: Section, where: person.Where
) -> AsyncIterator[list[tuple[Any, ...]]]:
    while True:
        async with snapshot(pool, where.project_id) as (conn, _):
            rows = await person.portion(conn, section, where, _PORTION)
        if rows:
            yield rows
        if len(rows) < _PORTION:
            return
        a, b = rows[-1][:2]
        timed = section.first[0] == person.FIRST_TIME
        where = where._replace(after=(Instant(a) if timed else a, b))


def _shown(section: Section, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row with its names, times as clients read them."""
    shown = dict(zip(section.fields, row[2:], strict=True))
    for name in section.times:
        if shown[name] is not None:
            shown[name] = to_rfc3339(shown[name])
    if section.name == "leads":
        shown["stage"] = STAGES[shown["stage"]]
        shown["facts"] = {field: _fact(field, fact) for field, fact in shown["facts"].items()}
    elif section.name == "stageChanges":
        shown["from"], shown["to"] = STAGES[shown["from"]], STAGES[shown["to"]]
    return shown


def _fact(field: str, fact: Any) -> Any:
    """Who said it and when; of emails and userIds there are several."""
    if field in _MANY:
        return [_fact("", one) for one in fact]
    told = dict(zip(_MARKED, fact, strict=True))
    told["at"], told["confirmed"] = to_rfc3339(told["at"]), bool(told["confirmed"])
    return told
