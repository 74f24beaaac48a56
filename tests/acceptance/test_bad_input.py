"""What is wrong costs itself alone, and is said in words: configurations, mails, servers that are down, calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path

import pytest

from tests.acceptance.desk import (
    ENGLISH,
    GERMAN,
    SAMPLE,
    Desk,
    parsed,
    run,
    sample,
    voucherd,
    working_environ,
)
from tests.acceptance.running import daemon
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"
ADATUM = "DPS-83K2-99017"
LARGE = 40 * 1024 * 1024

FAULTY = """\
[desk]
address = "vouchers.desk.example"
timezone = "Europe/Berlim"
partners = "partners.toml"
localle = "en"

[[mailboxes]]
name = "vouchers"
url = "imap4://vouchers@imap.desk.example/INBOX"

[reminders]
send_at = "9 o'clock"
"""


def test_a_configuration_with_five_faults_gives_five_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "voucherd.toml").write_text(FAULTY)
    (tmp_path / "partners.toml").write_bytes((SAMPLE / "partners.toml").read_bytes())
    for words in (["check"], ["vouchers", "--json"], ["run", "--once"], ["run"]):
        ended = run([*voucherd(), "--config", "voucherd.toml", *words], tmp_path, working_environ())
        assert (ended.status, ended.out, len(ended.lines)) == (78, "", 5)
        for line, key, value, remedy in zip(
            sorted(ended.lines),
            ("desk.address", "desk.localle", "desk.timezone", "mailboxes[0].url", "reminders.send_at"),
            (
                "vouchers.desk.example",
                "en",
                "Europe/Berlim",
                "imap4://vouchers@imap.desk.example/INBOX",
                "9 o'clock",
            ),
            ("name@contoso.example", '"locale"', "Europe/Berlin", '"imap"', "09:00"),
            strict=True,
        ):
            file, _, rest = line.partition(": ")
            assert Path(file).name == "voucherd.toml"
            assert rest.startswith(key)
            assert value in rest
            assert remedy in rest.rpartition(";")[2]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["partners.toml", "voucherd.toml"]


def head(subject: str, number: int) -> str:
    """The headers of a synthetic mail from an authenticated customer."""
    return (
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=adatum.example\r\n"
        "From: Mara Lindqvist <mara@adatum.example>\r\nTo: vouchers+contoso@desk.example\r\n"
        f"Subject: {subject}\r\nDate: Tue, 22 Jun 2021 10:02:11 +0200\r\n"
        f"Message-ID: <bad-{number}@adatum.example>\r\nMIME-Version: 1.0\r\n"
    )


TRUNCATED = (
    head("a truncated message", 1) + 'Content-Type: multipart/mixed; boundary="=_x"\r\n\r\n'
    "--=_x\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    'Content-Disposition: attachment; filename="voucher.pdf"\r\n\r\nJVBERi0xLjcKJeLjz9MKMSAwIG9'
).encode()
UNKNOWN_CHARSET = (
    head("an unknown charset", 2) + 'Content-Type: text/plain; charset="x-klingon-1"\r\n'
    "Content-Transfer-Encoding: 8bit\r\n\r\n"
).encode() + bytes(range(0xA1, 0xFF)) * 3
BINARY = b"".join(sha512(bytes(2) * n).digest() for n in range(500)).replace(
    b"\0", b"\1"
)  # IMAP appends carry no NUL


def large_mail() -> bytes:
    """A mail of 40 MB that would hand in a voucher, were it read."""
    text = head("a large mail", 3).encode() + b"\r\nVoucher number: DPS-LARG-00001\r\n\r\n"
    return text + (b"x" * 76 + b"\r\n") * ((LARGE - len(text)) // 78)


def test_bad_mails_in_one_batch_go_to_review_with_a_reason_and_the_good_one_is_recorded(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    for content in (b"\r\n", BINARY, TRUNCATED, large_mail(), UNKNOWN_CHARSET, sample(ENGLISH)):
        dovecot.append(desk.user, [content])
    passed = desk.json("run", "--once", as_of=AS_OF)
    assert {name: passed[name] for name in ("read", "recorded", "ignored", "review", "sent")} == {
        "read": 6,
        "recorded": 1,
        "ignored": 0,
        "review": 5,
        "sent": 1,
    }
    assert_bad_ones_wait(desk)
    assert len(dovecot.contents(desk.user, "Processed")) == 1
    with dovecot.client(desk.user) as client:
        client.select_folder("Review", readonly=True)
        sizes = [one[b"RFC822.SIZE"] for one in client.fetch(client.search("ALL"), ["RFC822.SIZE"]).values()]
    assert len(sizes) == 5
    assert max(sizes) > 39 * 1024 * 1024
    assert (
        sum(path.stat().st_size for path in (desk.folder / "var" / "mail").rglob("*") if path.is_file()) < 1e6
    )
    assert most_sent_in_a_session(dovecot, desk.user) < 1_000_000


def test_bad_mails_in_a_maildir_do_no_more_harm(tmp_path: Path, tls_files: TlsFiles) -> None:
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    mails = (b"", BINARY + b"\0\0", TRUNCATED, large_mail(), UNKNOWN_CHARSET, sample(ENGLISH))
    for number, content in enumerate(mails):
        (tmp_path / "in" / "new" / f"{number}.mail").write_bytes(content)
    passed = desk.json("run", "--once", as_of=AS_OF)
    assert (passed["read"], passed["recorded"], passed["review"], passed["sent"]) == (6, 1, 5, 1)
    assert_bad_ones_wait(desk)
    assert len(list((tmp_path / "in" / ".Review").glob("*/*.mail*"))) == 5


def assert_bad_ones_wait(desk: Desk) -> None:
    """Five review entries, each with code and reason; nothing lost; one voucher."""
    entries = desk.json("review", as_of=AS_OF)
    assert len(entries) == 5
    assert sorted(entry["code"] for entry in entries) == ["too-large", *["unreadable"] * 4]
    reasons = "\n".join(entry["reason"] for entry in entries)
    for reason in (
        "the message is empty",
        "no header line: this is no mail",
        "the message breaks off: its closing boundary is missing",
        "unknown charset 'x-klingon-1'",
        "more than max_message_bytes = 26,214,400: not downloaded",
    ):
        assert reason in reasons
    assert [voucher["id"] for voucher in desk.json("vouchers", as_of=AS_OF)] == [ADATUM]
    (counted,) = desk.json("audit", as_of=AS_OF)
    assert (counted["seen"], counted["recorded"], counted["review"], counted["lost"]) == (6, 1, 5, 0)


def most_sent_in_a_session(dovecot: Dovecot, user: str) -> int:
    """The most bytes that Dovecot sent in one session of this user, by its log."""
    log = (dovecot.folder / "dovecot.log").read_text()
    return max(int(sent) for sent in re.findall(rf"imap\({re.escape(user)}\).*? out=(\d+)", log))


def test_a_mailbox_that_is_down_does_not_stop_the_other_and_is_named(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    smtp: SmtpServer,
    mail_user: str,
    free_port: Callable[[], int],
) -> None:
    desk = Desk(tmp_path, tls_files, mail_user).imap(free_port(), mail_user, "closed")
    desk.imap(dovecot.imaps_port, mail_user, "vouchers").smtp(smtp.port)
    dovecot.append(mail_user, [sample(ENGLISH)])
    ended = desk.run("run", "--once", "--json", as_of=AS_OF)
    assert ended.status == 75
    assert (ended.json["recorded"], ended.json["sent"]) == (1, 1)
    assert [line for line in ended.lines if line.startswith("voucherd: mailbox closed: ")]
    assert "Traceback" not in ended.err

    status = desk.json("status", as_of=AS_OF, status=1)
    closed, open_one = sorted(status["mailboxes"], key=lambda mailbox: mailbox["name"])
    assert (closed["name"], closed["state"], closed["last_success"]) == ("closed", "unreachable", None)
    assert "refused" in closed["error"]
    assert (open_one["state"], open_one["error"]) == ("ok", None)
    checked = {row["what"]: row for row in desk.json("check", as_of=AS_OF, status=1)}
    assert not checked["mailbox closed"]["ok"]
    assert checked["mailbox closed"]["remedy"]
    assert checked["mailbox vouchers"]["ok"]


def test_mails_wait_while_smtp_is_down_and_go_once_when_it_is_back(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    smtp: SmtpServer,
    mail_user: str,
    free_port: Callable[[], int],
) -> None:
    desk = Desk(tmp_path, tls_files, mail_user).imap(dovecot.imaps_port, mail_user).smtp(port := free_port())
    dovecot.append(mail_user, [sample(ENGLISH), sample(GERMAN)])
    ended = desk.run("run", "--once", "--json", as_of="2021-07-01T12:00")
    assert ended.status == 75
    assert (ended.json["recorded"], ended.json["sent"], ended.json["failed"]) == (2, 0, 0)
    assert [line for line in ended.lines if line.startswith("voucherd: delivery: ")]
    waiting = desk.json("outbox", as_of="2021-07-01T12:00")
    assert [mail["status"] for mail in waiting] == ["planned", "planned"]
    assert [one["error"] for mail in waiting for one in mail["recipients"] if one["error"]]

    desk.config.write_text(desk.config.read_text().replace(f":{port}", f":{smtp.port}"))
    later = desk.json("run", "--once", as_of="2021-07-01T12:10")
    assert (later["read"], later["sent"]) == (0, 2)
    assert desk.json("run", "--once", as_of="2021-07-01T12:30")["sent"] == 0
    identities = [str(parsed(mail.content)["Message-ID"]) for mail in smtp.received]
    assert sorted(identities) == sorted(mail["message_id"] for mail in waiting)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["vuochers"], "vuochers"),
        (["show"], "VOUCHER"),
        (["vouchers", "--jsno"], "--jsno"),
        (["vouchers", "--state", "asigned"], "assigned"),
        (["--as-of", "tomorrow", "vouchers"], "2021-11-15"),
        (["record", ADATUM, "reserved"], "--on"),
        (["record", ADATUM, "resrved", "--on", "2021-06-30"], "reserved"),
        (["record", ADATUM, "reserved", "--on", "30.6.2021"], "2021-11-05"),
        (["plan", "--until", "2021-08-01", "--days", "3"], "--until"),
        (["review", "show", "99"], "99"),
        (["ingest", "missing.eml"], "missing.eml"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(
    tmp_path: Path, tls_files: TlsFiles, words: list[str], says: str
) -> None:
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    ended = desk.run(*words, as_of=None if "--as-of" in words else AS_OF)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_an_unknown_voucher_and_a_future_date_are_refused_with_a_remedy(
    tmp_path: Path, tls_files: TlsFiles
) -> None:
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    (tmp_path / "in" / "new" / "1.mail").write_bytes(sample(ENGLISH))
    desk.json("run", "--once", as_of=AS_OF)
    for words in (["show"], ["explain"]):
        ended = desk.run(*words, "DPS-83K2-99018", as_of=AS_OF)
        assert (ended.status, ended.out, len(ended.lines)) == (2, "", 1)
        assert "DPS-83K2-99018" in ended.err
        assert "voucherd vouchers" in ended.err or ADATUM in ended.err

    before = desk.json("show", ADATUM, as_of=AS_OF)
    ended = desk.run("record", ADATUM, "reserved", "--on", "2021-07-02", as_of=AS_OF)
    assert (ended.status, ended.out, len(ended.lines)) == (2, "", 1)
    assert "2021-07-02" in ended.err
    assert re.search("future|later than|to come", ended.err)
    assert desk.json("show", ADATUM, as_of=AS_OF) == before


def test_a_second_daemon_on_one_sqlite_store_ends_at_once_and_other_commands_go_on(
    tmp_path: Path, tls_files: TlsFiles
) -> None:
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    with daemon(desk) as first:
        first.says("daemon.started")
        for words in (["run"], ["run", "--once"]):
            second = desk.run(*words)
            assert (second.status, second.out, len(second.lines)) == (75, "", 1)
            assert "another voucherd runs on this store" in second.err
        assert desk.run("vouchers").status == 0
        assert desk.json("audit") == [] or desk.json("audit")[0]["lost"] == 0
        assert first.process.poll() is None
