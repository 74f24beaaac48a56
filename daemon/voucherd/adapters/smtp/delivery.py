"""The Delivery port over SMTP: what each answer, at each stage, says about the mail.

Refused for certain, accepted for certain, or unknown (PROMISES.md, Between SMTP's 250 and the commit). Unknown is
only what breaks between the final dot and its answer. A refusal before the recipient is named is about the account,
not the message: it pauses the account and leaves the mail to be tried again.
"""

from __future__ import annotations

import math
import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from os import PathLike
from typing import Literal

from voucherd.adapters.smtp.bearer import sign_in_with_token
from voucherd.adapters.smtp.wire import ConnectionBroken, Reply, Wire
from voucherd.errors import ConfigurationError, Fault, PermanentError, TemporaryError, VoucherdError
from voucherd.service.ports import Attempt, Outcome, Stage, TokenSource
from voucherd.tls import verifying_context

Tls = Literal["starttls", "implicit", "off"]
_CLOSING = 421
_GO_AHEAD = 354
_CONTINUE = 334
_TOO_LARGE = 552
# Sign-in or encryption required, at a stage where the recipient was asked about (RFC 4954, 6).
_ABOUT_THE_ACCOUNT = frozenset({530, 534, 535, 538})
_MAILBOX = re.compile(r"[^\s<>@,;:\\\"()\[\]]+@[^\s<>@,;:\\\"()\[\]]+")
_LONGEST_MAILBOX = 254
# Only characters that xtext leaves as they are, 100 of them at most (RFC 3461 section 4.4).
_OWN_ID = re.compile(rb"^Message-ID: <([A-Za-z0-9.@-]{1,100})>\r$", re.MULTILINE)
_LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each kind of answer is waited for, in seconds (RFC 5321, 4.5.3.2)."""

    connect: float = 30
    command: float = 60
    final: float = 600


class _Refused(Exception):  # noqa: N818 - carries an outcome, is no error of ours
    """The session cannot be opened; the attempt says why."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.answer)
        self.attempt = attempt


