"""Who works on a store: one daemon on SQLite, one holder per mailbox on PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from voucherd.adapters.store.engine import SqlStore
from voucherd.errors import TemporaryError


@contextmanager
def only_daemon(store: SqlStore) -> Iterator[None]:
    """Holds an SQLite store for this process; on PostgreSQL any number of daemons may work.

    TemporaryError where another daemon holds it. The lock is the kernel's: it ends with its process, however that
    ends.
    """
    file = store.file
    if file is None:
        yield
        return
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
