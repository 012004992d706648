"""The page about metrics names exactly those that there are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from leadpulse.histogram import Histogram
from leadpulse.http.intake import IntakeRoute
from leadpulse.http.metrics import Metrics
from leadpulse.postgres.queue import QueueState
from leadpulse.postgres.session import TIMINGS
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.watchers import LiveFigures
from leadpulse.worker.counters import ChoreCounters, Counters, Status, status_from_document
from leadpulse.worker.health import text

if TYPE_CHECKING:
    from leadpulse.usecases.keys import KeyRing

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
QUEUE = QueueState(3, 1.5, 1, 2, 0, 2, 1, "they fail", 0.5, 0, 0.0)


def documented(section: str) -> dict[str, tuple[str, set[str]]]:
    """Kind and labels of each metric in a section, by name."""
    part = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", part, re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def told(page: bytes) -> dict[str, tuple[str, set[str]]]:
    """The same of a page that was scraped."""
    found: dict[str, tuple[str, set[str]]] = {}
    for family in text_string_to_metric_families(page.decode()):
        if family.name.endswith("_created"):
            continue  # the library's own, about when a counter began
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)
    return found


def test_the_api_tells_what_is_documented() -> None:
    """Names, kinds and labels are those of the page, with the database and without."""
    metrics = Metrics()
    metrics.requests.labels("GET", "/api/leads", "200").inc()
    metrics.seconds.labels("GET", "/api/leads").observe(0.1)
    intake = IntakeRoute(IntakeBuffer("postgresql://nowhere"), cast("KeyRing", None))
    intake.figures.note(202, 0.003)
    TIMINGS.note("leads_read.list_leads", 0.01)
    live = LiveFigures(1, Counter(flood=1), 2, Counter(slow=1))
    both = documented("Both")
    assert told(metrics.page(QUEUE, intake, live)) == documented("The API") | both
    away = told(metrics.page(None, intake))
    assert set(away) & set(both) == {"leadpulse_database_up"}


def test_the_worker_tells_what_is_documented() -> None:
    """The same of the worker's page; a scorer that never ran is no fault."""
    counters = Counters(events=3, waits=Histogram(), chores={"decay": ChoreCounters(1, 2, 0)})
    page = text(QUEUE, {0: Status(counters, 1.0)}, 2)
    assert told(page) == documented("The worker") | documented("Both")
    assert "leadpulse_scorer_deaths_total" in told(text(None, {}, 0))


def test_counters_survive_the_way_to_the_parent() -> None:
    """What a scorer leaves in its file is read back as it was; half of a file is nothing."""
    counters = Counters(leads=2, chores={"decay": ChoreCounters(1, 2, 3)}, detail="why")
    counters.waits.note(0.02)
    status = Status(counters, 12.5)
    document = msgspec.json.decode(msgspec.json.encode(status.document()))
    assert status_from_document(document) == status
    assert status_from_document({"at": 1}) is None
    assert status_from_document(None) is None
