"""Whether the store's own file is whole: looked at before a daemon writes to it."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DatabaseError

from voucherd.adapters.store.engine import SqlStore
from voucherd.errors import DamagedStoreError

_REMEDY = "stop here: keep the file, move it aside, and fill a new store with `voucherd db restore FILE`"


def look_whole(store: SqlStore) -> None:
    """Asks SQLite to look through the pages and tables of its file; PostgreSQL looks after its own.

    DamagedStoreError where anything is wrong; it says what.
    """
    if store.file is None:
        return
    try:
        with store.read() as tx:
            answer = tx.connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise DamagedStoreError(
            f"the store is damaged: {error}", where=store.where, remedy=_REMEDY
        ) from error
    if answer != "ok":
        raise DamagedStoreError(f"the store is damaged: {answer}", where=store.where, remedy=_REMEDY)
