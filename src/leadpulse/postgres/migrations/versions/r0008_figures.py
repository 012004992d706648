"""Counted leads, marks of test and sample leads, sample data, first steps."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_file("0008_figures.sql")
