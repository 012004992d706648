"""Statistics only of columns that plans depend on."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_file("0002_statistics.sql")
