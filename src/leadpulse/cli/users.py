from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from leadpulse.bootstrap.announcement import public_url
from leadpulse.cli.commands import new_app
from leadpulse.cli.deeds import deed
from leadpulse.cli.options import AsJson, DataDir, checked_id, settings_for
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.domain.permissions import Role
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres.people import Person
from leadpulse.postgres.session import Pool
from leadpulse.usecases import people
from leadpulse.usecases.links import Link, make_link
from leadpulse.usecases.passwords import Passwords
from leadpulse.usecases.people import NewPerson
from leadpulse.usecases.projects import FIRST_PROJECT

app = new_app("Users: accounts of people, who log in and belong to projects.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the account.")]
KNOWN = "Servers know within five seconds."


@app.command(name="list")
def list_(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List all accounts, oldest first."""
    found = deed(data_dir, people.list_people)
    if as_json:
        print_json({"users": [_document(person) for person in found]})
        return
    print_table(
        ("id", "email", "name", "state", "created"),
        [(p.id, p.email, p.name, _state(p), to_rfc3339(p.created_at)) for p in found],
    )


@app.command()
def create(
    email: Email,
    *,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    company: Annotated[
        str, typer.Option(help="Name of a new project that the person owns.")
    ] = FIRST_PROJECT,
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="ID", help="Join this project instead of a new one."),
    ] = None,
    role: Annotated[Role, typer.Option(help="What the person may do in it.")] = "member",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make an account. Without --password-stdin a random password is shown, this once only.

    The first account of all owns every project that nobody is in, unless --project names one.
    """
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    password = given if given is not None else secrets.token_urlsafe(18)
    join = None if project is None else (checked_id(project), role)
    wanted = NewPerson(email, name, password, company, join)

    async def work(connections: Pool) -> tuple[str, str]:
        passwords = Passwords()
        try:
            return await people.create_person(connections, passwords, wanted)
        finally:
            passwords.close()

    user_id, project_id = deed(data_dir, work, create=project is None)
    if as_json:
        made = {"id": user_id, "email": email.strip().lower(), "projectId": project_id}
        print_json(made if given is not None else {**made, "password": password})
        return
    say(f"User      {user_id}")
    say(f"Project   {project_id}")
    if given is None:
        say(f"Password  {password}   (keep it safe: it is not shown again)")


@app.command()
def link(
    email: Email,
    *,
    reset: Annotated[
        bool, typer.Option("--reset", help="To set a new password, whatever else is due.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show a link that verifies the address or, where that was done, sets a new password.

    For installations that send no mail. It works once, and is stored and logged nowhere.
    """
    url = public_url(settings_for(data_dir))

    async def work(connections: Pool) -> Link:
        return await make_link(connections, url, email, "reset" if reset else None)

    made = deed(data_dir, work)
    if as_json:
        print_json({"purpose": made.purpose, "url": made.url, "goodFor": made.good_for})
        return
    say(made.url)
    what = "sets a new password" if made.purpose == "reset" else "verifies the address"
    say(f"It {what}, once, within {made.good_for}.")


@app.command()
def disable(email: Email, *, data_dir: DataDir = None) -> None:
    """Let nobody log in to an account any more, and end its sessions."""
    ended = deed(data_dir, lambda pool: people.set_disabled(pool, email, disabled=True))
    say(f"Disabled, sessions ended: {ended}. {KNOWN}")


@app.command()
def enable(email: Email, *, data_dir: DataDir = None) -> None:
    """Open an account again. Its owner has to log in."""
    deed(data_dir, lambda pool: people.set_disabled(pool, email, disabled=False))
    say("Enabled.")


@app.command()
def operator(
    email: Email,
    *,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show somebody the figures of the whole installation, beside those of his projects."""
    deed(data_dir, lambda pool: people.set_operator(pool, email, operator=not off))
    say(f"{'No longer an' if off else 'An'} operator. {KNOWN}")


def _state(person: Person) -> str:
    words = {
        "disabled": person.disabled,
        "not verified": not person.verified,
        "operator": person.operator,
        "google": person.google,
        "no password": not person.password,
    }
    return ", ".join(word for word, holds in words.items() if holds)


def _document(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "password": person.password,
        "google": person.google,
        "verified": person.verified,
        "operator": person.operator,
        "disabled": person.disabled,
        "createdAt": to_rfc3339(person.created_at),
    }
