"""Remittance advices and payment status lists: what each row says, and how a sum for an invoice falls to its lines.

All lists are synthetic.
"""

from __future__ import annotations

import io
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.amounts import spread
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.remittances import (
    PaymentStatus,
    RemittanceAdvice,
    RemittanceRow,
    digests,
    spread_over_lines,
)

HEAD = "Voucher ID,Invoice,Paid on,Paid amount,Currency,Status,Payment reference,Reason\n"


def rows(text: str) -> tuple[RemittanceRow, ...]:
    read = CsvInvoices().read("payments.csv", text.encode(), None)
    assert not isinstance(read, Unreadable), read.reason
    (advice,) = read
    assert isinstance(advice, RemittanceAdvice)
    return advice.rows


def refusal(text: str) -> tuple[str, str]:
    read = CsvInvoices().read("payments.csv", text.encode(), None)
    assert isinstance(read, Unreadable), read
    return read.code, read.reason


def test_a_row_says_what_was_paid_for_whom_and_when() -> None:
    (row,) = rows(HEAD + "DPS-1001,INV-1,2021-10-30,5000.00,EUR,Paid,PAY-7,\n")
    assert row == RemittanceRow(
        row="2",
        status=PaymentStatus.PAID,
        voucher_text="DPS-1001",
        invoice="INV-1",
        on=date(2021, 10, 30),
        amount=500_000,
        currency="EUR",
        reference="PAY-7",
    )


@pytest.mark.parametrize(
    ("head", "line", "status", "amount"),
    [
        ("Voucher,Status", "DPS-1,Paid", PaymentStatus.PAID, None),
        ("Voucher,Status", "DPS-1,Payment denied", PaymentStatus.DENIED, None),
        ("Voucher,Status", "DPS-1,under review", PaymentStatus.PENDING, None),
        ("Gutschein-ID;Zahlungsstatus;bezahlt am", "DPS-1;abgelehnt;30.10.2021", PaymentStatus.DENIED, None),
        ("Gutschein-ID;Zahlbetrag (EUR)", "DPS-1;1.250,00", PaymentStatus.PAID, 125_000),
        ("상품권 ID,지급 상태,지급 금액,통화", 'DPS-1,지급 완료,"5,000",KRW', PaymentStatus.PAID, 5_000),
        ("ID du bon;statut;montant payé;devise", "DPS-1;payé;1 250,00;EUR", PaymentStatus.PAID, 125_000),
        ("Número de vale;estado;importe pagado;moneda", "DPS-1;rechazado;0,00;EUR", PaymentStatus.DENIED, 0),
        ("利用券 ID,支払状況,支払額,通貨", "DPS-1,支払済,5000,JPY", PaymentStatus.PAID, 5_000),
        ("凭证 ID,付款状态,付款金额,币种", "DPS-1,已付款,5000.00,CNY", PaymentStatus.PAID, 500_000),
        ("Invoice,Amount paid,Currency", "INV-1,(12.00),USD", PaymentStatus.REVERSED, -1_200),
        ("Invoice,Status,Amount,Currency", "INV-1,reversed,12.00,USD", PaymentStatus.REVERSED, 1_200),
        ("Invoice,Status,Amount,Currency", "INV-1,paid,-12.00,USD", PaymentStatus.REVERSED, -1_200),
    ],
)
def test_the_words_of_the_languages_and_the_forms_of_amounts_are_known(
    head: str, line: str, status: PaymentStatus, amount: int | None
) -> None:
    (row,) = rows(f"{head}\n{line}\n")
    assert (row.status, row.amount) == (status, amount)


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        (HEAD + "DPS-1,,2021-10-30,5.00,EUR,whatever,,\n", "invoice-unreadable", "row 2: the status 'whatever'"),
        (HEAD + ",,2021-10-30,5.00,EUR,Paid,,\n", "invoice-unreadable", "row 2: neither a voucher nor an invoice"),
        (HEAD + "DPS-1,,2021-10-30,5.00,,Paid,,\n", "invoice-unreadable", "row 2: an amount without a currency"),
        (HEAD + "DPS-1,,2021-10-30,5.00,EUX,Paid,,\n", "invoice-unreadable", "'EUX' is not a currency"),
        (HEAD + "DPS-1,,2021-10-30,,,,,\n", "invoice-unreadable", "row 2: neither an amount nor what became of it"),
        (HEAD + "DPS-1,,03/04/2021,5.00,EUR,Paid,,\n", "invoice-unreadable", "row 2: date '03/04/2021'"),
        (HEAD + 'DPS-1,,2021-10-30,"2,780",EUR,Paid,,\n', "invoice-unreadable", "'2,780' reads two ways"),
        (HEAD, "invoice-unreadable", "no payments"),
        (
            HEAD + "DPS-1,,2021-10-30,5.00,EUR,Paid,,\nTotal,,,6.00,EUR,,,\n".replace("Total,,", ",Total,"),
            "invoice-inconsistent",
            "row 3: the total is 6.00 EUR, the rows add up to 5.00 EUR: 1.00 EUR of difference",
        ),
        (
            "Invoice,Date,Voucher,Amount,Currency,Status\nI-1,2021-09-10,DPS-1,5.00,EUR,Paid\n",
            "invoice-unreadable",
            "those of an invoice list and of a remittance advice",
        ),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_trusted_is_refused_with_row_and_reason(
    text: str, code: str, reason: str
) -> None:
    found = refusal(text)
    assert found[0] == code
    assert reason in found[1]


