"""Laws of reading: whatever comes, an event or a named error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain import names
from leadpulse.domain.errors import Invalid, Malformed, UnknownLead
from leadpulse.domain.timestamps import parse_timestamp, place_in_time, to_rfc3339
from leadpulse.domain.wire import EventReader
from leadpulse.http.bodies import decode

any_text = st.text(st.characters(), max_size=20)
any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=10,
)
MEMBERS = (
    "event", "eventType", "userId", "anonymousId", "email", "leadId", "userHash", "eventId",
    "timestamp", "sentAt", "sessionId", "properties", "traits", "context", "test",
)  # fmt: skip
documents = st.dictionaries(st.sampled_from(MEMBERS), any_json, max_size=8)
likely = st.fixed_dictionaries(
    {"event": any_text.filter(bool), "userId": st.text(min_size=1, max_size=5)},
    optional=dict.fromkeys(MEMBERS[3:], any_json)
    | {
        "properties": st.dictionaries(any_text, any_json),
        "traits": st.dictionaries(any_text, any_json),
    },
)
instants = st.integers(0, 253_402_300_799_999_999)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@given(st.one_of(any_json, documents, likely), st.booleans())
def test_any_json_is_an_event_or_a_named_error(document: Any, fast: bool) -> None:  # noqa: FBT001
    """And what was read can be stored: no U+0000, no lone surrogate, nothing that isn't JSON."""
    reader = EventReader(encode=msgspec.json.encode) if fast else EventReader()
    try:
        event = reader.read(document)
    except (Invalid, UnknownLead):
        return
    for part in (event.properties, event.traits):
        if part is not None:
            text = part.decode("utf-8")
            json.loads(text, parse_constant=_no_constant)
            assert "\x00" not in json.dumps(json.loads(text), ensure_ascii=False)
    if event.known is not None:
        json.dumps(event.known, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert event.lead_id or event.user_id or event.email or event.anonymous_id


@given(any_json)
def test_clean_properties_come_through_unchanged(value: Any) -> None:
    """What can be stored is stored as it came."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
        event = EventReader(encode=msgspec.json.encode).read(
            {"event": "x", "userId": "u", "properties": {"v": value}}
        )
    except (ValueError, Invalid):
        return
    if "\\u0000" not in text:
        assert json.loads(event.properties) == {"v": value}


@given(st.binary(max_size=60) | any_json.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    """Nothing else ever comes out of a body."""
    with contextlib.suppress(Malformed):
        decode(body)


@given(instants)
def test_an_instant_survives_writing_and_reading(instant: int) -> None:
    """To the microsecond."""
    assert parse_timestamp(to_rfc3339(instant)) == instant


@given(any_text | st.integers() | st.floats())
def test_any_value_is_an_instant_or_a_value_error(value: object) -> None:
    """Between 1970 and 9999."""
    with contextlib.suppress(ValueError):
        assert 0 <= parse_timestamp(value) <= 253_402_300_799_999_999


@given(st.none() | instants, st.none() | instants, instants, st.integers(0, 999))
def test_nothing_happens_after_it_was_received(
    sent: int | None, sent_at: int | None, received: int, index: int
) -> None:
    """But for the index that keeps events without a time in order."""
    try:
        when, original = place_in_time(sent, sent_at, received, index)
    except ValueError:
        return
    assert 0 <= when <= received + (index if sent is None else 0)
    assert original is None or original == sent != when


@given(any_json)
def test_any_value_is_an_identifier_nobody_or_a_value_error(value: object) -> None:
    """An identifier is never empty and always fits."""
    try:
        found = names.identifier(value)
    except ValueError:
        return
    assert found is None or (1 <= len(found) <= 255 and found.encode())


@given(st.emails())
def test_real_addresses_are_mostly_known(address: str) -> None:
    """Reading an address twice gives the same."""
    found = names.email(address)
    assert found is None or names.email(found) == found