class SmtpDelivery:
    """Hands mails to one SMTP server, over a connection that is opened when needed and kept for the next mail.

    `tls` is `starttls` (required, never optional), `implicit`, or `off`, which only a loopback address is given:
    ConfigurationError otherwise. `ca_file` replaces the system's authorities. `password`, or the source of tokens in
    its place, is asked at each sign-in and never shown; without `user` nobody signs in. Not for several threads at
    once, but `hurry` is.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str | None = None,
        password: Callable[[], str] | TokenSource | None = None,
        tls: Tls = "starttls",
        ca_file: str | PathLike[str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if tls == "off" and not _is_loopback(host):
            raise ConfigurationError([Fault("", "delivery.url", host, "mail would leave this machine unencrypted",
                                            "use smtp:// (STARTTLS) or smtps://")])  # fmt: skip
        self._host, self._port, self._tls = host, port, tls
        self._user, self._password = user, password
        self._timeouts = timeouts or Timeouts()
        self._ca_file = ca_file
        # the system's authorities are read when there is something to send: most passes have nothing
        self._context = _context(ca_file) if tls != "off" and ca_file is not None else None
        self._latest = math.inf
        self._hidden: tuple[str, ...] = ()
        self._wire: Wire | None = None
        self._offers: Mapping[str, str] = {}
        self._used = False
        self._between_mails = False

    def send(self, envelope_from: str, recipient: str, content: bytes) -> Attempt:
        """One mail to one recipient; see the port. Returns right after the server's answer to the data."""
        wrong = _unfit(envelope_from, recipient, content)
        if wrong:
            return wrong
        for _ in range(2):
            try:
                wire = self._ready()
            except _Refused as refused:
                self._drop()
                return refused.attempt
            kept, self._used = self._used, True
            attempt, worn_out = self._transaction(wire, envelope_from, recipient, content)
            if not (kept and worn_out):
                break
        return attempt

    def probe(self) -> None:
        """Connects and signs in without sending. PermanentError where a person must change something (certificate,
        password), TemporaryError where the server is only not there."""
        self.close()
        try:
            self._open()
        except ConnectionBroken as broken:
            what = self._attempt(Outcome.TEMPORARY, str(broken)).answer
            kind = PermanentError if broken.lasting else TemporaryError
            raise kind(what, where=f"{self._host}:{self._port}") from broken
        finally:
            self.close()

    def hurry(self, seconds: float) -> None:
        """From now on nothing is waited for longer than `seconds`: a stop was asked for. An answer that is still
        outstanding then leaves its mail in doubt. May be called from a signal handler or another thread."""
        self._latest = min(self._latest, time.monotonic() + seconds)

    def close(self) -> None:
        """QUIT where the connection still answers; whatever is answered, the mails sent stay sent."""
        if self._wire is not None:
            try:
                self._wire.ask("QUIT", min(self._timeouts.command, 5))
            except ConnectionBroken:
                pass
            finally:
                self._drop()

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire, self._used, self._offers = None, False, {}
        self._between_mails = False

    def _ready(self) -> Wire:
        """A signed-in connection with no mail half said: the one at hand, or a new one. After a mail that was taken the
        server waits for the next one anyway (RFC 5321, 4.1.1.4); after a refusal it is asked to forget."""
        if self._wire is not None and self._used and not self._between_mails:
            try:
                if self._wire.ask("RSET", self._timeouts.command).good:
                    return self._wire
            except ConnectionBroken:
                pass
            self._drop()
        if self._wire is None:
            try:
                self._open()
            except ConnectionBroken as broken:
                raise _Refused(
                    self._attempt(Outcome.TEMPORARY, str(broken), pause=True, stage=Stage.ACCOUNT)
                ) from broken
        assert self._wire is not None  # noqa: S101 - _open sets it or raises
        return self._wire

    def _open(self) -> None:
        wire = self._wire = Wire(self._host, self._port, self._timeouts.connect, lambda: self._latest)
        if self._tls == "off" and not _is_loopback(wire.peer):
            raise ConnectionBroken(f"{self._host} is not this machine: mail would leave it unencrypted")
        if self._tls == "implicit":
            self._secure(wire)
        self._expect(wire.reply(self._timeouts.connect), "greeting")
        self._greet(wire)
        if self._tls == "starttls":
            if "STARTTLS" not in self._offers:
                raise ConnectionBroken(
                    "the server offers no STARTTLS; nothing is sent without it", lasting=True
                )
            self._expect(wire.ask("STARTTLS", self._timeouts.command), "STARTTLS")
            self._secure(wire)
            self._greet(wire)
        if self._user is not None:
            self._sign_in(wire, self._user)

    def _secure(self, wire: Wire) -> None:
        if self._context is None:
            self._context = _context(self._ca_file)
        wire.secure(self._context, self._host, self._timeouts.connect)

    def _greet(self, wire: Wire) -> None:
        reply = self._expect(wire.ask(f"EHLO {wire.own_literal}", self._timeouts.command), "EHLO")
        self._offers = {
            word.upper(): rest.strip().upper()
            for word, _, rest in (line.partition(" ") for line in reply.lines[1:])
        }

    def _expect(self, reply: Reply, stage: str) -> Reply:
        if not reply.good:
            raise ConnectionBroken(f"{stage}: {reply.line}", lasting=reply.permanent)
        return reply

    def _sign_in(self, wire: Wire, user: str) -> None:
        """AUTH PLAIN or LOGIN (RFC 4954), or a token. A refusal is about the account, whatever its code."""
        if self._password is not None and not callable(self._password):
            mechanisms = self._offers.get("AUTH", "").split()
            self._hidden = sign_in_with_token(wire, mechanisms, user, self._password, self._timeouts.command)
            return
        try:
            secret = self._password() if self._password else ""
        except (VoucherdError, OSError) as error:
            raise ConnectionBroken(
                f"sign-in: the password cannot be read ({type(error).__name__})"
            ) from error
        self._hidden = tuple(filter(None, (secret, _b64(secret), _b64(f"\0{user}\0{secret}"))))
        mechanisms = self._offers.get("AUTH", "").split()
        if "PLAIN" in mechanisms:
            answers = ["AUTH PLAIN " + _b64(f"\0{user}\0{secret}")]
        elif "LOGIN" in mechanisms:
            answers = ["AUTH LOGIN", _b64(user), _b64(secret)]
        else:
            raise ConnectionBroken(
                "the server offers no sign-in that voucherd knows (PLAIN, LOGIN)", lasting=True
            )
        reply = wire.ask(answers[0], self._timeouts.command)
        for answer in answers[1:]:
            if reply.code != _CONTINUE:
                break
            reply = wire.ask(answer, self._timeouts.command)
        if not reply.good:
            raise ConnectionBroken(f"sign-in refused: {reply.line}", lasting=reply.permanent)

    def _transaction(self, wire: Wire, sender: str, recipient: str, content: bytes) -> tuple[Attempt, bool]:
        """The attempt, and whether the connection was only worn out: closed before a recipient was named."""
        wrong = self._not_offered(recipient, content)
        if wrong:
            return wrong, False
        self._between_mails = False
        begun = False
        asked = (self._mail_command(sender, recipient, content), f"RCPT TO:<{recipient}>", "DATA")
        replies = self._replies(wire, asked)
        try:
            reply = next(replies)
            begun = True
            if not reply.good:
                return self._heard_out(wire, 2, self._sender_refused(reply)), reply.code == _CLOSING
            reply = next(replies)
            if not reply.good:
                return self._heard_out(wire, 1, self._refused(reply, Stage.RECIPIENT)), False
            reply = next(replies)
            if reply.code != _GO_AHEAD:
                return self._refused(reply), False
            wire.write(_stuffed(content) + b".\r\n", self._timeouts.command)
        except ConnectionBroken as broken:
            self._drop()
            return self._attempt(Outcome.TEMPORARY, str(broken)), not begun
        return self._answer_to_data(wire), False

    def _replies(self, wire: Wire, commands: Sequence[str]) -> Iterator[Reply]:
        """The reply to each command. They go out together where the server takes that (RFC 2920), one round trip for
        all, else each once the one before was answered."""
        if "PIPELINING" not in self._offers:
            yield from (wire.ask(command, self._timeouts.command) for command in commands)
            return
        wire.say(commands, self._timeouts.command)
        for _ in commands:
            yield wire.reply(self._timeouts.command)

    def _heard_out(self, wire: Wire, left: int, attempt: Attempt) -> Attempt:
        """The attempt, once the replies that are left of what was asked together are read. A server that waits for data
        nevertheless gets none: it is left."""
        try:
            while left and "PIPELINING" in self._offers:
                if wire.reply(self._timeouts.command).code == _GO_AHEAD:
                    self._drop()
                left -= 1
        except ConnectionBroken:
            self._drop()
        return attempt

    def _answer_to_data(self, wire: Wire) -> Attempt:
        """From the final dot on, only an answer tells; without one the mail is in doubt (RFC 5321, 4.5.4.1)."""
        try:
            reply = wire.reply(self._timeouts.final)
        except ConnectionBroken as broken:
            self._drop()
            return self._attempt(Outcome.IN_DOUBT, f"after the end of data: {broken}")
        if reply.good:
            self._between_mails = True
            return self._attempt(Outcome.SENT, reply.line)
        if reply.code // 100 == 3:
            self._drop()
            return self._attempt(Outcome.IN_DOUBT, reply.line)
        return self._refused(reply)

    def _sender_refused(self, reply: Reply) -> Attempt:
        """At MAIL the account is meant, except where the size is (RFC 1870, 6.1)."""
        if reply.code == _TOO_LARGE:
            return self._refused(reply)
        self._drop()
        return self._attempt(Outcome.TEMPORARY, reply.line, pause=True, stage=Stage.ACCOUNT)

    def _refused(self, reply: Reply, stage: Stage = Stage.CONTENT) -> Attempt:
        if reply.code == _CLOSING or reply.code in _ABOUT_THE_ACCOUNT:
            self._drop()
            about = Stage.ACCOUNT if reply.code in _ABOUT_THE_ACCOUNT else stage
            return self._attempt(Outcome.TEMPORARY, reply.line, pause=True, stage=about)
        if reply.permanent:
            return self._attempt(Outcome.PERMANENT, reply.line, stage=stage)
        if reply.code // 100 != 4:
            self._drop()
        return self._attempt(Outcome.TEMPORARY, reply.line, stage=stage)

    def _attempt(
        self, outcome: Outcome, answer: str, *, pause: bool = False, stage: Stage | None = None
    ) -> Attempt:
        """The attempt for the books: one line, cut, and without the secret, should the server have repeated it."""
        for hidden in self._hidden:
            answer = answer.replace(hidden, "***")
        return Attempt(outcome, " ".join(answer.split())[:_LONGEST_ANSWER], pause, stage)

    def _not_offered(self, recipient: str, content: bytes) -> Attempt | None:
        """What the server's own list of extensions already rules out."""
        limit = self._offers.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit[:18]) < len(content):
            return self._attempt(
                Outcome.PERMANENT, f"the mail is larger than the server's limit of {limit} bytes"
            )
        if not recipient.isascii() and "SMTPUTF8" not in self._offers:
            return self._attempt(Outcome.PERMANENT, "the server takes no address outside of ASCII (SMTPUTF8)")
        if not content.isascii() and "8BITMIME" not in self._offers:
            return self._attempt(Outcome.PERMANENT, "the server takes no 8-bit mail (8BITMIME)")
        return None

    def _mail_command(self, sender: str, recipient: str, content: bytes) -> str:
        size = f" SIZE={len(content)}" if "SIZE" in self._offers else ""
        body = "" if content.isascii() else " BODY=8BITMIME"
        utf8 = "" if recipient.isascii() and sender.isascii() else " SMTPUTF8"
        return f"MAIL FROM:<{sender}>{size}{body}{utf8}{self._envelope_id(content)}"

    def _envelope_id(self, content: bytes) -> str:
        """The Message-ID once more, where the server takes it back into its reports (RFC 3461, 4.4): some return
        nothing else of the mail."""
        if "DSN" not in self._offers:
            return ""
        found = _OWN_ID.search(content, 0, max(0, content.find(b"\r\n\r\n")) + 2)
        return f" ENVID={found[1].decode('ascii')}" if found else ""