def test_an_invoice_list_with_a_column_of_statuses_stays_an_invoice_list() -> None:
    text = "Invoice,Date,Voucher,Net,Currency,Status\nI-1,2021-09-10,DPS-1,5.00,EUR,sent\n"
    read = CsvInvoices().read("invoices.csv", text.encode(), None)
    assert not isinstance(read, Unreadable)
    assert [type(one) for one in read] == [InvoiceDocument]


def test_a_spreadsheet_may_hold_payments_on_one_sheet_and_invoices_on_another() -> None:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    paid, billed = book.add_worksheet("paid"), book.add_worksheet("billed")
    for at, cells in enumerate(
        [HEAD.strip().split(","), ["DPS-1", "I-1", "2021-10-30", 5000.5, "EUR", "Paid"]]
    ):
        paid.write_row(at, 0, cells)
    for at, cells in enumerate(
        [["Invoice", "Date", "Voucher", "Net", "Currency"], ["I-1", "2021-09-10", "DPS-1", 7, "EUR"]]
    ):
        billed.write_row(at, 0, cells)
    book.close()
    read = SheetInvoices().read("list.xlsx", content.getvalue(), None)
    assert not isinstance(read, Unreadable), read.reason
    advice, invoice = read
    assert isinstance(advice, RemittanceAdvice)
    assert [row.amount for row in advice.rows] == [500_050]
    assert isinstance(invoice, InvoiceDocument)


def test_a_row_is_known_again_in_another_file_and_rows_that_say_the_same_each_count() -> None:
    text = HEAD + 2 * "DPS-1001,INV-1,2021-10-30,5000.00,EUR,Paid,PAY-7,\n"
    other = "Payment reference;Status;Currency;Amount paid;Paid on;Invoice number;Voucher\n" + 2 * (
        "PAY-7;paid;EUR;5.000,00;30.10.2021;inv-1;dps 1001\n"
    )
    one, two = digests(RemittanceAdvice(rows(text))), digests(RemittanceAdvice(rows(other)))
    assert one == two
    assert len(set(one)) == 2


AMOUNTS = st.integers(-(10**9), 10**9)


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=12).filter(sum))
def test_a_sum_is_spread_to_the_cent_whatever_the_signs_of_the_lines(amount: int, lines: list[int]) -> None:
    parts = spread_over_lines(amount, lines)
    assert sum(parts) == amount
    for part, line in zip(parts, lines, strict=True):
        assert abs(part - amount * line / sum(lines)) <= 1


@given(st.lists(AMOUNTS, min_size=1, max_size=12).filter(sum))
def test_an_invoice_that_is_paid_exactly_pays_each_line_exactly(lines: list[int]) -> None:
    assert spread_over_lines(sum(lines), lines) == lines


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(sum))
def test_over_plain_lines_it_is_what_any_amount_is_spread_by(amount: int, lines: list[int]) -> None:
    assert spread_over_lines(amount, lines) == spread(amount, lines)


def test_lines_that_add_up_to_nothing_take_nothing() -> None:
    with pytest.raises(ValueError, match="add up to nothing"):
        spread_over_lines(100, [5, -5])
