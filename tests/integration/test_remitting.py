"""What was paid: lists of the programme become events of vouchers, once, and reconciliation says paid or denied.

All lists and mails are synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from tests.desks import TestDesk, results
from tests.einvoicing import item, ubl
from tests.worlds import World, instant, invoice
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.events import EventKind
from voucherd.domain.voucher import State
from voucherd.service.by_hand import record_fact
from voucherd.service.decisions import Teller, match_line
from voucherd.service.reconcile import TakenFile, take_in_file
from voucherd.service.review import reject, retry

pytest_plugins = ["tests.stores", "tests.reading_workers"]

A, B = "DPS-1001", "DPS-1002"
HEADINGS = "invoice,date,line,voucher,net,currency\n"
HEAD = "Voucher,Invoice,Paid on,Paid amount,Currency,Status,Payment reference,Reason\n"


def hand_over(world: World, folder: Path, *lines: str, name: str = "payments.csv") -> TakenFile:
    """Takes a list in as `voucherd reconcile FILE` does."""
    content = (HEAD + "".join(f"{line}\n" for line in lines)).encode()
    now = instant("2021-11-15")
    return take_in_file(
        world.store, FileArchive(folder / "mail"), [CsvInvoices()], world.rules, name, content, None, now
    )


def billed(world: World, *vouchers: str, number: str = "I-1", net: int = 500_000) -> None:
    for voucher in vouchers:
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice(number, date(2021, 9, 10), *((voucher, net) for voucher in vouchers)))


def row(world: World, voucher: str = A) -> dict[str, Any]:
    report = world.reconciliation("2021-11-15")
    (found,) = [one for one in report["vouchers"] if one["id"] == voucher]
    return found


def money(world: World, voucher: str = A) -> list[tuple[str, str | None]]:
    payments = (EventKind.PAID, EventKind.PAYMENT_DENIED)
    found = [event for event in world.history(voucher) if event.kind in payments]
    return [(event.kind.value, event.facts.get("amount")) for event in found]


@pytest.mark.parametrize(
    ("lines", "payment", "state"),
    [
        ([f"{A},,2021-10-30,5000.00,EUR,Paid,P-1,"], "paid", State.PAID),
        ([f"{A},,2021-10-30,5000.02,EUR,Paid,P-1,"], "paid", State.PAID),
        ([f"{A},,2021-10-30,,,Paid,P-1,"], "paid", State.PAID),
        ([f"{A},,2021-10-30,2000.00,EUR,Paid,P-1,"], "part-paid", State.BILLED),
        ([f"{A},,2021-10-30,6000.00,EUR,Paid,P-1,"], "overpaid", State.PAID),
        ([f"{A},,2021-10-30,5000.00,EUR,Denied,P-1,no report"], "unpaid", State.REDEEMED),
        ([f"{A},,2021-10-30,5000.00,EUR,Pending,P-1,"], "unpaid", State.BILLED),
        (
            [f"{A},,2021-10-30,5000.00,EUR,Paid,P-1,", f"{A},,2021-11-02,5000.00,EUR,Reversed,P-2,"],
            "reversed",
            State.PAID,
        ),
        (
            [f"{A},,2021-10-30,2000.00,EUR,Paid,P-1,", f"{A},,2021-11-02,3000.00,EUR,Paid,P-2,"],
            "paid",
            State.PAID,
        ),
        ([f"{A},,2021-10-30,5000.00,USD,Paid,P-1,"], "paid", State.PAID),
    ],
)
def test_a_row_for_a_voucher_says_what_became_of_its_payment(
    world: World, tmp_path: Path, lines: list[str], payment: str, state: State
) -> None:
    billed(world, A)
    hand_over(world, tmp_path, *lines)
    assert row(world)["payment"] == payment
    assert world.standing(A).voucher.state is state
    assert world.reviews() == []


def test_payments_in_parts_make_a_voucher_paid_when_the_last_of_them_comes_and_say_what_is_open(
    world: World, tmp_path: Path
) -> None:
    billed(world, A)
    parts = ("2021-10-20,2000.00", "2021-10-25,1000.00", "2021-11-02,2000.00")
    stands = []
    for at, part in enumerate(parts, 1):
        hand_over(world, tmp_path, f"{A},,{part},EUR,Paid,P-{at},", name=f"{at}.csv")
        voucher = world.standing(A).voucher
        stands.append((voucher.state, voucher.paid_on, world.history(A)[-1].note))
    assert stands == [
        (State.BILLED, None, "2000.00 EUR paid of 5000.00 EUR"),
        (State.BILLED, None, "3000.00 EUR paid of 5000.00 EUR"),
        (State.PAID, date(2021, 11, 2), "5000.00 EUR paid of 5000.00 EUR"),
    ]


def test_a_short_bill_that_is_paid_leaves_the_rest_to_be_billed(world: World, tmp_path: Path) -> None:
    billed(world, A, net=400_000)
    hand_over(world, tmp_path, f"{A},,2021-10-20,4000.00,EUR,Paid,P-1,")
    assert (row(world)["billing"], row(world)["payment"]) == ("short", "paid")
    assert world.standing(A).voucher.state is State.REDEEMED
    assert "planned" in world.statuses(A, "bill")


@pytest.mark.parametrize("status", ["Submitted", "Paid"])
@pytest.mark.parametrize("named", [f"{A},", f"{A},I-1", ",I-1"])
def test_the_submission_date_that_a_list_states_says_when_a_bill_was_in_time(
    world: World, tmp_path: Path, status: str, named: str
) -> None:
    world.redeemed(A, "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 11, 10), (A, 500_000)))
    assert (row(world)["timeliness"], row(world)["completed_on"]) == ("late", "2021-11-10")
    content = f"Voucher,Invoice,Status,Submission date\n{named},{status},2021-10-29\n".encode()
    archive, now = FileArchive(tmp_path / "mail"), instant("2021-11-15")
    for name in ("status.csv", "again.csv"):
        take_in_file(world.store, archive, [CsvInvoices()], world.rules, name, content, None, now)
    assert (row(world)["timeliness"], row(world)["completed_on"]) == ("on-time", "2021-10-29")
    assert world.standing(A).voucher.billed_on == date(2021, 10, 29)
    submitted = [event for event in world.history(A) if event.kind is EventKind.SUBMITTED]
    assert [event.on for event in submitted] == [date(2021, 10, 29)]
    (line,) = world.reconciliation("2021-11-15")["lines"]
    assert "submitted on 2021-10-29" in line["because"]


def test_the_submission_of_another_invoice_proves_nothing(world: World, tmp_path: Path) -> None:
    world.redeemed(A, "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 11, 10), (A, 500_000)))
    content = f"Voucher,Invoice,Status,Submission date\n{A},I-7,Submitted,2021-10-29\n".encode()
    archive, now = FileArchive(tmp_path / "mail"), instant("2021-11-15")
    take_in_file(world.store, archive, [CsvInvoices()], world.rules, "s.csv", content, None, now)
    assert row(world)["timeliness"] == "late"


def test_a_payment_for_a_voucher_that_nobody_billed_is_told(world: World, tmp_path: Path) -> None:
    world.redeemed(A, "2021-09-01")
    hand_over(world, tmp_path, f"{A},,2021-10-30,5000.00,EUR,Paid,P-1,")
    assert (row(world)["billing"], row(world)["payment"]) == ("unbilled", "paid-unbilled")


def test_a_sum_for_an_invoice_falls_to_its_lines_to_the_cent(world: World, tmp_path: Path) -> None:
    third = "DPS-1003"
    billed(world, A, B, third)
    hand_over(world, tmp_path, ",I-1,2021-10-30,10000.00,EUR,Paid,P-1,")
    assert [money(world, voucher) for voucher in (A, B, third)] == [
        [("paid", "3333.34")],
        [("paid", "3333.33")],
        [("paid", "3333.33")],
    ]
    assert row(world)["payment"] == "part-paid"
    hand_over(world, tmp_path, ",I-1,2021-11-01,5000.00,EUR,Paid,P-2,", name="rest.csv")
    assert [row(world, voucher)["payment"] for voucher in (A, B, third)] == ["paid"] * 3
    assert world.reviews() == []


def test_what_is_sent_again_changes_nothing_under_whatever_name(world: World, tmp_path: Path) -> None:
    billed(world, A, B)
    lines = (",I-1,2021-10-30,10000.00,EUR,Paid,P-1,", f"{A},,2021-11-02,1.00,EUR,Paid,P-2,")
    first = hand_over(world, tmp_path, *lines)
    histories = [world.history(A), world.history(B)]
    again = hand_over(world, tmp_path, *reversed(lines), name="again.csv")
    assert first.remitted is not None
    assert again.remitted is not None
    assert (first.remitted.recorded, first.remitted.known) == (3, 0)
    assert (again.remitted.recorded, again.remitted.known) == (0, 3)
    assert [world.history(A), world.history(B)] == histories


def test_a_denial_opens_the_billing_again_and_its_reason_is_kept(world: World, tmp_path: Path) -> None:
    billed(world, A)
    assert world.statuses(A, "bill") == {"met"}
    hand_over(world, tmp_path, f"{A},,2021-09-30,5000.00,EUR,Denied,P-1,no completion report")
    standing = world.standing(A)
    assert (standing.voucher.state, standing.voucher.billed_on) == (State.REDEEMED, None)
    assert "planned" in world.statuses(A, "bill")
    assert world.history(A)[-1].note == "5000.00 EUR denied: no completion report"


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("DPS-9999,,2021-10-30,5.00,EUR,Paid,P-1,", "unknown-voucher", "voucher DPS-9999 is not known"),
        (",I-9,2021-10-30,5.00,EUR,Paid,P-1,", "unknown-voucher", "invoice I-9 is not known"),
        (f'"{A}, {B}",,2021-10-30,5.00,EUR,Paid,P-1,', "ambiguous", "it names several vouchers"),
        (f"{A},,2021-11-16,5.00,EUR,Paid,P-1,", "ambiguous", "it is dated in the future: 2021-11-16"),
        (",I-1,2021-10-30,5.00,USD,Paid,P-1,", "ambiguous", "it is in USD, invoice I-1 in EUR"),
    ],
)
def test_what_finds_no_voucher_waits_in_one_entry_and_the_rest_counts(
    world: World, tmp_path: Path, line: str, code: str, reason: str
) -> None:
    billed(world, A)
    good = f"{A},,2021-10-30,5000.00,EUR,Paid,P-0,"
    for _ in range(2):
        hand_over(world, tmp_path, line, good)
    (entry,) = world.reviews()
    assert entry.code == code
    assert reason in entry.reason
    assert row(world)["payment"] == "paid"


def test_the_part_of_lines_without_a_voucher_is_named_and_told(world: World, tmp_path: Path) -> None:
    billed(world, A)
    world.take_in(invoice("I-2", date(2021, 9, 10), (A, 300_000), ("DPS-9999", 100_000)))
    hand_over(world, tmp_path, ",I-2,2021-10-30,4000.00,EUR,Paid,P-1,")
    assert money(world) == [("paid", "3000.00")]
    (entry,) = world.reviews()
    assert (
        "a payment of 4000.00 EUR for invoice I-2, 1000.00 EUR of it: voucher DPS9999 is not known"
        in entry.reason
    )


def test_a_payment_that_came_before_its_invoice_is_taken_up_when_the_invoice_comes(
    world: World, tmp_path: Path
) -> None:
    hand_over(
        world, tmp_path, ",I-1,2021-10-30,5000.00,EUR,Paid,P-1,", ",I-2,2021-10-30,4000.00,EUR,Paid,P-2,"
    )
    (waiting,) = world.reviews()
    world.redeemed(A, "2021-09-01")
    invoices = HEADINGS + f"I-1,2021-09-10,1,{A},5000.00,EUR\n"
    archive, now = FileArchive(tmp_path / "mail"), instant("2021-11-15")
    take_in_file(
        world.store, archive, [CsvInvoices()], world.rules, "i.csv", invoices.encode(), "contoso", now
    )
    assert row(world)["payment"] == "paid"
    (left,) = world.reviews()
    assert left.number != waiting.number
    assert ("I-2 is not known" in left.reason, "I-1" in left.reason) == (True, False)
    settled = f"I-2,2021-09-10,1,{B},4000.00,EUR\n"
    world.redeemed(B, "2021-09-01")
    take_in_file(
        world.store,
        archive,
        [CsvInvoices()],
        world.rules,
        "j.csv",
        (HEADINGS + settled).encode(),
        "contoso",
        now,
    )
    assert world.reviews() == []
    assert money(world, B) == [("paid", "4000.00")]


def test_a_payment_of_a_voucher_that_was_not_known_is_taken_up_when_somebody_records_it(
    world: World, tmp_path: Path
) -> None:
    hand_over(world, tmp_path, f"{A},,2021-10-30,5000.00,EUR,Paid,P-1,")
    assert len(world.reviews()) == 1
    record_fact(
        world.store,
        world.rules,
        voucher=A,
        kind=EventKind.REDEEMED,
        on=date(2021, 9, 1),
        now=instant("2021-11-15"),
        by="op",
        partner="contoso",
        programme=next(iter(world.rules.programmes)),
    )
    assert world.reviews() == []
    assert money(world) == [("paid", "5000.00")]


def test_the_part_of_a_line_without_a_voucher_is_taken_up_when_a_person_says_which_it_is(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(A, "2021-09-01")
    world.take_in(invoice("I-2", date(2021, 9, 10), ("DPS-9999", 500_000)))
    hand_over(world, tmp_path, ",I-2,2021-10-30,5000.00,EUR,Paid,P-1,")
    assert len(world.reviews()) == 1
    (line,) = world.reconciliation("2021-11-15")["lines"]
    teller = Teller("op", "mistyped", instant("2021-11-15"))
    match_line(world.store, world.rules, line["number"], A, None, teller)
    assert (row(world)["payment"], world.reviews()) == ("paid", [])


def test_an_entry_that_a_person_rejected_is_not_taken_up(world: World, tmp_path: Path) -> None:
    hand_over(world, tmp_path, ",I-1,2021-10-30,5000.00,EUR,Paid,P-1,")
    (entry,) = world.reviews()
    reject(world.store, world.rules, entry.number, "op", "a test", instant("2021-11-15"))
    billed(world, A)
    hand_over(world, tmp_path, f"{B},,2021-10-30,1.00,EUR,Paid,P-9,", name="other.csv")
    assert money(world) == []


def test_an_electronic_invoice_is_paid_with_its_tax(world: World, tmp_path: Path) -> None:
    world.redeemed(A, "2021-09-01")
    bill = ubl([("5000.00", item(f"Voucher ID: {A}"))], number="I-1", tax="950.00")
    readers = [CsvInvoices(), StructuredInvoices(tuple(world.rules.programmes.values()))]
    archive, now = FileArchive(tmp_path / "mail"), instant("2021-11-15")
    take_in_file(world.store, archive, readers, world.rules, "i.xml", bill, "contoso", now)
    hand_over(world, tmp_path, ",I-1,2021-10-30,5950.00,EUR,Paid,P-1,")
    assert (row(world)["billing"], row(world)["payment"]) == ("billed", "paid")


def test_one_number_of_two_suppliers_is_settled_by_the_supplier_or_by_a_person(
    world: World, tmp_path: Path
) -> None:
    billed(world, A)
    world.take_in(invoice("I-1", date(2021, 9, 11), (B, 500_000), supplier="fabrikam"))
    hand_over(world, tmp_path, ",I-1,2021-10-30,5000.00,EUR,Paid,P-1,")
    (entry,) = world.reviews()
    assert "I-1 is the number of several: invoice of contoso and invoice of fabrikam" in entry.reason
    named = HEAD.strip() + ",Supplier\n,I-1,2021-10-30,5000.00,EUR,Paid,P-1,,Contoso Consulting\n"
    archive, now = FileArchive(tmp_path / "mail"), instant("2021-11-15")
    take_in_file(world.store, archive, [CsvInvoices()], world.rules, "n.csv", named.encode(), None, now)
    assert money(world) == [("paid", "5000.00")]


def test_reconciliation_says_the_same_of_a_voucher_read_back_and_folded_anew(
    world: World, tmp_path: Path
) -> None:
    billed(world, A)
    hand_over(world, tmp_path, f"{A},,2021-10-30,2000.00,EUR,Paid,P-1,")
    with world.store.read() as tx:
        stored = list(tx.ledger.standings([key for key, _ in tx.ledger.all(instant("2021-11-15"))]).items())
        assert tx.ledger.differing(stored) == []


# by mail


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    with closing(TestDesk(tmp_path, workers=workers)) as made:
        yield made


def list_mail(
    sender: str, content: str, *, subject: str = "Payment status", text: str = "Attached."
) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["Authentication-Results"] = results(sender.rpartition("@")[2])[1]
    made["From"], made["To"], made["Subject"] = sender, "vouchers@desk.example", subject
    made["Date"], made["Message-ID"] = "Tue, 02 Nov 2021 09:30:00 +0100", f"<{abs(hash(content))}.{sender}>"
    made.set_content(text + "\n")
    made.add_attachment(content.encode(), "text", "csv", filename="payment-status.csv")
    return bytes(made)


PAID = HEAD + f"{A},,2021-10-30,5000.00,EUR,Paid,P-1,\n"


@pytest.mark.parametrize(
    ("sender", "outcome", "code"),
    [
        ("noreply@microsoft.com", "recorded", ""),
        ("ops@desk.example", "recorded", ""),
        ("sam@contoso.example", "review", "not-entitled"),
        ("anyone@elsewhere.example", "review", "not-entitled"),
    ],
)
def test_the_programme_and_operators_may_hand_in_a_list(
    desk: TestDesk, sender: str, outcome: str, code: str
) -> None:
    handed_in(desk)
    content = list_mail(sender, PAID)
    desk.put(content)
    desk.run("2021-11-03T10:00")
    message = desk.message(content)
    assert (message.outcome.value, message.code) == (outcome, code), message.reason
    (voucher,) = desk.vouchers("2021-11-03T12:00")
    assert (voucher["paid_on"] is not None) == (outcome == "recorded")


FORWARDED = """See below.

