"""Walls that no index scan takes for a condition of its own; walls.sql puts them up again."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_file("0006_walls_beside_indexes.sql")
