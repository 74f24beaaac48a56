"""Who works on a store: one daemon on SQLite, one holder per mailbox on PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from weakref import WeakKeyDictionary, WeakMethod

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

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
            with suppress(DBAPIError):  # a server that was restarted meanwhile has let go of it
                connection.execute(text(f"SELECT pg_advisory_unlock{end}(:key)"), {"key": _DAEMONS})


@contextmanager
def mailbox_lease(store: SqlStore, name: str) -> Iterator[bool]:
    """Holds a mailbox for this process while the block runs; False where another daemon has it.

    On PostgreSQL an advisory lock of one session for all mailboxes that this process holds: hundreds of them need no
    connection each. It ends when that session does; leaving a lease that was lost so raises TemporaryError.
    """
    if store.file is not None:
        yield True
        return
    key = int.from_bytes(hashlib.sha256(f"mailbox {name}".encode()).digest()[:8], "big", signed=True)
    with _LOCK:
        session = _SESSIONS.setdefault(store, _LeaseSession(store))
    held = session.take(key)
    try:
        yield held
    finally:
        if held:
            session.give_back(key)


class _LeaseSession:
    """The database session behind the leases of one process; there is none while nothing is held."""

    def __init__(self, store: SqlStore) -> None:
        self._connected = WeakMethod(store.connected)  # the store is the key that this is kept by
        self._lock = threading.Lock()
        self._open: ExitStack | None = None
        self._connection: Connection | None = None
        self._held: set[int] = set()

    def take(self, key: int) -> bool:
        """Whether the lock could be had; one that this process holds already cannot be had again."""
        with self._lock:
            taken = key not in self._held and self._asked("SELECT pg_try_advisory_lock(:key)", key)
            if taken:
                self._held.add(key)
            elif not self._held:
                self._close()
            return taken

    def give_back(self, key: int) -> None:
        """Lets go of it; TemporaryError where the session, and the lock with it, was lost meanwhile."""
        with self._lock:
            if key not in self._held:
                raise TemporaryError("the hold on the mailbox was lost with the database session")
            self._held.discard(key)
            self._asked("SELECT pg_advisory_unlock(:key)", key)
            if not self._held:
                self._close()

    def _asked(self, question: str, key: int) -> bool:
        if self._open is None:
            with ExitStack() as opening:
                connected = self._connected()
                assert connected is not None  # noqa: S101 -- whoever asks holds the store
                self._connection = opening.enter_context(connected())
                self._connection.execution_options(isolation_level="AUTOCOMMIT")
                self._open = opening.pop_all()
        assert self._connection is not None  # noqa: S101 -- made just now, or before
        try:
            return bool(self._connection.execute(text(question), {"key": key}).scalar_one())
        except DBAPIError as error:
            self._held.clear()
            self._close()
            raise TemporaryError(f"the database does not answer: {str(error.orig).strip()}") from error

    def _close(self) -> None:
        opened, self._open, self._connection = self._open, None, None
        if opened is not None:
            with suppress(DBAPIError, TemporaryError):
                opened.close()


_LOCK = threading.Lock()
_SESSIONS: WeakKeyDictionary[SqlStore, _LeaseSession] = WeakKeyDictionary()
