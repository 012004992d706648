from __future__ import annotations

from leadpulse.bootstrap.database import database, for_processes
from leadpulse.bootstrap.network import listen, url_of
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import DataDir, Workers, settings_for
from leadpulse.cli.output import say
from leadpulse.cli.running import run
from leadpulse.cli.serve import serving_settings
from leadpulse.logging import configure_logging, process_context
from leadpulse.settings import Settings
from leadpulse.worker.main import run_workers

app = new_app()


@app.command()
def worker(*, workers: Workers = None, data_dir: DataDir = None) -> None:
    """Run scorers, without an API. For production, with DATABASE_URL.

    Start as many as you like against one database, on any number of machines. Their health
    is at LEADPULSE_WORKER_PORT (5000) of LEADPULSE_HOST (127.0.0.1), path /health.
    """
    settings = serving_settings(settings_for(data_dir, workers=workers))
    configure_logging(settings.log_level, settings.log_format)
    process_context(process="worker")
    run(_worker(settings))


async def _worker(settings: Settings) -> None:
    with listen(settings.host, settings.worker_port, "LEADPULSE_WORKER_PORT") as health:
        async with database(settings) as dsn:
            say(f"LeadPulse worker: {settings.workers} scorers, health at {url_of(health)}/health")
            await run_workers(settings, for_processes(settings, dsn), health)
