"""Options that several commands share, and the settings that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from leadpulse.cli.failures import CommandError
from leadpulse.domain.timestamps import parse_timestamp
from leadpulse.logging import configure_logging
from leadpulse.settings import Settings, load_settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", show_default=False,
        help="Where the embedded PostgreSQL lives (default: ./.leadpulse).",
    ),
]  # fmt: skip
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text for people.")
]
ProjectOption = Annotated[
    str,
    typer.Option(
        "--project", metavar="ID", show_default=False, help="Id of the project."
    ),
]  # fmt: skip
Host = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="ADDRESS", show_default=False,
        help="Address to listen on (default: 127.0.0.1; 0.0.0.0 is every one).",
    ),
]  # fmt: skip
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="PORT", show_default=False, help="Port to listen on (default: 4000)."
    ),
]  # fmt: skip
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", show_default=False, help="Scorer processes (default: by cores)."
    ),
]  # fmt: skip


def settings_for(data_dir: Path | None, **changes: Any) -> Settings:
    """The settings of a command: the environment, then what was given on the command line.

    Relative data directories are made absolute: child processes may run elsewhere. Logs of a
    command for people begin at warnings, unless the environment says otherwise.
    """
    settings = load_settings(data_dir=data_dir, **changes)
    return settings.with_(data_dir=settings.data_dir.expanduser().absolute())


def quiet_logs(settings: Settings) -> None:
    """For commands that print their own result: only what went wrong is logged."""
    level = "warning" if settings.log_level == "info" else settings.log_level
    configure_logging(level, settings.log_format)


def checked_instant(text: str) -> int:
    """A time as typed (µs); raises CommandError if it can't be one."""
    try:
        return parse_timestamp(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a time like 2030-01-31T12:00:00Z.") from None


def checked_id(text: str, what: str = "project") -> str:
    """An id as typed; raises CommandError if it can't be one."""
    try:
        return str(UUID(text))
    except ValueError:
        raise CommandError(f"{text!r} is not the id of a {what}.") from None
