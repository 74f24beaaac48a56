"""Alembic's entry: runs the steps on the connection that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

from voucherd.adapters.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
