from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadpulse.journeys.visits import CALLS_PER_PERSON, DAY, SECOND, Call, Scenario, calls, generate

START = 1_760_000_000_000_000


def as_bytes(sent: list[Call]) -> bytes:
    return json.dumps(sent).encode()


@given(seed=st.integers(0, 2**40), people=st.integers(0, 40), start=st.integers(0, START))
@settings(max_examples=30)
def test_same_scenario_gives_the_same_bytes(seed: int, people: int, start: int) -> None:
    """The same scenario gives the same calls, byte for byte."""
    scenario = Scenario(seed=seed, people=people, start=start)
    assert as_bytes(list(calls(scenario))) == as_bytes(list(calls(scenario)))


@given(shift=st.integers(1, 10**6))
@settings(max_examples=20)
def test_times_are_relative_to_the_start(shift: int) -> None:
    """Another start moves every call by the same time and changes nothing else."""
    moved = shift * 1000
    first = list(calls(Scenario(seed=3, people=20, start=START)))
    second = list(calls(Scenario(seed=3, people=20, start=START + moved)))
    assert [call.at + moved for call in first] == [call.at for call in second]
    ids = [[call.event["eventId"] for call in some] for some in (first, second)]
    assert ids[0] == ids[1]


@given(seed=st.integers(0, 2**32), events=st.integers(1, 400), leads=st.integers(1, 60))
@settings(max_examples=30)
def test_load_has_exactly_as_many_events_as_asked(seed: int, events: int, leads: int) -> None:
    """People keep coming back until there are as many events as a load asks for."""
    made = list(generate(seed, leads, events, START))
    assert len(made) == events


def test_other_seeds_give_other_journeys() -> None:
    """Two seeds share no event id."""
    first, second = (
        {call.event["eventId"] for call in calls(Scenario(seed=seed, people=50))} for seed in (1, 2)
    )
    assert not first & second


def test_calls_come_in_the_order_of_sending() -> None:
    """Calls are sent in time order."""
    sent = list(calls(Scenario(people=300, start=START)))
    assert all(one.at <= other.at for one, other in pairwise(sent))


@pytest.fixture(scope="module")
def journeys() -> list[Call]:
    return list(calls(Scenario(seed=7, people=1_500, start=START)))


def test_journeys_hold_every_story(journeys: list[Call]) -> None:
    """Visitors, forms, drop-offs, mails, a few buyers: everything a page shows turns up."""
    names = Counter(str(call.event["event"]) for call in journeys)
    assert names["page_view"] > len(journeys) / 2
    for name in (
        "pricing_page_visit", "download", "form_start", "form_abandon", "form_submit", "identify",
        "email_sent", "email_open", "webinar_attendance", "signup", "demo_request",
        "contract_signed", "unsubscribe",
    ):  # fmt: skip
        assert names[name] > 0, name
    assert names["contract_signed"] < names["demo_request"] < names["form_submit"]


def test_only_servers_speak_of_contracts(journeys: list[Call]) -> None:
    """What counts only from a trusted caller is sent by one."""
    for call in journeys:
        expected = call.event["event"] in (
            "contract_signed", "unsubscribe", "email_sent", "email_open",
        )  # fmt: skip
        assert call.trusted is expected


def test_some_calls_are_retried_unchanged(journeys: list[Call]) -> None:
    """A retry repeats an eventId with the very same event."""
    seen: dict[object, dict[str, object]] = {}
    for call in journeys:
        known = seen.setdefault(call.event["eventId"], call.event)
        assert known == call.event
    repeated = len(journeys) - len(seen)
    assert 0.01 < repeated / len(journeys) < 0.04


def test_some_events_come_late(journeys: list[Call]) -> None:
    """Phones send hours after the fact, and not in order."""
    newest: dict[object, str] = {}
    late = 0
    for call in journeys:
        browser = call.event.get("anonymousId")
        at = str(call.event["timestamp"])
        if browser is not None:
            late += at < newest.get(browser, "")
            newest[browser] = max(at, newest.get(browser, ""))
    assert late > 50


def test_some_people_share_a_browser(journeys: list[Call]) -> None:
    """One anonymous id tells two addresses, as in a family."""
    told: dict[object, set[object]] = {}
    for call in journeys:
        if "anonymousId" in call.event and "email" in call.event:
            told.setdefault(call.event["anonymousId"], set()).add(call.event["email"])
    assert any(len(addresses) > 1 for addresses in told.values())


def test_bots_are_among_them(journeys: list[Call]) -> None:
    """Crawlers look at many pages within seconds and say so in their user agent."""
    crawled = Counter(
        call.event["anonymousId"]
        for call in journeys
        if "userAgent" in dict(call.event.get("properties") or {})  # type: ignore[call-overload]
    )
    assert crawled
    assert min(crawled.values()) >= 15


def test_rate_of_people_follows_from_rate_of_calls(journeys: list[Call]) -> None:
    """The number of calls per person that rates are computed with is about right."""
    assert CALLS_PER_PERSON * 0.8 < len(journeys) / 1_500 < CALLS_PER_PERSON * 1.2


def test_endless_scenario_keeps_coming() -> None:
    """Without a number of people a scenario has no end."""
    scenario = Scenario(people=None, start=START, every=SECOND, events=2_000, hurry=600)
    sent = list(calls(scenario))
    assert len(sent) == 2_000
    assert sent[-1].at - START < DAY
