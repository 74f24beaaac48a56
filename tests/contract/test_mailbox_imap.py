"""What an IMAP mailbox promises beyond service.ports.Mailbox: no credential before verified TLS, refusals told
apart from delays, nothing but numbers and configured names on the wire (PROMISES.md, P9 and Defences)."""

from __future__ import annotations

import base64
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.relay import Relay
from tests.servers.scripted import ScriptedImap
from voucherd.adapters.imap import ImapMailbox
from voucherd.errors import PermanentError, TemporaryError

pytestmark = pytest.mark.server

TOKEN = base64.b64encode(f"\0desk\0{PASSWORD}".encode())
SIGNED_IN = {
    b"AUTHENTICATE": b"{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS MOVE] signed in\r\n",
    b"LIST": b'* LIST (\\Noselect) "/" ""\r\n{tag} OK done\r\n',
    b"STATUS": b"* STATUS x (UIDVALIDITY 1)\r\n{tag} OK done\r\n",
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n{tag} OK [READ-WRITE] done\r\n",
}


def never_asked() -> str:
    raise AssertionError("the password was asked for before TLS was verified")


def mailbox(port: int, **more: Any) -> ImapMailbox:
    given: dict[str, Any] = {"tls": "implicit", "timeout": 10.0} | more
    host, user = given.pop("host", "localhost"), given.pop("user", "desk")
    return ImapMailbox("vouchers", host, port, user, given.pop("password", lambda: PASSWORD), **given)


@pytest.fixture
def opened(dovecot: Dovecot, mail_user: str) -> Iterator[Callable[..., ImapMailbox]]:
    """Opens mailboxes of this test's user on Dovecot."""
    made: list[ImapMailbox] = []

    def open_one(**more: Any) -> ImapMailbox:
        port = more.pop("port", dovecot.imaps_port)
        made.append(mailbox(port, user=mail_user, ca_file=dovecot.tls.ca, **more))
        made[-1].open()
        return made[-1]

    yield open_one
    for each in made:
        each.close()


def keys(box: ImapMailbox) -> list[str]:
    return [each.key for window in box.listing() for each in window]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_an_untrusted_certificate_gets_no_credential(dovecot: Dovecot, tls: str) -> None:
    port = dovecot.imaps_port if tls == "implicit" else dovecot.imap_port
    for ca_file in (dovecot.tls.other_ca, None):
        with pytest.raises(PermanentError, match=r"certificate is not trusted .*ca_file"):
            mailbox(port, tls=tls, ca_file=ca_file, password=never_asked).open()


def test_a_certificate_for_another_host_gets_no_credential(tls_files: TlsFiles) -> None:
    with ScriptedImap({}, tls=tls_files, address="127.0.0.2") as server:
        box = mailbox(server.port, host="127.0.0.2", ca_file=tls_files.ca, password=never_asked)
        with pytest.raises(PermanentError, match="not trusted"):
            box.open()
    assert server.heard == b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_gets_no_credential(tls_files: TlsFiles) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with ScriptedImap({}, tls=tls_files, context=context) as server:
        box = mailbox(server.port, ca_file=tls_files.ca, password=never_asked)
        with pytest.raises(TemporaryError, match=r"TLS 1\.2 is the least"):
            box.open()
    assert server.heard == b""


def test_a_server_without_starttls_gets_no_credential(tls_files: TlsFiles) -> None:
    with ScriptedImap({}) as server, pytest.raises(PermanentError, match=r"offers no STARTTLS.*imaps://"):
        mailbox(server.port, tls="starttls", ca_file=tls_files.ca, password=never_asked).open()
    assert b"LOGIN" not in server.heard
    assert b"AUTHENTICATE" not in server.heard


@pytest.mark.parametrize(
    "answer",
    [
        b"{tag} NO not now\r\n",
        b"{tag} BAD what\r\n",
        b"{tag} OK begin\r\nthis is no TLS\r\n",
        b"* BYE\r\n",
        b"garbage\r\n",
    ],
)
def test_a_starttls_that_fails_gets_no_credential(tls_files: TlsFiles, answer: bytes) -> None:
    offer = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n{tag} OK done\r\n"}
    with ScriptedImap({**offer, b"STARTTLS": answer}) as server, pytest.raises(TemporaryError):
        mailbox(server.port, tls="starttls", ca_file=tls_files.ca, password=never_asked, timeout=1.0).open()
    assert b"AUTHENTICATE" not in server.heard


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_server_that_says_preauth_is_left(tls_files: TlsFiles, tls: str) -> None:
    files = tls_files if tls == "implicit" else None
    with ScriptedImap({}, greeting=b"* PREAUTH welcome back\r\n", tls=files) as server:
        box = mailbox(server.port, tls=tls, ca_file=tls_files.ca, password=never_asked)
        with pytest.raises(PermanentError, match="PREAUTH"):
            box.open()
    assert b"AUTHENTICATE" not in server.heard


