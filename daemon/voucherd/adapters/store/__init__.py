"""The store: SQLAlchemy Core on SQLite (embedded) or PostgreSQL (several daemons)."""

from voucherd.adapters.store.engine import SqlStore

__all__ = ["SqlStore"]
