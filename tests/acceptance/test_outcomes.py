"""What becomes of mail, as an operator meets it: an address that takes none, a provider that slows down, a burst.

All mail is synthetic.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.desk import ENGLISH, Desk, sample, text_of
from tests.servers.certificates import TlsFiles
from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.server

VOUCHER, PARTNER = "DPS-83K2-99017", "vouchers@contoso.example"
DUE, LATER = "2021-10-19T15:00", "2021-10-19T15:30"


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles, smtp: SmtpServer) -> Desk:
    """A desk that reads a folder and sends by SMTP, with one voucher of Contoso."""
    made = Desk(tmp_path, tls_files).maildir().smtp(smtp.port)
    (tmp_path / "in" / "new" / "1.mx").write_bytes(sample(ENGLISH))
    made.json("run", "--once", as_of="2021-07-01")
    return made


def test_an_address_that_takes_no_mail_is_named_everywhere_until_a_person_lifts_it(
    desk: Desk, smtp: SmtpServer
) -> None:
    smtp.answer_with("RCPT", "550 5.1.1 no such user")
    assert desk.json("run", "--once", as_of=DUE)["failed"] == 1
    [_, alarm] = smtp.received
    assert alarm.recipients == ("ops@desk.example",)
    assert f"voucherd outbox unsuppress {PARTNER} --why ..." in " ".join(text_of(alarm).split())

    [wrong] = [row for row in desk.json("check", as_of=LATER, status=1) if not row["ok"]]
    assert wrong["what"] == "addresses"
    assert wrong["detail"] == f"{PARTNER} of contoso is suppressed since 2021-10-19: 550 5.1.1 no such user"
    assert f"`voucherd outbox unsuppress {PARTNER} --why ...`" in wrong["remedy"]
    status = desk.run("status", as_of=LATER)
    assert status.status == 1
    assert f"→ {PARTNER} takes no mail since 2021-10-19 (550 5.1.1 no such user)" in status.out
    assert "→ 1 mail failed: `voucherd outbox`, then `outbox retry` or `outbox drop`" in status.out
    fates = {row["fate"] for row in desk.json("explain", VOUCHER, as_of=LATER) if row["days_before"] == 14}
    assert fates <= {"suppressed", "superseded"}
    assert "suppressed" in fates

    lifted = desk.run("outbox", "unsuppress", PARTNER, "--why", "the mailbox is back", as_of=LATER)
    assert (lifted.status, lifted.out) == (0, f"mail goes to {PARTNER} again\n")
    again = desk.run("outbox", "unsuppress", PARTNER, "--why", "twice", as_of=LATER)
    assert (again.status, "is not suppressed: `voucherd check` names" in again.err) == (2, True)
    desk.run("outbox", "retry", "2", as_of=LATER)
    assert desk.json("run", "--once", as_of=LATER)["sent"] == 1
    assert smtp.received[-1].recipients == (PARTNER,)
    assert desk.json("status", as_of=LATER)["suppressed"] == []


def test_a_provider_that_asks_to_slow_down_is_heeded_shown_and_forgotten(
    desk: Desk, smtp: SmtpServer
) -> None:
    smtp.answer_with("RCPT", "421 4.7.0 too many messages")
    slowed = desk.run("run", "--once", as_of=DUE)
    assert slowed.status == 75
    assert (
        "the server asked to slow down at 2021-10-19T13:00:00+00:00 (421 4.7.0 too many messages)"
        in slowed.err
    )
    assert "nothing goes before 2021-10-19T13:01:00+00:00" in desk.run("status", as_of=f"{DUE}:30").out
    assert "mails a minute now, and more by and by" in desk.run("status", as_of="2021-10-19T15:02").out
    desk.run("run", "--once", as_of=LATER)
    assert (PARTNER,) in [mail.recipients for mail in smtp.received]
    assert desk.json("status", as_of="2021-10-20T15:00")["pace"] is None


def test_more_than_the_burst_limit_waits_for_a_person_and_is_shown_as_held(
    desk: Desk, smtp: SmtpServer
) -> None:
    desk.tables[-1] += "burst_limit = 1\n"
    desk._add("")
    near, later = "2021-12-09T15:00", "2021-12-09T15:30"  # the escalation address is copied
    held = desk.run("run", "--once", as_of=near)
    assert (held.status, "2 mails are due at once, more than burst_limit = 1" in held.err) == (1, True)
    assert [(mail["kind"], mail["status"]) for mail in desk.json("outbox", as_of=later)] == [
        ("receipt", "sent"),
        ("reminder", "held"),
        ("alarm", "sent"),
    ]
    assert "→ 2 mails are due at once and wait for a person" in desk.run("status", as_of=later).out
    asked = desk.json("outbox", "--status", "held", "--voucher", VOUCHER, as_of=later)
    assert [(mail["number"], mail["status"]) for mail in asked] == [(2, "held")]
    assert desk.json("outbox", "--status", "planned", "--partner", "contoso", as_of=later) == []
    fates = {(row["fate"], row["because"]) for row in desk.json("explain", VOUCHER, as_of=later)}
    assert ("held", "in mail 2: too much is due at once: `voucherd outbox release-burst` lets it go") in fates
    waiting = desk.run("outbox", "show", "2", as_of=later).out
    assert waiting.startswith("mail 2: reminder, held, due 2021-12-0")
    assert "2021년 12월 10일 금요일까지" in waiting  # what it would say now
    assert desk.run("outbox", "release-burst", as_of=later).out == "2 mails go at the next pass\n"
    assert desk.json("run", "--once", as_of=later)["sent"] == 2
    assert desk.json("status", as_of=later)["burst"] == 0


def test_an_edit_is_compared_before_it_is_made(desk: Desk) -> None:
    """`plan --diff`: what the next reload would do; nothing is written."""
    today = desk.config.read_text()
    (desk.folder / "edited.toml").write_text(
        today.replace("[delivery]\n", "[delivery]\nburst_limit = 1\n")
        + "\n[reminders]\nescalate_at = 200\nreserve = [150, 30, 14, 7, 3, 1]\n"
        + 'closed_days = ["2021-10-18..2021-10-19"]\n'
    )
    at = "2021-07-26T09:00"
    shown = desk.json("plan", "--diff", "edited.toml", "--until", "2021-12-31", as_of=at)
    assert shown["at_once"] == {"mails": 1, "recipients": 2, "burst_limit": 1, "held": True}
    assert [one["due_at"][:10] for one in shown["added"]] == ["2021-07-26"]
    moved = [(one["was_due_at"][:10], one["due_at"][:10]) for one in shown["moved"]]
    assert moved == [("2021-10-19", "2021-10-15")]
    page = desk.run("plan", "--diff", "edited.toml", "--until", "2021-12-31", as_of=at).out
    assert "this edit sends 1 mail at once" in page
    assert (
        "they are 2 deliveries, more than burst_limit = 1: they would wait for `voucherd outbox release-burst`"
        in page
    )
    assert desk.run("plan", "--diff", "voucherd.toml", as_of=at).out.endswith("No mail changes.\n")
    absent = desk.run("plan", "--diff", "absent.toml", as_of=at)
    assert absent.status == 78
    assert absent.err.endswith("absent.toml: there is no such file; make it, or name another\n")
    assert desk.config.read_text() == today
    assert len(desk.json("outbox", as_of=at)) == 1


def test_a_mail_is_read_as_its_recipients_read_it(desk: Desk) -> None:
    held = desk.run("outbox", "show", "1", as_of=DUE)
    assert held.out.startswith("mail 1: receipt, sent, due 2021-0")
    assert "Voucher DPS-83K2-99017 is recorded\n\nHello," in held.out
    shown = desk.json("outbox", "show", "1", as_of=DUE)
    assert (shown["number"], shown["subject"]) == (1, "Voucher DPS-83K2-99017 is recorded")
    assert desk.run("outbox", "show", "1", "--eml", as_of=DUE).out.startswith("From: Voucher desk ")
    unknown = desk.run("outbox", "show", "99", as_of=DUE)
    assert (unknown.status, unknown.err) == (
        2,
        "voucherd: there is no mail 99: `voucherd outbox` numbers them\n",
    )
