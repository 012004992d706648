"""`python -m leadpulse.worker scorer INDEX MARKS` and `… fold PROGRESS PROJECT LEAD`.

For the worker's own use: it starts these processes and reads the files they leave.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from leadpulse.logging import configure_logging, process_context
from leadpulse.settings import load_settings
from leadpulse.worker.alone import fold_alone, limit_resources
from leadpulse.worker.main import ENTRY, run_scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = "usage: python -m leadpulse.worker scorer INDEX MARKS | fold PROGRESS PROJECT LEAD"


def main(arguments: Sequence[str], entry: Sequence[str] = ENTRY) -> int:
    """Be a scorer, or fold one lead; `entry` begins the command line of such a child."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    dsn = settings.database_url
    if dsn is None:
        raise SystemExit("DATABASE_URL is not set; start `leadpulse worker` instead.")
    match list(arguments):
        case ["scorer", index, marks]:
            process_context(process=f"scorer-{index}")
            uvloop.run(run_scorer(settings, dsn, int(index), Path(marks), entry))
            return 0
        case ["fold", progress, project_id, lead_id]:
            process_context(process="fold")
            limit_resources()
            return asyncio.run(fold_alone(dsn, Path(progress), (project_id, lead_id)))
        case _:
            raise SystemExit(_USAGE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
