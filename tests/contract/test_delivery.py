"""What every way out for mail keeps to: one suite for the fake, the Maildir and SMTP against a real server.

Below it, what is special to SMTP: each stage of the conversation with each way to go wrong has its written outcome
(PROMISES.md, T6), and no credential leaves before verified TLS (P9, T16).
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.smtp_server import (
    ENDLESS,
    GARBAGE,
    RESET,
    SILENCE,
    Certificate,
    SmtpServer,
    make_certificate,
    smtp_server,
)  # fmt: skip
from voucherd.adapters.maildir_delivery import MaildirDelivery
from voucherd.adapters.smtp import SmtpDelivery
from voucherd.adapters.smtp.delivery import Timeouts
from voucherd.errors import ConfigurationError, PermanentError, TemporaryError
from voucherd.service.ports import Attempt, Delivery, Outcome, Stage

SENDER = "vouchers@desk.example"
PARTNER = "vouchers@contoso.example"
USER, PASSWORD = "desk", "correct horse battery staple"
MAIL = b"From: vouchers@desk.example\r\nSubject: synthetic\r\n\r\nOne.\r\n.\r\n..two\r\n.three\r\n"
QUICK = Timeouts(connect=0.7, command=0.7, final=0.7)
PATIENT = Timeouts(connect=10, command=10, final=10)


@dataclass
class Way:
    """A way out under test, and a look at what arrived."""

    delivery: Delivery
    arrived: Callable[[], list[bytes]]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def strange_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), name="mail.elsewhere.example")


@contextmanager
def signed_in(
    server: SmtpServer, certificate: Certificate, timeouts: Timeouts = PATIENT
) -> Iterator[SmtpDelivery]:
    """A delivery to `server` over STARTTLS with a sign-in, closed at the end."""
    delivery = SmtpDelivery(
        "localhost",
        server.port,
        user=USER,
        password=lambda: PASSWORD,
        ca_file=certificate.cert,
        timeouts=timeouts,
    )
    try:
        yield delivery
    finally:
        delivery.close()


@pytest.fixture(params=["fake", "maildir", "smtp"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    if request.param == "fake":
        fake = FakeDelivery()
        yield Way(fake, lambda: [one.content for one in fake.sent])
    elif request.param == "maildir":
        folder = tmp_path / "out"
        yield Way(
            MaildirDelivery(folder),
            lambda: [path.read_bytes() for path in sorted((folder / "new").iterdir())],
        )
    else:
        certificate = request.getfixturevalue("certificate")
        with (
            smtp_server(certificate, user=USER, password=PASSWORD) as server,
            signed_in(server, certificate) as delivery,
        ):
            yield Way(delivery, lambda: [one.content for one in server.received])


def test_a_mail_arrives_byte_for_byte(way: Way) -> None:
    assert way.delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    assert way.arrived() == [MAIL]


def test_the_null_sender_is_taken(way: Way) -> None:
    assert way.delivery.send("", PARTNER, MAIL).outcome is Outcome.SENT


def test_the_same_mail_sent_again_arrives_again(way: Way) -> None:
    for _ in range(3):
        assert way.delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    assert way.arrived() == [MAIL] * 3


def test_each_recipient_gets_a_copy_of_its_own(way: Way) -> None:
    for recipient in (PARTNER, "director@contoso.example"):
        assert way.delivery.send(SENDER, recipient, MAIL).outcome is Outcome.SENT
    assert way.arrived() == [MAIL] * 2


def test_closing_twice_and_sending_afterwards_is_no_error(way: Way) -> None:
    way.delivery.close()
    assert way.delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    way.delivery.close()
    way.delivery.close()


def test_the_answer_is_one_short_line(way: Way) -> None:
    attempt = way.delivery.send(SENDER, PARTNER, MAIL)
    assert attempt.answer
    assert attempt.answer.isprintable()
    assert len(attempt.answer) <= 500


def test_a_probe_sends_nothing(way: Way) -> None:
    way.delivery.probe()
    assert way.delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    way.delivery.probe()
    assert way.arrived() == [MAIL]


def test_a_stop_in_between_loses_nothing_that_was_sent(way: Way) -> None:
    assert way.delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
    way.delivery.hurry(20)
    way.delivery.close()
    assert way.arrived() == [MAIL]


# --- Maildir ---------------------------------------------------------------------------------------------------


def test_the_maildir_says_where_it_put_the_mail(tmp_path: Path) -> None:
    delivery = MaildirDelivery(tmp_path / "out")
    attempt = delivery.send(SENDER, PARTNER, MAIL)
    assert delivery.path_of_last is not None
    assert attempt.answer == str(delivery.path_of_last)
    assert delivery.path_of_last.read_bytes() == MAIL
    assert delivery.path_of_last.name.endswith(PARTNER)


def test_a_recipient_cannot_lead_the_maildir_out_of_its_folder(tmp_path: Path) -> None:
    delivery = MaildirDelivery(tmp_path / "out")
    assert delivery.send(SENDER, "../../../etc/x:2,S@contoso.example", MAIL).outcome is Outcome.SENT
    assert [path.parent for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "out" / "new"]


def test_a_maildir_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    attempt = MaildirDelivery(tmp_path / "out").send(SENDER, PARTNER, MAIL)
    assert attempt.outcome is Outcome.TEMPORARY


def test_a_disk_error_while_writing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = MaildirDelivery(tmp_path / "out")
    delivery.send(SENDER, PARTNER, MAIL)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voucherd.durable.os.fsync", full)
    attempt = delivery.send(SENDER, "director@contoso.example", MAIL)
    assert attempt.outcome is Outcome.TEMPORARY
    assert "No space left" in attempt.answer
    assert list((tmp_path / "out" / "tmp").iterdir()) == []
    assert len(list((tmp_path / "out" / "new").iterdir())) == 1


# --- SMTP: the conversation ------------------------------------------------------------------------------------


def test_many_mails_go_over_one_connection(certificate: Certificate) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        for _ in range(5):
            assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        assert server.commands["CONNECT"] == 1
        assert server.commands["RSET"] == 0
        assert {(one.secure, one.user) for one in server.received} == {(True, USER)}
        assert {one.recipients for one in server.received} == {(PARTNER,)}


def test_implicit_tls_is_spoken_from_the_first_byte(certificate: Certificate) -> None:
    with smtp_server(certificate, implicit=True) as server:
        delivery = SmtpDelivery(
            "localhost", server.port, tls="implicit", ca_file=certificate.cert, timeouts=PATIENT
        )
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        delivery.close()
        assert server.received[0].secure


def test_a_connection_that_the_server_dropped_is_opened_again(certificate: Certificate) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        server.drop_connections()
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        assert server.commands["CONNECT"] == 2


def test_a_worn_out_connection_is_opened_again_without_a_pause(certificate: Certificate) -> None:
    """Many servers end a connection with 421 after so many mails."""
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        server.answer_with("MAIL", "421 4.7.0 too many mails on this connection")
        attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.SENT, False)


def test_one_of_two_refused_recipients_is_told_apart(certificate: Certificate) -> None:
    gone = "gone@contoso.example"
    with (
        smtp_server(
            certificate, user=USER, password=PASSWORD, refuse={gone: "550 5.1.1 No such user"}
        ) as server,
        signed_in(server, certificate) as delivery,
    ):
        assert delivery.send(SENDER, gone, MAIL) == Attempt(
            Outcome.PERMANENT, "550 5.1.1 No such user", stage=Stage.RECIPIENT
        )
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        assert [one.recipients for one in server.received] == [(PARTNER,)]
        assert server.commands["RSET"] == 1  # the server must forget whose mail was half said
        assert server.commands["CONNECT"] == 1


def test_a_connection_that_breaks_at_its_first_mail_is_not_tried_at_once_again(
    certificate: Certificate,
) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        server.answer_with("MAIL", "not a reply", "not a reply")
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.TEMPORARY
        assert server.commands["CONNECT"] == 1


def test_a_mail_larger_than_the_server_takes_is_refused_before_it_is_sent(certificate: Certificate) -> None:
    with smtp_server(certificate, user=USER, password=PASSWORD, size_limit=50) as server:  # noqa: SIM117
        with signed_in(server, certificate) as delivery:
            assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.PERMANENT
            assert server.commands["MAIL"] == 0


@pytest.mark.parametrize("smtputf8", [False, True])
def test_an_address_outside_of_ascii_needs_smtputf8(certificate: Certificate, smtputf8: bool) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD, smtputf8=smtputf8) as server,
        signed_in(server, certificate) as delivery,
    ):
        outcome = delivery.send(SENDER, "상품권@contoso.example", MAIL).outcome
        assert outcome is (Outcome.SENT if smtputf8 else Outcome.PERMANENT)


@pytest.mark.parametrize(
    "recipient",
    ["a@b.example>\r\nRCPT TO:<evil@evil.example", "a@b.example SIZE=1", "<a@b.example>", "a", "", "a@b@c.example",
     "a\u202eb@c.example", "x" * 250 + "@c.example"],
)  # fmt: skip
def test_what_is_no_address_never_reaches_the_server(certificate: Certificate, recipient: str) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        assert delivery.send(SENDER, recipient, MAIL).outcome is Outcome.PERMANENT
        assert server.commands["CONNECT"] == 0


@pytest.mark.parametrize(
    "content", [b"A: b\n\nbare\n", b"A: b\r\n\r\n\r.\r\n", b"A: b\r\n\r\n\n.\r\nMAIL FROM:<>\r\n"]
)
def test_line_ends_that_could_smuggle_a_second_mail_are_refused(
    certificate: Certificate, content: bytes
) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        assert delivery.send(SENDER, PARTNER, content).outcome is Outcome.PERMANENT
        assert server.commands["CONNECT"] == 0


def test_a_stop_ends_the_wait_for_the_final_answer_in_doubt(certificate: Certificate) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        server.answer_with("END-OF-DATA", SILENCE)
        attempts: list[Attempt] = []
        sending = threading.Thread(target=lambda: attempts.append(delivery.send(SENDER, PARTNER, MAIL)))
        sending.start()
        assert server.wait_for("END-OF-DATA")
        delivery.hurry(0.2)
        sending.join(5)
        assert [attempt.outcome for attempt in attempts] == [Outcome.IN_DOUBT]
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.TEMPORARY


# --- SMTP: nine stages, seven ways to go wrong -----------------------------------------------------------------

BEFORE_MAIL = ("GREETING", "EHLO", "STARTTLS", "AUTH")
ABOUT_THE_MAIL = ("RCPT", "DATA", "END-OF-DATA")
CODES = {"421": "421 4.3.2 closing", "4xx": "450 4.2.1 later", "5xx": "550 5.7.1 no"}
BEHAVIOURS = {"silence": SILENCE, "reset": RESET, "garbage": GARBAGE, "endless": ENDLESS}


def written_outcome(stage: str, trouble: str) -> tuple[Outcome, bool]:
    """PROMISES.md, Between SMTP's 250 and the commit: certain refusals, certain acceptance, or unknown."""
    if stage == "QUIT":
        return Outcome.SENT, False
    if stage in BEFORE_MAIL:
        return Outcome.TEMPORARY, True
    if trouble == "421":
        return Outcome.TEMPORARY, True
    if stage == "MAIL":
        return Outcome.TEMPORARY, trouble in CODES
    if trouble == "4xx":
        return Outcome.TEMPORARY, False
    if trouble == "5xx":
        return Outcome.PERMANENT, False
    return (Outcome.IN_DOUBT if stage == "END-OF-DATA" else Outcome.TEMPORARY), False