def _context(ca_file: str | PathLike[str] | None) -> ssl.SSLContext:
    try:
        return verifying_context(ca_file)
    except (OSError, ValueError) as error:
        raise ConfigurationError([Fault("", "delivery.ca_file", str(ca_file), "cannot be used as authorities",
                                        "give a PEM file of certificates")]) from error  # fmt: skip


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _unfit(sender: str, recipient: str, content: bytes) -> Attempt | None:
    """What must not go on a wire at all: a command hidden in an address, line ends that two servers read in two
    ways (SMTP smuggling)."""
    if sender and not _is_mailbox(sender):
        return Attempt(Outcome.TEMPORARY, "the envelope sender is no address", pause=True)
    if not _is_mailbox(recipient):
        return Attempt(Outcome.PERMANENT, "553 5.1.3 the recipient is no address", stage=Stage.RECIPIENT)
    if not content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n"):
        return Attempt(Outcome.PERMANENT, "the mail has line ends other than CRLF")
    return None


def _is_mailbox(address: str) -> bool:
    return len(address) <= _LONGEST_MAILBOX and address.isprintable() and bool(_MAILBOX.fullmatch(address))


def _stuffed(content: bytes) -> bytes:
    """The content with its dots doubled at line starts (RFC 5321, 4.5.2), ending in CRLF."""
    whole = content if content.endswith(b"\r\n") else content + b"\r\n"
    doubled = whole.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _b64(text: str) -> str:
    return b64encode(text.encode("utf-8")).decode("ascii")
