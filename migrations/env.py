"""Alembic's environment: runs on the connection that `migrations.runner` hands in."""

from alembic import context

from lucy.db.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True, compare_server_default=False)
with context.begin_transaction():
    context.run_migrations()
