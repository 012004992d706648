from __future__ import annotations

from typing import Annotated

import typer

from leadpulse.cli.commands import new_app
from leadpulse.cli.deeds import deed
from leadpulse.cli.options import AsJson, DataDir, checked_id
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres.projects import ProjectRow
from leadpulse.postgres.session import Pool
from leadpulse.usecases.overview import all_projects
from leadpulse.usecases.projects import CreatedProject, create_project, pause_project

app = new_app("Projects: each has leads, rules and keys of its own.")

ProjectId = Annotated[str, typer.Argument(metavar="ID", help="Id of the project.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    *,
    preset: Annotated[
        str,
        typer.Option(
            metavar="PRESET", help="The model to start from: leadpulse, classic or sales."
        ),
    ] = "leadpulse",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a project and print its keys. The secret key is shown this once only."""
    made = deed(data_dir, lambda connections: _create(connections, name, preset), create=True)
    if as_json:
        print_json(made.document())
        return
    say(f"Project     {made.name} ({made.preset})")
    say(f"Id          {made.id}")
    say(f"Write key   {made.write_key}   (public: sends events, reads nothing)")
    say(f"Secret key  {made.secret_key}   (keep it safe: it is not shown again)")


@app.command(name="list")
def list_(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List all projects, oldest first."""
    rows = deed(data_dir, all_projects)
    if as_json:
        print_json({"projects": [_document(row) for row in rows]})
        return
    print_table(
        ("id", "name", "preset", "state", "created"),
        [
            (r.id, r.name, r.preset, "paused" if r.paused else "active", to_rfc3339(r.created_at))
            for r in rows
        ],
    )


@app.command()
def pause(project_id: ProjectId, *, data_dir: DataDir = None) -> None:
    """Stop taking events: callers are answered 401 project_paused. Scores stay readable."""
    _set_paused(project_id, data_dir, paused=True)
    say("Paused. Servers know within five seconds.")


@app.command()
def resume(project_id: ProjectId, *, data_dir: DataDir = None) -> None:
    """Take events again."""
    _set_paused(project_id, data_dir, paused=False)
    say("Takes events again. Servers know within five seconds.")


def _set_paused(project_id: str, data_dir: DataDir, *, paused: bool) -> None:
    wanted = checked_id(project_id)

    async def work(connections: Pool) -> None:
        async with connections.connection() as connection:
            await pause_project(connection, wanted, paused=paused)

    deed(data_dir, work)


async def _create(connections: Pool, name: str, preset: str) -> CreatedProject:
    async with connections.connection() as connection:
        return await create_project(connection, name, preset)


def _document(row: ProjectRow) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "preset": row.preset,
        "paused": row.paused,
        "createdAt": to_rfc3339(row.created_at),
    }
