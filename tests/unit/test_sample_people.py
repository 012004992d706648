"""Sample data as it is sent: the same each time, in the past, each event once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from leadpulse.domain.facts import DAY, SECOND
from leadpulse.domain.model import Rule
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.domain.timestamps import parse_timestamp
from leadpulse.domain.wire import EventReader
from leadpulse.journeys.chosen import chosen
from leadpulse.usecases import sample

NOW = 1_795_000_000 * SECOND


@pytest.mark.parametrize("name", PRESETS)
def test_sample_events_are_the_same_each_time(name: str) -> None:
    """For a model and an instant; another round has other eventIds and nothing else."""
    model = preset(name)
    first, again = (sample.events(model, NOW, prefix) for prefix in ("sample-1", "sample-2"))
    assert first == sample.events(model, NOW, "sample-1")
    assert {e["eventId"] for e in first}.isdisjoint(e["eventId"] for e in again)
    assert [{**e, "eventId": ""} for e in first] == [{**e, "eventId": ""} for e in again]


def test_sample_events_lie_within_thirty_days() -> None:
    """In order, none in the future, each valid, each once, and none of a crawler's."""
    sent = sample.events(preset("leadpulse"), NOW, "sample-1")
    times = [parse_timestamp(event["timestamp"]) for event in sent]
    assert all(a <= b for a, b in pairwise(times))
    assert NOW - 31 * DAY < times[0] < times[-1] < NOW
    assert len({event["eventId"] for event in sent}) == len(sent)
    assert 300 < len(sent) < 2_000
    assert not any("userAgent" in event.get("properties", {}) for event in sent)
    for event in sent:
        EventReader().read(event)


def test_figures_of_sample_events_add_up() -> None:
    """Each is counted once in its hour; those that no rule is about are not scored."""
    model = replace(preset("sales"), rules=(Rule("r", "Page View", "Pages", 1),))
    sent = sample.events(model, NOW, "sample-1")
    counts = sample.hours(model, sent)
    assert sum(count.events for count in counts) == len(sent)
    views = sum(event["event"] in {"page_view", "Page View"} for event in sent)
    assert sum(count.mutations for count in counts) == views
    assert all(count.hour % (3_600 * SECOND) == 0 for count in counts)


@pytest.mark.parametrize("name", PRESETS)
def test_somebody_reaches_every_stage(name: str) -> None:
    """By points between its threshold and the next."""
    model = preset(name)
    points = {r.event_type: r.points for r in model.rules if not r.conditions}
    for stage in (1, 2, 3):
        score = sum(points[name] for name in sample.path_to(model, stage))
        assert score >= model.stages[stage]
        assert stage == 3 or score < model.stages[stage + 1]


def test_what_counts_once_is_done_once() -> None:
    """A rule that holds once per lead leads nobody further a second time."""
    once = Rule("a", "signup", "Signup", 20, once=True)
    often = Rule("b", "visit", "Visit", 10)
    model = replace(preset("classic"), rules=(once, often), stages=(0, 50, 100, 150))
    path = sample.path_to(model, 2)
    assert path.count("signup") == 1
    assert 20 + 10 * path.count("visit") >= 100


def test_who_is_chosen_does_what_is_asked() -> None:
    """One act a day, known by email from the first moment, every other one on two devices."""
    for number, devices in ((2, 1), (3, 2)):
        made = chosen(1, number, ["signup", "demo_request"], NOW)
        acts = [event["event"] for event in made if event["event"] not in ("identify", "page_view")]
        assert acts == ["signup", "demo_request"]
        assert made[0]["event"] == "identify"
        assert "@" in made[0]["email"]
        assert len({event["anonymousId"] for event in made}) == devices
        assert all(parse_timestamp(event["timestamp"]) < NOW for event in made)
