"""`voucherd run` as systemd runs it: ready, reading while it idles, reloading, stopping, and never stopped by one
mailbox that is down. Dovecot, SMTP and the notify socket are real."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.mails import voucher_mails
from tests.acceptance.desk import ENGLISH, GERMAN, Desk, parsed, sample, submission_server
from tests.acceptance.running import NotifySocket, daemon, eventually
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay
from tests.smtp_server import SILENCE, SmtpServer

pytestmark = pytest.mark.server

SOON = 10.0
AS_OF = "2021-07-01"
NEW_PARTNER = """
[[partners]]
id = "tailspin"
name = "Tailspin Toys"
addresses = ["vouchers@tailspin.example"]
timezone = "Europe/Madrid"
country = "ES"
aliases = ["vouchers+tailspin@desk.example"]
"""


@pytest.fixture
def smtp(tls_files: TlsFiles) -> Iterator[SmtpServer]:
    server = submission_server(tls_files).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, smtp: SmtpServer, mail_user: str) -> Desk:
    return Desk(tmp_path, tls_files, mail_user).imap(dovecot.imaps_port, mail_user).smtp(smtp.port)


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(tmp_path / "notify")) as listening:
        yield listening


def answered(smtp: SmtpServer) -> list[str]:
    """Who has had a receipt."""
    return [
        to
        for mail in smtp.received
        for to in mail.recipients
        if b"Auto-Submitted: auto-replied" in mail.content
    ]


def test_mail_that_comes_while_it_idles_is_recorded_and_answered_within_seconds(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer, notify: NotifySocket
) -> None:
    with daemon(desk, NOTIFY_SOCKET=str(notify.path)) as running:
        assert any(line.startswith("STATUS=") for line in notify.next("READY=1"))
        for name, voucher, sender in (
            (ENGLISH, "DPS-83K2-99017", "mara@adatum.example"),
            (GERMAN, "DPS-77C4-31008", "jens.vogt@margies.example"),
        ):
            before = len(dovecot.contents(desk.user, "Processed")) if name == GERMAN else 0
            dovecot.append(desk.user, [sample(name)])  # without push it would be read a minute later
            running.says("message.recorded", voucher, seconds=SOON)
            running.says("outbox.sent", sender, seconds=SOON)
            assert sender in answered(smtp)
            assert eventually(lambda count=before + 1: len(dovecot.contents(desk.user, "Processed")) == count)

        running.tell(signal.SIGTERM)
        notify.next("STOPPING=1")
        assert running.ends(SOON) == 0
        assert "Traceback" not in "\n".join(running.log)
        assert "daemon.stopped" in running.log[-1]
    (counted,) = desk.json("audit")
    assert (counted["seen"], counted["recorded"], counted["lost"]) == (2, 2, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_it_within_seconds_with_0_even_when_nothing_ever_came(
    desk: Desk, notify: NotifySocket, number: signal.Signals
) -> None:
    with daemon(desk, NOTIFY_SOCKET=str(notify.path)) as running:
        notify.next("READY=1")
        running.tell(number)
        notify.next("STOPPING=1")
        assert running.ends(SOON) == 0
        assert "Traceback" not in "\n".join(running.log)


def test_a_stop_in_the_middle_of_the_work_finishes_the_unit_at_hand_and_the_next_start_the_rest(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer, notify: NotifySocket
) -> None:
    desk.config.write_text(f"{desk.config.read_text()}burst_limit = 1000\n")
    mails = (
        mail.replace(b"<vouchers@desk.example>", b"<vouchers+contoso@desk.example>")
        for mail in voucher_mails(420)
    )
    dovecot.append(desk.user, mails)
    with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
        running.says("message.recorded", seconds=30)  # the first batch of several
        running.tell(signal.SIGTERM)
        assert running.ends(29) == 0
        assert "Traceback" not in "\n".join(running.log)
    (counted,) = desk.json("audit", as_of=AS_OF)
    done = counted["recorded"]
    assert done > 0
    assert (len(dovecot.contents(desk.user)), counted["review"], counted["lost"]) == (420 - done, 0, 0)
    passed = desk.json("run", "--once", as_of=AS_OF)
    assert (passed["read"], passed["recorded"]) == (420 - done, 420 - done)
    assert dovecot.contents(desk.user) == []
    assert len(answered(smtp)) == len(set(answered(smtp))) == 420


def test_a_stop_waits_twenty_seconds_for_an_outstanding_answer_which_is_then_in_doubt(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer, notify: NotifySocket
) -> None:
    smtp.answer_with("END-OF-DATA", SILENCE)
    dovecot.append(desk.user, [sample(ENGLISH), sample(GERMAN)])
    with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
        assert smtp.wait_for("END-OF-DATA", 20)
        running.tell(signal.SIGTERM)
        notify.next("STOPPING=1")
        assert running.ends(29) == 0
        assert "Traceback" not in "\n".join(running.log)
    states = {mail["to"][0]: mail["status"] for mail in desk.json("outbox", as_of=AS_OF)}
    assert states == {"mara@adatum.example": "in-doubt", "jens.vogt@margies.example": "planned"}


def test_the_watchdog_is_fed_at_half_its_time_and_only_where_it_is_asked_for(
    desk: Desk, notify: NotifySocket
) -> None:
    with daemon(desk, NOTIFY_SOCKET=str(notify.path), WATCHDOG_USEC="2000000") as running:
        notify.next("READY=1")
        for _ in range(3):
            notify.next("WATCHDOG=1", seconds=2)
        assert running.process.poll() is None


def test_a_reload_takes_a_new_partner_and_keeps_the_old_ones_when_the_edit_is_broken(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer, notify: NotifySocket
) -> None:
    partners = desk.folder / "partners.toml"
    good = partners.read_text() + NEW_PARTNER
    with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
        notify.next("READY=1")
        partners.write_text(good)
        running.tell(signal.SIGHUP)
        reloading = notify.next("RELOADING=1")
        assert [line for line in reloading if re.fullmatch(r"MONOTONIC_USEC=\d+", line)]
        notify.next("READY=1")
        running.says("daemon.reloaded", "partners=3")
        for_tailspin = sample(ENGLISH).replace(b"vouchers+contoso@", b"vouchers+tailspin@")
        dovecot.append(desk.user, [for_tailspin])
        running.says("message.recorded", "handed in for tailspin", seconds=SOON)

        partners.write_text(good.replace('timezone = "Europe/Madrid"', 'timezone = "Europe/Madrit"'))
        running.tell(signal.SIGHUP)
        notify.next("RELOADING=1")
        notify.next("READY=1")
        refused = running.says("daemon.reload-refused")
        for word in ("partners[2].timezone", "Europe/Madrit", "Europe/Madrid", "the old configuration stays"):
            assert word in refused
        dovecot.append(desk.user, [sample(GERMAN)])
        running.says("message.recorded", "handed in for fabrikam", seconds=SOON)
        assert eventually(lambda: len(answered(smtp)) == 2)

        running.tell(signal.SIGTERM)
        assert running.ends(SOON) == 0
    partners.write_text(good)
    assert {row["id"]: row["partner"] for row in desk.json("vouchers", as_of=AS_OF)} == {
        "DPS-83K2-99017": "tailspin",
        "DPS-77C4-31008": "fabrikam",
    }


def test_a_mailbox_that_is_down_does_not_stop_the_other_and_is_read_when_it_comes_back(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    smtp: SmtpServer,
    mail_user: str,
    free_port: Callable[[], int],
    notify: NotifySocket,
) -> None:
    port, other = free_port(), f"second-{mail_user}"
    desk = Desk(tmp_path, tls_files, mail_user).imap(port, other, "second", poll=1)
    desk.imap(dovecot.imaps_port, mail_user, "first").smtp(smtp.port)
    dovecot.append(mail_user, [sample(ENGLISH)])
    dovecot.append(other, [sample(GERMAN)])
    with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
        notify.next("READY=1")
        running.says("message.recorded", "DPS-83K2-99017", seconds=SOON)
        assert eventually(lambda: answered(smtp) == ["mara@adatum.example"])
        states = {
            row["name"]: row["state"] for row in desk.json("status", as_of=AS_OF, status=1)["mailboxes"]
        }
        assert states == {"first": "ok", "second": "unreachable"}

        with closing(Relay(dovecot.imaps_port, port)):
            running.says("message.recorded", "DPS-77C4-31008", seconds=SOON)
            assert eventually(lambda: "jens.vogt@margies.example" in answered(smtp))
            assert {row["state"] for row in desk.json("status", as_of=AS_OF)["mailboxes"]} == {"ok"}
        running.says("mailbox.failed", "second", seconds=SOON)  # the relay is closed: down again

        running.tell(signal.SIGTERM)
        assert running.ends(SOON) == 0
        assert "Traceback" not in "\n".join(running.log)


def test_a_connection_that_is_cut_while_it_idles_is_made_again(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    smtp: SmtpServer,
    mail_user: str,
    notify: NotifySocket,
) -> None:
    with closing(Relay(dovecot.imaps_port)) as relay:
        desk = Desk(tmp_path, tls_files, mail_user).imap(relay.port, mail_user).smtp(smtp.port)
        with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
            notify.next("READY=1")
            dovecot.append(mail_user, [sample(ENGLISH)])
            running.says("message.recorded", "DPS-83K2-99017", seconds=SOON)
            relay.cut()
            running.says("mailbox.failed", seconds=SOON)
            dovecot.append(mail_user, [sample(GERMAN)])
            running.says("message.recorded", "DPS-77C4-31008", seconds=SOON)
            assert eventually(lambda: len(answered(smtp)) == 2)
    sent = [(parsed(mail.content)["Message-ID"], *mail.recipients) for mail in smtp.received]
    assert len(set(sent)) == len(sent)
