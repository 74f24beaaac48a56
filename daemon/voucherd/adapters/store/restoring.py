"""Filling an empty store: from a backup, or from another store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from voucherd.adapters.store.backup_file import Manifest, readable
from voucherd.adapters.store.engine import SqlStore, SqlTransaction
from voucherd.adapters.store.rows import Content, carry, filled
from voucherd.adapters.store.upgrade import HEAD, ensure, upgrade
from voucherd.errors import OperatorError

Tell = Callable[[int], None]


def restore(
    file: Path,
    manifest: Manifest,
    target: SqlStore,
    finish: Callable[[SqlTransaction], None],
    tell: Tell = lambda _: None,
) -> Mapping[str, Content]:
    """Puts a verified backup into a store that is empty, all of it or nothing; `finish` is done in the same
    transaction. A backup of an older schema is brought to this release's on the way, in a copy."""
    with _at_head(file, manifest) as source:
        return _fill(source, target, finish, tell)


def copy(source: SqlStore, target: SqlStore, tell: Tell = lambda _: None) -> Mapping[str, Content]:
    """Carries a store into another one that is empty, all of it or nothing, and compares row by row."""
    with source.read() as tx:
        return _fill(tx.connection, target, lambda _: None, tell)


def _refuse_filled(connection: Connection, target: SqlStore) -> None:
    found = filled(connection)
    if found:
        raise OperatorError(
            f"the store is not empty ({', '.join(found[:4])} rows)",
            where=target.where,
            remedy="name an empty database: nothing is ever overwritten",
        )


def _fill(
    source: Connection, target: SqlStore, finish: Callable[[SqlTransaction], None], tell: Tell
) -> Mapping[str, Content]:
    ensure(target)
    with target.write() as tx:
        tx.state.take_turn()
        _refuse_filled(tx.connection, target)
        carried = carry(source, tx.connection, tell)
        finish(tx)
    return carried


@contextmanager
def _at_head(file: Path, manifest: Manifest) -> Iterator[Connection]:
    if manifest.revision == HEAD:
        with readable(file) as engine, engine.connect() as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="voucherd-restore-") as folder:
        copied = Path(folder) / "older.db"
        shutil.copyfile(file, copied)
        store = SqlStore(f"sqlite:///{copied}")
        try:
            upgrade(store)
            with store.read() as tx:
                yield tx.connection
        finally:
            store.close()
