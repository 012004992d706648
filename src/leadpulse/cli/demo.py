from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from leadpulse.bootstrap.announcement import serving_url
from leadpulse.bootstrap.database import pool
from leadpulse.bootstrap.family import Serving
from leadpulse.bootstrap.serve import serve_until_told
from leadpulse.cli.commands import new_app
from leadpulse.cli.failures import CommandError
from leadpulse.cli.options import DataDir, Host, Port, Workers, settings_for
from leadpulse.cli.output import progress, say
from leadpulse.cli.running import run
from leadpulse.cli.serve import serving_settings
from leadpulse.demo.feed import Keys, fill, history, keep_coming, live
from leadpulse.demo.sender import SendError
from leadpulse.http.quotas import PASS_HEADER, pass_for
from leadpulse.journeys.visits import CALLS_PER_PERSON
from leadpulse.logging import configure_logging, process_context
from leadpulse.postgres.connect import pool as make_pool
from leadpulse.postgres.session import Pool
from leadpulse.settings import Settings
from leadpulse.usecases.audit import Actor, acting
from leadpulse.usecases.passwords import Passwords
from leadpulse.usecases.people import NewPerson, create_person
from leadpulse.usecases.projects import create_project

app = new_app()

_PROJECT = "Demo"


@dataclass(frozen=True)
class _Wish:
    """How much is to happen."""

    seed: int
    people: int
    rate: float
    once: bool


@app.command()
def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    people: Annotated[int, typer.Option(min=0, help="People in the last 30 days.")] = 400,
    rate: Annotated[
        float, typer.Option(min=0, help="Events a second that keep coming; 0: none.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="End when the history is sent.")] = False,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data_dir: DataDir = None,
) -> None:
    """Fill a new project with believable journeys and keep them coming.

    Uses the `serve` that runs on the data directory, or is one itself.
    """
    settings = settings_for(data_dir, host=host, port=port, workers=workers)
    configure_logging(settings.log_level, settings.log_format)
    process_context(process="demo")
    wish = _Wish(seed, people, rate, once)
    url = serving_url(settings.data_dir)
    if url is not None:
        run(_beside(settings, url, wish))
        return
    if settings.database_url is not None:
        raise CommandError(
            "With DATABASE_URL a demo needs `leadpulse serve` running on the same --data-dir."
        )
    whole = serving_settings(settings)
    run(serve_until_told(whole, partial(_within, settings, wish), first_project=False))


async def _beside(settings: Settings, url: str, wish: _Wish) -> None:
    async with pool(settings) as pools:
        keys = await _project(pools, settings, url)
    await _play(keys, wish)


async def _within(settings: Settings, wish: _Wish, serving: Serving) -> bool:
    async with make_pool(serving.dsn, "command", largest=1) as pools:
        with acting(Actor("cli")):
            keys = await _project(pools, settings, serving.url)
    await _play(keys, wish)
    return not wish.once  # else: stay, even if no more events are to come


async def _project(pools: Pool, settings: Settings, url: str) -> Keys:
    async with pools.connection() as connection:
        made = await create_project(connection, _PROJECT)
    email, password = await _login(pools, made.id)
    say(f"LeadPulse is ready at {url}   (docs: {url}/api/docs)")
    say(f"  project     {made.name}, {made.id}")
    say(f"  log in      {email}, password {password}")
    say(f"  write key   {made.write_key}")
    say(f"  secret key  {made.secret_key}")
    say(f"  curl '{url}/api/leads?limit=5' -H 'X-API-Key: {made.secret_key}'")
    # What happened in 30 days is sent within seconds.
    unlimited = {PASS_HEADER: pass_for(settings.signing_secret())}
    return Keys(url, made.write_key, made.secret_key, unlimited)


async def _login(pools: Pool, project_id: str) -> tuple[str, str]:
    """An account that owns the project; its password is told here and nowhere else."""
    email = f"demo-{secrets.token_hex(3)}@example.com"
    password = secrets.token_urlsafe(18)
    passwords = Passwords()
    try:
        owner = NewPerson(email, "Demo", password, join=(project_id, "owner"))
        await create_person(pools, passwords, owner)
    finally:
        passwords.close()
    return email, password


async def _play(keys: Keys, wish: _Wish) -> None:
    now = time.time_ns() // 1_000
    try:
        with progress("Sending 30 days of history", wish.people * CALLS_PER_PERSON) as advance:
            sent = await fill(keys, history(wish.seed, wish.people, now), now, advance)
        say(
            f"{sent.accepted:,} events of the last 30 days sent, {sent.duplicates:,} of them twice."
        )
        if wish.once or not wish.rate:
            return
        say(f"About {wish.rate:g} events a second keep coming. Ctrl-C stops it.")
        # Another seed at every start: an eventId is never used again for another event.
        await keep_coming(keys, live(wish.seed + now, wish.rate, now))
    except SendError as error:
        raise CommandError(str(error)) from None
