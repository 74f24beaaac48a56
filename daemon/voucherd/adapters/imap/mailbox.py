"""A folder on an IMAP server as `service.ports.Mailbox`: listed by windows, fetched unmarked, filed by MOVE.

Every method drops the connection where it broke, so that `open()` builds it anew (PROMISES.md, Rules of an
automated mailer).
"""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from imapclient.response_parser import parse_fetch_response

from voucherd.adapters.imap.answers import BROKEN, is_no, not_selected, refused
from voucherd.adapters.imap.connection import Account, Connection, connect
from voucherd.adapters.imap.folders import Folders, check_name
from voucherd.adapters.imap.idle import Idle, has_news, wait_for_wake
from voucherd.errors import PermanentError, TemporaryError, VoucherdError
from voucherd.service.ports import Fetched, Listed, TokenSource

_WINDOW = 500
_BATCH_MESSAGES = 100
_BATCH_BYTES = 32 * 1024 * 1024
_IDLE_SECONDS = 9 * 60.0
_HIGHEST_UID = 0xFFFFFFFF
_DELETED = b"\\Deleted"


class ImapMailbox:
    """One folder of one account; not for two threads at once.

    `password`, or the source of tokens in its place, is asked at each sign-in, after TLS stands. `folder` and
    `folders` are written with `/` between levels, whatever the server's separator is. `idle_seconds` is how long one
    IDLE lasts before it is issued again, at most 9 minutes.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        user: str,
        password: Callable[[], str] | TokenSource,
        *,
        tls: Literal["implicit", "starttls"],
        ca_file: Path | None = None,
        folder: str = "INBOX",
        folders: Sequence[str] = ("Processed", "Review"),
        timeout: float = 30.0,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self.name = name
        self._account = Account(name, host, port, user, tls, ca_file, timeout)
        self._password = password
        self._folder = check_name(folder, name)
        self._folders = tuple(check_name(each, name) for each in folders)
        self._idle_seconds = min(idle_seconds, _IDLE_SECONDS)
        self._connection: Connection | None = None
        self._places: Folders | None = None
        self._uidvalidity = 0
        self._sizes: dict[int, int] = {}

    @property
    def announces(self) -> bool:
        """Whether the server, as far as it is connected, offers IDLE."""
        return self._connection is not None and self._connection.client.has_capability("IDLE")

    def open(self) -> int:
        """Connects, makes missing folders, and returns UIDVALIDITY; a connection that stands is only asked again."""
        if self._connection is not None:
            with self._speaking("opening the folder") as connection:
                self._uidvalidity = (
                    0  # a folder made anew is no error here: its messages are read under the new one
                )
                self._select(connection)
            return self._uidvalidity
        self._connection = connect(self._account, self._password)
        self._uidvalidity = 0
        try:
            with self._speaking("opening the folder") as connection:
                places = self._placed(connection)
                for folder in self._folders:
                    places.ensure(folder)
                self._select(connection)
        except VoucherdError:
            self._drop()
            raise
        return self._uidvalidity

    def listing(self) -> Iterator[Sequence[Listed]]:
        """What waits and is not marked as deleted, in windows of at most 500, by UID."""
        with self._speaking("listing") as connection:
            windows = _windows(connection.client, self._select(connection))
        for low, high in windows:
            with self._speaking("listing") as connection:
                found = _fetch_range(connection, low, high, "(FLAGS RFC822.SIZE)")
            waiting = [
                Listed(str(uid), found[uid][b"RFC822.SIZE"])
                for uid in sorted(found)
                if low <= uid <= high and b"RFC822.SIZE" in found[uid] and not _is_deleted(found[uid])
            ]
            self._sizes = {int(listed.key): listed.size for listed in waiting}
            for start in range(0, len(waiting), _WINDOW):
                yield waiting[start : start + _WINDOW]

    def fetch(self, keys: Sequence[str]) -> list[Fetched]:
        """The messages of `keys` in their order, fetched by at most 100 messages or 32 MB a command."""
        uids = [_uid(key) for key in keys]
        fetched: list[Fetched] = []
        with self._speaking("fetching") as connection:
            for batch in self._batches(connection.client, uids):
                found = connection.client.fetch(batch, ["BODY.PEEK[]", "INTERNALDATE", "FLAGS"])
                for uid in batch:
                    message = found.get(uid, {})
                    if b"BODY[]" in message and not _is_deleted(message):
                        received_at = _in_utc(message.get(b"INTERNALDATE"))
                        fetched.append(Fetched(str(uid), message[b"BODY[]"] or b"", received_at))
        return fetched

    def file(self, keys: Sequence[str], folder: str) -> None:
        """Moves the messages into `folder`: UID MOVE, else COPY, STORE and UID EXPUNGE.

        On a server with neither MOVE nor UIDPLUS the copied messages stay behind marked as deleted; `listing`
        passes over them.
        """
        check_name(folder, self.name)
        uids = sorted({_uid(key) for key in keys})
        with self._speaking("filing") as connection:
            places = self._placed(connection)
            for start in range(0, len(uids), _WINDOW):
                batch = uids[start : start + _WINDOW]
                try:
                    _transfer(connection.client, batch, places.ensure(folder))
                except imaplib.IMAP4.error as error:
                    if not is_no(error):
                        raise
                    left = _waiting(connection.client, batch)
                    if left:  # the folder or some of the messages may have gone meanwhile
                        _transfer(connection.client, left, places.ensure(folder, anew=True))

    def wait(self, seconds: float, wake: int) -> bool:
        """Waits by IDLE; without IDLE, for `wake` or the time alone. Whether the server announced new mail."""
        with self._speaking("waiting") as connection:
            if has_news(connection):
                return True
            if not connection.client.has_capability("IDLE"):
                wait_for_wake(seconds, wake)
                return False
            left = seconds
            while left > 0 and not has_news(connection):
                turn = min(left, self._idle_seconds)
                left -= turn
                idle = Idle(connection)
                if idle.watch(turn, wake):
                    self._leave(idle)
                    break
                idle.end(hurry=False)
            return has_news(connection)

    def close(self) -> None:
        """Ends the connection, politely where it still answers; never raises."""
        connection, self._connection, self._places = self._connection, None, None
        if connection is not None:
            connection.hang_up(politely=True)

    @contextmanager
    def _speaking(self, doing: str) -> Iterator[Connection]:
        connection = self._connection
        if connection is None:
            raise TemporaryError(f"{doing}: not connected", where=self.name)
        try:
            yield connection
        except BROKEN as error:
            if not is_no(error):
                self._drop()
            raise refused(error, self.name, doing) from error

    def _drop(self) -> None:
        connection, self._connection, self._places = self._connection, None, None
        if connection is not None:
            connection.hang_up(politely=False)

    def _leave(self, idle: Idle) -> None:
        """Ends an IDLE because the daemon wants to go on; a connection that does not answer is given up."""
        try:
            idle.end(hurry=True)
        except BROKEN:
            self._drop()

    def _placed(self, connection: Connection) -> Folders:
        if self._places is None:
            self._places = Folders(connection.client)
        return self._places

    def _select(self, connection: Connection) -> int:
        """Selects the folder, and returns how many messages it holds."""
        try:
            answer = connection.client.select_folder(self._placed(connection).spelt(self._folder))
        except imaplib.IMAP4.error as error:
            if is_no(error):
                raise not_selected(error, self.name) from error
            raise
        connection.imap.untagged_responses.pop("EXISTS", None)  # from here on EXISTS means news
        uidvalidity = int(answer.get(b"UIDVALIDITY", 0))
        if not uidvalidity:
            self._drop()
            raise PermanentError(
                "the server gives no UIDVALIDITY", where=self.name, remedy="use another folder"
            )
        if self._uidvalidity not in {0, uidvalidity}:
            self._drop()
            raise TemporaryError("the folder was made anew (its UIDVALIDITY changed)", where=self.name)
        self._uidvalidity = uidvalidity
        return int(answer[b"EXISTS"])

    def _batches(self, client: Any, uids: list[int]) -> Iterator[list[int]]:
        unknown = [uid for uid in uids if uid not in self._sizes]
        sizes = {uid: self._sizes[uid] for uid in uids if uid in self._sizes}
        for start in range(0, len(unknown), _WINDOW):
            for uid, item in client.fetch(unknown[start : start + _WINDOW], ["RFC822.SIZE"]).items():
                sizes[uid] = item.get(b"RFC822.SIZE", 0)
        batch: list[int] = []
        total = 0
        for uid in uids:
            if uid not in sizes:
                continue
            if batch and (len(batch) >= _BATCH_MESSAGES or total + sizes[uid] > _BATCH_BYTES):
                yield batch
                batch, total = [], 0
            batch.append(uid)
            total += sizes[uid]
        if batch:
            yield batch


def _uid(key: str) -> int:
    if key.isascii() and key.isdigit() and 0 < int(key[:11]) <= _HIGHEST_UID:
        return int(key)
    raise ValueError(f"not a UID: {key[:20]!r}")


def _is_deleted(item: dict[bytes, Any]) -> bool:
    return _DELETED in item.get(b"FLAGS", ())


def _in_utc(moment: object) -> datetime | None:
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None


def _windows(client: Any, exists: int) -> list[tuple[int, int]]:
    """UID ranges that hold at most 500 messages each, however sparse the UIDs are.

    The UID of every 500th message is asked by sequence number; no sequence number can shift while plain FETCH
    commands follow a SELECT (RFC 3501 section 7.4.1), and UIDs never come to stand between two others.
    """
    marks = [*range(1, exists + 1, _WINDOW), exists] if exists else []
    uids: set[int] = set()
    client.use_uid = False
    try:
        for start in range(0, len(marks), _WINDOW):
            found = client.fetch(marks[start : start + _WINDOW], ["UID"])
            uids |= {item[b"UID"] for item in found.values() if b"UID" in item}
    finally:
        client.use_uid = True
    *starts, last = sorted(uids) or [0]
    if not starts:
        starts = [last]
    ends = [*(start - 1 for start in starts[1:]), last]
    return list(zip(starts, ends, strict=True)) if uids else []


def _fetch_range(connection: Connection, low: int, high: int, items: str) -> dict[int, dict[bytes, Any]]:
    status, data = connection.imap.uid("FETCH", f"{low}:{high}", items)
    if status != "OK":
        raise imaplib.IMAP4.error(f"fetch failed: {data[0]!r}")
    return dict(parse_fetch_response(data, normalise_times=False))


def _transfer(client: Any, uids: list[int], folder: str) -> None:
    if client.has_capability("MOVE"):
        client.move(uids, folder)
    else:
        waiting = _waiting(client, uids)
        if waiting:
            client.copy(waiting, folder)
            client.add_flags(waiting, [_DELETED], silent=True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge(uids)
    client._imap.untagged_responses.pop("EXPUNGE", None)  # imaplib would keep one line a message


def _waiting(client: Any, uids: list[int]) -> list[int]:
    found = client.fetch(uids, ["FLAGS"])
    return [uid for uid in uids if uid in found and not _is_deleted(found[uid])]
