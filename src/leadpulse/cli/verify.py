from __future__ import annotations

from typing import Annotated

import typer

from leadpulse.bootstrap.checking import verify_everything
from leadpulse.bootstrap.database import pool
from leadpulse.cli.commands import new_app
from leadpulse.cli.options import AsJson, DataDir, checked_id, quiet_logs, settings_for
from leadpulse.cli.output import counted, print_json, progress, say
from leadpulse.cli.running import run
from leadpulse.settings import Settings
from leadpulse.usecases.overview import count_leads
from leadpulse.usecases.verify import VerifyReport

app = new_app()


@app.command()
def verify(
    *,
    project: Annotated[
        str | None, typer.Option("--project", metavar="ID", help="Only this project.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Hold every stored score and ledger against a fold of the raw events.

    Reads only, beside a working installation. Leads with waiting work are pending, not wrong.
    Exit status 1 when a lead differs or work has failed for good.
    """
    settings = settings_for(data_dir)
    quiet_logs(settings)
    report = run(_verify(settings, project and checked_id(project)))
    if as_json:
        print_json(_document(report))
    else:
        _tell(report)
    if not report.ok:
        raise typer.Exit(1)


async def _verify(settings: Settings, project: str | None) -> VerifyReport:
    async with pool(settings) as connections:
        total = await count_leads(connections, project)
        with progress("Verifying", total) as advance:
            return await verify_everything(connections, project, advance)


def _document(report: VerifyReport) -> dict[str, object]:
    return {
        "leadsChecked": report.leads_checked,
        "pending": report.pending,
        "failed": report.failed,
        "differingCount": report.differing_count,
        "differing": [{"leadId": one.lead_id, "what": one.what} for one in report.differing],
        "ok": report.ok,
    }


def _tell(report: VerifyReport) -> None:
    say(
        f"{counted(report.leads_checked, 'lead')} and {counted(report.events_checked, 'event')} "
        f"checked, {counted(report.pending, 'lead')} pending."
    )
    if report.ok:
        say("Every score is what its events give.")
        return
    if report.failed:
        say(f"{counted(report.failed, 'lead')} failed for good: see `leadpulse dlq list`.")
    if report.differing_count:
        say(f"Not what the events give: {counted(report.differing_count, 'lead')}:")
        for one in report.differing:
            say(f"  {one.lead_id or '-'}: {one.what}")
        say("Fold one anew with POST /api/admin/rebuild/{leadId}, all with `leadpulse rescore`.")
