from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leadpulse.bootstrap.database import pool
from leadpulse.bootstrap.working import work_off
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import AsJson, DataDir, checked_id, quiet_logs, settings_for
from leadpulse.cli.output import print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.postgres.models import ModelCache
from leadpulse.postgres.session import Pool
from leadpulse.settings import Settings
from leadpulse.usecases.admin import installation_health
from leadpulse.usecases.models import current_model
from leadpulse.usecases.models import rescore as publish_for_all_history
from leadpulse.usecases.overview import project_ids

app = new_app()

_LOOK_EVERY = 0.2
# So many looks without a worker and without any progress mean that something fails.
_STUCK = 50


@app.command()
def rescore(
    *,
    project: Annotated[
        str | None, typer.Option("--project", metavar="ID", help="Id of the project.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every project.")] = False,
    reason: Annotated[str | None, typer.Option("--note", help="Why, for the record.")] = None,
    wait: Annotated[bool, typer.Option(help="Stay until every lead is folded anew.")] = True,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Score all history by the present model: publishes it as in force from the beginning.

    A running worker does it in batches, while events keep coming in; without one this command
    does it itself.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    if (project is None) is not everything:
        raise CommandError("Name a project with --project ID, or give --all.")
    versions = run(_rescore(settings, project and checked_id(project), reason, wait=wait))
    if as_json:
        published = [{"projectId": one, "version": version} for one, version in versions.items()]
        print_json({"projects": published, "finished": wait})
    for one, version in {} if as_json else versions.items():
        state = "every lead is scored by it" if wait else "the worker is at it"
        say(f"{one}: version {version} is in force for all history, {state}.")


async def _rescore(
    settings: Settings, project: str | None, reason: str | None, *, wait: bool
) -> dict[str, int]:
    versions: dict[str, int] = {}
    async with pool(settings) as pools:
        ids = [project] if project is not None else await project_ids(pools)
        for one in ids:
            cache = ModelCache()
            published = await publish_for_all_history(pools, cache, one, reason)
            versions[one] = published.model.version
            if wait:
                await _finished(pools, cache, one)
    return versions


async def _finished(pools: Pool, cache: ModelCache, project_id: str) -> None:
    """Waits for the end of a rescore, and does the work if nobody else is there to."""
    under_way = (await current_model(pools, cache, project_id)).rescore
    with progress("Rescoring", under_way.total if under_way else None) as advance:
        done = stuck = 0
        while under_way is not None:
            stuck = 0 if under_way.done != done else stuck + 1
            advance(under_way.done - done)
            done = under_way.done
            if not (await installation_health(pools)).workers:
                if stuck > _STUCK:
                    raise CommandError(
                        "Some leads fail to be scored. A worker isolates them and goes on: start "
                        "`leadpulse serve` or `leadpulse worker`."
                    )
                async with pools.connection() as connection:
                    await work_off(connection)
            await asyncio.sleep(_LOOK_EVERY)
            under_way = (await current_model(pools, cache, project_id)).rescore
