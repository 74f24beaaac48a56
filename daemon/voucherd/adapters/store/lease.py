"""Who works on a store: one daemon on SQLite, one holder per mailbox on PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from voucherd.adapters.store.engine import SqlStore
from voucherd.errors import TemporaryError

_DAEMONS = (
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


@contextmanager
def alone(store: SqlStore) -> Iterator[None]:
    """Keeps every daemon off a store while the block runs; TemporaryError where one works on it."""
    with _file_lock(store) if store.file else _session_lock(store, shared=False):
        yield


@contextmanager
def _file_lock(store: SqlStore) -> Iterator[None]:
    file = store.file
    assert file is not None  # noqa: S101 -- an SQLite store
    with file.with_name(file.name + ".lock").open("a+") as lock:
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
        if not connection.execute(take, {"key": _DAEMONS}).scalar_one():
            raise TemporaryError(
                "the store is kept for one program that needs it alone"
                if shared
                else "a voucherd runs on this store",
                where=store.where,
                remedy="wait until it is done" if shared else "stop every daemon first",
            )
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock{end}(:key)"), {"key": _DAEMONS})


@contextmanager
def mailbox_lease(store: SqlStore, name: str) -> Iterator[bool]:
    """Holds a mailbox for this process while the block runs; False where another daemon has it.

    On PostgreSQL an advisory lock of a session of its own: it ends when that session does.
    """
    if store.file is not None:
        yield True
        return
    key = int.from_bytes(hashlib.sha256(f"mailbox {name}".encode()).digest()[:8], "big", signed=True)
    with store.connected() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        held = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
