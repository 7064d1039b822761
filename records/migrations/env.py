"""Where Alembic meets the connection that `records.migrate` opened; run by Alembic, never imported."""

from __future__ import annotations

from alembic import context

from records.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # The connection's transaction holds the lock and covers everything: all of an upgrade, or nothing.
    transactional_ddl=True,
    compare_type=True,
)
context.run_migrations()
