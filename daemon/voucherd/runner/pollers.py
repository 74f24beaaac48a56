"""Mailboxes that no connection is held open for: a few threads look at them in turn, each when its time has come."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic

from voucherd.runner.mailboxes import MailboxLoop

_TURN = 240.0  # seconds of one wait: then the poller shows that it lives


class Rota:
    """Whose turn it is. Any number of threads may take; who is taken is nobody else's until it is put back."""

    def __init__(self, loops: Sequence[MailboxLoop]) -> None:
        self._numbers = count()
        self._due = [(0.0, next(self._numbers), loop) for loop in loops]
        self._changed = threading.Condition()

    def take(self, most: float = _TURN) -> MailboxLoop | None:
        """The mailbox that has been due longest, as soon as there is one; None after `most` seconds, or when woken."""
        with self._changed:
            wait = self._wait(most)
            if wait > 0:
                self._changed.wait(wait)
            return heapq.heappop(self._due)[2] if self._due and self._wait(most) <= 0 else None

    def put(self, loop: MailboxLoop, seconds: float) -> None:
        """It is due again after so many seconds."""
        with self._changed:
            heapq.heappush(self._due, (monotonic() + seconds, next(self._numbers), loop))
            self._changed.notify()

    def ring(self) -> None:
        """Everything is due now, and everybody who waits is woken: a reload, or the end."""
        with self._changed:
            self._due = [(0.0, number, loop) for _, number, loop in self._due]
            heapq.heapify(self._due)
            self._changed.notify_all()

    def _wait(self, most: float) -> float:
        return min(self._due[0][0] - monotonic(), most) if self._due else most


class Poller:
    """One of the threads that take turns."""

    def __init__(
        self, name: str, rota: Rota, stopping: Callable[[], bool], beat: Callable[[str], None]
    ) -> None:
        self.name = name
        self._rota, self._stopping, self._beat = rota, stopping, beat

    def run(self) -> None:
        """Returns when the daemon stops."""
        while not self._stopping():
            loop = self._rota.take()
            self._beat(self.name)
            if loop is not None and not self._stopping():
                self._rota.put(loop, loop.look_once(self.name))
