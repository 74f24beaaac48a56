"""Builds a connection up to the sign-in: TLS first and verified, then the credential, or nothing at all.

PROMISES.md, P9 and Defences (TLS): implicit TLS or STARTTLS, TLS 1.2 at least; PREAUTH and a missing STARTTLS
end the attempt (RFC 8314, RFC 3501 section 6.2.1).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from voucherd.adapters.imap.answers import BROKEN, connection_failed, sign_in_failed
from voucherd.adapters.imap.bearer import sign_in_with_token
from voucherd.adapters.imap.liveness import watch_over
from voucherd.adapters.imap.wire import Wire
from voucherd.errors import PermanentError
from voucherd.service.ports import TokenSource
from voucherd.tls import verifying_context

_ATOM = re.compile(r"[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~-]+")
_PARTING = 2.0


@dataclass(frozen=True, slots=True)
class Account:
    """Where a mailbox is and who signs in; `tls` is `implicit` (imaps) or `starttls` (imap)."""

    name: str
    host: str
    port: int
    user: str
    tls: Literal["implicit", "starttls"]
    ca_file: Path | None
    timeout: float


class Connection:
    """One signed-in connection: imapclient's, with the wire that it reads through."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.imap = client._imap
        self.socket: ssl.SSLSocket = client.socket()
        self.wire = Wire(self.socket)
        self.wire.install(self.imap)

    def hang_up(self, *, politely: bool) -> None:
        """Ends the connection within about two seconds, with LOGOUT where asked; never raises."""
        _hang_up(self.client, politely=politely)


def connect(account: Account, password: Callable[[], str] | TokenSource) -> Connection:
    """A connection that is encrypted, verified and signed in, by a password or by tokens; nothing stays open where
    that fails."""
    context = _context(account)
    client = _reach(account, context)
    try:
        _secure(client, account, context)
        connection = Connection(client)
        if callable(password):
            _sign_in(client, account, password())
        else:
            sign_in_with_token(client, account.user, password, account.name)
            client.capabilities()
        client.normalise_times = False
    except BROKEN as error:
        _hang_up(client, politely=False)
        raise connection_failed(error, account.name) from error
    except BaseException:
        _hang_up(client, politely=False)
        raise
    return connection


def _context(account: Account) -> ssl.SSLContext:
    try:
        return verifying_context(account.ca_file)
    except OSError as error:
        raise PermanentError(
            f"ca_file {account.ca_file} cannot be used ({error.strerror or error})",
            where=account.name,
            remedy="name a PEM file with the authority's certificate",
        ) from error


def _reach(account: Account, context: ssl.SSLContext) -> Any:
    implicit = account.tls == "implicit"
    timeout = SocketTimeout(account.timeout, account.timeout)
    try:
        client = IMAPClient(account.host, account.port, ssl=implicit, ssl_context=context, timeout=timeout)
    except BROKEN as error:
        raise connection_failed(error, account.name) from error
    client._imap.debug = 0  # imapclient has imaplib log, and so copy, every literal; it would log LOGIN too
    return client


def _secure(client: Any, account: Account, context: ssl.SSLContext) -> None:
    if client._imap.state != "NONAUTH":
        raise PermanentError(
            "the server says that we are signed in before we are (PREAUTH)",
            where=account.name,
            remedy="use a port that asks for a sign-in",
        )
    if account.tls == "starttls":
        if not client.has_capability("STARTTLS"):
            raise PermanentError(
                "the server offers no STARTTLS, so no password was sent",
                where=account.name,
                remedy="use imaps://, or let the server offer STARTTLS",
            )
        client.starttls(context)
    connection = client.socket()
    if not isinstance(connection, ssl.SSLSocket):
        raise PermanentError("the connection is not encrypted", where=account.name)
    connection.settimeout(account.timeout)
    watch_over(connection)


def _sign_in(client: Any, account: Account, password: str) -> None:
    if any(char in "\0\r\n" for char in account.user + password):
        raise PermanentError(
            "the user or the password holds a line break or a NUL", where=account.name, remedy="take it out"
        )
    try:
        if client.has_capability("AUTH=PLAIN"):
            client.plain_login(account.user, password)
        elif (
            _ATOM.fullmatch(account.user)
            and password.isascii()
            and not client.has_capability("LOGINDISABLED")
        ):
            client.login(account.user, password)
        else:
            raise PermanentError(
                "the server offers no way to sign in that can carry this user and password",
                where=account.name,
                remedy="let the server offer AUTH=PLAIN over TLS",
            )
    except LoginError as error:
        raise sign_in_failed(error, account.name) from error
    client.capabilities()


def _hang_up(client: Any, *, politely: bool) -> None:
    try:
        client.socket().settimeout(_PARTING)
        if politely:
            client.logout()
        else:
            client.shutdown()
    except BROKEN:
        try:
            client.shutdown()
        except BROKEN:
            return
