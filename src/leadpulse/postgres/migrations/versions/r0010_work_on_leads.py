"""Test leads, open leads, the history of owner and status, and what was seen of rises."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_file("0010_work_on_leads.sql")
