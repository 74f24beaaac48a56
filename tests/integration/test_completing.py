"""The customer's voucher administrator, told by an answer to the receipt that asks for it. All mail is synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.desks import TestDesk, results
from tests.mailmaking import mail
from voucherd.adapters.reader.pool import WorkerPool

pytest_plugins = ["tests.reading_workers"]
VOUCHER, SECOND = "DPS-83K2-99017", "DPS-83K2-99018"
SAM, ADA = "sam.ortiz@contoso.example", "ada.meier@adatum.example"
FORWARD = """\
Please see below.

-----Original Message-----
From: Planning Services <no-reply@microsoft.com>
Sent: Wednesday, 12 May 2021 18:00
To: Voucher desk <vouchers@desk.example>
Subject: A voucher was assigned to you

Voucher ID: {voucher}
Customer: Adatum Corporation
Offering: SharePoint Deployment Planning Services
Service level: 5 days
Assigned on: 12 May 2021
Expires on: 8 November 2021
"""


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    """A desk that has sent a receipt which asks for the administrator's address."""
    with closing(TestDesk(tmp_path, workers=workers)) as made:
        yield made


def handed_in(desk: TestDesk, *vouchers: str) -> EmailMessage:
    """A mail without the administrator, and the receipt for it."""
    text = "\n\n".join(FORWARD.format(voucher=one) if at == 0 else f"Voucher ID: {one}\nService level: 5 days"
                       for at, one in enumerate(vouchers or (VOUCHER,)))  # fmt: skip
    desk.put(mail(text, results("contoso.example")))
    assert desk.run("2021-05-14T10:00").counts.recorded == 1
    return last(desk)


def last(desk: TestDesk) -> EmailMessage:
    made = message_from_bytes(desk.sent[-1].content, policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


def text_of(shown: EmailMessage) -> str:
    body = shown.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def answer(
    ours: EmailMessage,
    text: str,
    sender: str = SAM,
    *,
    tied: str = "both",
    result: str = "pass",
    number: int = 2,
) -> bytes:
    """An answer to a mail of ours with our mail quoted below; tied by its reply address, by In-Reply-To, or by both."""
    quoted = "\n".join(f"> {line}" for line in text_of(ours).splitlines())
    domain = sender.rpartition("@")[2]
    headers = [
        results(domain, result),
        ("From", sender),
        ("To", str(ours["Reply-To"]) if tied != "header" else "vouchers@desk.example"),
        ("Subject", f"Re: {ours['Subject']}"),
        ("Date", "Sat, 15 May 2021 09:00:00 +0200"),
        ("Message-ID", f"<{number}@{domain}>"),
    ]
    if tied != "address":
        headers.append(("In-Reply-To", str(ours["Message-ID"])))
    return mail(f"{text}\n\nOn Fri, 14 May 2021, Voucher desk wrote:\n{quoted}\n", *headers)


def admins(desk: TestDesk) -> dict[object, tuple[object, object]]:
    return {
        row["id"]: (row["customer_admin"], row["reservation"]["incomplete"])  # type: ignore[index]
        for row in desk.vouchers("2021-05-20T10:00")
    }


OPEN = {VOUCHER: (None, ["customer_admin"])}
COMPLETE = {VOUCHER: (ADA, [])}


@pytest.mark.parametrize("tied", ["both", "address", "header"])
@pytest.mark.parametrize(
    "text",
    [
        ADA,
        f"The administrator is Ada Meier <{ADA.title()}>.\n\nBest regards\nSam\n{SAM}",
        f"{VOUCHER} {ADA}",
        f"Hi,\nplease use {ADA}\nvouchers@desk.example is you, savoucher@microsoft.com is theirs",
    ],
)
def test_an_answer_with_the_address_completes_the_record(desk: TestDesk, tied: str, text: str) -> None:
    receipt = handed_in(desk)
    assert "Still missing" in text_of(receipt)
    desk.put(answer(receipt, text, tied=tied))
    assert desk.run("2021-05-15T10:00").counts.recorded == 1
    assert (admins(desk), desk.reviews()) == (COMPLETE, [])
    confirmed = last(desk)
    assert (confirmed["To"], confirmed["Subject"]) == (SAM, f"Recorded for voucher {VOUCHER}")
    assert f"voucher administrator: {ADA}" in text_of(confirmed)


def test_what_was_named_can_be_taken_back_and_named_again(desk: TestDesk) -> None:
    desk.put(answer(handed_in(desk), "eve@wingtip.example"))
    desk.run("2021-05-15T10:00")
    desk.put(answer(last(desk), "undo", number=3))
    desk.run("2021-05-15T11:00")
    assert (admins(desk), desk.reviews()) == (OPEN, [])
    desk.put(answer(last(desk), ADA, number=4))
    desk.run("2021-05-15T12:00")
    assert admins(desk) == COMPLETE


def test_the_address_counts_for_every_voucher_of_the_mail_that_lacks_one(desk: TestDesk) -> None:
    receipt = handed_in(desk, VOUCHER, SECOND)
    desk.put(answer(receipt, ADA))
    desk.run("2021-05-15T10:00")
    assert admins(desk) == {VOUCHER: (ADA, []), SECOND: (ADA, [])}


def test_an_answer_may_report_something_beside_the_address(desk: TestDesk) -> None:
    desk.put(answer(handed_in(desk), f"reserved 2021-05-15\n{ADA}"))
    desk.run("2021-05-15T10:00")
    assert admins(desk) == COMPLETE
    assert [row["reserved_on"] for row in desk.vouchers("2021-05-20T10:00")] == ["2021-05-15"]


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("ada@adatum.example or bea@adatum.example", "ambiguous", "several addresses are named"),
        ("vouchers@desk.example", "ambiguous", "belongs to the desk, a partner or the programme"),
        ("ops@desk.example", "ambiguous", "belongs to the desk, a partner or the programme"),
        ("anna@contoso.example", "ambiguous", "belongs to the desk, a partner or the programme"),
        ("savoucher@msdirectservices.com", "ambiguous", "belongs to the desk, a partner or the programme"),
        ("ada@ad\u0430tum.example", "ambiguous", "is no address that mail can go to"),
        ("We do not know who that is.", "unknown-reply", "says nothing we know"),
    ],
)
def test_what_is_not_one_customers_address_waits_for_a_person(
    desk: TestDesk, text: str, code: str, reason: str
) -> None:
    desk.put(answer(handed_in(desk), text))
    assert desk.run("2021-05-15T10:00").counts.review == 1
    [entry] = desk.reviews()
    assert (entry.code, reason in entry.reason) == (code, True), entry.reason
    assert admins(desk) == OPEN


