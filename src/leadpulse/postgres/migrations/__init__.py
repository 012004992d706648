"""Forward-only migrations: Alembic around plain SQL files."""
