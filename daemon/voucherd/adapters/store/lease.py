"""Who works on a store: one daemon on SQLite, any number on PostgreSQL, and none where somebody needs it alone."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from voucherd.adapters.store.engine import SqlStore
from voucherd.belonging import make_empty
from voucherd.errors import TemporaryError

DAEMONS = (
    0x6461656D6F6E  # "daemon": shared by every daemon of a store, held alone by who needs it to be still
)


@contextmanager
def only_daemon(store: SqlStore) -> Iterator[None]:
    """Holds an SQLite store for this process; on PostgreSQL any number of daemons may work, beside each other alone.

    TemporaryError where another daemon holds it. The lock is the kernel's, or the database session's: it ends with its
    process, however that ends.
    """
    with _file_lock(store) if store.file else _session_lock(store, shared=True):
        yield


def kept_alone(store: SqlStore) -> TemporaryError:
    """Why no daemon may work on a store at this moment."""
    what = "the store is kept for one program that needs it alone"
    return TemporaryError(what, where=store.where, remedy="wait until it is done")


@contextmanager
def alone(store: SqlStore) -> Iterator[None]:
    """Keeps every daemon off a store while the block runs; TemporaryError where one works on it."""
    with _file_lock(store) if store.file else _session_lock(store, shared=False):
        yield


@contextmanager
def _file_lock(store: SqlStore) -> Iterator[None]:
    file = store.file
    assert file is not None  # noqa: S101 -- an SQLite store
    place = file.with_name(file.name + ".lock")
    make_empty(place)
    with place.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TemporaryError(
                "another voucherd runs on this store",
                where=str(file),
                remedy="stop it first, or put the store on PostgreSQL for several daemons",
            ) from None
        yield


@contextmanager
def _session_lock(store: SqlStore, *, shared: bool) -> Iterator[None]:
    end = "_shared" if shared else ""
    with store.connected() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        take = text(f"SELECT pg_try_advisory_lock{end}(:key)")
        if not connection.execute(take, {"key": DAEMONS}).scalar_one():
            if shared:
                raise kept_alone(store)
            remedy = "stop every daemon first"
            raise TemporaryError("a voucherd runs on this store", where=store.where, remedy=remedy)
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a server that was restarted meanwhile has let go of it
                connection.execute(text(f"SELECT pg_advisory_unlock{end}(:key)"), {"key": DAEMONS})
