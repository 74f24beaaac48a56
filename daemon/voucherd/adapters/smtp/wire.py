"""The lines of an SMTP connection: commands out, replies in, each within its time and size.

smtplib is not used below: it waits for as many reply lines as a server cares to send, restarts its time limit with
every byte, and accepts any certificate by default (PROMISES.md). Nothing here knows what a reply means.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 2048
_MOST_LINES = 100
_SLICE_SECONDS = 0.5


class ConnectionBroken(Exception):  # noqa: N818 - it names what happened to the connection
    """The connection ended, went silent, or no longer speaks SMTP. Nothing more can be said on it.

    `lasting` where trying again will not help: a person must change something.
    """

    def __init__(self, what: str, *, lasting: bool = False) -> None:
        super().__init__(what)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the server: its code, and its lines as they came (control characters left out)."""

    code: int
    lines: tuple[str, ...]

    @property
    def line(self) -> str:
        """The reply on one line, as long as it is."""
        return f"{self.code} {' '.join(' '.join(self.lines).split())}".rstrip()

    @property
    def good(self) -> bool:
        """2yz: done."""
        return self.code // 100 == 2

    @property
    def permanent(self) -> bool:
        """5yz: refused for good."""
        return self.code // 100 == 5


class Wire:
    """One connection. `latest` gives an instant of the monotonic clock after which nobody waits any more."""

    def __init__(self, host: str, port: int, seconds: float, latest: Callable[[], float]) -> None:
        self._latest = latest
        self._unread = b""
        try:
            self._socket = socket.create_connection((host, port), timeout=seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise ConnectionBroken(f"cannot connect to {host} port {port}: {_reason(error)}") from error

    @property
    def peer(self) -> str:
        """The address at the other end, empty where it is gone."""
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return ""

    @property
    def own_literal(self) -> str:
        """This end as an address literal (RFC 5321, 4.1.3), which is a valid name to greet with."""
        address = str(self._socket.getsockname()[0])
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def secure(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """TLS from here on, the certificate verified for `host`. Whatever came before it unasked is refused: it was
        not protected (command injection)."""
        if self._unread:
            raise ConnectionBroken("the server spoke before TLS was agreed")
        deadline = time.monotonic() + seconds
        try:
            secured = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
            self._socket = secured
            secured.settimeout(0)
            while not _shaken(secured, deadline - time.monotonic()):
                continue
        except OSError as error:
            lasting = isinstance(error, ssl.SSLCertVerificationError)
            raise ConnectionBroken(f"TLS failed: {_reason(error)}", lasting=lasting) from error

    def ask(self, command: str, seconds: float) -> Reply:
        """Sends one command and waits for its reply."""
        self.say([command], seconds)
        return self.reply(seconds)

    def say(self, commands: Sequence[str], seconds: float) -> None:
        """Sends commands at once; each of them has a reply of its own."""
        self.write("".join(f"{command}\r\n" for command in commands).encode("utf-8"), seconds)

    def write(self, content: bytes, seconds: float) -> None:
        """Hands all of `content` to the network. Where this raises, its last byte has not left. An answer that came
        unasked would be taken for the next one: refused."""
        if self._unread:
            raise ConnectionBroken("the server answered before it was asked")
        left = min(seconds, self._latest() - time.monotonic())
        if left <= 0:
            raise ConnectionBroken("stopped before it was sent")
        try:
            self._socket.settimeout(left)
            self._socket.sendall(content)
        except OSError as error:
            raise ConnectionBroken(_reason(error)) from error

    def reply(self, seconds: float) -> Reply:
        """The next reply, complete within `seconds` however slowly its bytes come."""
        deadline = time.monotonic() + seconds
        lines: list[str] = []
        for _ in range(_MOST_LINES):
            found = _REPLY_LINE.fullmatch(self._line(deadline))
            if not found:
                raise ConnectionBroken("the server's answer is no SMTP reply")
            lines.append(_readable(found[3] or b""))
            if found[2] != b"-":
                return Reply(int(found[1]), tuple(lines))
        raise ConnectionBroken("the server's answer does not end")

    def close(self) -> None:
        """Ends the connection without a word; never raises."""
        try:
            self._socket.close()
        except OSError:
            return

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > _LONGEST_LINE:
                raise ConnectionBroken("the server's answer is too long")
            self._unread += self._received(deadline)
        line, _, self._unread = self._unread.partition(b"\n")
        return line.rstrip(b"\r")

    def _received(self, deadline: float) -> bytes:
        while True:
            left = min(deadline, self._latest()) - time.monotonic()
            if left <= 0:
                raise ConnectionBroken("no answer in time")
            try:
                self._socket.settimeout(min(left, _SLICE_SECONDS))
                received = self._socket.recv(_LONGEST_LINE)
            except TimeoutError:
                continue
            except OSError as error:
                raise ConnectionBroken(_reason(error)) from error
            if not received:
                raise ConnectionBroken("the server closed the connection")
            return received


def _shaken(secured: ssl.SSLSocket, left: float) -> bool:
    """One step of the handshake; whether it was the last."""
    if left <= 0:
        raise TimeoutError
    try:
        secured.do_handshake()
    except ssl.SSLWantReadError:
        select.select([secured], [], [], left)
        return False
    except ssl.SSLWantWriteError:
        select.select([], [secured], [], left)
        return False
    return True


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "reason", None) or error.strerror or error)


def _readable(line: bytes) -> str:
    said = line.decode("utf-8", "replace")
    return said if said.isprintable() else "".join(char if char.isprintable() else " " for char in said)
