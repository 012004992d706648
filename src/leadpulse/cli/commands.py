"""Which commands there are. Their modules are loaded one at a time: `serve` must be quick."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

# Command -> module in leadpulse.cli with an `app`; the order is that of `leadpulse --help`.
COMMANDS: Final[Mapping[str, str]] = {
    "serve": "serve",
    "demo": "demo",
    "projects": "projects",
    "keys": "keys",
    "users": "users",
    "members": "members",
    "sessions": "sessions",
    "import": "import_",
    "export": "export",
    "verify": "verify",
    "rescore": "rescore",
    "decay": "decay",
    "dlq": "dlq",
    "backup": "backup",
    "restore": "restore",
    "doctor": "doctor",
    "migrate": "migrate",
    "api": "api",
    "worker": "worker",
}


class _Commands(TyperGroup):
    """A group that knows the names of its commands, and loads one when it is used."""

    # Any: Typer ships a Click of its own, under a private name.

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"leadpulse.cli.{COMMANDS[cmd_name]}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


_app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@_app.callback()
def _about() -> None:
    """LeadPulse: a lead-scoring engine. `leadpulse serve` is the whole product on one machine."""


root = typer.main.get_command(_app)


def new_app(summary: str | None = None) -> typer.Typer:
    """An app for a command's module, all made alike; with `summary` a group of commands."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=summary is not None,
        help=summary,
    )
    if summary is not None:
        app.callback()(lambda: None)
    return app
