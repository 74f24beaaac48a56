"""Waits for new mail by IDLE (RFC 2177), and lets a file descriptor end the wait at once."""

from __future__ import annotations

import imaplib
import select
import time

from voucherd.adapters.imap.connection import Connection

_FAREWELL = 0.5
_ANSWER = 10.0
"""Seconds for the answer to DONE: it costs a server nothing, and where it does not come a new connection costs less."""


def wait_for_wake(seconds: float, wake: int) -> bool:
    """Whether `wake` became readable within `seconds`."""
    poller = select.poll()
    if wake >= 0:
        poller.register(wake, select.POLLIN)
    return bool(poller.poll(max(seconds, 0) * 1000))


def has_news(connection: Connection) -> bool:
    """Whether the server has mentioned new mail since the folder was last selected."""
    return "EXISTS" in connection.imap.untagged_responses


class Idle:
    """One IDLE command: begun when made, ended by `end`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._imap = connection.imap
        self._tag = self._imap._command("IDLE")
        while self._imap._get_response() is not None:  # what comes before the continuation is news as well
            if self._imap.tagged_commands.get(self._tag):
                raise imaplib.IMAP4.error("IDLE was refused")

    def watch(self, seconds: float, wake: int) -> bool:
        """Returns when new mail was announced, after `seconds`, or when `wake` is readable (then True)."""
        deadline = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._connection.socket, select.POLLIN)
        if wake >= 0:
            poller.register(wake, select.POLLIN)
        while True:
            while self._connection.wire.arrived():
                self._imap._get_response()
                self._imap._check_bye()  # before the end that follows it: the server says why
            left = deadline - time.monotonic()
            if left <= 0 or has_news(self._connection):
                return False
            if any(descriptor == wake for descriptor, _ in poller.poll(left * 1000)):
                return True

    def end(self, *, hurry: bool) -> None:
        """Says DONE and takes the answer; in a hurry (the daemon stops) within half a second a read."""
        timeout = self._connection.socket.gettimeout()
        self._connection.socket.settimeout(_FAREWELL if hurry else min(timeout or _ANSWER, _ANSWER))
        self._imap.send(b"DONE\r\n")
        while not self._imap.tagged_commands.get(self._tag):
            self._imap._get_response()
        self._imap.tagged_commands.pop(self._tag)
        self._connection.socket.settimeout(timeout)
