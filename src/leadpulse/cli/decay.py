from __future__ import annotations

from leadpulse.bootstrap.database import pool
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import AsJson, DataDir, quiet_logs, settings_for
from leadpulse.cli.output import counted, print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.postgres.models import ModelCache
from leadpulse.settings import Settings
from leadpulse.usecases.due import decay_pass

app = new_app()

_PORTION = 1_000


@app.command()
def decay(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Let every lead show the decay that fell due by now.

    A running worker does this all the time; scores that are read one by one are right anyway.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    leads = run(_decay(settings))
    if as_json:
        print_json({"leads": leads})
    else:
        say(f"{counted(leads, 'lead')} came due." if leads else "No lead was due.")


async def _decay(settings: Settings) -> int:
    leads = 0
    async with pool(settings) as pools, pools.connection() as connection:
        models = ModelCache()
        with progress("Ageing") as advance:
            while done := await decay_pass(connection, models, _PORTION):
                leads += done
                advance(done)
    return leads
