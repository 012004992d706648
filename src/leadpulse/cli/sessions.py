from __future__ import annotations

from typing import Annotated

import typer

from leadpulse.cli.commands import new_app
from leadpulse.cli.deeds import deed
from leadpulse.cli.options import AsJson, DataDir, checked_id
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.usecases import people

app = new_app("Sessions: where people are logged in.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the account.")]


@app.command(name="list")
def list_(email: Email, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the sessions of an account that run, the one seen last first."""
    found = deed(data_dir, lambda pool: people.list_sessions(pool, email))
    if as_json:
        print_json(
            {
                "sessions": [
                    {
                        "id": s.id, "createdAt": to_rfc3339(s.created_at),
                        "lastSeenAt": to_rfc3339(s.last_seen_at),
                        "expiresAt": to_rfc3339(s.expires_at),
                        "address": s.address, "agent": s.agent,
                    }
                    for s in found
                ]
            }
        )  # fmt: skip
        return
    print_table(
        ("id", "since", "last seen", "address", "browser"),
        [
            (s.id, to_rfc3339(s.created_at), to_rfc3339(s.last_seen_at), s.address, s.agent)
            for s in found
        ],
    )


@app.command()
def end(
    email: Email,
    *,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="Only this one.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Log somebody out everywhere, or end one session. Servers know within five seconds."""
    session_id = None if session is None else checked_id(session, "session")
    ended = deed(data_dir, lambda pool: people.end_sessions(pool, email, session_id))
    say(f"Sessions ended: {ended}.")