---------- Forwarded message ---------
From: Planning Services <no-reply@microsoft.com>
Date: Mon, 1 Nov 2021 at 18:00
Subject: Payment status
To: Sam Ortiz <sam@contoso.example>

The payment status of your vouchers is attached.
"""


@pytest.mark.parametrize(("voucher", "outcome"), [(A, "recorded"), ("DPS-7777", "review")])
def test_a_partner_forwards_the_programmes_list_for_its_own_vouchers(
    desk: TestDesk, voucher: str, outcome: str
) -> None:
    handed_in(desk)
    content = list_mail("sam@contoso.example", PAID.replace(A, voucher), text=FORWARDED)
    desk.put(content)
    desk.run("2021-11-03T10:00")
    assert desk.message(content).outcome.value == outcome, desk.message(content).reason


def handed_in(desk: TestDesk, now: str = "2021-09-01T12:00") -> None:
    for kind in (EventKind.RESERVED, EventKind.REDEEMED):
        record_fact(
            desk.app.store,
            desk.app.rules,
            voucher=A,
            kind=kind,
            on=date(2021, 9, 1),
            now=instant(now),
            by="ops@desk.example",
            partner="contoso",
        )


def test_the_programme_may_not_hand_in_an_invoice(desk: TestDesk) -> None:
    bill = "Invoice,Date,Voucher,Net,Currency\nI-1,2021-09-10,DPS-1001,5000.00,EUR\n"
    content = list_mail("noreply@microsoft.com", bill, subject="Invoice")
    desk.put(content)
    desk.run("2021-11-03T10:00")
    assert desk.message(content).code == "not-entitled"
    with desk.app.store.read() as tx:
        assert [*tx.invoices.all_documents()] == []


def test_a_mail_with_a_payment_of_an_unknown_voucher_waits_and_is_settled_when_it_is_handed_in(
    desk: TestDesk,
) -> None:
    content = list_mail("noreply@microsoft.com", PAID)
    desk.put(content)
    desk.run("2021-11-03T10:00")
    (entry,) = desk.reviews()
    assert entry.code == "unknown-voucher"
    assert "row 2: a payment of 5000.00 EUR: voucher DPS-1001 is not known" in entry.reason
    handed_in(desk, "2021-11-03T12:00")
    assert desk.reviews() == []
    assert desk.message(content).outcome.value == "recorded"
    assert desk.vouchers("2021-11-04T12:00")[0]["paid_on"] == "2021-10-30"
    assert retry(desk.app.intake(), desk.app.gates(), None, instant("2021-11-04")) == {}


def test_the_amount_that_a_notice_by_mail_states_counts(desk: TestDesk) -> None:
    handed_in(desk)
    made = EmailMessage(policy=SMTP)
    made["Authentication-Results"] = results("microsoft.com")[1]
    made["From"], made["To"] = "noreply@microsoft.com", "vouchers@desk.example"
    made["Subject"], made["Date"] = "Payment was made", "Tue, 02 Nov 2021 09:30:00 +0100"
    made["Message-ID"] = "<notice@microsoft.com>"
    made.set_content(
        "A payment was made for your voucher.\n\n"
        f"Voucher ID: {A}\nPaid on: 30 October 2021\nPaid amount: 5,000.00 EUR\n"
    )
    desk.put(bytes(made))
    desk.run("2021-11-03T10:00")
    assert desk.message(bytes(made)).outcome.value == "recorded", desk.message(bytes(made)).reason
    with desk.app.store.read() as tx:
        ((_, standing),) = tx.ledger.all(instant("2021-11-03T12:00"))
    assert [(one.amount, one.currency) for one in standing.voucher.remitted] == [(500_000, "EUR")]
