"""Which mail no person wrote: it is never answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voucherd.domain.automatic import automatic
from voucherd.domain.message import Address, Attachment, ParsedMail

MARKER = "reminders.desk.example"


def mail(
    *headers: tuple[str, str], from_: str = "sam@contoso.example", message_id: str = "1@contoso.example"
) -> ParsedMail:
    """A synthetic mail of which only headers, sender and Message-ID matter."""
    return ParsedMail(
        headers=tuple((name.lower(), value) for name, value in headers),
        message_id=message_id,
        from_=(Address(from_),),
        to=(),
        cc=(),
        reply_to=(),
        subject="",
        date=None,
        date_raw="",
        text="",
        html="",
    )


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (("Auto-Submitted", "auto-replied"), "auto-submitted: auto-replied (RFC 3834)"),
        (("Auto-Submitted", "Auto-Generated; owner=x"), "auto-submitted: auto-generated (RFC 3834)"),
        (("Auto-Submitted", "auto-notified (by a cron job)"), "auto-submitted: auto-notified (RFC 3834)"),
        (("Precedence", "Bulk"), "precedence: bulk"),
        (("Precedence", "list"), "precedence: list"),
        (("Precedence", "junk"), "precedence: junk"),
        (("List-Id", "<desk.lists.example>"), "list-id (RFC 2919, RFC 2369)"),
        (("List-Unsubscribe", "<mailto:x@lists.example>"), "list-unsubscribe (RFC 2919, RFC 2369)"),
        (("Return-Path", "<>"), "null return-path (RFC 3834)"),
        (("Content-Type", 'multipart/report; boundary="b"'), "multipart/report (RFC 6522)"),
        (("X-Autoreply", "yes"), "x-autoreply: yes (an answering machine's header)"),
        (("X-Autorespond", ""), "x-autorespond: set (an answering machine's header)"),
        (("X-Auto-Reply", "vacation"), "x-auto-reply: vacation (an answering machine's header)"),
        (("X-Voucherd", "1"), "our own mail (X-Voucherd)"),
        (
            ("X-MS-Exchange-Inbox-Rules-Loop", "a@b.example"),
            "x-ms-exchange-inbox-rules-loop: a@b.example (an",
        ),
        (("X-FC-MachineGenerated", "true"), "x-fc-machinegenerated: true (an answering machine's header)"),
    ],
)
def test_a_header_that_only_a_machine_sets_is_named_as_the_rule(header: tuple[str, str], rule: str) -> None:
    assert automatic(mail(header), MARKER).startswith(rule)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Voucher DPS-1001",
        "AUTOMATIC REPLY: x",
        "Out of Office: x",
        "Automatische Antwort: x",
        "Abwesenheitsnotiz: x",
        "Réponse automatique\u00a0: x",
        "자동 회신: x",
        "自動応答：x",
        "自动答复: x",
        "Autosvar: x",
        "Автоматический ответ: x",
    ],
)
def test_an_absence_is_known_by_how_its_subject_begins(subject: str) -> None:
    automatic_by = automatic(replace(mail(("Auto-Submitted", "auto-generated")), subject=subject), MARKER)

    assert automatic_by.startswith("subject: ")
    assert automatic_by.endswith("(an answering machine's)")


@pytest.mark.parametrize(
    "subject", ["RE: Automatic reply: x", "FW: Automatic reply: x", "Automatic reply rules", ""]
)
def test_an_answer_to_an_absence_or_its_forward_is_a_persons(subject: str) -> None:
    assert automatic(replace(mail(), subject=subject), MARKER) == ""


@pytest.mark.parametrize(
    ("from_", "rule"),
    [
        ("mailer-daemon@contoso.example", "from mailer-daemon (a delivery report)"),
        ("owner-desk@lists.example", "from owner-desk (a mailing list, RFC 3834)"),
        ("desk-request@lists.example", "from desk-request (a mailing list, RFC 3834)"),
    ],
)
def test_an_address_that_only_a_machine_has_is_named_as_the_rule(from_: str, rule: str) -> None:
    assert automatic(mail(from_=from_), MARKER) == rule


def test_postmaster_is_a_person_unless_it_sends_a_report() -> None:
    note = mail(from_="postmaster@contoso.example")
    fields = {name: getattr(note, name) for name in ParsedMail.__dataclass_fields__}
    fields["attachments"] = (Attachment("", "message/delivery-status", b"Action: failed\n"),)

    assert automatic(note, MARKER) == ""
    assert automatic(ParsedMail(**fields), MARKER) == "from postmaster (a delivery report)"


def test_a_mail_of_ours_that_comes_back_is_known_by_its_message_id() -> None:
    assert automatic(mail(message_id=f"abc@{MARKER.upper()}"), MARKER) == "our own mail (Message-ID)"
    assert automatic(mail(message_id="abc@"), "") == ""


@pytest.mark.parametrize(
    "header",
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No (a person)"),
        ("Precedence", "first-class"),
        ("Return-Path", "<sam@contoso.example>"),
        ("Content-Type", "multipart/mixed; report-type=x"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Autoreply", "no"),
        ("Subject", "Out of office"),
    ],
)
def test_a_persons_mail_is_not_automatic(header: tuple[str, str]) -> None:
    assert automatic(mail(header), MARKER) == ""
