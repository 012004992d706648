"""Imports of leads, and their rows."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_file("0007_imports.sql")
