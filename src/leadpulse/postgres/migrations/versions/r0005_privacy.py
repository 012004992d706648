"""Erasures, suppressed events, events that lost their content."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_file("0005_privacy.sql")
