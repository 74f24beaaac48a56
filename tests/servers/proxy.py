"""A TCP proxy between a client and a server on loopback that breaks what it carries: at a chosen byte, or on demand.

With `tls` it ends the client's TLS and makes its own to the server: bytes are counted as the protocol has them, and
what it puts in between reaches the client as the server's own words.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.servers.certificates import TlsFiles

_CHUNK = 65_536


class Way(StrEnum):
    """The direction of a byte."""

    TO_CLIENT = "to client"
    TO_SERVER = "to server"


class Break(StrEnum):
    """What happens at a byte."""

    END = "end"
    """Both ends are closed, with FIN."""

    RESET = "reset"
    """The client gets RST; what is on its way is lost."""

    VANISH = "vanish"
    """Nothing is carried any more in either direction, and nobody is told: no FIN, no RST."""

    GARBAGE = "garbage"
    """Bytes that no server would send come in between, and the rest after them."""


@dataclass(frozen=True)
class Fault:
    """One break, once: before byte number `at` (from 0) of this way of a connection."""

    way: Way
    at: int
    what: Break


@dataclass
class _Pair:
    client: socket.socket
    server: socket.socket
    carried: dict[Way, int] = field(default_factory=lambda: dict.fromkeys(Way, 0))
    vanished: bool = False


class Proxy:
    """Listens on `port` of 127.0.0.1 and carries each connection to `target`; `close` ends it.

    `fault` strikes the next connection that reaches its byte, and is None afterwards, unless it `stays`: then it
    strikes every one. `bytes_per_second` slows every connection, `refusing` turns new ones away. `carried` counts, by
    way, the bytes of all connections that ended; `most_at_once` is how many stood beside each other.
    """

    garbage = b"* 17 FETCH (((\x00\xff\xfe \r\n\r\n* BYE\x80 \r\n)) {99999999999}\r\n"

    def __init__(self, target: int, tls: TlsFiles | None = None, port: int = 0) -> None:
        self._target = target
        self._server_context = self._client_context = None
        if tls is not None:
            self._server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server_context.load_cert_chain(tls.certificate, tls.key)
            self._client_context = ssl.create_default_context(cafile=tls.ca)
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.fault: Fault | None = None
        self.stays = False
        self.bytes_per_second: int | None = None
        self.refusing = False
        self.carried = dict.fromkeys(Way, 0)
        self.connections = 0
        self.most_at_once = 0
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, what: Break = Break.END) -> None:
        """Breaks every connection that stands."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._break(pair, what)

    def close(self) -> None:
        """Ends everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing:
                _reset(client)
            else:
                threading.Thread(target=self._begin, args=(client,), daemon=True).start()

    def _begin(self, client: socket.socket) -> None:
        server = None
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.create_connection(("localhost", self._target), timeout=10)
            server.settimeout(None)
            if self._server_context is not None and self._client_context is not None:
                client = self._server_context.wrap_socket(client, server_side=True)
                server = self._client_context.wrap_socket(server, server_hostname="localhost")
        except OSError:
            client.close()
            if server is not None:
                server.close()
            return
        pair = _Pair(client, server)
        with self._lock:
            self._pairs.append(pair)
            self.most_at_once = max(self.most_at_once, len(self._pairs))
        back = threading.Thread(target=self._carry, args=(pair, server, client, Way.TO_CLIENT), daemon=True)
        back.start()
        self._carry(pair, client, server, Way.TO_SERVER)
        back.join()
        with self._lock:
            self._pairs.remove(pair)
            for way in Way:
                self.carried[way] += pair.carried[way]
        if not pair.vanished:
            client.close()
            server.close()

    def _carry(self, pair: _Pair, source: socket.socket, sink: socket.socket, way: Way) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(self._portion()):
                self._pass_on(pair, data, sink, way)
                if pair.vanished:
                    return
        if not pair.vanished:
            for end in (pair.client, pair.server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, pair: _Pair, data: bytes, sink: socket.socket, way: Way) -> None:
        fault, done = self.fault, pair.carried[way]
        if fault is not None and fault.way is way and done <= fault.at < done + len(data):
            if not self.stays:
                self.fault = None
            before, data = data[: fault.at - done], data[fault.at - done :]
            sink.sendall(before)
            pair.carried[way] += len(before)
            if fault.what is Break.GARBAGE:
                sink.sendall(self.garbage)
            else:
                self._break(pair, fault.what)
                raise OSError("broken as told")
        if self.bytes_per_second:
            time.sleep(len(data) / self.bytes_per_second)
        if not pair.vanished:
            sink.sendall(data)
            pair.carried[way] += len(data)

    def _portion(self) -> int:
        return max(self.bytes_per_second // 20, 1) if self.bytes_per_second else _CHUNK

    def _break(self, pair: _Pair, what: Break) -> None:
        if what is Break.VANISH:
            pair.vanished = True
            return
        with contextlib.suppress(OSError):
            if what is Break.RESET:
                _reset(pair.client)
            else:
                pair.client.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            pair.server.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(
            socket.SHUT_RD
        )  # says nothing to the peer, and wakes who reads here: then close closes
    connection.close()


def until(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it becomes true in time: for what a server does and tells nobody."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