STAGES_AND_OFFERS = [
    *((stage, True) for stage in (*BEFORE_MAIL, "MAIL", *ABOUT_THE_MAIL, "QUIT")),
    *((stage, False) for stage in ("MAIL", *ABOUT_THE_MAIL)),
]


@pytest.mark.parametrize("trouble", [*CODES, *BEHAVIOURS])
@pytest.mark.parametrize(("stage", "pipelining"), STAGES_AND_OFFERS)
def test_each_trouble_at_each_stage_has_its_written_outcome(
    certificate: Certificate, stage: str, pipelining: bool, trouble: str
) -> None:
    silent = Timeouts(connect=1 if stage == "GREETING" else 10, command=1, final=1)
    with smtp_server(certificate, user=USER, password=PASSWORD, pipelining=pipelining) as server:
        with signed_in(server, certificate, silent if trouble == "silence" else PATIENT) as delivery:
            server.answer_with(stage, {**CODES, **BEHAVIOURS}[trouble])
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == written_outcome(stage, trouble)
        assert len(server.received) == (1 if stage == "QUIT" else 0)
        assert PASSWORD not in attempt.answer


@pytest.mark.parametrize("trouble", ["4xx", "421", "reset", "garbage"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END-OF-DATA"])
@pytest.mark.parametrize("pipelining", [True, False])
def test_the_next_mail_goes_out_after_a_trouble(
    certificate: Certificate, pipelining: bool, stage: str, trouble: str
) -> None:
    with (
        smtp_server(certificate, user=USER, password=PASSWORD, pipelining=pipelining) as server,
        signed_in(server, certificate) as delivery,
    ):
        server.answer_with(stage, {**CODES, **BEHAVIOURS}[trouble])
        delivery.send(SENDER, PARTNER, MAIL)
        server.plan.answers.clear()
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        assert len(server.received) == 1


def test_what_is_said_before_the_data_takes_one_round_trip_where_the_server_allows_it() -> None:
    said = (
        b"220 hello\r\n",
        b"250-mx\r\n250 PIPELINING\r\n",
        b"250 ok\r\n250 ok\r\n354 go\r\n",
        b"250 taken\r\n",
    )
    with talking(*said, pause=0.2) as port:
        attempt = SmtpDelivery("127.0.0.1", port, tls="off", timeouts=PATIENT).send(SENDER, PARTNER, MAIL)
        assert attempt == Attempt(Outcome.SENT, "250 taken")


def test_a_server_that_waits_for_data_without_a_recipient_gets_none(certificate: Certificate) -> None:
    """A server may go ahead although it took no recipient (RFC 2920 section 3.1)."""
    with (
        smtp_server(certificate, user=USER, password=PASSWORD) as server,
        signed_in(server, certificate) as delivery,
    ):
        server.answer_with("RCPT", "550 5.1.1 No such user")
        server.answer_with("DATA", "354 go ahead")
        attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.stage) == (Outcome.PERMANENT, Stage.RECIPIENT)
        assert delivery.send(SENDER, PARTNER, MAIL).outcome is Outcome.SENT
        assert (len(server.received), server.commands["CONNECT"]) == (1, 2)


def test_an_answer_that_drips_is_not_waited_for_longer_than_one_that_is_silent() -> None:
    """A time limit that starts again with each byte is none."""
    with talking(b"2", b"2", b"0", b"-", *[b"x"] * 200, pause=0.1) as port:
        begun = time.monotonic()
        attempt = SmtpDelivery("127.0.0.1", port, tls="off", timeouts=QUICK).send(SENDER, PARTNER, MAIL)
        assert attempt.outcome is Outcome.TEMPORARY
        assert time.monotonic() - begun < 5


def test_an_answer_given_before_it_was_asked_for_is_never_taken_for_the_final_one() -> None:
    said = b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n354 go\r\n250 taken, honestly\r\n"
    with talking(*said, pause=0.05) as port:
        attempt = SmtpDelivery("127.0.0.1", port, tls="off", timeouts=QUICK).send(SENDER, PARTNER, MAIL)
        assert attempt.outcome is Outcome.TEMPORARY


@contextmanager
def talking(*said: bytes, pause: float) -> Iterator[int]:
    """A listener on loopback that says its pieces one after the other, whatever it hears."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            for piece in said:
                try:
                    connection.sendall(piece)
                except OSError:
                    return
                ended.wait(pause)
            ended.wait(10)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        ended.set()
        thread.join(5)
        listener.close()


# --- SMTP: TLS and secrets -------------------------------------------------------------------------------------


def test_no_credential_leaves_for_a_certificate_that_is_not_trusted(
    certificate: Certificate, strange_certificate: Certificate
) -> None:
    with smtp_server(strange_certificate, user=USER, password=PASSWORD) as server:
        with signed_in(server, certificate) as delivery:
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
        assert "certificate" in attempt.answer
        assert server.auth_lines == []
        assert server.commands["MAIL"] == 0


def test_no_credential_leaves_for_another_servers_trusted_certificate(
    strange_certificate: Certificate,
) -> None:
    with smtp_server(strange_certificate, user=USER, password=PASSWORD) as server:
        with signed_in(server, strange_certificate) as delivery:
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
        assert server.auth_lines == []


def test_nothing_is_sent_where_starttls_is_not_offered(certificate: Certificate) -> None:
    with smtp_server(user=USER, password=PASSWORD) as server:
        with signed_in(server, certificate) as delivery:
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
        assert "STARTTLS" in attempt.answer
        assert server.auth_lines == []
        assert server.commands["MAIL"] == 0


def test_what_is_said_between_starttls_and_tls_is_refused(certificate: Certificate) -> None:
    said = b"220 hello\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"
    with talking(*said, pause=0.2) as port:
        delivery = SmtpDelivery("127.0.0.1", port, ca_file=certificate.cert, timeouts=PATIENT)
        attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)


def test_old_tls_is_not_spoken(certificate: Certificate) -> None:
    delivery = SmtpDelivery("localhost", 1, ca_file=certificate.cert)
    context = delivery._context
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("host", ["smtp.desk.example", "192.0.2.25", "localhost.desk.example", "::2"])
def test_mail_without_tls_leaves_only_for_this_machine(host: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SmtpDelivery(host, 25, tls="off")
    assert "unencrypted" in str(refused.value)


def test_a_wrong_password_pauses_the_account_and_not_the_message(certificate: Certificate) -> None:
    with smtp_server(certificate, user=USER, password="another") as server:
        with signed_in(server, certificate) as delivery:
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
        assert attempt.answer.startswith("sign-in refused: 535")


def test_a_probe_tells_what_a_person_must_change_from_what_will_pass(
    certificate: Certificate, strange_certificate: Certificate
) -> None:
    with (
        smtp_server(certificate, user=USER, password="another") as server,
        signed_in(server, certificate) as delivery,
    ):
        with pytest.raises(PermanentError, match="535"):
            delivery.probe()
        server.answer_with("AUTH", "454 4.7.0 later")
        with pytest.raises(TemporaryError, match="later"):
            delivery.probe()
        assert server.commands["MAIL"] == 0
    with smtp_server(strange_certificate) as server, signed_in(server, certificate) as delivery:  # noqa: SIM117
        with pytest.raises(PermanentError, match="certificate"):
            delivery.probe()
    with pytest.raises(TemporaryError):
        delivery.probe()


def test_a_maildir_that_cannot_be_made_fails_its_probe(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    with pytest.raises(PermanentError):
        MaildirDelivery(tmp_path / "out").probe()


def test_a_server_that_repeats_the_secret_does_not_bring_it_into_the_answer(certificate: Certificate) -> None:
    with smtp_server(certificate, user=USER, password=PASSWORD) as server:
        with signed_in(server, certificate) as delivery:
            server.answer_with("AUTH", f"535 5.7.8 {PASSWORD} is wrong")
            attempt = delivery.send(SENDER, PARTNER, MAIL)
        assert PASSWORD not in attempt.answer
        assert "***" in attempt.answer


def test_a_password_that_cannot_be_read_pauses_and_says_so(certificate: Certificate) -> None:
    def unreadable() -> str:
        raise TemporaryError("no such credential")

    with smtp_server(certificate, user=USER, password=PASSWORD) as server:
        delivery = SmtpDelivery(
            "localhost",
            server.port,
            user=USER,
            password=unreadable,
            ca_file=certificate.cert,
            timeouts=PATIENT,
        )
        attempt = delivery.send(SENDER, PARTNER, MAIL)
        delivery.close()
    assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
    assert "password" in attempt.answer


def test_a_server_that_nobody_answers_for_is_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    attempt = SmtpDelivery("127.0.0.1", port, tls="off", timeouts=QUICK).send(SENDER, PARTNER, MAIL)
    assert (attempt.outcome, attempt.pause) == (Outcome.TEMPORARY, True)
