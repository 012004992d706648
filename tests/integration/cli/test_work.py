from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadpulse.ids import uuid7
from support.commands import Done, leadpulse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leadpulse.postgres.connect import Connection

    Command = Callable[..., Done]


@pytest.fixture
def command(database: str, tmp_path: Path) -> Command:
    """Commands on a fresh outside database."""
    return partial(leadpulse, folder=tmp_path, settings={"DATABASE_URL": database})


@pytest.fixture
def project(command: Command) -> str:
    made = command("projects", "create", "Work", "--json")
    assert made.status == 0, made.err
    return str(made.document["id"])


def imported(command: Command, project: str, folder: Path, *events: Mapping[str, object]) -> None:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    done = command("import", path, "--project", project)
    assert done.status == 0, done.err


def test_rescore_does_the_work_itself_where_no_worker_runs(
    command: Command, project: str, tmp_path: Path
) -> None:
    """After `rescore` every lead is folded, and `verify` finds nothing that differs."""
    imported(
        command, project, tmp_path,
        *({"event": "demo_request", "userId": f"u{n % 30}"} for n in range(90)),
    )  # fmt: skip
    waiting = command("verify", "--json").document
    assert waiting["pending"] == 30
    done = command("rescore", "--project", project, "--json")
    assert done.status == 0, done.err
    assert done.document["projects"] == [{"projectId": project, "version": 2}]
    report = command("verify", "--json").document
    assert report["ok"] is True
    assert (report["leadsChecked"], report["pending"]) == (30, 0)
    leads = command("export", "leads", "-", "--project", project).out.splitlines()
    assert {json.loads(lead)["currentScore"] for lead in leads} == {150}


def test_decay_ages_what_is_due(command: Command, project: str, tmp_path: Path) -> None:
    """`decay` runs the due pass now, and a second one finds nothing."""
    long_ago = "2024-01-01T00:00:00Z"
    imported(
        command, project, tmp_path,
        {"event": "signup", "userId": "old", "timestamp": long_ago},
        {"event": "signup", "userId": "new"},
    )  # fmt: skip
    assert command("rescore", "--all").status == 0
    done = command("decay", "--json")
    assert done.status == 0, done.err
    assert set(done.document) == {"leads"}
    assert command("decay", "--json").document == {"leads": 0}
    assert command("verify").status == 0


async def test_dead_letters_are_listed_replayed_and_discarded(
    command: Command, project: str, pg: Connection, tmp_path: Path
) -> None:
    """What failed for good is shown with its cause; settling it takes it off the list."""
    imported(command, project, tmp_path, *({"event": "signup", "userId": n} for n in (1, 2, 3)))
    cursor = await pg.execute("select id from leads order by id")
    letters = [uuid7() for _ in range(3)]
    for letter, (lead,) in zip(letters, await cursor.fetchall(), strict=True):
        await pg.execute(
            """
            insert into dead_letters (project_id, id, lead_id, kind, error, attempts,
                first_failed_at, failed_at)
            values (%s, %s, %s, 'scoring', 'a fault', 6, clock_timestamp(), clock_timestamp())
            """,
            [project, letter, lead],
        )
    assert command("verify").status == 1
    listed = command("dlq", "list", "--json").document["deadLetters"]
    assert [one["id"] for one in listed] == letters
    assert listed[0]["error"] == "a fault"
    assert "a fault" in command("dlq", "list").out

    unknown = command("dlq", "replay", project)
    assert unknown.status == 1
    assert "No open dead letter" in unknown.err
    assert command("dlq", "replay").status == 1
    done = command("dlq", "replay", letters[0], "--json")
    assert done.document == {"replayed": [letters[0]]}
    done = command("dlq", "discard", "--all", "--project", project, "--json")
    assert done.document == {"discarded": letters[1:]}
    assert command("dlq", "list", "--json").document == {"deadLetters": []}
    assert command("rescore", "--all").status == 0
    assert command("verify").status == 0


def test_exported_events_are_imported_again(command: Command, project: str, tmp_path: Path) -> None:
    """A file of events moves them into another project, and there they count once."""
    imported(
        command, project, tmp_path,
        {"event": "a", "email": "X@Example.com", "properties": {"n": 1.5}, "sessionId": "s"},
        {"event": "b", "anonymousId": "anon"},
        {"event": "c", "userId": "u", "traits": {"name": "Ünï"}, "test": True},
    )  # fmt: skip
    out = tmp_path / "out.jsonl"
    assert command("export", "events", out, "--project", project).status == 0
    assert out.stat().st_mode & 0o077 == 0
    refused = command("export", "events", out, "--project", project)
    assert refused.status == 1
    assert "--force" in refused.err
    other = str(command("projects", "create", "Other", "--json").document["id"])
    moved = command("import", out, "--project", other, "--json")
    assert moved.document["accepted"] == 3, moved.err
    again = tmp_path / "again.jsonl"
    assert command("export", "events", again, "--project", other).status == 0

    def content(path: Path) -> list[dict[str, object]]:
        read = [json.loads(line) for line in path.read_text().splitlines()]
        return [{k: v for k, v in event.items() if k != "receivedAt"} for event in read]

    assert content(again) == content(out)


def test_exported_tables_hold_no_formula(command: Command, project: str, tmp_path: Path) -> None:
    """A name that begins with `=` stays text in a spreadsheet, in both kinds of tables."""
    imported(
        command, project, tmp_path,
        {"event": "=cmd()", "userId": "+1", "traits": {"name": "=1+1"}},
    )  # fmt: skip
    for what in ("leads", "events"):
        done = command("export", what, "-", "--format", "csv", "--project", project)
        assert done.status == 0, done.err
        rows = list(csv.reader(io.StringIO(done.out)))
        assert len(rows) == 2
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
