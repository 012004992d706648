from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from leadpulse.domain.errors import Invalid, Unauthorized
from leadpulse.postgres.connect import Connection
from leadpulse.usecases.import_events import (
    ImportJob,
    ImportReport,
    Rejected,
    format_of,
    import_events,
)
from leadpulse.usecases.intake import IntakeBuffer
from leadpulse.usecases.keys import Caller, project_caller
from leadpulse.usecases.projects import create_project, pause_project


@pytest.fixture
async def caller(pg: Connection) -> Caller:
    made = await create_project(pg, "Imports")
    found = await project_caller(pg, made.id)
    assert found is not None
    return found


@pytest.fixture
async def intake(database: str) -> AsyncIterator[IntakeBuffer]:
    buffer = IntakeBuffer(database)
    await buffer.start()
    yield buffer
    await buffer.stop()


class Import:
    """One run over a file, with everything that it said."""

    def __init__(self) -> None:
        self.bytes = 0
        self.rejected: list[Rejected] = []

    async def run(self, intake: IntakeBuffer, caller: Caller, path: Path) -> ImportReport:
        def read(amount: int) -> None:
            self.bytes += amount

        job = ImportJob(path, format_of(path), caller, read, self.rejected.append)
        return await import_events(intake, job)


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def event(number: int, **more: object) -> dict[str, object]:
    return {"event": "signup", "email": f"p{number}@example.com",
            "timestamp": "2024-05-01T10:00:00Z", **more}  # fmt: skip


async def stored(pg: Connection) -> list[dict[str, Any]]:
    cursor = await pg.execute(
        "select event_type, event_id, trusted, properties, traits from events order by id"
    )
    names = ("type", "id", "trusted", "properties", "traits")
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]


async def test_lines_become_trusted_events(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """Every line is an event of a trusted caller; the progress adds up to the file's size."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + lines(*(event(n) for n in range(1_200))) + b"\n\n")
    once = Import()
    report = await once.run(intake, caller, path)
    assert report == ImportReport(accepted=1_200)
    assert once.bytes == path.stat().st_size
    assert all(row["trusted"] for row in await stored(pg))


async def test_import_goes_on_where_it_broke_off(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """The same file again, also under another name, stores each line once."""
    whole = lines(*(event(n) for n in range(700)), {**event(1), "timestamp": None})
    path = tmp_path / "a.jsonl"
    path.write_bytes(whole)
    assert (await Import().run(intake, caller, path)).accepted == 701
    # As a broken off one: some lines are there, others are not.
    await pg.execute(
        "delete from events where id in (select id from events order by random() limit 300)"
    )
    moved = tmp_path / "b.jsonl"
    path.rename(moved)
    report = await Import().run(intake, caller, moved)
    assert report == ImportReport(accepted=300, duplicates=401)
    assert len(await stored(pg)) == 701


async def test_own_event_ids_win(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """An eventId in the file is the event's; the same one with other content is a conflict."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        lines(event(1, eventId="x"), event(1, eventId="x"), event(2, eventId="x"), event(3))
    )
    report = await Import().run(intake, caller, path)
    assert report == ImportReport(accepted=2, duplicates=1, conflicts=1)
    ids = {row["id"] for row in await stored(pg)}
    assert "x" in ids
    assert any(identifier.endswith("-4") for identifier in ids)


