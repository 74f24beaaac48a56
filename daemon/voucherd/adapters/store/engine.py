"""Opening the store: engine settings, write transactions, the lock that keeps a second daemon off SQLite."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from threading import local
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.pool import NullPool

from voucherd.adapters.store.alarms import SqlAlarms
from voucherd.adapters.store.awaited import SqlAwaited
from voucherd.adapters.store.calendars import SqlCalendars
from voucherd.adapters.store.decisions import SqlDecisions
from voucherd.adapters.store.figures import SqlFigures
from voucherd.adapters.store.holds import SqlHolds
from voucherd.adapters.store.invoices import SqlInvoices
from voucherd.adapters.store.ledger import SqlLedger
from voucherd.adapters.store.messages import SqlMessages
from voucherd.adapters.store.outbox import SqlOutbox
from voucherd.adapters.store.reconciling import SqlReconciling
from voucherd.adapters.store.removals import SqlRemovals
from voucherd.adapters.store.replanning import SqlReplanning
from voucherd.adapters.store.reviews import SqlReviews
from voucherd.adapters.store.state import SqlState
from voucherd.adapters.store.steps import SqlSteps
from voucherd.adapters.store.suppressions import SqlSuppressions
from voucherd.adapters.store.told import SqlTold
from voucherd.adapters.store.verdicts import SqlVerdicts
from voucherd.belonging import make_empty, make_folder
from voucherd.errors import TemporaryError

_BUSY_SECONDS = 30
_CONNECTIONS_KEPT, _CONNECTIONS_AT_ONCE = 3, 16
"""A transaction takes a connection, a mailbox does not: five daemons fit in the hundred that PostgreSQL allows."""
_NOTICING = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "voucherd",
}
"""A server that is gone without a word is noticed within seconds, not after the hours of TCP (libpq, 34.1.2)."""


_DISK_FULL = "53100"  # PostgreSQL, appendix A


class SqlTransaction:
    """One transaction, seen through the tables' repositories; each is made when it is first asked for, since most
    transactions ask for one or two."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def messages(self) -> SqlMessages:
        return SqlMessages(self.connection)

    @cached_property
    def ledger(self) -> SqlLedger:
        return SqlLedger(self.connection)

    @cached_property
    def steps(self) -> SqlSteps:
        return SqlSteps(self.connection)

    @cached_property
    def replanning(self) -> SqlReplanning:
        return SqlReplanning(self.connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self.connection)

    @cached_property
    def reviews(self) -> SqlReviews:
        return SqlReviews(self.connection)

    @cached_property
    def invoices(self) -> SqlInvoices:
        return SqlInvoices(self.connection)

    @cached_property
    def told(self) -> SqlTold:
        return SqlTold(self.connection)

    @cached_property
    def awaited(self) -> SqlAwaited:
        return SqlAwaited(self.connection)

    @cached_property
    def decisions(self) -> SqlDecisions:
        return SqlDecisions(self.connection)

    @cached_property
    def verdicts(self) -> SqlVerdicts:
        return SqlVerdicts(self.connection)

    @cached_property
    def reconciling(self) -> SqlReconciling:
        return SqlReconciling(self.connection)

    @cached_property
    def holds(self) -> SqlHolds:
        return SqlHolds(self.connection)

    @cached_property
    def calendars(self) -> SqlCalendars:
        return SqlCalendars(self.connection)

    @cached_property
    def state(self) -> SqlState:
        return SqlState(self.connection)

    @cached_property
    def alarms(self) -> SqlAlarms:
        return SqlAlarms(self.connection)

    @cached_property
    def suppressions(self) -> SqlSuppressions:
        return SqlSuppressions(self.connection)

    @cached_property
    def figures(self) -> SqlFigures:
        return SqlFigures(self.connection)

    @cached_property
    def removals(self) -> SqlRemovals:
        return SqlRemovals(self.connection)


class _Look:
    """The view that the reads of one thread share, from the first of them until that thread writes."""

    def __init__(self, begin: Callable[[], AbstractContextManager[SqlTransaction]]) -> None:
        self._begin, self._open = begin, ExitStack()
        self._view: SqlTransaction | None = None

    def view(self) -> SqlTransaction:
        """The view, taken now where there is none."""
        if self._view is None:
            self._view = self._open.enter_context(self._begin())
        return self._view

    def end(self) -> None:
        """Gives the view up: the next read sees what is there then."""
        self._view = None
        self._open.close()


