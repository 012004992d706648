"""What Alembic runs; `leadpulse.postgres.migrate` calls it with a connection or for text."""

from __future__ import annotations

from alembic import context

from leadpulse.postgres.migrations.steps import LOCK_TIMEOUT


def _offline() -> None:
    context.configure(
        dialect_name="postgresql", transactional_ddl=True, transaction_per_migration=True
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
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _offline()
else:
    _online()
