"""Bringing a store to the schema of this release, under a lock, and telling how far it is."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from voucherd.adapters.store.engine import SqlStore
from voucherd.errors import OperatorError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
_LOCK = 0x766F756368  # "vouch": the advisory lock that upgrades take turns with


def revision_of(store: SqlStore) -> str | None:
    """The schema step that the store has reached; None for an empty database."""
    with store.read() as tx:
        return revision_in(tx.connection)


def revision_in(connection: Connection) -> str | None:
    """The schema step of the database behind a connection; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return str(found) if found is not None else None


def upgrade(store: SqlStore) -> str | None:
    """Brings the store to this release's schema in one transaction; returns the step it was at before.

    OperatorError where the store is newer than this program.
    """
    from alembic import command  # heavy, and needed only when there is something to do

    with store.write() as tx:
        if tx.connection.dialect.name == "postgresql":
            tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = revision_in(tx.connection)
        if before != HEAD:
            config = _config()
            config.attributes["connection"] = tx.connection
            _refuse_newer(config, before, store)
            command.upgrade(config, "head")
    return before


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("voucherd.adapters.store") / "migrations"))
    return config


def _refuse_newer(config: Config, before: str | None, store: SqlStore) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise OperatorError(
            f"the store is at schema {before}, which this release does not know",
            where=store.where,
            remedy="install the release that wrote it, or a newer one",
        )


def ensure(store: SqlStore) -> None:
    """Makes a fresh store, or brings an older one up to date; a store of this release costs one look."""
    if revision_of(store) != HEAD:
        upgrade(store)
