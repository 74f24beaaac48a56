"""An IMAP server that answers what a script says, for answers that no honest server would give."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import BinaryIO

from tests.servers.certificates import TlsFiles

_HONEST = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done\r\n",
    b"LOGOUT": b"* BYE going\r\n{tag} OK done\r\n",
}


class ScriptedImap:
    """Listens on `port` of `address`; `heard` is every byte of plain or decrypted text that clients sent.

    `answers` are by command (`UID FETCH` by `UID`), `{tag}` standing for the client's tag; a command without an
    answer is answered by nothing. With `tls` the connection begins with TLS, without it begins in plain text.
    """

    def __init__(
        self,
        answers: Mapping[bytes, bytes],
        *,
        greeting: bytes = b"* OK ready\r\n",
        tls: TlsFiles | None = None,
        context: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._answers = {**_HONEST, **answers}
        self._greeting = greeting
        self._context = context
        if tls is not None:
            self._context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(tls.certificate, tls.key)
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptedImap:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            with connection, contextlib.suppress(OSError):
                if self._context is None:
                    self._converse(connection)
                    continue
                with self._context.wrap_socket(connection, server_side=True) as encrypted:
                    self._converse(encrypted)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(self._greeting)
        with connection.makefile("rb") as lines:
            while line := self._hear(lines):
                tag, _, rest = line.strip().partition(b" ")
                command = rest.partition(b" ")[0].upper()
                if command == b"AUTHENTICATE" and rest.count(b" ") == 1:
                    connection.sendall(b"+ \r\n")
                    self._hear(lines)
                answer = self._answers.get(command, b"")
                connection.sendall(answer.replace(b"{tag}", tag))
                if b"* BYE" in answer:
                    return

    def _hear(self, lines: BinaryIO) -> bytes:
        line = lines.readline()
        self.heard += line
        return line
