"""What stands in real mails beside the voucher and must not be taken for it; and what may only be put to a person.

Whole synthetic mails, read and decided about as the daemon does.
"""

from __future__ import annotations

import pytest

from tests.builders import at, partner, programme, rulebook
from tests.forward_layouts import CLIENTS, Message
from tests.forwardmaking import mail
from voucherd.adapters.reader.task import read_here
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Reading

RULES = rulebook((partner("contoso"),))
GATE = Gate("vouchers", authserv_id="mx.desk.example")
NOW = at("2021-05-19 12:00", "Europe/Berlin")
FACTS = "Organization: Adatum AB\nService: SDPS\nLength: 10 days\nCreated on: May 17, 2021\n"
VOUCHER = f"Voucher number: DPS-83K2-99017\n{FACTS}"


def forwarded(
    body: str, *, subject: str = "A voucher was assigned to you", own: str = "", html: bool = False
) -> bytes:
    """A forward of the programme's mail as Outlook makes it, below the forwarder's own words."""
    message = Message(subject=subject, body=body)
    if html:
        shown = f"<html><body><div>{own}</div>{CLIENTS[0].html('en', message)}</body></html>"
    else:
        shown = f"{own}\n{CLIENTS[0].text('en', message)}"
    return mail(shown, f"FW: {subject}", html=html)


def decided(content: bytes) -> tuple[list[str], Handling, Reading]:
    """The voucher IDs found, and the decision."""
    reading = read_here(content, (programme(),))
    assert isinstance(reading, Reading)
    ids = [one.value for one in reading.candidates if one.fact == "voucher_id"]
    return ids, handle(reading, GATE, RULES, NOW), reading


@pytest.mark.parametrize(
    "beside",
    [
        "Mara Lindqvist\nTel. +46 8 123 45 67\nMobile: 070-1234567\nFax 08-1234568",
        "Order number: 4500012345\nOur reference: PO-2021-00471\nCustomer no. 20210017",
        "Mara Lindqvist | Adatum AB | VAT SE556677889901 | +46 (0)8 123 45 67",
        "Agreement number: V1234567\nLicensing ID: 98765432\nInvoice: INV-2021-1001",
        "Ticket [REF:00D123456.500123]: please keep this in the subject",
        "Meeting ID: 812 3456 7890\nPasscode: 123456",
        "Voucher terms: see www.programme.example/v/12345678",
        "My voucher DPS-00A0-11111 was used last year.",
    ],
)
@pytest.mark.parametrize("where", ["above", "below"])
def test_signatures_telephones_and_order_numbers_are_no_vouchers(beside: str, where: str) -> None:
    above = where == "above"
    content = forwarded(VOUCHER, own=beside) if above else forwarded(f"{VOUCHER}\n--\n{beside}\n")
    ids, done, _ = decided(content)
    assert ids == ["DPS-83K2-99017"]
    assert done.outcome == "recorded", done.reason


@pytest.mark.parametrize(
    "older",
    [
        "\n> Voucher number: DPS-00A0-11111\n> Service: DDPS\n",
        "\nOn 3 May 2021, Software Assurance Benefits <sabenefits@microsoft.com> wrote:\n"
        "> Voucher number: DPS-00A0-11111\n",
        "\nFrom: Software Assurance Benefits <sabenefits@microsoft.com>\nSent: Monday, May 3, 2021 4:40 PM\n"
        "To: Mara Lindqvist <mara@adatum.example>\nSubject: Your older voucher\n\nVoucher number: DPS-00A0-11111\n",
        "\n-----Original Message-----\nFrom: Ola Berg <ola@adatum.example>\nSent: Monday, May 3, 2021 4:40 PM\n"
        "To: Mara Lindqvist <mara@adatum.example>\nSubject: Voucher\n\nVoucher number: DPS-00A0-11111\n",
    ],
)
def test_an_older_voucher_that_is_quoted_below_is_not_the_voucher(older: str) -> None:
    ids, done, _ = decided(forwarded(f"{VOUCHER}{older}"))
    assert ids == ["DPS-83K2-99017"]
    assert [one.voucher for one in done.hand_ins] == ["DPS-83K2-99017"]


@pytest.mark.parametrize("html", [False, True])
def test_an_id_in_the_subject_alone_is_found_with_the_facts_of_the_body(html: bool) -> None:
    body = "<br>".join(FACTS.splitlines()) if html else FACTS
    ids, done, reading = decided(
        forwarded(body, subject="Voucher number DPS-83K2-99017 was assigned", html=html)
    )
    assert ids == ["DPS-83K2-99017"]
    (one,) = done.hand_ins
    assert (one.facts["customer"], one.facts["days"], str(one.assigned_on)) == (
        "Adatum AB",
        "10",
        "2021-05-17",
    )
    assert {candidate.part for candidate in reading.candidates if candidate.fact == "voucher_id"} == {
        "subject"
    }


