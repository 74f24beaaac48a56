"""SMTP that is signed in to by tokens: a real server (aiosmtpd) that asks the issuer about each, XOAUTH2 and
OAUTHBEARER as Microsoft, Google and RFC 7628 have them."""

from __future__ import annotations

import base64
import binascii
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.token_service import CLIENT, SECRET, TokenService
from tests.servers.token_smtp import BOTH, TokenSmtpServer
from tests.smtp_server import Certificate, SmtpServer, make_certificate
from voucherd.adapters.oauth import SignIn
from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.adapters.smtp import SmtpDelivery
from voucherd.errors import PermanentError, TemporaryError
from voucherd.service.ports import Outcome, Stage, TokenSource

SENDER, PARTNER, USER = "vouchers@desk.example", "vouchers@contoso.example", "desk@desk.example"
MAIL = b"From: vouchers@desk.example\r\nSubject: synthetic\r\n\r\nOne.\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tokens-smtp"))


Started = Callable[..., TokenSmtpServer]
Delivers = Callable[..., SmtpDelivery]


@pytest.fixture
def server(tokens: TokenService, certificate: Certificate) -> Iterator[Started]:
    running: list[TokenSmtpServer] = []

    def start(mechanisms: tuple[str, ...] = BOTH) -> TokenSmtpServer:
        running.append(TokenSmtpServer(tokens, certificate, mechanisms))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def delivery(tokens: TokenService, tmp_path: Path, certificate: Certificate) -> Iterator[Delivers]:
    made: list[SmtpDelivery] = []
    tokens.behaviour.user = USER

    def make(server: SmtpServer, source: TokenSource | None = None) -> SmtpDelivery:
        account = OAuthAccount(
            "delivery",
            "generic",
            "client-credentials",
            USER,
            CLIENT,
            token_url=f"{tokens.url}/token",
            client_secret=lambda: SECRET,
        )
        source = source or SignIn(account, tmp_path / "tokens")
        made.append(
            SmtpDelivery("localhost", server.port, user=USER, password=source, ca_file=certificate.cert)
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("offered", "used"), [(BOTH, "OAUTHBEARER"), (("XOAUTH2",), "XOAUTH2"), (("OAUTHBEARER",), "OAUTHBEARER")]
)
@pytest.mark.parametrize("size", [0, 2000], ids=["a short token", "a token as long as Microsoft's"])
def test_mail_goes_out_by_what_the_server_offers(
    server: Started, delivery: Delivers, tokens: TokenService, offered: tuple[str, ...], used: str, size: int
) -> None:
    if size:
        tokens.behaviour.claims = {"padding": "x" * size}
    running = server(offered)
    assert delivery(running).send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    [received] = running.received
    assert (received.user, received.secure) == (USER, True)
    assert running.used == [f"{used} {'when asked' if size else 'at once'}"]  # RFC 4954: 512 octets a line


def test_a_refused_token_is_renewed_once_and_the_mail_goes_out(
    server: Started, delivery: Delivers, tokens: TokenService
) -> None:
    running = server()
    first = delivery(running)
    first.probe()
    tokens.revoke_access()
    assert first.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    assert tokens.granted["client_credentials"] == 2
    assert tokens.introspected == {True: 2, False: 1}


@pytest.mark.parametrize(("mechanism", "acknowledgement"), [("XOAUTH2", b""), ("OAUTHBEARER", b"\x01")])
def test_a_token_that_is_refused_twice_is_about_the_account_and_the_mail_waits(
    server: Started, delivery: Delivers, tokens: TokenService, mechanism: str, acknowledgement: bytes
) -> None:
    running = server((mechanism,))
    out = delivery(running)
    tokens.behaviour.user = "somebody-else"
    attempt = out.send(SENDER, PARTNER, MAIL)
    assert (attempt.outcome, attempt.stage, attempt.pause) == (Outcome.TEMPORARY, Stage.ACCOUNT, True)
    assert attempt.answer.startswith("sign-in: the token is refused: 535 ")
    assert running.acknowledged == [acknowledgement] * 2
    assert tokens.granted["client_credentials"] == 2
    with pytest.raises(PermanentError, match="the token is refused"):
        out.probe()


@pytest.mark.parametrize(
    ("refuses", "down", "kind"),
    [({"error": "invalid_client"}, False, PermanentError), (None, True, TemporaryError)],
)
def test_without_a_token_nothing_is_lost_and_the_reason_is_kept(
    server: Started,
    delivery: Delivers,
    tokens: TokenService,
    refuses: dict[str, str] | None,
    down: bool,
    kind: type[Exception],
) -> None:
    tokens.behaviour.refuses, tokens.behaviour.down = refuses, down
    out = delivery(server())
    attempt = out.send(SENDER, PARTNER, MAIL)
    assert (attempt.outcome, attempt.stage, attempt.pause) == (Outcome.TEMPORARY, Stage.ACCOUNT, True)
    with pytest.raises(kind):
        out.probe()


def test_a_server_that_takes_no_tokens_is_told_apart(
    delivery: Delivers, tokens: TokenService, certificate: Certificate
) -> None:
    passwords = SmtpServer(certificate, user="u", password="p").start()
    try:
        with pytest.raises(PermanentError, match="offers no sign-in with a token"):
            delivery(passwords).probe()
    finally:
        passwords.stop()
    assert tokens.asked == []


class Fixed:
    """Always the same token."""

    def token(self) -> str:
        return "canary-token"

    def renewed(self, refused: str) -> str | None:
        return None


@pytest.mark.parametrize("code", ["535 5.7.8", "454 4.7.0", "500 5.5.2", "334"])
def test_a_server_that_repeats_the_token_shows_it_to_nobody(
    server: Started, delivery: Delivers, code: str
) -> None:
    running = server(("XOAUTH2",))
    said = base64.b64encode(f"user={USER}\x01auth=Bearer canary-token\x01\x01".encode()).decode()
    running.answer_with("AUTH", f"{code} {said}", f"{code} AUTH XOAUTH2 {said} canary-token")
    out = delivery(running, Fixed())
    attempt = out.send(SENDER, PARTNER, MAIL)
    assert attempt.outcome is Outcome.TEMPORARY
    with pytest.raises((PermanentError, TemporaryError)) as caught:
        out.probe()
    shown = "".join(traceback.format_exception(caught.value)) + attempt.answer
    assert "canary" not in shown
    assert said not in shown


def test_an_answer_that_is_no_base64_does_not_stop_us(server: Started, delivery: Delivers) -> None:
    running = server(("XOAUTH2",))
    running.answer_with("AUTH", "334 ###")
    with pytest.raises(binascii.Error):
        base64.b64decode("###", validate=True)
    assert delivery(running, Fixed()).send(SENDER, PARTNER, MAIL).outcome is Outcome.TEMPORARY
