"""A voucher desk for the tests: its configuration on disk, real servers around it, voucherd as a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.smtp_server import Certificate, Received, SmtpServer

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "config" / "demo"
ENGLISH, GERMAN, KOREAN = "01-english-outlook", "02-german-gmail", "03-korean-outlook-html"
SMTP_USER, SMTP_PASSWORD = "desk", "submission-secret"
_PATIENCE = 90

_HEAD = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
summary_at = false
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"
token_key_file = "secrets/token-key"

[store]
url = "{store}"
archive = "var/mail"

[reconciliation]
rates = "rates.csv"
"""
_IMAP = """
[[mailboxes]]
name = "{name}"
url = "imaps://{user}@localhost:{port}/INBOX"
password_file = "secrets/imap"
ca_file = "{ca}"
authserv_id = "mx.desk.example"
poll_seconds = {poll}
"""
_MAILDIR = """
[[mailboxes]]
name = "{name}"
url = "maildir:{path}"
authserv_id = "mx.desk.example"
"""
_SMTP = """
[delivery]
url = "smtp://{user}@127.0.0.1:{port}"
password_file = "secrets/smtp"
ca_file = "{ca}"
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What was said on standard error."""
        return self.err.splitlines()


@dataclass
class Desk:
    """A configuration folder, and the command that works with it. `user` owns the IMAP mailbox `vouchers`."""

    folder: Path
    tls: TlsFiles
    user: str = ""
    store: str = "sqlite:///var/voucherd.db"
    tables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("partners.toml", "rates.csv"):
            shutil.copy(SAMPLE / name, self.folder / name)
        for name, secret in (("imap", PASSWORD), ("smtp", SMTP_PASSWORD), ("token-key", "a fixed test key")):
            path = self.folder / "secrets" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(secret)
            path.chmod(0o600)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "voucherd.toml"

    def imap(self, port: int, user: str, name: str = "vouchers", poll: int = 60) -> Desk:
        """Adds a mailbox on Dovecot."""
        return self._add(_IMAP.format(name=name, user=user, port=port, ca=self.tls.ca, poll=poll))

    def maildir(self, path: str = "in", name: str = "vouchers") -> Desk:
        """Adds a mailbox that is a folder."""
        for part in ("new", "cur", "tmp"):
            (self.folder / path / part).mkdir(parents=True, exist_ok=True)
        return self._add(_MAILDIR.format(name=name, path=path))

    def smtp(self, port: int) -> Desk:
        """Sends through a submission server with STARTTLS and a sign-in."""
        return self._add(_SMTP.format(user=SMTP_USER, port=port, ca=self.tls.ca))

    def maildir_out(self, path: str = "out") -> Desk:
        """Delivers into a folder."""
        return self._add(f'\n[delivery]\nurl = "maildir:{path}"\n')

    def _add(self, table: str) -> Desk:
        self.tables.append(table)
        self.config.write_text(_HEAD.format(store=self.store) + "".join(self.tables))
        return self

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the command."""
        return working_environ()

    def command(self, *words: str, as_of: str | None = None) -> list[str]:
        """The command line of `voucherd …` with this configuration."""
        clock = ["--as-of", as_of] if as_of else []
        return [*voucherd(), "--config", str(self.config), *clock, *words]

    def run(self, *words: str, as_of: str | None = None, environ: Mapping[str, str] | None = None) -> Ended:
        """Runs `voucherd …` to its end."""
        return run(self.command(*words, as_of=as_of), self.folder, {**self.environ, **(environ or {})})

    def json(self, *words: str, as_of: str | None = None, status: int = 0) -> Any:
        """The JSON document that `voucherd … --json` prints."""
        ended = self.run(*words, "--json", as_of=as_of)
        assert ended.status == status, f"{' '.join(words)} ended with {ended.status}:\n{ended.err}"
        return ended.json


def voucherd() -> list[str]:
    """The command `voucherd` of this checkout."""
    return [sys.executable, "-m", "voucherd"]


def working_environ() -> dict[str, str]:
    """An environment in which it runs; nothing else of the tests' own reaches it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "USER") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "daemon"), "LANG": "C.UTF-8"}


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Ended:
    """Runs a command to its end, with what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def submission_server(tls: TlsFiles) -> SmtpServer:
    """An SMTP server as providers have them: STARTTLS with a certificate of the tests' authority, and a sign-in."""
    return SmtpServer(Certificate(tls.certificate, tls.key), user=SMTP_USER, password=SMTP_PASSWORD)


def sample(name: str) -> bytes:
    """One of the demo's synthetic mails, with CRLF line ends."""
    content = (SAMPLE / "mail" / f"{name}.eml").read_bytes()
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def subjects(server: Dovecot, user: str, folder: str = "INBOX") -> list[str]:
    """The subjects of the mails in a folder, oldest first."""
    return [str(parsed(content)["subject"]) for content in server.contents(user, folder)]


def parsed(content: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: Received | bytes) -> str:
    """The plain text of a mail."""
    body = parsed(mail.content if isinstance(mail, Received) else mail).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def invoice_mail(number: str, issued_on: str, *lines: tuple[str, str], kind: str = "invoice") -> bytes:
    """A synthetic mail of the partner Contoso with one invoice as CSV: lines of voucher and net amount in EUR."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["Authentication-Results"] = "mx.desk.example; dmarc=pass header.from=contoso.example"
    mail["From"] = "Contoso Billing <billing@contoso.example>"
    mail["To"] = "vouchers+contoso@desk.example"
    mail["Subject"] = f"{'Credit note' if kind == 'credit' else 'Invoice'} {number}"
    mail["Date"] = f"{issued_on}T09:30:00+09:00"
    mail["Message-ID"] = f"<{number.lower()}@contoso.example>"
    mail.set_content("Please find the document attached.\n")
    rows = [
        f"{number},{issued_on},{at},{voucher},{net},0.00,EUR,{kind}"
        for at, (voucher, net) in enumerate(lines, 1)
    ]
    table = "\n".join(["invoice,date,line,voucher,net,tax,currency,kind", *rows])
    mail.add_attachment(table.encode(), "text", "csv", filename=f"{number}.csv")
    return bytes(mail)