def test_several_vouchers_stand_in_a_table_with_a_head_wherever_the_id_column_is() -> None:
    table = (
        "<table border=1><tr><th>#</th><th>Service</th><th>Voucher number</th><th>Length</th><th>Note</th></tr>"
        "<tr><td>1</td><td>SDPS</td><td>DPS-60B1-20001</td><td>5 days</td><td>call 12345678</td></tr>"
        "<tr><td>2</td><td>DDPS</td><td>DPS-60B1-20002</td><td>10 days</td><td></td></tr>"
        "<tr><td>3</td><td>PVDPS</td><td>DPS-60B1-20003</td><td>3 days</td><td>order 4500012345</td></tr></table>"
        "<p>Organization: Adatum AB<br>Created on: May 17, 2021</p>"
    )
    _, done, _ = decided(forwarded(table, html=True))
    assert [
        (one.voucher, one.facts["offering"], one.facts["days"], one.facts["customer"])
        for one in done.hand_ins
    ] == [
        ("DPS-60B1-20001", "SDPS", "5", "Adatum AB"),
        ("DPS-60B1-20002", "DDPS", "10", "Adatum AB"),
        ("DPS-60B1-20003", "PVDPS", "3", "Adatum AB"),
    ]


def test_a_mail_with_nothing_but_a_picture_goes_to_a_person_and_says_so() -> None:
    picture = '<p><img src="cid:scan" alt=""></p>'
    _, done, _ = decided(mail(f"<html><body>{picture}</body></html>", "Voucher", html=True))
    assert (done.outcome, done.code) == ("review", "no-voucher-id")
    assert "picture" in done.reason


@pytest.mark.parametrize(
    "line",
    [
        "Voucher number: DPS-83K2 99017",
        "Voucher number: DPS-83K2-\n99017",
        "Voucher number: D P S - 8 3 K 2",
        "Voucher number: DРS-83K2-99017",
        "Voucher number: DPS-83K2-99017а",
        "Voucher number: DPS_83K2_99017",
        "Vouchernumber is somewhere, I think DPS-83K2-99017",
        "DPS-83K2-99017",
        "http://programme.example/DPS-83K2-99017",
        "DPS-83K2-99017@adatum.example",
    ],
)
def test_what_resembles_an_id_is_never_accepted(line: str) -> None:
    ids, done, _ = decided(forwarded(f"{line}\n{FACTS}"))
    assert ids == []
    assert (done.outcome, done.hand_ins) == ("review", ())


def test_look_alikes_of_one_id_are_never_one_voucher() -> None:
    body = "".join(
        f"Voucher number: {one}\nLength: 5 days\n\n"
        for one in ("DPS-1000", "DPS-l000", "DPS-IO00", "DPS-100")
    )
    ids, _, _ = decided(forwarded(body))
    assert len(ids) == 4


def test_a_date_that_reads_two_ways_is_two_candidates_and_asks_a_person() -> None:
    _, done, reading = decided(forwarded(f"{VOUCHER}Valid until: 05/11/2021\n"))
    dates = [one.value for one in reading.candidates if one.fact == "expires_on"]
    assert sorted(dates) == ["2021-05-11", "2021-11-05"]
    assert (done.outcome, done.code) == ("review", "ambiguous")
    assert "05/11/2021" in done.reason


@pytest.mark.parametrize(
    "shown",
    [
        "Platnost do:<ol start=30><li>června 2021</li></ol>",
        "Platnost do:<ol><li>června 2021</li></ol>",
        "Platnost do:<br>1. června 2021",
    ],
)
def test_a_day_that_became_the_number_of_a_list_is_not_guessed(shown: str) -> None:
    body = f"Číslo poukazu: DPS-83K2-99017<br>Délka: 5 dní<br>{shown}"
    _, done, reading = decided(forwarded(body, html=True))
    assert [one for one in reading.candidates if one.fact == "expires_on"] == []
    assert (done.outcome, done.code) == ("review", "ambiguous")


def test_a_day_on_the_line_of_its_label_is_a_day() -> None:
    body = "Číslo poukazu: DPS-83K2-99017<br>Vytvořeno: 17. května 2021<br>Platnost do: 30. června 2021"
    _, done, _ = decided(forwarded(body, html=True))
    assert [one.facts["expires_on"] for one in done.hand_ins] == ["2021-06-30"]
