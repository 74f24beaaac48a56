"""A mailbox in memory, which keeps the same promises as the real ones (tests/contract/test_mailbox.py)."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from voucherd.errors import TemporaryError
from voucherd.service.ports import Fetched, Listed

_WINDOW = 500
RECEIVED_AT = datetime(2021, 11, 15, 8, 0, tzinfo=UTC)


class FakeMailbox:
    """Keeps messages by UID; `deliver`, `lose` and `cut` are what the outside world does to it."""

    def __init__(self, name: str = "vouchers", folders: Sequence[str] = ("Processed", "Review")) -> None:
        self.name = name
        self.uidvalidity = 1
        self.folders: dict[str, list[bytes]] = {}
        self._wanted = tuple(folders)
        self._waiting: dict[int, bytes] = {}
        self._next = 1
        self._is_open = False
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        os.close(self._bell)

    @property
    def waiting(self) -> list[bytes]:
        """The messages that wait, oldest first."""
        return [self._waiting[uid] for uid in sorted(self._waiting)]

    def deliver(self, *contents: bytes) -> None:
        """New mail comes."""
        for content in contents:
            self._waiting[self._next] = content
            self._next += 1
        os.eventfd_write(self._bell, 1)

    def lose(self, key: str) -> None:
        """Somebody else removes a message."""
        self._waiting.pop(int(key), None)

    def cut(self) -> None:
        """The connection ends."""
        self._is_open = False

    def open(self) -> int:
        for folder in self._wanted:
            self.folders.setdefault(folder, [])
        self._is_open = True
        return self.uidvalidity

    def listing(self) -> Iterator[Sequence[Listed]]:
        self._check()
        self._quieten()
        found = [Listed(str(uid), len(self._waiting[uid])) for uid in sorted(self._waiting)]
        for start in range(0, len(found), _WINDOW):
            yield found[start : start + _WINDOW]

    def fetch(self, keys: Sequence[str]) -> list[Fetched]:
        self._check()
        return [
            Fetched(key, self._waiting[int(key)], RECEIVED_AT) for key in keys if int(key) in self._waiting
        ]

    def file(self, keys: Sequence[str], folder: str) -> None:
        self._check()
        place = self.folders.setdefault(folder, [])
        place.extend(self._waiting.pop(int(key)) for key in keys if int(key) in self._waiting)

    @property
    def announces(self) -> bool:
        return True

    def wait(self, seconds: float, wake: int) -> bool:
        self._check()
        poller = select.poll()
        for descriptor in (self._bell, wake):
            if descriptor >= 0:
                poller.register(descriptor, select.POLLIN)
        return any(descriptor == self._bell for descriptor, _ in poller.poll(max(seconds, 0) * 1000))

    def close(self) -> None:
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether somebody holds a connection."""
        return self._is_open

    def _check(self) -> None:
        if not self._is_open:
            raise TemporaryError("the connection ended", where=self.name)

    def _quieten(self) -> None:
        if select.select([self._bell], [], [], 0)[0]:
            os.eventfd_read(self._bell)