async def test_wrong_lines_are_named_and_the_others_taken(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """Whatever stands in a line, it is told by its number, and the lines around it are taken."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        lines(event(1))
        + b"not json\n"
        + b'["a list"]\n'
        + lines({"event": "x"})
        + b'{"event": "\xff"}\n'
        + b'{"a":' * 3_000
        + b"\n"
        + b'"' + b"x" * 1_100_000 + b'"\n'
        + lines({**event(2), "leadId": "nobody"})
        + lines(event(3, properties={"a": "\x00"}))
    )  # fmt: skip
    once = Import()
    report = await once.run(intake, caller, path)
    assert [rejected.line for rejected in once.rejected] == [2, 3, 4, 5, 6, 7, 8]
    assert (report.accepted, report.rejected) == (2, 7)
    assert [r.code for r in once.rejected] == [
        "malformed", "invalid", "invalid", "malformed", "malformed", "malformed", "unknown_lead",
    ]  # fmt: skip
    assert once.rejected[0].source == "not json"
    assert len(await stored(pg)) == 2


async def test_csv_has_columns_for_members(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """Dotted headings are members; numbers and booleans in properties are what they look like."""
    path = tmp_path / "a.CSV"
    path.write_text(
        "event,email,timestamp,properties.amount,properties.zip,properties.new,traits.name,note\n"
        'purchase,a@example.com,1714557600000,12.5,01234,true,"Ann\nLee",x\n'
        "purchase,b@example.com,2024-05-01T10:00:00Z,3,,,,\n"
        "purchase,c@example.com,soon,3,,,,\n"
        "purchase,too few\n"
        "\n",
        encoding="utf-8",
    )
    once = Import()
    report = await once.run(intake, caller, path)
    assert report == ImportReport(accepted=2, rejected=2)
    assert [rejected.line for rejected in once.rejected] == [5, 6]
    first, second = await stored(pg)
    assert first["properties"] == {"amount": 12.5, "zip": "01234", "new": True}
    assert first["traits"]["name"] == "Ann\nLee"
    assert second["properties"] == {"amount": 3}


async def test_csv_without_event_column_is_refused(
    intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """A table without a column for the event's name says so before anything is stored."""
    path = tmp_path / "a.csv"
    path.write_text("name,email\nAnn,a@example.com\n", encoding="utf-8")
    with pytest.raises(Invalid, match="one of them must be `event`"):
        await Import().run(intake, caller, path)


async def test_rubbish_after_the_first_lines_is_only_rejected(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """What is no text is rejected line by line, as JSON and as CSV; the rest goes in."""
    rubbish = bytes(range(256)) * 40
    good = lines(*(event(number) for number in range(60)))
    (tmp_path / "a.jsonl").write_bytes(good + rubbish + b"\n")
    report = await Import().run(intake, caller, tmp_path / "a.jsonl")
    assert report.accepted == 60
    assert report.rejected > 0
    cells = b"event,email\n" + b"signup,someone@example.com\n" * 200
    (tmp_path / "a.csv").write_bytes(cells + b"signup,J\xf6rg@example.com\n" + rubbish)
    told = Import()
    report = await told.run(intake, caller, tmp_path / "a.csv")
    assert report.accepted == 200
    assert told.rejected[0][:3] == (202, "malformed", "The line is not UTF-8.")
    assert len(await stored(pg)) == 260


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (("a.jsonl", b""), "is empty"),
        (("a.csv", b""), "is empty"),
        (("a.jsonl", bytes(range(256))), "is no text"),
        (("a.csv", b"event,email\nx,\0\n"), "is no text"),
        (("a.jsonl", gzip.compress(b"{}")), "gunzip"),
        (("a.csv", b"PK\x03\x04 and so on"), "save it as CSV"),
        (("a.csv", "event,userId\nx,u\n".encode("utf-16")), "save it in UTF-8"),
        (("a.json", b'\xef\xbb\xbf [\n{"event":"x"}]'), "one event per line"),
        (("a.csv", b"event,userId,userId\nx,a,b\n"), "names the column userId twice"),
    ],
)
async def test_what_is_no_such_file_is_refused_as_a_whole(
    intake: IntakeBuffer, caller: Caller, tmp_path: Path, file: tuple[str, bytes], told: str
) -> None:
    """One sentence that says what it is, instead of one for each of its lines."""
    name, content = file
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=told):
        await Import().run(intake, caller, tmp_path / name)


async def test_paused_project_takes_no_import(
    pg: Connection, intake: IntakeBuffer, caller: Caller, tmp_path: Path
) -> None:
    """A paused project takes no events, not even these."""
    await pause_project(pg, caller.project_id, paused=True)
    paused = await project_caller(pg, caller.project_id)
    assert paused is not None
    (tmp_path / "a.jsonl").write_bytes(lines(event(1)))
    with pytest.raises(Unauthorized, match="paused"):
        await Import().run(intake, paused, tmp_path / "a.jsonl")
