"""Roles, policies and grants, by walls.sql, which the newest revision runs at its end."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing of its own: the walls go up around whatever tables there are."""
