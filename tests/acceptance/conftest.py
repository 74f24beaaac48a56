"""What the acceptance tests share: a desk on Dovecot over TLS and on an SMTP server with STARTTLS and a sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.desk import Desk, submission_server
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.smtp_server import SmtpServer


@pytest.fixture
def smtp(tls_files: TlsFiles) -> Iterator[SmtpServer]:
    """The server that takes voucherd's mail."""
    server = submission_server(tls_files).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, smtp: SmtpServer, mail_user: str) -> Desk:
    """One mailbox on Dovecot, SQLite, and the SMTP server."""
    return Desk(tmp_path, tls_files, mail_user).imap(dovecot.imaps_port, mail_user).smtp(smtp.port)
