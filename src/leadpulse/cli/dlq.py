from __future__ import annotations

from typing import Annotated

import typer

from leadpulse.bootstrap.database import pool
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import AsJson, DataDir, checked_id, quiet_logs, settings_for
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.cli.running import run
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres.overview import OpenLetter
from leadpulse.settings import Settings
from leadpulse.usecases.overview import open_letters
from leadpulse.usecases.repair import discard_dead_letter, retry_dead_letter

app = new_app("Dead letters: work that failed for good, kept with its cause.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Ids of dead letters.")]
All = Annotated[bool, typer.Option("--all", help="All that are open.")]
OfProject = Annotated[
    str | None, typer.Option("--project", metavar="ID", help="Only those of this project.")
]


@app.command(name="list")
def list_(*, project: OfProject = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List open dead letters, oldest first."""
    settings = settings_for(data_dir)
    quiet_logs(settings)
    letters = run(_list(settings, project and checked_id(project)))
    if as_json:
        print_json({"deadLetters": [_document(letter) for letter in letters]})
    elif letters:
        print_table(
            ("id", "lead", "failed", "tries", "error"),
            [(x.id, x.lead_id, to_rfc3339(x.failed_at), x.attempts, x.error) for x in letters],
        )
    else:
        say("No work has failed for good.")


@app.command()
def replay(
    ids: Ids = None,
    *,
    everything: All = False,
    project: OfProject = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Try failed work again: its leads are folded from all their events."""
    _settle((ids, everything, project), data_dir, as_json=as_json, retry=True)


@app.command()
def discard(
    ids: Ids = None,
    *,
    everything: All = False,
    project: OfProject = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Give failed work up; the event at fault, if known, is kept out of the score, reversibly."""
    _settle((ids, everything, project), data_dir, as_json=as_json, retry=False)


def _settle(
    which: tuple[list[str] | None, bool, str | None],
    data_dir: DataDir,
    *,
    as_json: bool,
    retry: bool,
) -> None:
    ids, everything, project = which
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if bool(ids) is everything:
        raise CommandError("Name dead letters by their ids, or give --all.")
    wanted = [checked_id(one, "dead letter") for one in ids] if ids else None
    done = run(_settle_all(settings, wanted, project and checked_id(project), retry=retry))
    word = "replayed" if retry else "discarded"
    if as_json:
        print_json({word: done})
    else:
        say(f"{len(done)} {word}.")


async def _list(settings: Settings, project: str | None) -> list[OpenLetter]:
    async with pool(settings) as pools:
        return await open_letters(pools, project)


async def _settle_all(
    settings: Settings, wanted: list[str] | None, project: str | None, *, retry: bool
) -> list[str]:
    settle = retry_dead_letter if retry else discard_dead_letter
    async with pool(settings) as pools:
        letters = {one.id: one for one in await open_letters(pools, project)}
        missing = [one for one in wanted or () if one not in letters]
        if missing:
            raise CommandError(
                f"No open dead letter: {', '.join(missing)}. See `leadpulse dlq list`."
            )
        chosen = [letters[one] for one in wanted] if wanted is not None else [*letters.values()]
        for letter in chosen:
            await settle(pools, letter.project_id, letter.id)
    return [letter.id for letter in chosen]


def _document(letter: OpenLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "projectId": letter.project_id,
        "leadId": letter.lead_id,
        "kind": letter.kind,
        "error": letter.error,
        "attempts": letter.attempts,
        "event": letter.event,
        "firstFailedAt": to_rfc3339(letter.first_failed_at),
        "failedAt": to_rfc3339(letter.failed_at),
    }
