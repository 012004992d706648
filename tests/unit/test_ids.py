from __future__ import annotations

import os
import time
import uuid

import pytest

from leadpulse import ids
from leadpulse.ids import uuid7, uuid7s


def test_is_a_uuid_of_version_7() -> None:
    """An id parses as UUID, version 7, RFC variant, and carries the present millisecond."""
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(uuid7())
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert before <= parsed.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_strictly_increases() -> None:
    """Ids sort as text in the order in which they were made, one by one or in batches."""
    made = [uuid7() for _ in range(5_000)] + uuid7s(5_000) + [uuid7()]
    assert made == sorted(set(made))


def test_a_clock_that_steps_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the clock stepped back ids still increase."""
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    later = uuid7s(3)
    assert first < later[0] < later[1] < later[2]


def test_running_out_of_a_millisecond_borrows_from_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The counter's overflow carries into the time and ids stay well-formed."""
    monkeypatch.setattr(ids, "_last", (10**12 << 74) | ((1 << 74) - 1))
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    assert uuid.UUID(uuid7()).int >> 80 == 10**12 + 1


def test_a_forked_child_goes_its_own_way() -> None:
    """Parent and child never make the same id after a fork."""
    uuid7()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ",".join(uuid7s(100)).encode())
        os._exit(0)
    mine = uuid7s(100)
    os.waitpid(child, 0)
    theirs = os.read(reading, 65_536).decode().split(",")
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 100
    assert not set(mine) & set(theirs)
