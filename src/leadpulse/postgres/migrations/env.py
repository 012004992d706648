"""What Alembic runs; `leadpulse.postgres.migrate` calls it with a connection or for text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic import context

from leadpulse.postgres.migrations.steps import LOCK_TIMEOUT, run_file

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationInfo


def _build_walls(*_: Any, **told: Any) -> None:
    """With the newest revision, in its transaction: no table is ever there without its wall."""
    step: MigrationInfo = told["step"]
    if step.up_revision_id == context.get_head_revision():
        run_file("walls.sql")


def _offline() -> None:
    context.configure(
        dialect_name="postgresql",
        transactional_ddl=True,
        transaction_per_migration=True,
        on_version_apply=_build_walls,
    )
    impl = context.get_context().impl
    impl.static_output(f"SET lock_timeout = '{LOCK_TIMEOUT}';")
    with context.begin_transaction():
        context.run_migrations()


def _online() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        # Each step is complete or absent, also when a later one fails.
        transaction_per_migration=True,
        on_version_apply=_build_walls,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _offline()
else:
    _online()
