"""Which one fact is asked back, of whom, and what an answer says. All mail is synthetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import at, programme, rulebook
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Address, ParsedMail, Reading
from voucherd.domain.questions import Question, answered, completed, question_of
from voucherd.domain.reading import read

SAM = "sam@contoso.example"
NOW = at("2021-06-16 12:00")
OPEN_GATE = Gate("vouchers", require_authentication=False)
FORWARD = """\
---------- Forwarded message ---------
From: Planning Services <savoucher@msdirectservices.com>
Date: Wed, May 12, 2021 at 5:00 PM
Subject: A voucher was assigned to you
To: <ada.meier@adatum.example>

"""
VOUCHER = "Voucher ID: DPS-83K2-99017\nService level: 5 days\nExpires on: 8 November 2021\n"


def reading_of(text: str, sender: str = SAM, **changes: object) -> Reading:
    mail = ParsedMail(
        headers=(),
        message_id="1@contoso.example",
        from_=(Address(sender),),
        to=(Address("vouchers@desk.example"),),
        cc=(),
        reply_to=(),
        subject="FW: A voucher",
        date=None,
        date_raw="",
        text=text,
        html="",
    )
    return read(replace(mail, **changes), (programme(),))  # type: ignore[arg-type]


def handled(reading: Reading, gate: Gate = OPEN_GATE) -> Handling:
    return handle(reading, gate, rulebook(), NOW)


def asked(text: str, gate: Gate = OPEN_GATE, sender: str = SAM) -> Question | None:
    reading = reading_of(text, sender)
    return question_of(reading, handled(reading, gate), rulebook())


def test_an_id_is_asked_for_where_a_voucher_mail_was_forwarded_without_one() -> None:
    assert asked(FORWARD + VOUCHER.partition("\n")[2]) == Question("voucher_id")


def test_a_date_is_asked_for_where_it_alone_reads_two_ways() -> None:
    text = FORWARD + VOUCHER.replace("8 November 2021", "05/11/2021")
    both = (date(2021, 5, 11), date(2021, 11, 5))
    assert asked(text) == Question("expires_on", "DPS-83K2-99017", both)


@pytest.mark.parametrize(
    "text",
    [
        FORWARD + VOUCHER,
        "What is our status?",
        FORWARD.replace("savoucher@msdirectservices.com", "eve@wingtip.example") + "Buy now",
        FORWARD + VOUCHER.replace("8 November 2021", "05/11/2021") + "Assigned on: 04/05/2021\n",
        FORWARD + VOUCHER.replace("8 November 2021", "05/11/2021") + VOUCHER.replace("99017", "99018"),
        FORWARD + VOUCHER.replace("8 November 2021", "31 April 2021"),
    ],
    ids=["complete", "no forward", "no voucher mail", "two dates", "two vouchers", "no date"],
)
def test_nothing_is_asked_where_nothing_or_more_than_one_thing_is_open(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize(
    ("gate", "sender"),
    [
        (Gate("vouchers", "mx.desk.example"), SAM),
        (Gate("ingest", by_hand=True), SAM),
        (OPEN_GATE, "savoucher@msdirectservices.com"),
        (OPEN_GATE, "vouchers@desk.example"),
    ],
    ids=["unauthenticated", "by hand", "the programme", "ourselves"],
)
def test_only_a_person_who_is_authenticated_is_asked(gate: Gate, sender: str) -> None:
    assert asked(FORWARD + VOUCHER.partition("\n")[2], gate, sender) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("DPS-83K2-99017\n", "DPS-83K2-99017"),
        ("Hi,\nVoucher ID: DPS-83K2-99017\nSam\n", "DPS-83K2-99017"),
        ("DPS-83K2-99017\n\n> an older DPS-10A7-55120\n", "DPS-83K2-99017"),
        ("DPS-83K2-99017\nDPS-10A7-55120\n", ""),
        ("I do not know\n", ""),
        ("> DPS-83K2-99017\n\n", "DPS-83K2-99017"),
        ("a\nb\nc\nd\ne\nDPS-83K2-99017\n", ""),
    ],
)
def test_an_answer_names_the_voucher_in_its_own_first_lines(text: str, value: str) -> None:
    assert answered(Question("voucher_id"), reading_of(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2021-11-05\n", "2021-11-05"),
        ("It is 5 Nov 2021.\nSam\n", "2021-11-05"),
        ("05/11/2021\n", ""),
        ("2021-12-24\n", ""),
        ("2021-11-05, or 2021-05-11?\n", ""),
    ],
)
def test_an_answer_names_one_of_the_dates_it_was_asked_for(text: str, value: str) -> None:
    question = Question("expires_on", "DPS-83K2-99017", (date(2021, 5, 11), date(2021, 11, 5)))
    assert answered(question, reading_of(text)) == value


def test_with_the_answer_the_message_is_complete() -> None:
    without = reading_of(FORWARD + VOUCHER.partition("\n")[2])
    done = handled(completed(without, Question("voucher_id"), "DPS-83K2-99017"))
    assert done.outcome == "recorded"
    [hand_in] = done.hand_ins
    assert (hand_in.voucher, hand_in.facts["days"], hand_in.facts["expires_on"]) == (
        "DPS-83K2-99017",
        "5",
        "2021-11-08",
    )
    assert "our question" in hand_in.spans["voucher_id"]
