"""Accounts, sessions, members, invitations, audit log, suppressions."""

from leadpulse.postgres.migrations.steps import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_file("0003_accounts.sql")
