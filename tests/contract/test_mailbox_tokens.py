"""An IMAP mailbox that is signed in to by tokens, on a Dovecot that asks the issuer about each (oauth2 passdb)."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import ScriptedImap
from tests.servers.token_service import CLIENT, SECRET, TokenService
from voucherd.adapters.imap import ImapMailbox
from voucherd.adapters.oauth import SignIn
from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.errors import PermanentError, TemporaryError

pytestmark = pytest.mark.server

MAIL = b"From: a@contoso.example\r\nSubject: one\r\n\r\nOne.\r\n"
Opener = Callable[..., ImapMailbox]


def sign_in(tokens: TokenService, folder: Path, user: str) -> SignIn:
    """Client credentials, as a daemon holds them."""
    tokens.behaviour.user = user
    account = OAuthAccount(
        "vouchers",
        "generic",
        "client-credentials",
        user,
        CLIENT,
        token_url=f"{tokens.url}/token",
        client_secret=lambda: SECRET,
    )
    return SignIn(account, folder / "tokens")


@pytest.fixture
def mailbox(
    dovecot_with_tokens: Dovecot, tokens: TokenService, tmp_path: Path, mail_user: str
) -> Iterator[Opener]:
    """Makes mailboxes of this test's user, not yet opened."""
    made: list[ImapMailbox] = []

    def make(server: Dovecot = dovecot_with_tokens, **more: Any) -> ImapMailbox:
        source = more.pop("source", None) or sign_in(tokens, tmp_path, mail_user)
        made.append(
            ImapMailbox(
                "vouchers", "localhost", server.imaps_port, mail_user, source,
                tls="implicit", ca_file=server.tls.ca, timeout=10, **more,
            )
        )  # fmt: skip
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_mail_is_read_and_filed_by_a_token(
    mailbox: Opener, dovecot_with_tokens: Dovecot, mail_user: str
) -> None:
    dovecot_with_tokens.append(mail_user, [MAIL])
    opened = mailbox()
    opened.open()
    [waiting] = [listed for window in opened.listing() for listed in window]
    assert opened.fetch([waiting.key])[0].content == MAIL
    opened.file([waiting.key], "Processed")
    assert dovecot_with_tokens.contents(mail_user, "Processed") == [MAIL]


def test_a_server_that_knows_xoauth2_alone_is_signed_in_to_by_it(
    mailbox: Opener, dovecot_with_xoauth2: Dovecot
) -> None:
    assert mailbox(dovecot_with_xoauth2).open() > 0


def test_a_server_that_takes_no_tokens_is_told_before_one_is_asked_for(
    mailbox: Opener, dovecot: Dovecot, tokens: TokenService
) -> None:
    with pytest.raises(PermanentError, match="offers no sign-in with a token"):
        mailbox(dovecot).open()
    assert tokens.asked == []


def test_a_token_that_lapses_in_the_middle_of_idle_costs_a_connection_and_no_refusal(
    mailbox: Opener, dovecot_with_tokens: Dovecot, tokens: TokenService, mail_user: str
) -> None:
    tokens.behaviour.lifetime = 1.0
    opened = mailbox()
    opened.open()
    idling = threading.Event()
    wait = opened.wait

    def waits() -> None:
        idling.set()
        try:
            wait(30.0, -1)
        except TemporaryError as error:
            ended.append(error)

    ended: list[TemporaryError] = []
    thread = threading.Thread(target=waits)
    thread.start()
    idling.wait(10)
    lapsed(tokens)
    dovecot_with_tokens.kick(mail_user)  # as a server ends a session whose token has lapsed
    thread.join(20)
    assert len(ended) == 1
    assert opened.open() > 0
    assert tokens.granted["client_credentials"] == 2
    assert tokens.introspected == {True: 2}  # no lapsed token was shown to the server


def lapsed(tokens: TokenService) -> None:
    """Blocks until every token that was issued has lapsed."""
    while left := tokens.longest_left():
        threading.Event().wait(left)


def test_a_refused_token_is_renewed_once_and_then_the_sign_in_works(
    mailbox: Opener, tokens: TokenService
) -> None:
    opened = mailbox()
    opened.open()
    opened.close()
    tokens.revoke_access()
    assert opened.open() > 0
    assert tokens.granted["client_credentials"] == 2
    assert tokens.introspected == {True: 2, False: 1}


def test_a_token_that_is_refused_twice_needs_a_person(mailbox: Opener, tokens: TokenService) -> None:
    opened = mailbox()
    tokens.behaviour.user = "somebody-else"  # the issuer is content, the mailbox is another's
    with pytest.raises(PermanentError) as caught:
        opened.open()
    assert str(caught.value) == (
        "vouchers: the token is refused ([AUTHENTICATIONFAILED] Authentication failed.): `voucherd login vouchers` "
        "says what is missing"
    )
    assert tokens.granted["client_credentials"] == 2


def test_an_issuer_that_is_down_makes_the_mailbox_wait(mailbox: Opener, tokens: TokenService) -> None:
    tokens.behaviour.down = True
    with pytest.raises(TemporaryError, match="answers with status 503"):
        mailbox().open()


def test_ten_mailboxes_share_one_token(
    mailbox: Opener, tokens: TokenService, tmp_path: Path, mail_user: str
) -> None:
    source = sign_in(tokens, tmp_path, mail_user)
    opened = [mailbox(source=source) for _ in range(10)]
    threads = [threading.Thread(target=one.open) for one in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens.granted == {"client_credentials": 1}
    assert tokens.introspected == {True: 10}


# what no kind server says


class NeverAsked:
    """A source of tokens that must not be asked."""

    def token(self) -> str:
        raise AssertionError("a token was asked for before TLS was verified")

    def renewed(self, refused: str) -> str | None:
        raise AssertionError(refused)


def test_no_token_is_asked_for_before_tls_is_verified(mailbox: Opener, dovecot_with_tokens: Dovecot) -> None:
    wrong = ImapMailbox(
        "vouchers", "localhost", dovecot_with_tokens.imaps_port, "desk", NeverAsked(),
        tls="implicit", ca_file=dovecot_with_tokens.tls.other_ca,
    )  # fmt: skip
    with pytest.raises(PermanentError, match="certificate is not trusted"):
        wrong.open()


class Fixed:
    """Always the same token."""

    def token(self) -> str:
        return "canary-token"

    def renewed(self, refused: str) -> str | None:
        return f"{refused}-2"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"{tag} NO [UNAVAILABLE] try later canary-token\r\n", TemporaryError),
        (b"{tag} NO [AUTHENTICATIONFAILED] no: canary-token-2\r\n", PermanentError),
        (b"{tag} BAD command error\r\n", TemporaryError),
        (b"* BYE canary-token\r\n", TemporaryError),
    ],
)
def test_what_a_server_says_of_a_token_is_judged_and_never_shown(
    answer: bytes, kind: type[Exception], tls_files: TlsFiles
) -> None:
    offer = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done\r\n"}
    with ScriptedImap({**offer, b"AUTHENTICATE": answer}, tls=tls_files) as server:
        opened = ImapMailbox(
            "vouchers", "localhost", server.port, "desk", Fixed(),
            tls="implicit", ca_file=tls_files.ca, timeout=5,
        )  # fmt: skip
        with pytest.raises(kind) as caught:
            opened.open()
        assert "canary" not in "".join(traceback.format_exception(caught.value))
