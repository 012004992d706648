"""Projects, keys, leads, events, inbox, ledger."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_file("0001_foundation.sql")
