"""Passwords: what is refused, and how they are hashed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from leadpulse.domain.errors import Invalid, Overloaded
from leadpulse.usecases.passwords import COST, LONGEST, Cost, Passwords

QUICK = Cost(rounds=1, memory=1024)
ABOUT = ("ada.byron@lovelace.org", "Ada Lovelace", "Analytical Engines")


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    made = Passwords(QUICK)
    yield made
    made.close()


@pytest.mark.parametrize(
    "weak",
    [
        "short", "", "ninechars", "password12", "qwertyuiop", "1234567890", "aaaaaaaaaaaa",
        "P@ssw0rd123!", "monkeymonkey", "abcdefghij", "Summer2026!", "letmein123", "iloveyou12",
        "leadpulse123", "0987654321", "a" * LONGEST, "aB1!" * 200, "x" * (LONGEST + 1),
        # What a guesser tries first about this very person.
        "ada.lovelace1", "adalovelace1815", "Lovelace2024!", "ada.byron@lovelace.org",
        "analytical1", "enginesengines", "LOVELACE.org!",
    ],
)  # fmt: skip
async def test_what_is_short_common_or_about_the_person_is_refused(
    passwords: Passwords, weak: str
) -> None:
    """The field is named, and nothing of the password is repeated."""
    with pytest.raises(Invalid) as raised:
        await passwords.require_good(weak, ABOUT, "password")
    (error,) = raised.value.errors
    assert error.field == "password"
    assert not weak or weak not in error.message


@pytest.mark.parametrize(
    "good",
    [
        "correct horse battery", "xK9#mQ2$vL", "four unrelated quiet words", "ключ от старой лодки",
        "ada loves difference engines", "🐢🎺🌵🧦🪁🥨🧲🛶🎲🧩", "aB1!aB1! tortoise umbrella fjord",
    ],
)  # fmt: skip
async def test_what_is_long_and_unusual_is_taken(passwords: Passwords, good: str) -> None:
    """Whatever the characters are."""
    await passwords.require_good(good, ABOUT, "password")
    stored = await passwords.hash(good)
    assert (await passwords.verify(good, stored)).right


async def test_judging_takes_no_longer_than_it_must(passwords: Passwords) -> None:
    """The longest password there can be is judged in a moment."""
    async with asyncio.timeout(5):
        await passwords.require_good("tortoise umbrella fjord " * 42, ABOUT, "password")


@pytest.mark.parametrize(
    "slow",
    [
        "4@8({[<3691!|0$5+7%2z" * 4, "@4({[<361!|70$5+7%2" * 4, "1!|74@0{[<($5" * 5,
        "ab1!|74@0{[<($5" * 20, "aab" * 300,
    ],
)  # fmt: skip
async def test_no_password_is_slow_to_judge(passwords: Passwords, slow: str) -> None:
    """Not even one of characters that each stand for several letters."""
    with pytest.raises(Invalid):  # the lists are read
        await passwords.require_good("password12", ABOUT, "password")
    began = time.process_time()
    with contextlib.suppress(Invalid):
        await passwords.require_good(slow, ABOUT, "password")
    assert time.process_time() - began < 0.4


async def test_who_logs_in_waits_for_nobody_who_chooses(passwords: Passwords) -> None:
    """Judging has a thread of its own; only so many wait there."""
    stored = await passwords.hash("one password")
    good = "tortoise umbrella fjord"
    choosing = [
        asyncio.create_task(passwords.require_good(good, ABOUT, "password")) for _ in range(60)
    ]
    assert (await passwords.verify("one password", stored)).right
    assert not all(task.done() for task in choosing)
    answers = await asyncio.gather(*choosing, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert 0 < len(refused) < 60
    assert answers.count(None) == 60 - len(refused)
    await passwords.require_good(good, ABOUT, "password")


async def test_hashes_are_argon2id_and_salted(passwords: Passwords) -> None:
    """Two hashes of one password differ, and the wrong password fits neither."""
    first, second = await passwords.hash("one password"), await passwords.hash("one password")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    for stored in (first, second):
        assert (await passwords.verify("one password", stored)).right
        assert not (await passwords.verify("another password", stored)).right


def test_what_is_stored_costs_enough() -> None:
    """At least what is recommended where memory is scarce (RFC 9106)."""
    assert COST.memory >= 64 * 1024
    assert COST.rounds >= 3


async def test_letters_are_the_same_however_they_are_composed(passwords: Passwords) -> None:
    """Another keyboard writes é in two signs."""
    stored = await passwords.hash("caf\u00e9 noir amer")
    assert (await passwords.verify("cafe\u0301 noir amer", stored)).right


async def test_without_a_stored_hash_nothing_is_right(passwords: Passwords) -> None:
    """It is compared all the same."""
    for guess in ("", "password", "x" * 100):
        assert await passwords.verify(guess, None) == (False, None)


async def test_hashes_follow_when_the_cost_is_raised(passwords: Passwords) -> None:
    """A right password comes back with a hash at today's cost; a wrong one doesn't."""
    stored = await passwords.hash("one password")
    raised = Passwords(Cost(rounds=2, memory=2048))
    try:
        checked = await raised.verify("one password", stored)
        assert checked.right
        assert checked.fresh is not None
        assert "m=2048,t=2" in checked.fresh
        assert (await raised.verify("one password", checked.fresh)) == (True, None)
        assert (await raised.verify("wrong password", stored)) == (False, None)
    finally:
        raised.close()


async def test_a_flood_is_turned_away(passwords: Passwords) -> None:
    """Only so many wait; the loop goes on meanwhile."""
    answers = await asyncio.gather(
        *(passwords.hash("one password") for _ in range(200)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 150
    assert (await passwords.hash("one password")).startswith("$argon2id$")