@pytest.mark.parametrize(
    ("sender", "result", "code"),
    [
        ("eve@wingtip.example", "pass", "not-entitled"),
        ("noreply@email.microsoft.com", "pass", "not-entitled"),
        (SAM, "fail", "unauthenticated"),
    ],
)
def test_nobody_else_names_the_administrator(desk: TestDesk, sender: str, result: str, code: str) -> None:
    desk.put(answer(handed_in(desk), ADA, sender, result=result))
    desk.run("2021-05-15T10:00")
    assert [entry.code for entry in desk.reviews()] == [code]
    assert (admins(desk), len(desk.sent)) == (OPEN, 1)


def test_a_customer_who_hands_it_in_is_the_administrator_and_asked_nothing(desk: TestDesk) -> None:
    text = FORWARD.format(voucher=VOUCHER).replace(
        "Voucher desk <vouchers@desk.example>", "savoucher@microsoft.com"
    )
    boss = "vouchers@wingtip.example"
    desk.put(mail(text, results("wingtip.example"), ("From", boss), ("Message-ID", "<1@wingtip.example>")))
    desk.run("2021-05-14T10:00")
    assert admins(desk) == {VOUCHER: (boss, [])}


@pytest.mark.parametrize("sender", ["anna@contoso.example", "ops@desk.example"])
def test_a_colleague_of_the_partner_and_an_operator_may_name_it(desk: TestDesk, sender: str) -> None:
    desk.put(answer(handed_in(desk), ADA, sender))
    desk.run("2021-05-15T10:00")
    assert (admins(desk), last(desk)["To"]) == (COMPLETE, sender)


def test_an_administrator_on_record_is_not_replaced_by_an_answer(desk: TestDesk) -> None:
    receipt = handed_in(desk)
    desk.put(answer(receipt, ADA))
    desk.run("2021-05-15T10:00")
    desk.put(answer(receipt, "eve@wingtip.example", number=3))
    desk.run("2021-05-15T11:00")
    assert admins(desk) == COMPLETE
    [entry] = desk.reviews()
    assert (entry.code, f"nothing is missing ({VOUCHER}: {ADA})" in entry.reason) == ("unknown-reply", True)


def test_a_voucher_mail_that_answers_a_receipt_is_still_handed_in(desk: TestDesk) -> None:
    receipt = handed_in(desk)
    text = FORWARD.format(voucher=SECOND).replace("vouchers@desk.example", ADA)
    desk.put(
        mail(
            f"Sam Ortiz, {SAM}\n\n{text}",
            results("contoso.example"),
            ("In-Reply-To", str(receipt["Message-ID"])),
            ("Message-ID", "<7@contoso.example>"),
        )
    )
    desk.run("2021-05-15T10:00")
    assert admins(desk) == {**OPEN, SECOND: (ADA, [])}
