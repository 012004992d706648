"""What identifiers, emails and event names may be."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadpulse.domain import names


@pytest.mark.parametrize(
    "value",
    [
        None, "", "  ", "null", "NULL", " Undefined ", "None", "NaN", "true", "FALSE", "0", 0, 0.0,
        "Anonymous", "guest", "UNKNOWN", "[object Object]", True, False, float("nan"),
        "00000000-0000-0000-0000-000000000000", "0" * 32,
    ],
)  # fmt: skip
def test_ways_to_say_nobody_are_nobody(value: object) -> None:
    """Taken as an id, each of these would merge strangers."""
    assert names.identifier(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("u-1", "u-1"), (42, "42"), (-7, "-7"), (42.0, "42"), (2**70, str(2**70)),
        ("Ä" * 255, "Ä" * 255), (" kept ", " kept "), ("00", "00"),
    ],
)  # fmt: skip
def test_an_identifier_is_kept_as_it_is(value: object, expected: str) -> None:
    """Only integers change, into decimal texts."""
    assert names.identifier(value) == expected


@pytest.mark.parametrize(
    "value",
    ["x" * 256, "a\x00b", "a\ud800", 1.5, 10**300, 1 << 20_000, [], {}],
    ids=lambda v: type(v).__name__,
)
def test_a_bad_identifier_is_told(value: object) -> None:
    """Too long, not storable, or no text at all."""
    with pytest.raises(ValueError, match=r"must be|contains"):
        names.identifier(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
        ("ünï@exämple.de", "ünï@exämple.de"),
    ],
)
def test_an_email_is_trimmed_and_lowered(value: object, expected: str) -> None:
    """So that one person has one address."""
    assert names.email(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None, "", "ada", "ada@", "@example.com", "a@b", "a b@example.com", "a@@example.com",
        "a@exa mple.com", "a@-x.com", "a@x..com", ".a@x.com", "a.@x.com", "a@x.com\x00",
        "a@x.com\ud800", 5, "x" * 250 + "@x.com", "a@x.com\n\nb", '"a"@x.com',
    ],
)  # fmt: skip
def test_what_is_no_email_is_none(value: object) -> None:
    """It stays a trait; nobody is known by it."""
    assert names.email(value) is None


@pytest.mark.parametrize("value", ["page_view", "Größe 5", "x" * 128, "👩‍💻 coded", "a$"])
def test_an_event_name_is_printable(value: str) -> None:
    """Any script, up to 128 characters."""
    assert names.event_name(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None, "", "   ", "$adjustment", "x" * 129, "a\nb", "a\x00", "\ud800", "a\x7f", "a\u202eb",
        5, [], True,
    ],
)  # fmt: skip
def test_a_bad_event_name_is_told(value: object) -> None:
    """Each with what is wrong."""
    with pytest.raises(ValueError, match=r"must|required"):
        names.event_name(value)


_PIECES = ("=?", "?=", "?q?", "?b?", "utf-8", "=", "_", "''", "%", "a", "x1", "+", ".", "!", "é")


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=9))
def test_mail_goes_to_the_address_and_to_no_other(pieces: list[str]) -> None:
    """What mail programs would take for a text in another encoding is no address to write to."""
    address = names.email("".join(pieces) + "@example.com")
    if address is None or not names.is_mailable(address):
        return
    message = EmailMessage()
    message["To"] = Address(addr_spec=address)
    assert message["To"].addresses[0].addr_spec == address


@pytest.mark.parametrize(
    ("address", "can"),
    [
        ("ada@example.com", True), ("a=b?c@example.com", True), ("ünï@example.com", False),
        ("=?utf-8?q?x?=@example.com", False), ("=??@example.com", False),
    ],
)  # fmt: skip
def test_not_every_email_can_be_written_to(address: str, can: bool) -> None:  # noqa: FBT001
    """As an identifier of a lead it is good nevertheless."""
    assert names.email(address) == address
    assert names.is_mailable(address) is can
