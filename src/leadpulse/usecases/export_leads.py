"""Leads as CSV: page by page in constant memory, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

import msgspec

from leadpulse.domain.spreadsheet import harmless
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres import leads_read
from leadpulse.postgres.leads_read import PageOrder, Place
from leadpulse.postgres.session import snapshot
from leadpulse.usecases import audit
from leadpulse.usecases.leads_read import Question, lead_filter
from leadpulse.usecases.reading import LeadView, labels, stored_view

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

COLUMNS: Final = (
    "id", "name", "email", "company", "stage", "score", "velocity", "risk", "lastEventAt",
    "createdAt", "traits",
)  # fmt: skip
_PORTION: Final = 500


async def export_leads(
    pool: Pool, cache: ModelCache, project_id: str, question: Question
) -> AsyncIterator[bytes]:
    """The lines of the file in portions, oldest lead first; the first one is the header.

    Each portion is read in a transaction of its own: a slow reader holds no snapshot open.
    """
    await audit.record_alone(pool, project_id, "leads.exported")
    yield _lines([COLUMNS])
    after: Place | None = None
    while True:
        async with snapshot(pool, project_id) as (connection, now):
            label = (await labels(connection, cache, project_id)).labels
            wanted = lead_filter(question, label.source, now)
            page = PageOrder("createdAt", "asc", _PORTION, now, after)
            found = await leads_read.lead_page(connection, project_id, wanted, page)
        if found:
            yield _lines(_cells(stored_view(item.row, label, now)) for item in found)
        if len(found) < _PORTION:
            return
        after = found[-1].place


def _cells(lead: LeadView) -> tuple[object, ...]:
    row = lead.row
    return (
        row.id,
        harmless(row.name or ""),
        harmless(row.email or ""),
        harmless(row.company or ""),
        lead.stage,
        lead.score,
        lead.velocity,
        lead.risk or "",
        "" if row.last_act is None else to_rfc3339(row.last_act),
        to_rfc3339(row.created_at),
        msgspec.json.encode(row.traits).decode() if row.traits else "",
    )


def _lines(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
