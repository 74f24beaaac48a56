"""Bringing a store to the schema of this release, under a lock, and telling how far it is.

Steps lead from one schema to the next; each says whether a program of the step before may go on working meanwhile
(`TOLERATED = True` in its module: it only adds what an older program leaves empty). Then several daemons can be brought
up to date one after the other. Else the step waits until no daemon works on the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text

from voucherd.adapters.store import schema
from voucherd.adapters.store.engine import SqlStore
from voucherd.adapters.store.lease import alone
from voucherd.adapters.store.state import SqlState
from voucherd.errors import NewerStoreError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
_LOCK = 0x766F756368  # "vouch": the advisory lock that upgrades take turns with
_TOLERATES = (
    "schema-tolerates"  # the schema step whose programs may go on working with the store, empty for none
)


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


def usable(store: SqlStore) -> bool:
    """Whether this release can work with the store as it is: at its own schema step, or one step ahead where that step
    lets it."""
    with store.read() as tx:
        return _usable(tx.connection, revision_in(tx.connection))


def _usable(connection: Connection, revision: str | None) -> bool:
    if revision is None or revision == HEAD:
        return revision == HEAD
    query = select(schema.meta.c.value).where(schema.meta.c.key == _TOLERATES)
    return connection.execute(query).scalar_one_or_none() == HEAD


def upgrade(store: SqlStore) -> str | None:
    """Brings the store to this release's schema in one transaction; returns the step it was at before.

    NewerStoreError where the store is ahead of this program and does not tolerate it; TemporaryError where a daemon
    works on the store that a step does not tolerate.
    """
    if usable(store):
        return revision_of(store)
    with _still(store), store.write() as tx:
        if tx.connection.dialect.name == "postgresql":
            tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = revision_in(tx.connection)
        if not _usable(tx.connection, before):  # else another program was first
            _run(tx.connection, before, store)
    return before


def _run(connection: Connection, before: str | None, store: SqlStore) -> None:
    from alembic import command  # heavy, and needed only when there is something to do

    config = _config()
    config.attributes["connection"] = connection
    steps = _steps(config)
    if before is not None and before not in steps:
        raise NewerStoreError(
            f"the store is at schema {before}, which this release does not know",
            where=store.where,
            remedy="install the release that wrote it, or a newer one",
        )
    command.upgrade(config, "head")
    last = steps[HEAD]
    SqlState(connection).put(_TOLERATES, (last[0] or "") if last[1] else "")


@contextmanager
def _still(store: SqlStore) -> Iterator[None]:
    """Keeps daemons off the store where the way to this release's schema is one that they do not tolerate."""
    before = revision_of(store)
    tolerated = before is None or before == HEAD
    if not tolerated:
        steps = _steps(_config())
        tolerated = before not in steps or steps[HEAD] == (
            before,
            True,
        )  # a newer store is refused further on
    with nullcontext() if tolerated else alone(store):
        yield


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("voucherd.adapters.store") / "migrations"))
    return config


def _steps(config: Config) -> dict[str, tuple[str | None, bool]]:
    """Every step that this release knows: the one before it, and whether programs of that one may go on."""
    from alembic.script import ScriptDirectory

    return {
        script.revision: (
            str(script.down_revision) if script.down_revision else None,
            bool(getattr(script.module, "TOLERATED", False)),
        )
        for script in ScriptDirectory.from_config(config).walk_revisions()
    }


def ensure(store: SqlStore) -> None:
    """Makes a fresh store, or brings an older one up to date; a store of this release costs one look."""
    if not usable(store):
        upgrade(store)
