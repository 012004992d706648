from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from leadpulse.bootstrap.serve import serve_until_told
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import DataDir, Host, Port, Workers, settings_for
from leadpulse.cli.output import say
from leadpulse.cli.running import run
from leadpulse.logging import configure_logging, process_context
from leadpulse.settings import Settings

if TYPE_CHECKING:
    from leadpulse.bootstrap.family import Serving

app = new_app()


@app.command()
def serve(
    *,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data_dir: DataDir = None,
) -> None:
    """Run the whole product on this machine: PostgreSQL, API and scorers.

    At the first start a project is made and its keys are printed. Ctrl-C ends it in order.
    """
    settings = serving_settings(settings_for(data_dir, host=host, port=port, workers=workers))
    configure_logging(settings.log_level, settings.log_format)
    process_context(process="serve")
    run(serve_until_told(settings, partial(_ready, settings)))


def serving_settings(settings: Settings) -> Settings:
    """As many scorers as were asked for, else two, or one where they would fight for two cores."""
    if "workers" in settings.model_fields_set:
        return settings
    return settings.with_(workers=1 if (os.cpu_count() or 1) <= 2 else 2)


async def _ready(settings: Settings, serving: Serving) -> bool:
    tell(settings, serving)
    return True


def tell(settings: Settings, serving: Serving) -> None:
    """The message of a running server: where it is, and at its first start how to talk to it."""
    say(f"LeadPulse is ready at {serving.url}   (docs: {serving.url}/api/docs)")
    made = serving.first_project
    if made is None:
        say("Keys: `leadpulse projects list` and `leadpulse keys list`. Ctrl-C stops it.")
        return
    say("")
    say(f"A first project was made for you: {made.name}")
    say(f"  id          {made.id}")
    say(f"  write key   {made.write_key}   (public: sends events, reads nothing)")
    say(f"  secret key  {made.secret_key}   (keep it safe: it is not shown again)")
    say("")
    say(f"Register at {serving.url}/register: the first account owns this project.")
    say("Send an event, then read the lead that it made:")
    say(f"  curl {serving.url}/api/ingest/event -H 'X-API-Key: {made.write_key}' \\")
    say("""    -d '{"event": "demo_request", "email": "ann@example.com"}'""")
    say(f"  curl {serving.url}/api/leads -H 'X-API-Key: {made.secret_key}'")
    if settings.database_url is None:
        say("")
        say(f"Everything is stored in {settings.data_dir}. Ctrl-C stops it.")
