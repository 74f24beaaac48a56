"""UBL remittance advices: which side of a line was paid, for what, and when. All documents are synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.remittances import RemittanceAdvice, RemittanceRow
from voucherd.settings.programme_file import load_programmes

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
INVOICE = (
    "<BillingReference><InvoiceDocumentReference><ID>{}</ID></InvoiceDocumentReference></BillingReference>"
)


def line(debit: str = "", credit: str = "", inside: str = INVOICE.format("INV-1")) -> str:
    amounts = f'<DebitLineAmount currencyID="EUR">{debit}</DebitLineAmount>' if debit else ""
    amounts += f'<CreditLineAmount currencyID="EUR">{credit}</CreditLineAmount>' if credit else ""
    return amounts + inside


def advice(*lines: str, total: str = "", head: str = "", currency: str = "EUR") -> bytes:
    rows = "".join(
        f"<RemittanceAdviceLine><ID>{at}</ID>{one}</RemittanceAdviceLine>" for at, one in enumerate(lines, 1)
    )
    stated = f'<TotalPaymentAmount currencyID="EUR">{total}</TotalPaymentAmount>' if total else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<RemittanceAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:RemittanceAdvice-2">
<ID>RA-7</ID><IssueDate>2021-10-30</IssueDate><DocumentCurrencyCode>{currency}</DocumentCurrencyCode>
{stated}{head}{rows}</RemittanceAdvice>""".encode()


def read(content: bytes) -> tuple[RemittanceRow, ...] | Unreadable:
    found = StructuredInvoices(PROGRAMMES).read("advice.xml", content, None)
    if isinstance(found, Unreadable):
        return found
    (made,) = found
    assert isinstance(made, RemittanceAdvice)
    return made.rows


@pytest.mark.parametrize(
    ("content", "amounts"),
    [
        (
            advice(line(debit="100.00"), line(debit="50.50"), total="150.50"),
            [("paid", 10_000), ("paid", 5_050)],
        ),
        (advice(line(credit="100.00"), total="100.00"), [("paid", 10_000)]),
        (advice(line(debit="100.00")), [("paid", 10_000)]),
        (
            advice(line(debit="100.00"), line(credit="30.00"), total="70.00"),
            [("paid", 10_000), ("reversed", -3_000)],
        ),
        (
            advice(line(debit="30.00"), line(credit="100.00"), total="70.00"),
            [("reversed", -3_000), ("paid", 10_000)],
        ),
    ],
)
def test_the_total_tells_which_side_of_a_line_was_paid(
    content: bytes, amounts: list[tuple[str, int]]
) -> None:
    rows = read(content)
    assert not isinstance(rows, Unreadable), rows.reason
    assert [(one.status.value, one.amount) for one in rows] == amounts


def test_a_line_names_an_invoice_or_a_voucher_and_the_day_is_that_of_the_payment() -> None:
    means = "<PaymentMeans><PaymentDueDate>2021-11-02</PaymentDueDate></PaymentMeans>"
    rows = read(advice(line("1.00"), line("2.00", inside="<Note>Voucher ID: DPS-1001</Note>"), head=means))
    assert not isinstance(rows, Unreadable), rows.reason
    assert [(one.invoice, one.voucher_text) for one in rows] == [("INV-1", ""), ("", "DPS-1001")]
    assert {(str(one.on), one.reference, one.currency) for one in rows} == {("2021-11-02", "RA-7", "EUR")}


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (
            advice(line(debit="100.00"), total="90.00"),
            "invoice-inconsistent",
            "remittance RA-7: the total is 90.00, the lines add up to 100.00: -10.00 of difference",
        ),
        (
            advice(line(debit="1.00"), line(credit="2.00")),
            "invoice-unreadable",
            "no total that tells which was paid",
        ),
        (advice(), "invoice-unreadable", "has no line"),
        (advice(line("1.00"), currency="EUX"), "invoice-unreadable", "'EUX'"),
        (
            advice(line("1.00", inside="")),
            "invoice-unreadable",
            "line 1 names neither a voucher nor an invoice",
        ),
        (
            advice(line("1.00", inside=INVOICE.format("A") + INVOICE.format("B"))),
            "invoice-unreadable",
            "line 1 names several invoices",
        ),
    ],
)
def test_an_advice_that_cannot_be_trusted_is_refused(content: bytes, code: str, reason: str) -> None:
    found = read(content)
    assert isinstance(found, Unreadable)
    assert found.code == code
    assert reason in found.reason
