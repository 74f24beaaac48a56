"""The envelope identifier (RFC 3461): what a server writes into its reports when it returns nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from voucherd.adapters.smtp import SmtpDelivery
from voucherd.service.ports import Outcome

MAIL = b"From: vouchers@desk.example\r\nMessage-ID: <1b2c@desk.example>\r\nSubject: x\r\n\r\nMessage-ID: <2@x>\r\n"


@contextmanager
def server(*offers: str) -> Iterator[tuple[int, list[str]]]:
    """A server that takes everything and offers these extensions; yields its port and the lines that it heard."""
    heard: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 mx.desk.example\r\n")
            lines.flush()
            while line := lines.readline().decode().strip():
                heard.append(line)
                lines.write(_answer(line, offers))
                lines.flush()
                if line == "DATA":
                    while lines.readline() != b".\r\n":
                        pass
                    lines.write(b"250 2.0.0 taken\r\n")
                    lines.flush()
                if line == "QUIT":
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heard
    thread.join(10)
    listener.close()


def _answer(line: str, offers: tuple[str, ...]) -> bytes:
    if line.startswith("EHLO"):
        return "".join(f"250-{each}\r\n" for each in ("mx", *offers)).encode() + b"250 HELP\r\n"
    return b"354 go\r\n" if line == "DATA" else b"250 2.0.0 ok\r\n"


@pytest.mark.parametrize(
    ("offers", "content", "ending"),
    [
        (("DSN",), MAIL, "> ENVID=1b2c@desk.example"),
        ((), MAIL, ">"),
        (("DSN",), MAIL.replace(b"1b2c@", b"1+c=@"), ">"),  # would have to be encoded
        (("DSN",), MAIL.replace(b"1b2c", b"a" * 100), ">"),
    ],
)
def test_the_message_id_is_given_along_where_the_server_takes_it(
    offers: tuple[str, ...], content: bytes, ending: str
) -> None:
    with server(*offers) as (port, heard):
        delivery = SmtpDelivery("127.0.0.1", port, tls="off")
        attempt = delivery.send("vouchers@desk.example", "sam@contoso.example", content)
        delivery.close()

    assert attempt.outcome is Outcome.SENT
    (command,) = [line for line in heard if line.startswith("MAIL")]
    assert command == f"MAIL FROM:<vouchers@desk.example{ending}"