@pytest.mark.parametrize(
    "greeting", [b"* BYE too busy\r\n", b"220 mail.desk.example ESMTP\r\n", b"\0\xff\r\n", b""]
)
def test_a_greeting_that_makes_no_sense_is_temporary(tls_files: TlsFiles, greeting: bytes) -> None:
    with ScriptedImap({}, greeting=greeting, tls=tls_files) as server, pytest.raises(TemporaryError):
        mailbox(server.port, ca_file=tls_files.ca, timeout=0.5, password=never_asked).open()


def test_a_port_where_nothing_listens_is_temporary(free_port: Callable[[], int]) -> None:
    with pytest.raises(TemporaryError, match="cannot connect"):
        mailbox(free_port(), password=never_asked).open()


def test_a_ca_file_that_is_missing_is_named(tls_files: TlsFiles) -> None:
    missing = tls_files.ca.with_name("missing.pem")
    with pytest.raises(PermanentError, match=r"missing\.pem"):
        mailbox(1, ca_file=missing).open()


def test_a_wrong_password_is_refused_for_good(dovecot: Dovecot, mail_user: str) -> None:
    box = mailbox(dovecot.imaps_port, user=mail_user, ca_file=dovecot.tls.ca, password=lambda: "wrong")
    with pytest.raises(PermanentError, match="sign-in refused"):
        box.open()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n", PermanentError),
        (b"{tag} NO go away\r\n", PermanentError),
        (b"{tag} NO [UNAVAILABLE] later\r\n", TemporaryError),
        (b"{tag} NO [INUSE] later\r\n", TemporaryError),
        (b"{tag} NO [LIMIT] too many connections\r\n", TemporaryError),
        (b"{tag} BAD what\r\n", TemporaryError),
        (b"* BYE shutting down\r\n", TemporaryError),
    ],
)
@pytest.mark.parametrize("capability", [b"AUTH=PLAIN", b""])
def test_a_refused_sign_in_is_told_from_a_delayed_one(
    tls_files: TlsFiles, answer: bytes, kind: type[Exception], capability: bytes
) -> None:
    answers = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 " + capability + b"\r\n{tag} OK done\r\n",
        b"AUTHENTICATE": answer,
        b"LOGIN": answer,
    }
    with ScriptedImap(answers, tls=tls_files) as server, pytest.raises(kind) as caught:
        mailbox(server.port, ca_file=tls_files.ca).open()
    assert PASSWORD not in str(caught.value)
    assert (TOKEN if capability else PASSWORD.encode()) in server.heard


def test_too_many_connections_are_a_delay(dovecot_crowded: Dovecot, mail_user: str) -> None:
    server = dovecot_crowded
    with server.client(mail_user), server.client(mail_user), pytest.raises(TemporaryError):
        mailbox(server.imaps_port, user=mail_user, ca_file=server.tls.ca).open()


@pytest.mark.parametrize(
    ("user", "password"), [("desk\r\nA1 DELETE INBOX", "x"), ("desk", "x\r\ny"), ("d\0", "x")]
)
def test_a_credential_with_a_line_break_is_not_sent(tls_files: TlsFiles, user: str, password: str) -> None:
    with ScriptedImap(SIGNED_IN, tls=tls_files) as server, pytest.raises(PermanentError, match="line break"):
        mailbox(server.port, ca_file=tls_files.ca, user=user, password=lambda: password).open()
    assert b"AUTHENTICATE" not in server.heard


def test_a_login_that_would_need_quoting_is_not_sent_where_only_login_is_offered(tls_files: TlsFiles) -> None:
    answers = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"}
    with ScriptedImap(answers, tls=tls_files) as server, pytest.raises(PermanentError, match="AUTH=PLAIN"):
        mailbox(server.port, ca_file=tls_files.ca, user='desk" "x').open()
    assert b"LOGIN" not in server.heard


