"""One JSON object in, a valid event or every error out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from leadpulse.domain.errors import Invalid, UnknownLead
from leadpulse.domain.wire import MAX_BYTES, EventReader, WireEvent

LEAD = "01a206ec-0934-7107-88b6-f9ed49c9481e"


def read(**document: Any) -> WireEvent:
    return EventReader().read({"event": "page_view", **document})


def fields(**document: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read(**document)
    return [error.field for error in caught.value.errors]


def test_everything_wrong_is_told_at_once() -> None:
    """A developer sees all mistakes of an event in one answer."""
    assert fields(
        event="$x", properties=[], traits="t", timestamp="?", sentAt=[], eventId={}, test="yes",
        sessionId="s" * 256, userHash="short",
    ) == [
        "event", "traits", "userId", "properties", "eventId", "timestamp", "sentAt", "userHash",
        "sessionId", "test",
    ]  # fmt: skip


def test_somebody_must_be_named() -> None:
    """An event about nobody is refused, and so is one about "undefined"."""
    assert fields() == ["userId"]
    assert fields(userId="undefined", anonymousId=None, email="") == ["userId"]
    assert fields(properties={"userId": "u-1", "email": "a@b.co"}) == ["userId"]


def test_identifiers_come_from_the_root_else_from_the_traits() -> None:
    """But never from properties."""
    event = read(userId="root", traits={"userId": "t", "email": " A@B.co", "anonymousId": 7})
    assert (event.user_id, event.email, event.anonymous_id) == ("root", "a@b.co", "7")
    assert event.known == {"userId": "t", "email": "a@b.co", "anonymousId": 7}


def test_an_identify_call_may_carry_its_traits_in_the_context() -> None:
    """Some clients send them only there; other events repeat them without meaning it."""
    context = {"traits": {"email": "a@b.co", "plan": "pro"}}
    event = read(event="identify", userId="u", context=context, traits={"plan": "free"})
    assert event.email == "a@b.co"
    assert event.known == {"email": "a@b.co", "plan": "free"}
    assert read(userId="u", context=context).known is None


def test_an_email_that_is_not_valid_stays_a_trait() -> None:
    """Nobody is known by it, and it is not lost."""
    event = read(userId="u", email="nope")
    assert (event.email, event.known, event.traits) == (
        None,
        {"email": "nope"},
        b'{"email":"nope"}',
    )


def test_a_lead_id_must_look_like_one() -> None:
    """What can't be a lead of any project is told before anybody looks."""
    assert read(leadId=LEAD.upper()).lead_id == LEAD
    with pytest.raises(UnknownLead):
        read(leadId="42")


def test_empty_and_null_are_absent() -> None:
    """In every optional member."""
    event = read(userId="u", eventId="", timestamp=None, sessionId="", properties=None, traits=None)
    assert (event.event_id, event.sent, event.session_id, event.traits) == (None, None, None, None)
    assert event.properties == b"{}"


def test_fault_16_nothing_is_silently_cut() -> None:
    """Too long or too deep is refused as a whole, and what is at the limit is kept whole."""
    room = MAX_BYTES - len('{"a":""}')
    full = {"a": "x" * room}
    assert json.loads(read(userId="u", properties=full).properties) == full
    assert fields(userId="u", properties={"a": "x" * (room + 1)}) == ["properties"]
    assert fields(userId="u", properties=full, traits={}) == ["properties"]
    deep: Any = 1
    for _ in range(10):
        deep = {"d": deep}
    assert json.loads(read(userId="u", properties=deep).properties) == deep
    assert fields(userId="u", properties={"d": deep}) == ["properties"]
    assert fields(userId="u", traits={"d": [[[[[[[[[[1]]]]]]]]]]}) == ["traits"]


def test_bytes_are_counted_in_utf_8() -> None:
    """As compact JSON: a letter with an accent is two."""
    room = MAX_BYTES - len('{"a":""}')
    assert read(userId="u", properties={"a": "é" * (room // 2)})
    assert fields(userId="u", properties={"a": "é" * (room // 2 + 1)}) == ["properties"]


def test_what_no_database_holds_becomes_a_replacement_character_in_properties() -> None:
    """While in names and ids it is refused."""
    event = read(userId="u", properties={"a\x00": ["b\x00", "c\ud800", "\\u0000"]})
    assert json.loads(event.properties) == {"a\ufffd": ["b\ufffd", "c\ufffd", "\\u0000"]}
    assert read(userId="u", traits={"n": "\x00"}).known == {"n": "\ufffd"}
    assert fields(event="a\x00", userId="u\x00", eventId="\ud800", email="\x00@b.co") == [
        "event", "userId", "email", "eventId",
    ]  # fmt: skip


def test_numbers_beyond_all_bounds_are_refused() -> None:
    """Doubles are exact in JSON; what is none would come back as something else."""
    for number in (float("inf"), float("nan"), 10**309, -(10**400)):
        assert fields(userId="u", properties={"n": number}) == ["properties"]
    assert read(userId="u", properties={"n": [1e308, 2**64, -5, 0.1]})


def test_numbers_count_as_long_as_the_database_writes_them() -> None:
    """Else a small event would be a very large page."""
    assert fields(userId="u", properties={"n": [1e308] * 200}) == ["properties"]


def test_the_sent_at_of_a_request_is_for_events_without_one() -> None:
    """An event's own comes first."""
    reader = EventReader(sent_at=2_000)
    assert reader.read({"event": "x", "userId": "u"}).sent_at == 2_000_000
    assert reader.read({"event": "x", "userId": "u", "sentAt": 3_000}).sent_at == 3_000_000


def test_either_word_names_the_event() -> None:
    """`event` and `eventType`; the error names the one that the call prefers."""
    older = EventReader(("eventType", "event"))
    assert older.read({"event": "x", "userId": "u"}).type == "x"
    with pytest.raises(Invalid, match=r"^eventType: is required"):
        older.read({"userId": "u"})
