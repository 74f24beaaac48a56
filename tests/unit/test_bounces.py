"""What reports say of a mail of ours: the ones by RFC 3464 and RFC 5965, and the ones in words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import bounced
from tests.bounced import RECIPIENT, complaint, dsn, worded
from tests.mailmaking import base64_part, mail, multipart, part
from voucherd.adapters.reader.mail import parse
from voucherd.domain import bounce_texts
from voucherd.domain.bounces import Fate, Report, ReportKind, report_of


def report(content: bytes) -> Report:
    found = report_of(parse(content))
    assert found is not None
    return found


def fates(content: bytes) -> list[tuple[str, str]]:
    return [(address, one.fate.value) for one in report(content).affected for address in one.addresses]


def test_a_delivery_report_tells_who_was_refused_why_and_what_it_returns() -> None:
    found = report(
        dsn(envelope_id="1b@desk.example", original="Sam@contoso.example", recipient="so@contoso.example")
    )

    (one,) = found.failed
    assert one.addresses == ("so@contoso.example", "sam@contoso.example")
    assert (one.fate, one.status) == (Fate.FAILED, "5.1.1")
    assert one.diagnostic == "550 5.1.1 <sam@contoso.example>: Recipient address rejected"
    assert (found.envelope_id, found.message_ids) == ("1b@desk.example", ("1b@desk.example",))
    assert found.sent_from == ("vouchers@desk.example",)
    assert (found.kind, found.rule) == (ReportKind.DELIVERY, "delivery report: failed (RFC 3464)")


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "message/global-headers"])
def test_the_returned_message_id_is_found_in_a_whole_mail_and_in_its_headers_alone(returned: str) -> None:
    assert report(dsn(returned=returned)).message_ids == ("1b@desk.example",)


@pytest.mark.parametrize(
    ("action", "status", "fate"),
    [
        ("failed", "5.1.1", Fate.FAILED),
        ("Failed (it is gone)", "5.0.0", Fate.FAILED),
        ("failed", "4.4.7", Fate.FAILED),  # given up after days: it will never arrive
        ("delayed", "4.4.1", Fate.DELAYED),
        ("delayed", "5.1.1", Fate.DELAYED),
        ("delivered", "2.0.0", Fate.DELIVERED),
        ("relayed", "2.0.0", Fate.DELIVERED),
        ("expanded", "2.0.0", Fate.DELIVERED),
        ("", "5.7.1", Fate.FAILED),
        ("", "4.7.1", Fate.DELAYED),
        ("lost", "unknown", Fate.UNKNOWN),
        ("expired", "", Fate.FAILED),  # as a large sending service writes it
    ],
)
def test_the_action_decides_and_delayed_is_not_failed(action: str, status: str, fate: Fate) -> None:
    found = report(dsn(action=action, status=status))

    assert [one.fate for one in found.affected] == [fate]
    assert bool(found.failed) is (fate is Fate.FAILED)


def test_each_recipient_of_a_report_has_a_fate_of_its_own() -> None:
    other = "\r\nFinal-Recipient: rfc822;director@contoso.example\r\nAction: delayed\r\nStatus: 4.2.2\r\n"

    assert fates(dsn(extra=other)) == [(RECIPIENT, "failed"), ("director@contoso.example", "delayed")]


def test_a_report_with_international_addresses_is_read_as_well() -> None:
    content = dsn(recipient="잠@contoso.example")
    content = content.replace(b"message/delivery-status", b"message/global-delivery-status")

    assert fates(content) == [("잠@contoso.example", "failed")]


def test_a_status_part_in_base64_is_read_as_well() -> None:
    fields = (
        b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822;sam@contoso.example\r\nAction: failed\r\n"
    )
    content = multipart(
        part("text"),
        base64_part(fields, "message/delivery-status"),
        subtype="report; report-type=delivery-status",
        headers=(("Return-Path", "<>"),),
    )

    assert fates(content) == [(RECIPIENT, "failed")]


@pytest.mark.parametrize(
    "text",
    [
        bounced.QMAIL,
        bounced.QMAIL_TOO_LONG,
        bounced.EXIM,
        bounced.POSTFIX,
        bounced.EXCHANGE,
        bounced.EXCHANGE_GERMAN,
        bounced.GMAIL,
        bounced.GMAIL_OLD,
        bounced.SERVICE,
        bounced.KOREAN,
        bounced.SENDMAIL,
        bounced.EXCHANGE_OLD,
        bounced.NOTES,
        bounced.ZOHO,
    ],
    ids=lambda text: text[0][:30],
)
def test_a_bounce_in_words_is_a_failure_for_the_address_that_it_names(text: tuple[str, str]) -> None:
    assert fates(worded(*text)) == [(RECIPIENT, "failed")]


@pytest.mark.parametrize(
    "text", [bounced.EXIM_WARNING, bounced.POSTFIX_WARNING, bounced.GMAIL_DELAY], ids=lambda text: text[0][:30]
)  # fmt: skip
def test_a_warning_in_words_is_a_delay(text: tuple[str, str]) -> None:
    found = report(worded(*text))

    assert [one.fate for one in found.affected] == [Fate.DELAYED]
    assert found.failed == ()


@pytest.mark.parametrize(
    "text", [bounced.QMAIL, bounced.EXIM, bounced.EXCHANGE, bounced.GMAIL_OLD, bounced.NOTES, bounced.ZOHO]
)
def test_the_returned_message_id_is_found_in_words(text: tuple[str, str]) -> None:
    assert "1b@desk.example" in report(worded(*text)).message_ids


def test_a_bounce_may_name_the_returned_mail_as_what_it_answers() -> None:
    content = worded(
        *bounced.GMAIL, ("In-Reply-To", "<1b@desk.example>"), ("References", "<1b@desk.example>")
    )

    assert report(content).message_ids == ("1b@desk.example",)


def test_recipients_named_in_a_header_are_found_where_the_text_names_none() -> None:
    content = worded(
        "Mail delivery failed",
        "It could not be delivered.\n",
        ("X-Failed-Recipients", "a@b.example, C@d.example"),
    )

    assert fates(content) == [("a@b.example", "failed"), ("c@d.example", "failed")]


@pytest.mark.parametrize(
    "content",
    [
        mail(bounced.EXIM[1].replace("\n", "\r\n"), ("Subject", bounced.EXIM[0])),  # a person quotes a bounce
        worded("Rechnung", "Bitte antworten Sie nicht auf diese Nachricht.\n"),
        worded("Hello", "sam@contoso.example is our new colleague.\n"),
        multipart(
            part("The reader has opened it."),
            part("Final-Recipient: rfc822;sam@contoso.example\r\n", "message/disposition-notification"),
            subtype="report; report-type=disposition-notification",
        ),
        multipart(part("See this bounce."), part(dsn().decode(), "message/rfc822"), boundary="outer"),
    ],
    ids=["a person", "no failure", "no failure, an address", "a read receipt", "forwarded"],
)
def test_what_is_no_report_of_a_mail_system_is_none(content: bytes) -> None:
    assert report_of(parse(content)) is None


def test_a_complaint_names_its_recipient_and_our_envelope_sender() -> None:
    found = report(complaint(mail_from="vouchers+b.TOKEN@desk.example"))

    assert (found.kind, found.rule) == (ReportKind.COMPLAINT, "complaint: abuse (RFC 5965)")
    assert found.failed[0].addresses == (RECIPIENT,)
    assert found.sent_from[0] == "vouchers+b.token@desk.example"
    assert found.message_ids == ("1b@desk.example",)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "dmarc"])
def test_feedback_that_is_no_complaint_asks_for_nothing(kind: str) -> None:
    assert report(complaint(kind=kind)).failed == ()


def test_those_whom_the_mail_was_for_are_named_only_where_nobody_else_is() -> None:
    both = "To: a@b.example, c@d.example\n\ndid not reach\n\nc@d.example\n"

    assert bounce_texts.read("", both).addresses == ("c@d.example",)
    assert bounce_texts.read("", "To: a@b.example\n550 5.1.1 gone").addresses == ("a@b.example",)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("said: 550 5.1.1 no", "5.1.1"),
        ("(#5.1.10)", "5.1.10"),
        ("reason: 5.7.606.", "5.7.606"),
        ("550 no such user", "5.0.0"),
        ("error: 451-try later", "4.0.0"),
        ("4.4.7 expired, then 5.4.7", "4.4.7"),
        ("Exim 4.94.2 at 5.6.7.8 port 550", ""),
        ("5000 5.12.1 15.1.1 5.1", ""),
    ],
)
def test_a_status_code_is_no_version_and_no_address(line: str, status: str) -> None:
    assert bounce_texts.read("", line).status == status


@given(st.text(alphabet=st.sampled_from(list("5.1 4@a<>:\n-#x.com")), max_size=400), st.text(max_size=40))
def test_no_text_breaks_the_reading_of_words(text: str, subject: str) -> None:
    found = bounce_texts.read(subject, text)

    assert all("@" in address for address in found.addresses)


@given(
    st.text(alphabet=st.sampled_from(list("Aa:; \t\n5.@<>")), max_size=300),
    st.sampled_from(["base64", "7bit"]),
)
def test_no_status_part_breaks_the_reading_of_a_report(fields: str, encoding: str) -> None:
    made = base64_part if encoding == "base64" else part
    content = multipart(
        part("text"),
        made(fields.encode(), "message/delivery-status"),
        subtype="report; report-type=delivery-status",
    )

    assert report(content).kind is ReportKind.DELIVERY


@pytest.mark.parametrize("line", [b" x\n", b"a:b\n\n", b"a:b\n", b"\n", b"x"])
def test_a_hostile_status_part_is_read_in_linear_time(line: bytes) -> None:
    fields = b"Action: failed\n" + line * (1_000_000 // len(line))
    status = base64_part(fields, "message/delivery-status")
    parsed = parse(multipart(part("text"), status, subtype="report; report-type=delivery-status"))
    before = time.process_time()
    report_of(parsed)

    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    "piece", ["5.1.", "a@", "<a@b.example>: ", "4.4.4 ", "message-id: <x>\n", "a.", "\n"]
)
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    before = time.process_time()
    bounce_texts.read("", piece * (2_000_000 // len(piece)))

    assert time.process_time() - before < 1