def test_a_password_may_be_any_text(tls_files: TlsFiles) -> None:
    password = 'pässwörd "with\\ 서울'
    with ScriptedImap(SIGNED_IN, tls=tls_files) as server:
        box = mailbox(server.port, ca_file=tls_files.ca, password=lambda: password)
        assert box.open() == 7
        box.close()
    assert base64.b64encode(f"\0desk\0{password}".encode()) in server.heard


@pytest.mark.parametrize("name", ["", "a\r\nA1 DELETE INBOX", "a\0b", "a\x7fb"])
def test_a_folder_name_with_control_characters_never_reaches_the_wire(opened: Any, name: str) -> None:
    with pytest.raises(PermanentError, match="control character"):
        mailbox(1, folder=name)
    with pytest.raises(PermanentError, match="control character"):
        mailbox(1, folders=("Processed", name))
    box = opened()
    with pytest.raises(PermanentError, match="control character"):
        box.file(["1"], name)


@pytest.mark.parametrize(
    "key", ["", "0", "1:*", "1,2", "-1", "1\r\nA DELETE INBOX", "٣", "4294967296", "9" * 30]
)
def test_a_key_that_is_no_uid_never_reaches_the_wire(opened: Any, key: str) -> None:
    box = opened()
    with pytest.raises(ValueError, match="not a UID"):
        box.fetch([key])
    with pytest.raises(ValueError, match="not a UID"):
        box.file([key], "Processed")
    assert keys(box) == []


def test_a_folder_name_with_a_quote_or_a_wildcard_is_only_a_name(
    opened: Any, dovecot: Dovecot, mail_user: str
) -> None:
    box = opened()
    dovecot.append(mail_user, [b"Subject: a\r\n\r\n"])
    box.file(keys(box), 'Done "now" * %')
    assert dovecot.contents(mail_user, 'Done "now" * %') == [b"Subject: a\r\n\r\n"]


def test_a_missing_folder_is_a_permanent_error(opened: Any) -> None:
    with pytest.raises(PermanentError, match=r"Nowhere.*make it"):
        opened(folder="Nowhere")


def test_a_folder_made_anew_is_noticed(opened: Any, dovecot: Dovecot, mail_user: str) -> None:
    with dovecot.client(mail_user) as client:
        client.create_folder("Vouchers")
    box = opened(folder="Vouchers")
    before = box.open()
    with dovecot.client(mail_user) as client:
        client.delete_folder("Vouchers")
        client.create_folder("Vouchers")
    dovecot.append(mail_user, [b"Subject: new\r\n\r\n"], "Vouchers")
    with pytest.raises(TemporaryError):
        keys(box)
    assert box.open() != before
    assert len(keys(box)) == 1


def test_a_folder_made_anew_between_two_looks_is_read_under_its_new_uidvalidity(
    opened: Any, dovecot: Dovecot, mail_user: str
) -> None:
    with dovecot.client(mail_user) as client:
        client.create_folder("Vouchers")
        box = opened(folder="Vouchers")
        before = box.open()
        client.delete_folder("Vouchers")
        client.create_folder("Vouchers")
    assert box.open() != before
    assert keys(box) == []


def test_the_kernel_watches_over_a_connection_that_nobody_speaks_on(opened: Any) -> None:
    connection = opened()._connection.socket
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    idle, interval, count = (
        connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
    )
    assert idle + interval * count <= 120
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_a_bye_during_idle_is_an_error_at_once(opened: Any, tls_files: TlsFiles) -> None:
    answers = {**SIGNED_IN, b"AUTHENTICATE": b"{tag} OK [CAPABILITY IMAP4rev1 IDLE] signed in\r\n"}
    answers[b"IDLE"] = b"+ idling\r\n* BYE shutting down\r\n"
    with ScriptedImap(answers, tls=tls_files) as server:
        box = mailbox(server.port, ca_file=tls_files.ca)
        box.open()
        assert box.announces
        started = time.monotonic()
        with pytest.raises(TemporaryError, match=r"waiting: .*shutting down"):
            box.wait(30, -1)
        assert time.monotonic() - started < 8


