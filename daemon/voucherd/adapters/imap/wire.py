"""Reads what the server sends, and can tell whether more has come without waiting for it.

imaplib reads through a buffered file, whose read-ahead cannot be asked about and which is unusable after a
timeout; IDLE needs both, so imaplib's own `read` and `readline` are replaced by those of a `Wire`.
"""

from __future__ import annotations

import imaplib
import ssl
from typing import Any

_CHUNK = 65_536
_LONGEST_LINE = 1_000_000
_LARGEST_LITERAL = 256 * 1024 * 1024


class Wire:
    """The receiving half of a connection whose TLS stands; raises what imaplib's own reading would."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._socket = connection
        self._buffer = bytearray()
        self._at = 0

    def install(self, imap: Any) -> None:
        """Makes the imaplib object `imap` read through this wire from now on."""
        imap.read = self.read
        imap.readline = self.readline

    def readline(self) -> bytes:
        """The next line with its end; what is left where the server hung up."""
        end = self._buffer.find(b"\n", self._at)
        while end < 0:
            searched = len(self._buffer) - self._at
            if searched > _LONGEST_LINE:
                raise imaplib.IMAP4.abort(f"a line of more than {_LONGEST_LINE} bytes")
            if not self._receive():
                end = len(self._buffer) - 1
                break
            end = self._buffer.find(b"\n", self._at + searched)
        line = bytes(self._buffer[self._at : end + 1])
        self._at = end + 1
        return line

    def read(self, size: int) -> bytes:
        """The next `size` bytes, a literal; fewer where the server hung up."""
        if size > _LARGEST_LITERAL:
            raise imaplib.IMAP4.abort(f"a literal of {size} bytes")
        head = self._buffer[self._at : self._at + size]
        self._at += len(head)
        if len(head) == size:
            return bytes(head)
        literal = bytearray(size)
        literal[: len(head)] = head
        filled = len(head)
        with memoryview(literal) as view:
            while filled < size:
                received = self._socket.recv_into(view[filled:])
                if not received:
                    raise imaplib.IMAP4.abort("the connection ended within a literal")
                filled += received
        return bytes(literal)

    def arrived(self) -> bool:
        """Whether unread bytes have come, without waiting; IMAP4.abort where the server hung up."""
        if self._at < len(self._buffer):
            return True
        timeout = self._socket.gettimeout()
        self._socket.setblocking(False)
        try:
            if not self._receive():
                raise imaplib.IMAP4.abort("the server ended the connection")
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return False
        finally:
            self._socket.settimeout(timeout)
        return True

    def _receive(self) -> int:
        data = self._socket.recv(_CHUNK)
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += data
        return len(data)
