from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from leadpulse.bootstrap.doctor import Finding, examine
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import AsJson, DataDir
from leadpulse.cli.output import print_json, say
from leadpulse.cli.running import run
from leadpulse.logging import configure_logging

app = new_app()

_SIGNS = {"ok": "ok  ", "warning": "warn", "bad": "BAD "}


@app.command()
def doctor(
    *,
    production: Annotated[
        bool, typer.Option("--production", help="Also ask what the open internet asks for.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Check this installation and say what to do. Exit status 1 if anything is bad."""
    configure_logging("error")
    findings = run(examine(data_dir, production=production))
    bad = [finding for finding in findings if finding.level == "bad"]
    if as_json:
        print_json({"ok": not bad, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            _tell(finding)
        say(f"{len(bad)} to be mended." if bad else "Fit.")
    if bad:
        raise typer.Exit(1)


def _tell(finding: Finding) -> None:
    say(f"{_SIGNS[finding.level]}  {finding.subject}: {finding.what}")
    if finding.advice is not None:
        say(f"      → {finding.advice}")
