"""Which mailboxes this daemon reads, where several share a store on PostgreSQL.

A mailbox is held through an advisory lock of one database session for the whole process: however the process ends, and
whatever cuts it off, the server ends the session and with it every lock, within seconds (tcp_keepalives_* below).
Daemons with the same mailboxes know of each other by a lock that they share, and each holds no more than its part:
what one holds beyond it is given back between two batches, what a dead one held is free for the others.

Holding a mailbox is for speed and quiet alone: two that read the same one for a moment record everything once all the
same (PROMISES.md, P2), so that a holder which learns late that its session is gone does no harm.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from voucherd.adapters.store.engine import SqlStore
from voucherd.adapters.store.lease import DAEMONS, kept_alone
from voucherd.errors import TemporaryError

_PEERS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND CAST(classid AS bigint) = :high AND CAST(objid AS bigint) = :low"
)
_TRY = text("SELECT pg_try_advisory_lock(:key)")
_SHARE = text("SELECT pg_try_advisory_lock_shared(:key)")
_ALIVE = text("SELECT 1")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")
_NOTICED = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2", "tcp_keepalives_count = 3")


class Leases:
    """The leases of one process on the mailboxes that it is configured with, `names`. Threads share it. On SQLite,
    where there is one daemon, everything is held."""

    def __init__(self, store: SqlStore, names: Sequence[str]) -> None:
        self._store = store
        self._names = sorted(set(names))
        self._everything = store.file is not None
        self._guard = threading.RLock()
        self._session: Connection | None = None
        self._held: set[str] = set()
        self._wanted: set[str] = set()
        self._surplus: set[str] = set()
        self._part: int | None = None  # how many are this daemon's; None while nobody was counted

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """Holds a mailbox while the block runs; False where another daemon has it, or more than its part would be held
        here. TemporaryError where the database does not answer."""
        if self._everything:
            yield True
            return
        held = self._take(name)
        try:
            yield held
        finally:
            if held:
                self._give_back(name)

    def kept(self, name: str) -> bool:
        """Whether a mailbox that was held is still to be read here."""
        return self._everything or (name in self._held and name not in self._surplus)

    def present(self) -> None:
        """Sees that this daemon counts as one that works on the store: TemporaryError where the database does not
        answer, or somebody keeps the store for himself, as may happen once the server was started anew, which lets go
        of every lock."""
        if self._everything:
            return
        with self._guard, self._speaking() as session:
            session.execute(_ALIVE)

    def look(self) -> set[str]:
        """One look at the other daemons, every few seconds: which mailboxes somebody has to look at again, because they
        were lost, are to be given back, or may be free. Where the database does not answer, all that were held."""
        if self._everything:
            return set()
        with self._guard:
            before = set(self._held)
            with suppress(TemporaryError), self._speaking() as session:
                self._part = math.ceil(len(self._names) / max(1, self._peers(session)))
            lost = before - self._held
            if self._part is None:
                return lost
            self._surplus = set(sorted(self._held)[self._part :])
            free = self._wanted if len(self._held) < self._part else set()
            return lost | self._surplus | free

    def close(self) -> None:
        """Gives everything back."""
        with self._guard:
            self._drop()

    def _take(self, name: str) -> bool:
        with self._guard:
            if name in self._held:  # the server would give it to this session a second time
                return False
            self._wanted.add(name)
            if self._part is not None and len(self._held) >= self._part:
                return False
            with self._speaking() as session:
                if not session.execute(_TRY, {"key": _key(f"mailbox {name}")}).scalar_one():
                    return False
            self._held.add(name)
            self._wanted.discard(name)
            self._surplus.discard(name)
            return True

    def _give_back(self, name: str) -> None:
        with self._guard:
            self._surplus.discard(name)
            if name not in self._held:
                return  # lost with its session, and another may have it by now
            self._held.discard(name)
            with suppress(TemporaryError), self._speaking() as session:
                session.execute(_UNLOCK, {"key": _key(f"mailbox {name}")})

    def _peers(self, session: Connection) -> int:
        key = _key("\n".join(["daemons of", *self._names]))
        if self._part is None:  # the first look of this session: from here on the others know of this daemon
            session.execute(_SHARE, {"key": key})
        high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
        return int(session.execute(_PEERS, {"high": high, "low": low}).scalar_one())

    @contextmanager
    def _speaking(self) -> Iterator[Connection]:
        """The session, made anew where it broke; what was held through a broken one is lost."""
        try:
            if self._session is None:
                self._session = self._begin()
            yield self._session
        except (DBAPIError, TemporaryError) as error:
            self._drop()
            if isinstance(error, TemporaryError):
                raise
            raise TemporaryError(
                f"the database does not answer: {str(error.orig).strip().splitlines()[0]}",
                where=self._store.where,
                remedy="it is tried again; `voucherd check` tells more",
            ) from error

    def _begin(self) -> Connection:
        session = self._store.session()
        try:
            for setting in _NOTICED:
                session.exec_driver_sql(f"SET {setting}")
            if not session.execute(_SHARE, {"key": DAEMONS}).scalar_one():
                raise kept_alone(self._store)
        except BaseException:
            session.close()
            raise
        return session

    def _drop(self) -> None:
        self._held.clear()
        self._surplus.clear()
        self._part = None
        session, self._session = self._session, None
        if session is not None:
            with suppress(DBAPIError):
                session.close()


def _key(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big", signed=True)
