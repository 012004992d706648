"""Sample data: some sixty made-up people over thirty days, to look around with, and gone again.

Their events come in by the ordinary intake, as from a trusted caller, and are scored like any
others. What is marked and counted apart is who they are: so they can be taken away whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain.errors import Conflict, LeadPulseError
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import type_key
from leadpulse.domain.timestamps import parse_timestamp
from leadpulse.domain.wire import EventReader
from leadpulse.journeys.chosen import chosen
from leadpulse.journeys.people import known_bots
from leadpulse.journeys.visits import Scenario, calls
from leadpulse.postgres import marked as store
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.figures import HOUR
from leadpulse.usecases.marked import Removed, remove_marked
from leadpulse.usecases.reading import labels
from leadpulse.usecases.simulator import trusted_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadpulse.domain.model import ScoringModel
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.intake import IntakeBuffer

PEOPLE: Final = 60
_SEED: Final = 2_718_281
_SPAN: Final = 30 * DAY
_BATCH: Final = 250
# Of the people who are there to show a stage, for each but the lowest.
_OF_A_STAGE: Final = 2


class Added(NamedTuple):
    """Sample data that is there now: leads by the last count, and their events."""

    leads: int
    events: int


class Present(NamedTuple):
    """Whether a project has sample data, and how many leads of it."""

    present: bool
    leads: int


async def look(pool: Pool, project_id: str) -> Present:
    """What a project has of it."""
    async with snapshot(pool, project_id) as (conn, _):
        leads = await store.standing(conn, project_id, "sample")
        return Present(leads > 0 or await store.has_round(conn, project_id), leads)


async def add(pool: Pool, cache: ModelCache, intake: IntakeBuffer, project_id: str) -> Added:
    """Fills a project; where it has sample data already, it only completes it.

    Raises Conflict for a paused project, and whatever the intake refuses events with.
    """
    caller = replace(await trusted_caller(pool, project_id), sample=True)
    async with unit(pool, project_id) as (conn, _):
        model = (await labels(conn, cache, project_id)).labels.source
        new = not await store.has_round(conn, project_id)
        number, now = await store.begin_round(conn, project_id)
        if new:
            await audit.record(conn, project_id, "sample_data.added", None, {"round": number})
    sent = events(model, now, f"sample-{number}")
    reader = EventReader()
    read = [reader.read(document) for document in sent]
    for first in range(0, len(read), _BATCH):
        for item in await intake.take(caller, read[first : first + _BATCH]):
            error = item if isinstance(item, LeadPulseError) else item.error
            if error is not None:
                raise error
    async with unit(pool, project_id) as (conn, _):
        if not await store.has_round(conn, project_id):
            raise Conflict("The sample data was removed while it was added.")
        await store.count_round(conn, project_id, hours(model, sent))
        await store.count_again(conn, project_id)
        leads = await store.standing(conn, project_id, "sample")
    return Added(leads, len(sent))


async def remove(pool: Pool, project_id: str, by: str) -> Removed:
    """Takes all of it away; figures are then as they were without."""
    async with unit(pool, project_id) as (conn, _):
        await store.end_round(conn, project_id)
    return await remove_marked(pool, project_id, "sample", by)


# ── What is sent ─────────────────────────────────────────────────────────────────────


def events(model: ScoringModel, now: int, prefix: str) -> list[dict[str, Any]]:
    """All events up to an instant (µs), each once, in the order in which they happened.

    The same for the same model and instant, but for the prefix of the eventIds. Crawlers are left
    out; people who make every stage of the model be seen come in.
    """
    scenario = Scenario(
        seed=_SEED, people=PEOPLE, start=now - _SPAN, every=_SPAN * 9 // (10 * PEOPLE)
    )
    bots = known_bots(_SEED, PEOPLE)
    found: dict[object, dict[str, Any]] = {}
    for call in calls(scenario):
        if call.event.get("anonymousId") not in bots and call.at < now:
            found.setdefault(call.event["eventId"], call.event)
    for number, wanted in enumerate(_wanted(model)):
        for event in chosen(_SEED, PEOPLE + number, wanted, now):
            found[event["eventId"]] = event
    made = [{**event, "eventId": f"{prefix}-{event['eventId']}"} for event in found.values()]
    return sorted(made, key=lambda event: (event["timestamp"], event["eventId"]))


def hours(model: ScoringModel, sent: Iterable[Mapping[str, Any]]) -> list[store.HourCount]:
    """What these events are in figures: by the hour in which they happened, and by type."""
    scoring = {type_key(rule.event_type) for rule in model.rules if rule.active}
    counts = Counter(
        (at - at % HOUR, str(event["event"]))
        for event in sent
        for at in (parse_timestamp(event["timestamp"]),)
    )
    return [
        store.HourCount(hour, name, n, n if type_key(name) in scoring else 0)
        for (hour, name), n in sorted(counts.items())
    ]


def _wanted(model: ScoringModel) -> list[list[str]]:
    """Names of events that lead people to each stage but the lowest, for one person each."""
    return [
        names
        for stage in range(1, len(model.stages))
        for names in [path_to(model, stage)] * _OF_A_STAGE
        if names
    ]


_LONGEST: Final = 25


def path_to(model: ScoringModel, stage: int) -> list[str]:
    """Events whose points reach a stage and, if that can be, not the next; fewest points first.

    Looks at rules that hold for any event of a type. Empty where none of them gives points.
    """
    points: dict[str, float] = {}
    single: set[str] = set()
    for rule in model.rules:
        if not rule.active or rule.conditions:
            continue
        most = rule.max_points_per_day
        gain = rule.points if most is None else min(rule.points, most)
        points[rule.event_type] = points.get(rule.event_type, 0.0) + gain
        if rule.once:
            single.add(rule.event_type)
    steps = sorted((gain, name) for name, gain in points.items() if gain > 0)
    return _reach(model.stages, stage, steps, single)


def _reach(
    stages: Sequence[float], stage: int, steps: Sequence[tuple[float, str]], single: set[str]
) -> list[str]:
    score, made = max(0.0, stages[0]), list[str]()
    end = stages[stage + 1] if stage + 1 < len(stages) else float("inf")
    # A little more than enough, since a few days may take something away again.
    goal = min(stages[stage] * 1.15, (stages[stage] + end) / 2)
    for turn in range(_LONGEST):
        for gain, name in steps:
            if score >= goal or len(made) >= _LONGEST:
                return made
            if score + gain < end and not (turn and name in single):
                made.append(name)
                score += gain
    return made