class SqlStore:
    """The store behind one URL. Threads may share it: each transaction has its own connection."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(self.url)
        self._here = local()

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """A transaction that may change things: all of it is durable when the block ends, or none."""
        look: _Look | None = getattr(self._here, "look", None)
        if look is not None:
            look.end()
        with self.connected() as connection, connection.begin():
            _begin(connection, "BEGIN IMMEDIATE")
            yield SqlTransaction(connection)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A consistent view; nothing it does is kept."""
        look: _Look | None = getattr(self._here, "look", None)
        if look is None:
            with self._view() as tx:
                yield tx
            return
        try:
            with self._answering():
                yield look.view()
        except BaseException:
            look.end()
            raise

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Several short looks in a row: until the block ends or this thread writes, its reads share one view, which
        costs one transaction instead of one each. Nothing is waited for within the block."""
        if getattr(self._here, "look", None) is not None:
            yield
            return
        self._here.look = look = _Look(self._view)
        try:
            yield
        finally:
            self._here.look = None
            look.end()

    @contextmanager
    def _view(self) -> Iterator[SqlTransaction]:
        with self.connected() as connection:
            connection.execution_options(voucherd_read=True)
            if self.file is None:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin() as transaction:
                _begin(connection, "BEGIN")
                yield SqlTransaction(connection)
                transaction.rollback()

    @contextmanager
    def turn(self, work: str) -> Iterator[bool]:
        """Whether this process may do a piece of work that one at a time does, while the block runs. Nobody waits: who
        is not first leaves it to the other. On SQLite there is one daemon anyway."""
        if self.file is not None:
            yield True
            return
        with self.connected() as connection, connection.begin():
            key = int.from_bytes(hashlib.sha256(f"turn {work}".encode()).digest()[:8], "big", signed=True)
            yield bool(connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one())

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection while the block runs; TemporaryError where the database does not answer."""
        with self._answering(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, NoConnectionError, sqlite3.OperationalError) as error:
            raise self._away(error) from error

    def _away(self, error: BaseException) -> TemporaryError:
        if _is_full(error):
            what, remedy = (
                "the disk of the database is full",
                "make room: it goes on by itself, and nothing is lost",
            )
        else:
            what = f"the database does not answer: {_first_line(error)}"
            remedy = "it is tried again; `voucherd check` tells more"
        return TemporaryError(what, where=self.where, remedy=remedy)

    def session(self) -> Connection:
        """A connection to the server for whoever keeps one: its own, none of those that transactions share."""
        engine = create_engine(
            self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_noticing(self.url)
        )
        return engine.connect()

    @property
    def where(self) -> str:
        """The store's place for people, without a password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None on a server."""
        return (
            Path(self.url.database) if self.url.get_backend_name() == "sqlite" and self.url.database else None
        )

    def close(self) -> None:
        """Gives every connection back."""
        self.engine.dispose()


def _noticing(url: URL) -> dict[str, Any]:
    """What the URL says itself goes before."""
    return {name: value for name, value in _NOTICING.items() if name not in url.query}


def _is_full(error: BaseException) -> bool:
    """SQLITE_FULL, or PostgreSQL's disk_full."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None) or getattr(original, "sqlstate", None)
    return code in (sqlite3.SQLITE_FULL, _DISK_FULL)


def _first_line(error: BaseException) -> str:
    original = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=_CONNECTIONS_KEPT,
            max_overflow=_CONNECTIONS_AT_ONCE - _CONNECTIONS_KEPT,
            pool_timeout=_BUSY_SECONDS,
            pool_use_lifo=True,  # those that nobody needs any more are the ones that stay unused
            connect_args=_noticing(url),
        )
    if url.database:
        make_folder(Path(url.database).parent)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "do_connect", lambda *_: make_empty(Path(url.database)) if url.database else None)
    event.listen(engine, "connect", _sqlite_connect)
    return engine


def _sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    """WAL so that readers go on beside the writer, FULL so that a commit survives a power loss (PROMISES.md, P1)."""
    connection.isolation_level = None  # transactions are begun by us, below
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Puts a new file into WAL mode. SQLite does not wait for another program that does the same at this moment, so the
    waiting is done here."""
    patience = monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > patience:
                raise
            sleep(0.02)
        else:
            return


def _begin(connection: Connection, how: str) -> None:
    """Begins on SQLite, whose driver is kept from it. A writer takes the lock at once: waiting for it later in the
    transaction could never succeed. No event begins it: with one that listens, each statement looks for others."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(how)
