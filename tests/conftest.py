"""What tests share: real servers, started once a worker and only where a test asks for them."""

from __future__ import annotations

import logging
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.servers.certificates import TlsFiles, make_certificates
from tests.servers.dovecot import (
    BARE,
    DOTTED,
    FULL_AT_FIVE,
    PLAIN,
    TWO_CONNECTIONS,
    WITHOUT_MOVE,
    Dovecot,
    Variant,
)
from tests.servers.process import free_port as find_free_port
from tests.servers.process import in_memory
from tests.servers.token_service import TokenService, token_service
from voucherd import log

if TYPE_CHECKING:
    from tests.servers.postgresql import PostgreSQL

# Every test process, and what it starts with its own environment, finds the modules compiled, whatever the caller says.
sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(
    Path(__file__).parents[1] / ".cache" / "bytecode"
)
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if (memory := in_memory()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))

# The test command judges a change: the same code gets the same answer. `make search` looks for what no example hit.
settings.register_profile("test", derandomize=True, deadline=None)  # a busy machine is no fault
settings.register_profile("search", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("VOUCHERD_HYPOTHESIS", "test"))


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A test that sets the log up, by a command in this process too, leaves none that writes to its closed streams."""
    root = logging.root
    handlers, level = root.handlers, root.level
    yield
    if root.handlers is not handlers:
        root.handlers = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        log.reset()


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """An authority, a certificate for localhost and 127.0.0.1, and an authority that nobody knows."""
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def dovecot(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot with all that it can do."""
    yield from _running(tls_files, PLAIN)


@pytest.fixture(scope="session")
def dovecot_without_move(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot that offers UIDPLUS, but no MOVE."""
    yield from _running(tls_files, WITHOUT_MOVE)


@pytest.fixture(scope="session")
def dovecot_bare(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot that offers neither MOVE, UIDPLUS, IDLE nor NAMESPACE."""
    yield from _running(tls_files, BARE)


@pytest.fixture(scope="session")
def dovecot_dotted(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot whose folders are called `INBOX.Processed`."""
    yield from _running(tls_files, DOTTED)


@pytest.fixture(scope="session")
def dovecot_crowded(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot that allows a user two connections."""
    yield from _running(tls_files, TWO_CONNECTIONS)


@pytest.fixture(scope="session")
def dovecot_full(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """Dovecot where a user may have five messages, and where filing copies them first: it has no MOVE."""
    yield from _running(tls_files, FULL_AT_FIVE)


@pytest.fixture(scope="session")
def issuer(tls_files: TlsFiles) -> Iterator[TokenService]:
    """An issuer of tokens; `tokens` gives a test a fresh behaviour."""
    with token_service(tls_files) as service:
        yield service


@pytest.fixture
def tokens(issuer: TokenService) -> TokenService:
    """The issuer of tokens, as if it were new."""
    issuer.forget()
    return issuer


@pytest.fixture(scope="session")
def dovecot_with_tokens(tls_files: TlsFiles, issuer: TokenService) -> Iterator[Dovecot]:
    """Dovecot that asks the issuer about tokens (OAUTHBEARER, XOAUTH2)."""
    yield from _running(tls_files, Variant(introspection=f"{issuer.url}/introspect"))


@pytest.fixture(scope="session")
def dovecot_with_xoauth2(tls_files: TlsFiles, issuer: TokenService) -> Iterator[Dovecot]:
    """The same, with XOAUTH2 alone."""
    yield from _running(tls_files, Variant(introspection=f"{issuer.url}/introspect", mechanisms="xoauth2"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """PostgreSQL; `postgresql.fresh_database()` gives a test its own database."""
    from tests.servers.postgresql import PostgreSQL

    server = PostgreSQL()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    url = postgresql.fresh_database()
    yield url
    postgresql.drop(url)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Finds TCP ports of 127.0.0.1 that nothing listens on."""
    return find_free_port


@pytest.fixture
def mail_user() -> str:
    """A user of Dovecot whose mailbox is empty."""
    return f"desk-{uuid.uuid4().hex[:12]}@desk.example"


def _running(tls_files: TlsFiles, variant: Variant) -> Iterator[Dovecot]:
    server = Dovecot(tls_files, variant)
    try:
        yield server
    finally:
        server.stop()