def test_messages_marked_as_deleted_are_passed_over(opened: Any, dovecot: Dovecot, mail_user: str) -> None:
    box = opened()
    dovecot.append(mail_user, [b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\n"])
    with dovecot.client(mail_user) as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
    assert keys(box) == ["2"]
    assert [each.key for each in box.fetch(["1", "2"])] == ["2"]


def test_idle_is_issued_again_and_again(opened: Any, dovecot: Dovecot, mail_user: str) -> None:
    box = opened(idle_seconds=0.1)
    assert keys(box) == []
    delivery = threading.Timer(0.8, dovecot.append, (mail_user, [b"Subject: a\r\n\r\n"]))
    delivery.start()
    started = time.monotonic()
    box.wait(30, -1)
    assert 0.7 < time.monotonic() - started < 10
    delivery.join()
    assert keys(box) == ["1"]


def test_a_stop_is_obeyed_within_a_second_though_the_server_has_fallen_silent(
    opened: Any, dovecot: Dovecot
) -> None:
    taken = []
    for _ in range(3):  # the machine may be busy with other tests
        relay, wake, told = Relay(dovecot.imaps_port), os.eventfd(0), [0.0]
        box = opened(port=relay.port)

        def tell(wake: int = wake, told: list[float] = told) -> None:
            told[0] = time.monotonic()
            os.eventfd_write(wake, 1)

        threading.Timer(0.2, relay.freeze).start()
        threading.Timer(0.4, tell).start()
        assert not box.wait(30, wake)
        box.close()
        taken.append(time.monotonic() - told[0])
        with pytest.raises(TemporaryError, match="not connected"):
            box.fetch(["1"])
        relay.close()
        os.close(wake)
    assert min(taken) < 1


def test_a_silent_server_is_noticed_when_idle_ends(opened: Any, dovecot: Dovecot) -> None:
    relay = Relay(dovecot.imaps_port)
    box = opened(port=relay.port, timeout=1.0)
    threading.Timer(0.2, relay.freeze).start()
    with pytest.raises(TemporaryError):
        box.wait(0.5, -1)
    relay.close()


def test_a_server_that_goes_down_during_idle_is_noticed_at_once(opened: Any, dovecot: Dovecot) -> None:
    relay = Relay(dovecot.imaps_port)
    box = opened(port=relay.port)
    threading.Timer(0.3, relay.cut).start()
    started = time.monotonic()
    with pytest.raises(TemporaryError):
        box.wait(30, -1)
    assert time.monotonic() - started < 8
    relay.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 99999999999999\r\n{tag} OK done\r\n",
        b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n",
        b"* 1 FETCH (((((\r\n{tag} OK done\r\n",
        b"* 1 FETCH\r\n{tag} OK done\r\n",
        b"{tag} BAD never heard of it\r\n",
        b"* BYE\r\n",
        b"\xff\xfe\r\n",
    ],
)
def test_nonsense_for_an_answer_is_temporary(tls_files: TlsFiles, answer: bytes) -> None:
    with ScriptedImap({**SIGNED_IN, b"FETCH": answer, b"UID": answer}, tls=tls_files) as server:
        box = mailbox(server.port, ca_file=tls_files.ca, timeout=2.0)
        box.open()
        with pytest.raises(TemporaryError):
            keys(box)
        with pytest.raises(TemporaryError):
            box.fetch(["1"])
        box.close()


def test_a_full_mailbox_and_a_forbidden_folder_are_told_apart(tls_files: TlsFiles) -> None:
    flags = b"* 1 FETCH (UID 1 FLAGS ())\r\n{tag} OK done\r\n"
    for answer, kind in ((b"NO [OVERQUOTA] full", TemporaryError), (b"NO [NOPERM] no", PermanentError)):
        answers = {**SIGNED_IN, b"UID": b"{tag} " + answer + b"\r\n", b"FETCH": flags}
        with ScriptedImap(answers, tls=tls_files) as server:
            box = mailbox(server.port, ca_file=tls_files.ca)
            box.open()
            with pytest.raises(kind, match="filing"):
                box.file(["1"], "Processed")
            box.close()


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_neither_password_nor_mail_reaches_the_log(
    opened: Any, dovecot: Dovecot, mail_user: str, tls: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dovecot.append(mail_user, [b"Subject: canary-subject\r\n\r\ncanary-body\r\n"])
    caplog.clear()
    box = opened(tls=tls, port=dovecot.imaps_port if tls == "implicit" else dovecot.imap_port)
    assert len(box.fetch(keys(box))) == 1
    token = base64.b64encode(f"\0{mail_user}\0{PASSWORD}".encode()).decode()
    for canary in (PASSWORD, token, "canary"):
        assert canary not in caplog.text
