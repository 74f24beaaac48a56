"""The main way through real servers: mail appended by IMAP, recorded, answered by SMTP, filed, reconciled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.desk import (
    ENGLISH,
    GERMAN,
    KOREAN,
    SMTP_USER,
    Desk,
    invoice_mail,
    parsed,
    sample,
    subjects,
    text_of,
)
from tests.servers.dovecot import Dovecot
from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"
ADATUM, MARGIES, FOURTH = "DPS-83K2-99017", "DPS-77C4-31008", "DPS-10A7-55120"
NOTHING = {"read": 0, "recorded": 0, "ignored": 0, "review": 0, "duplicates": 0, "sent": 0, "failed": 0}

VOUCHER = {
    "id", "programme", "state", "partner", "customer", "customer_admin", "offering", "days", "country",
    "assigned_on", "expires_on", "engagement_on", "reserved_on", "delivered_on", "redeemed_on", "billed_on",
    "paid_on", "reservation", "deadlines", "findings", "hold",
}  # fmt: skip
RESERVATION = {"partner", "status", "requested_at", "incomplete"}
MAIL = {
    "number", "kind", "to", "cc", "partner", "vouchers", "items", "due_at", "subject", "status", "message_id",
    "recipients",
}  # fmt: skip
RECIPIENT = {"address", "status", "attempts", "sent_at", "error"}
REVIEW = {
    "number", "mailbox", "message_id", "from", "subject", "received_at", "code", "reason", "suggestions",
}  # fmt: skip
AUDIT = {"mailbox", "uidvalidity", "seen", "recorded", "ignored", "review", "lost"}
STATUS = {
    "mailboxes", "outbox", "review", "overdue_steps", "credentials",
    "holds", "suppressed", "pace", "burst", "untold_alarms", "outbox_held", "sending", "clock", "disk",
}  # fmt: skip
LOOK = {"name", "state", "last_success", "age_seconds", "error", "since", "push", "lost"}
RECONCILED = {
    "vouchers": {
        "id", "partner", "billing", "timeliness", "payment", "value", "billed", "difference", "currency",
        "redeemed_on", "bill_by", "days_left", "completed_on", "flags", "lines", "because",
    },
    "lines": {
        "number", "document", "file", "invoice", "issued_on", "line", "supplier", "voucher_text", "voucher",
        "class", "net", "tax", "currency", "because", "suggestions",
    },
    "documents": {
        "number", "file", "sha256", "supplier", "invoice", "kind", "issued_on", "currency", "total", "totals", "status",
        "reason",
    },
    "bridge": {
        "currency", "redeemed", "billed", "short", "open", "missed", "credited", "blocked", "excess",
        "tolerance",
    },
    "aging": {"currency", "bucket", "count", "amount"},
}  # fmt: skip


def test_three_voucher_mails_are_recorded_answered_and_filed_and_a_second_pass_finds_nothing(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    dovecot.append(desk.user, [sample(name) for name in (ENGLISH, GERMAN, KOREAN)])

    first = desk.json("run", "--once", as_of=AS_OF)
    assert first == {**NOTHING, "read": 3, "recorded": 3, "sent": 3}
    assert {row["id"]: row["state"] for row in desk.json("vouchers", as_of=AS_OF)} == {
        ADATUM: "assigned",
        MARGIES: "assigned",
        FOURTH: "assigned",
    }
    assert dovecot.contents(desk.user) == []
    assert subjects(dovecot, desk.user, "Processed") == [
        "FW: A voucher was assigned to you",
        "Fwd: Ihr Gutschein",
        "FW: 상품권이 할당되었습니다",
    ]
    sent = list(smtp.received)
    assert len(sent) == 3

    assert desk.json("run", "--once", as_of=AS_OF) == NOTHING
    assert smtp.received == sent
    (counted,) = desk.json("audit", as_of=AS_OF)
    assert {name: counted[name] for name in ("seen", "recorded", "ignored", "review", "lost")} == {
        "seen": 3,
        "recorded": 3,
        "ignored": 0,
        "review": 0,
        "lost": 0,
    }


@pytest.mark.parametrize(
    ("name", "sender", "message_id", "language", "subject", "sentences"),
    [
        (
            ENGLISH,
            "mara@adatum.example",
            "<428f296bc50241cd@adatum.example>",
            "en",
            f"Voucher {ADATUM} is recorded",
            ("Reserve by     Friday, 10 December 2021", "Redeem by      Saturday, 18 December 2021"),
        ),
        (
            GERMAN,
            "jens.vogt@margies.example",
            "<37c9e22d623e352e@margies.example>",
            "de",
            f"Gutschein {MARGIES} ist erfasst",
            ("Reservieren bis  Dienstag, 21. Dezember 2021", "Einlösen bis     Sonntag, 26. Dezember 2021"),
        ),
        (
            KOREAN,
            "jiwoo.kim@fourthcoffee.example",
            "<9d6ca409c7b2f1ca@fourthcoffee.example>",
            "ko",
            f"상품권 {FOURTH} 접수가 완료되었습니다",
            ("2021년 12월 20일 월요일", "2021년 12월 27일 월요일", "포스커피 주식회사"),
        ),
    ],
)
def test_a_receipt_answers_the_hand_in_in_its_language_from_the_null_sender(
    desk: Desk,
    dovecot: Dovecot,
    smtp: SmtpServer,
    name: str,
    sender: str,
    message_id: str,
    language: str,
    subject: str,
    sentences: tuple[str, ...],
) -> None:
    dovecot.append(desk.user, [sample(name)])
    assert desk.json("run", "--once", as_of=AS_OF)["sent"] == 1
    (receipt,) = smtp.received
    assert receipt.sender == ""
    assert receipt.recipients == (sender,)
    assert receipt.secure
    assert receipt.user == SMTP_USER
    mail = parsed(receipt.content)
    assert mail["In-Reply-To"] == message_id
    assert str(mail["References"]).split()[-1] == message_id
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["From"] == "Voucher desk <vouchers@desk.example>"
    assert mail["To"] == sender
    assert mail["Subject"] == subject
    assert {part["Content-Language"] for part in mail.walk() if part["Content-Language"]} == {language}
    for sentence in sentences:
        assert sentence in text_of(receipt)


def test_what_the_commands_print_as_json_has_the_keys_of_the_contract(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    dovecot.append(desk.user, [sample(ENGLISH), sample("07-no-voucher-id"), sample("08-not-authenticated")])
    desk.json("run", "--once", as_of=AS_OF)

    (voucher,) = desk.json("vouchers", as_of=AS_OF)
    assert set(voucher) == VOUCHER
    assert set(voucher["reservation"]) == RESERVATION
    assert voucher["deadlines"] == {"reserve": "2021-12-10", "redeem": "2021-12-18", "bill": None}
    shown = desk.json("show", ADATUM, as_of=AS_OF)
    assert set(shown) == VOUCHER | {"history"}
    assert keys(shown["deadlines"]) == {"name", "on", "because", "met_on", "missed"}
    assert keys(shown["history"]) == {"on", "recorded_at", "event", "by", "message_id", "detail"}
    planned = desk.json("plan", "--days", "140", as_of=AS_OF)
    assert keys(planned) == MAIL
    assert keys(item for mail in planned for item in mail["items"]) == {"voucher", "deadline", "days_before"}
    outbox = desk.json("outbox", as_of=AS_OF)
    assert keys(outbox) == MAIL
    assert keys(one for mail in outbox for one in mail["recipients"]) == RECIPIENT | {"answer"}
    review = desk.json("review", as_of=AS_OF)
    assert keys(review) == REVIEW | {"hold"}
    assert sorted(entry["code"] for entry in review) == ["no-voucher-id", "unauthenticated"]
    assert keys(desk.json("audit", as_of=AS_OF)) == AUDIT
    status = desk.json("status", as_of=AS_OF, status=1)
    assert set(status) == STATUS
    assert keys(status["mailboxes"]) == LOOK
    explained = desk.json("explain", ADATUM, as_of=AS_OF)
    told = {"deadline", "days_before", "due_at", "fate", "because", "message_id"}
    assert keys(explained) == told | {"moved", "setting", "hold"}
    assert keys(desk.json("check", as_of=AS_OF)) == {"what", "ok", "detail", "remedy"}


def test_the_partners_own_invoice_mail_is_reconciled_with_the_redeemed_voucher(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    dovecot.append(desk.user, [sample(ENGLISH)])
    desk.json("run", "--once", as_of=AS_OF)
    assert (
        desk.json("record", ADATUM, "redeemed", "--on", "2021-09-20", as_of="2021-09-20")["state"]
        == "redeemed"
    )
    mail = invoice_mail("INV-2001", "2021-10-04", (ADATUM, "7500.00"), ("DPS-83K2-990I7", "7500.00"))
    dovecot.append(desk.user, [mail])
    passed = desk.json("run", "--once", as_of="2021-10-04")
    assert (passed["read"], passed["recorded"]) == (1, 1)

    found = desk.json("reconcile", as_of="2021-10-04")
    assert set(found) == {"as_of", *RECONCILED}
    for name, expected in RECONCILED.items():
        if found[name]:
            assert keys(found[name]) == expected, name
    (voucher,) = found["vouchers"]
    assert (voucher["billing"], voucher["timeliness"], voucher["billed"]) == ("billed", "on-time", "7500.00")
    assert [(line["class"], line["net"]) for line in found["lines"]] == [
        ("matched", "7500.00"),
        ("unknown-voucher", "7500.00"),
    ]
    assert [one["voucher"] for one in found["lines"][1]["suggestions"]] == [ADATUM]
    assert found["documents"][0]["supplier"] == "contoso"
    assert desk.json("show", ADATUM, as_of="2021-10-04")["state"] == "billed"
    assert subjects(dovecot, desk.user, "Processed")[-1] == "Invoice INV-2001"
    assert desk.run("reconcile", "--strict", as_of="2021-10-04").status == 1


def test_forged_mails_wait_for_a_person_change_nothing_and_are_not_answered(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    dovecot.append(desk.user, [sample(ENGLISH)])
    desk.json("run", "--once", as_of=AS_OF)
    before, answered = desk.json("vouchers", as_of=AS_OF), len(smtp.received)

    lie = sample(ENGLISH).replace(b"December 18, 2021", b"December 24, 2021")
    lie += b"\r\nVoucher number: DPS-FFFF-00001\r\n"
    forged = [
        b"From:" + lie.partition(b"\r\nFrom:")[2],  # nobody's Authentication-Results
        lie.replace(b"mx.desk.example", b"mx.evil.example"),  # a server's that is not ours
        lie.replace(b"dmarc=pass", b"dmarc=fail"),
    ]
    dovecot.append(desk.user, forged)
    assert desk.json("run", "--once", as_of=AS_OF) == {**NOTHING, "read": 3, "review": 3}
    entries = desk.json("review", as_of=AS_OF)
    assert [(entry["code"], entry["from"]) for entry in entries] == [
        ("unauthenticated", "mara@adatum.example")
    ] * 3
    assert all(len(entry["reason"]) > 20 for entry in entries)
    assert desk.json("vouchers", as_of=AS_OF) == before
    assert len(smtp.received) == answered
    assert dovecot.contents(desk.user) == []
    assert dovecot.contents(desk.user, "Review") == forged
    (counted,) = desk.json("audit", as_of=AS_OF)
    assert (counted["seen"], counted["recorded"], counted["review"], counted["lost"]) == (4, 1, 3, 0)


def keys(rows: Any) -> set[str]:
    """The keys of every row, which must all have the same, and of which there must be some."""
    found = {frozenset(row) for row in rows}
    assert len(found) == 1
    return set(found.pop())
