"""Test leads, open leads, the history of owner and status, and what was seen of rises."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_file("0009_work_on_leads.sql")
