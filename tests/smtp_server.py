"""A real SMTP server (aiosmtpd) in the test's own process: STARTTLS, AUTH, and answers that no kind server gives.

It listens on a free port of 127.0.0.1 and keeps every mail that it took. `answer_with` plans what it says, or does,
at a stage: a reply of any code, silence, a reset, garbage, or lines without end.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

# What may be planned for a stage besides a reply line such as "450 4.2.1 later".
SILENCE = "<silence>"
RESET = "<reset>"
GARBAGE = "<garbage>"
ENDLESS = "<endless>"

STAGES = ("GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END-OF-DATA", "QUIT", "RSET")


@dataclass(frozen=True, slots=True)
class Received:
    """One mail as the server took it. `content` has its dots un-stuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    secure: bool
    user: str | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for localhost and 127.0.0.1, with its key, as PEM files."""

    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


def make_certificate(folder: Path, *, name: str = "localhost", days: int = 2) -> Certificate:
    """Makes a throw-away certificate with openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.fail("openssl is not installed (Debian package openssl); it makes the server's certificate")
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    alternatives = "DNS:localhost,IP:127.0.0.1" if name == "localhost" else f"DNS:{name}"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(cert), "-days", str(days), "-subj", f"/CN={name}",
         "-addext", f"subjectAltName={alternatives}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return Certificate(cert, key)


@dataclass
class _Plan:
    answers: dict[str, deque[str]] = field(default_factory=dict)

    def next(self, stage: str) -> str | None:
        planned = self.answers.get(stage)
        if not planned:
            return None
        return planned[0] if planned[0].startswith("<") else planned.popleft()


class _ScriptedSMTP(SMTP):
    """aiosmtpd with a plan: before each stage's own work, what was planned for it happens instead."""

    line_length_limit = 12_290  # what a sign-in may need (RFC 4954 section 4)

    def __init__(self, server: SmtpServer, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._greeted = False

    async def push(self, status: str | bytes) -> None:
        if not self._greeted:
            self._greeted = True
            self._server.commands["CONNECT"] += 1
            if await self._planned("GREETING"):
                return
        if status:
            await super().push(status)

    async def _planned(self, stage: str) -> bool:
        self._server.commands[stage] += 1
        self._server.reached(stage)
        answer = self._server.plan.next(stage)
        if answer is None:
            return False
        if answer == SILENCE:
            await asyncio.Event().wait()
        elif answer == RESET:
            self._reset()
        elif answer == GARBAGE:
            self._writer.write(b"\x00\xff lorem ipsum\r\n")
        elif answer == ENDLESS:
            while self.transport is not None and not self._writer.is_closing():
                self._writer.write(b"250-and more\r\n" * 50)
                await asyncio.sleep(0.01)  # lets the loop see that the client has gone
        else:
            await super().push(answer)
            if answer.startswith("421"):
                self.transport.close()
        return True

    def _reset(self) -> None:
        """Ends the connection with RST instead of FIN."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        (self._original_transport or self.transport).abort()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd finds its commands by name
        if not await self._planned("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._planned("STARTTLS"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        self._server.auth_lines.append(arg)
        if not await self._planned("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._planned("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if not await self._planned("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._planned("DATA"):
            await super().smtp_DATA(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if not await self._planned("RSET"):
            await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if not await self._planned("QUIT"):
            await super().smtp_QUIT(arg)

    async def answer_to_data(self) -> bool:
        """Called by the server's handler when the final dot has come."""
        return await self._planned("END-OF-DATA")


class SmtpServer:
    """The server, and aiosmtpd's handler in one: `host`, `port`, what it `received`, and how often each stage came.

    `starttls`, `implicit` or neither; with `user` and `password` it asks for a sign-in. `refuse` maps a recipient to
    the reply that it gets; `pipelining` is whether it takes several commands at once.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        certificate: Certificate | None = None,
        *,
        implicit: bool = False,
        user: str | None = None,
        password: str | None = None,
        refuse: dict[str, str] | None = None,
        size_limit: int = 33_554_432,
        smtputf8: bool = False,
        pipelining: bool = True,
    ) -> None:
        self.port = 0
        self.received: list[Received] = []
        self.commands: Counter[str] = Counter()
        self.auth_lines: list[str] = []
        self.plan = _Plan()
        self._certificate = certificate
        self._implicit = implicit
        self._user, self._password = user, password
        self._refuse = refuse or {}
        self._pipelining = pipelining
        self._options: dict[str, Any] = {"data_size_limit": size_limit, "enable_SMTPUTF8": smtputf8}
        self._events = {stage: threading.Event() for stage in STAGES}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()
        self._connections: list[_ScriptedSMTP] = []

    def answer_with(self, stage: str, *answers: str) -> None:
        """Plans the next answers at `stage`: reply lines are used up one by one, a behaviour stays for good."""
        self.plan.answers[stage] = deque(answers)

    def wait_for(self, stage: str, seconds: float = 10) -> bool:
        """Blocks until the stage has been reached; whether it was."""
        return self._events[stage].wait(seconds)

    def reached(self, stage: str) -> None:
        """Called by the protocol."""
        self._events[stage].set()

    def start(self) -> SmtpServer:
        """Begins to listen; returns when connections are taken."""
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the SMTP server did not start")
        return self

    def stop(self) -> None:
        """Closes every connection and ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def drop_connections(self) -> None:
        """Closes what clients hold open, as a server does with idle ones."""

        def close() -> None:
            for connection in self._connections:
                if connection.transport is not None:
                    connection.transport.close()

        self._loop.call_soon_threadsafe(close)

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """aiosmtpd's hook: what is offered; as most servers do, to take several commands at once (RFC 2920)."""
        session.host_name = hostname
        offered = ["250-PIPELINING"] if self._pipelining else []
        return [*responses[:1], *offered, *responses[1:]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """aiosmtpd's hook: takes the recipient, or refuses it as planned."""
        if address in self._refuse:
            return self._refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: _ScriptedSMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook: keeps the mail, unless something else was planned for the final dot."""
        if await server.answer_to_data():
            return ""
        self.received.append(
            Received(
                "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from),
                tuple(envelope.rcpt_tos),
                bytes(envelope.original_content or b""),
                session.ssl is not None or self._implicit,
                session.auth_data.login.decode() if session.auth_data else None,
            )
        )
        return f"250 2.0.0 Ok: queued as {len(self.received)}"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword)
            and data.login.decode() == self._user
            and data.password.decode() == self._password
        )
        return AuthResult(success=good, handled=False, auth_data=data)

    def _protocol(self) -> _ScriptedSMTP:
        context = self._certificate.context() if self._certificate and not self._implicit else None
        connection = _ScriptedSMTP(
            self,
            hostname="mx.desk.example",
            tls_context=context,
            require_starttls=context is not None,
            auth_required=False,
            auth_require_tls=context is not None,
            authenticator=self._authenticate if self._user else None,
            auth_exclude_mechanism=() if self._user else ("PLAIN", "LOGIN"),
            loop=self._loop,
            **self._options,
        )
        self._connections.append(connection)
        return connection

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        context = self._certificate.context() if self._certificate and self._implicit else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, self.host, 0, ssl=context)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()


@contextmanager
def smtp_server(certificate: Certificate | None = None, **options: Any) -> Iterator[SmtpServer]:
    """A running server for the length of a `with` block; see SmtpServer."""
    server = SmtpServer(certificate, **options).start()
    try:
        yield server
    finally:
        server.stop()
