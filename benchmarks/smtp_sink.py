"""An SMTP server that takes everything and keeps nothing, in a process of its own: the other end of a benchmark.

It speaks as much of RFC 5321 as a client needs, and costs little: its time is the network's, not its own.
"""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_ANSWERS = {
    b"EHLO": b"250-sink.example\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SIZE 26214400\r\n",
    b"HELO": b"250 sink.example\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 bye\r\n",
}


@contextmanager
def sink() -> Iterator[int]:
    """The port of a running server on 127.0.0.1."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,), daemon=True)
    server.start()
    listening.close()
    try:
        yield port
    finally:
        server.terminate()
        server.join()


def _serve(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            _converse(connection)


def _converse(connection: socket.socket) -> None:
    connection.sendall(b"220 sink.example\r\n")
    unread, in_data = b"", False
    while received := connection.recv(1 << 16):
        unread += received
        if in_data:
            if not unread.endswith(b"\r\n.\r\n"):
                continue
            connection.sendall(b"250 2.0.0 Ok\r\n")
            unread, in_data = b"", False
        answers = b""
        while b"\r\n" in unread and not in_data:
            line, _, unread = unread.partition(b"\r\n")
            word = line[:4].upper()
            answers += _ANSWERS.get(word, b"250 2.0.0 Ok\r\n")
            in_data = word == b"DATA"
        if answers:
            connection.sendall(answers)
