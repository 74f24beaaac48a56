"""Each answer about a voucher and each class of a line (RECONCILIATION.md) by example documents in each format, and one
invoice in two formats. All documents are synthetic, made here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import pytest

from tests.einvoicing import cii, fattura, item, pdf_with, product, ubl
from tests.pdfmaking import pdf
from tests.unit.reconciliation_ledgers import TODAY, Outcome, reconcile, redeemed
from tests.unit.test_invoice_sheets import opendocument, workbook
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.adapters.invoicefile.zip_invoices import ZipInvoices
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate, LineRules
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.verdict import Billing, Timeliness
from voucherd.service.ports import InvoiceReader
from voucherd.settings.programme_file import load_programmes

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
TEMPLATE = InvoiceTemplate(
    name="made-up",
    file="made-up.toml",
    contains=("Contoso Consulting", "Total"),
    locale="en-GB",
    decimal_mark=".",
    fields={"invoice": r"Number: (\S+)", "date": r"Date: (\S+)", "currency": r"Currency: (\S+)"},
    totals={"net": r"Total (\S+)"},
    credit="Credit note",
    lines=LineRules(r"^(?P<line>\d+)\s+(?P<text>\S.*?)\s{2,}(?P<net>-?[\d.]+)$", "^Line", "^Total"),
)
READERS: dict[str, InvoiceReader] = {
    "csv": CsvInvoices(),
    "sheet": SheetInvoices(),
    "e-invoice and PDF": StructuredInvoices(PROGRAMMES, (TEMPLATE,)),
}
READERS["zip"] = ZipInvoices(tuple(READERS.values()))
A, B, OTHERS, IDLE = "PSV-000001", "PSV-000002", "PSV-000007", "PSV-000008"
REDEEMED = date(2021, 9, 1)
VOUCHERS = (
    redeemed(A, REDEEMED, date(2021, 10, 31)),
    redeemed(OTHERS, REDEEMED, date(2021, 10, 31), partner="fabrikam"),
)


class Paper(NamedTuple):
    """A document before it has a format: its lines are (voucher as written, net)."""

    lines: Sequence[tuple[str, str]]
    number: str = "I-1"
    on: str = "2021-09-10"
    credit: bool = False
    currency: str = "EUR"
    supplier: str = "contoso"


# formats


def _rows(paper: Paper) -> list[tuple[str, ...]]:
    kind = "credit" if paper.credit else "invoice"
    return [
        ("invoice", "date", "line", "voucher", "net", "currency", "kind"),
        *(
            (paper.number, paper.on, str(at), voucher, net, paper.currency, kind)
            for at, (voucher, net) in enumerate(paper.lines, 1)
        ),
    ]


def as_csv(paper: Paper) -> tuple[str, bytes]:
    return "a.csv", "\r\n".join(";".join(row) for row in _rows(paper)).encode()


def as_xlsx(paper: Paper) -> tuple[str, bytes]:
    head, *rows = _rows(paper)
    typed = [
        (number, date.fromisoformat(on), int(line), voucher, float(net), *more)
        for number, on, line, voucher, net, *more in rows
    ]
    return "a.xlsx", workbook([head, *typed])


def as_ods(paper: Paper) -> tuple[str, bytes]:
    return "a.ods", opendocument(*_rows(paper))


def _worded(paper: Paper) -> list[tuple[str, str]]:
    return [(net, escape(f"Voucher ID: {voucher}" if voucher else "Travel")) for voucher, net in paper.lines]


def _dressed(content: bytes, paper: Paper) -> bytes:
    for made, meant in (
        ("INV-1001", paper.number),
        ("2021-09-10", paper.on),
        ("20210910", paper.on.replace("-", "")),
        ("EUR", paper.currency),
    ):
        content = content.replace(made.encode(), meant.encode())
    return content


def as_ubl(paper: Paper) -> tuple[str, bytes]:
    lines = [(net, item(words)) for net, words in _worded(paper)]
    how = {"root": "CreditNote", "kind": "381"} if paper.credit else {}
    return "a.xml", _dressed(ubl(lines, **how), paper)


def as_cii(paper: Paper) -> tuple[str, bytes]:
    lines = [(net, product(words)) for net, words in _worded(paper)]
    return "a.xml", _dressed(cii(lines, kind="381" if paper.credit else "380"), paper)


def as_factur_x(paper: Paper) -> tuple[str, bytes]:
    return "a.pdf", pdf_with({"factur-x.xml": as_cii(paper)[1]})


def as_fattura(paper: Paper) -> tuple[str, bytes]:
    return "a.xml", _dressed(fattura(_worded(paper), kind="TD04" if paper.credit else "TD01"), paper)


def as_pdf_text(paper: Paper) -> tuple[str, bytes]:
    total = sum(Decimal(net) for _, net in paper.lines)
    rows = [f"{at}  {words}     {net}" for at, (net, words) in enumerate(_worded(paper), 1)]
    head = [
        f"Contoso Consulting    {'Credit note' if paper.credit else 'Invoice'}",
        f"Number: {paper.number}   Date: {date.fromisoformat(paper.on):%d/%m/%Y}   Currency: {paper.currency}",
        "Line  Work           Net",
    ]
    return "a.pdf", pdf("\n".join([*head, *rows, f"Total {total}"]))


def as_zip(paper: Paper) -> tuple[str, bytes]:
    made = io.BytesIO()
    name, content = as_ubl(paper)
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"invoices/{name}", content)
    return "a.zip", made.getvalue()


FORMATS: dict[str, tuple[Callable[[Paper], tuple[str, bytes]], str]] = {
    "csv": (as_csv, "csv"),
    "xlsx": (as_xlsx, "sheet"),
    "ods": (as_ods, "sheet"),
    "ubl": (as_ubl, "e-invoice and PDF"),
    "cii": (as_cii, "e-invoice and PDF"),
    "factur-x": (as_factur_x, "e-invoice and PDF"),
    "fatturapa": (as_fattura, "e-invoice and PDF"),
    "pdf text": (as_pdf_text, "e-invoice and PDF"),
    "zip": (as_zip, "zip"),
}


def read(paper: Paper, how: str) -> InvoiceDocument:
    write, reader = FORMATS[how]
    name, content = write(paper)
    assert [kind for kind, one in READERS.items() if one.identify(name, "", content)] == [reader]
    found = READERS[reader].read(name, content, paper.supplier)
    assert isinstance(found, list), found
    (document,) = found
    return document


def judged(papers: Sequence[Paper], *formats: str) -> Outcome:
    documents = [read(paper, formats[at % len(formats)]) for at, paper in enumerate(papers)]
    return reconcile(VOUCHERS, documents, today=TODAY, not_redeemed=[IDLE])


# examples: for each answer about A, the documents that lead to it

WHOLE = Paper([(A, "5000.00")])
CREDIT = Paper([(A, "5000.00")], number="K-1", on="2021-09-20", credit=True)
BILLINGS: dict[Billing, list[Paper]] = {
    Billing.BILLED: [WHOLE],
    Billing.TWICE: [WHOLE, WHOLE._replace(number="I-2", on="2021-09-12")],
    Billing.OVERBILLED: [Paper([(A, "4000.00"), (A, "2000.00")])],
    Billing.SHORT: [Paper([(A, "4000.00")])],
    Billing.CREDITED: [WHOLE, CREDIT],
    Billing.OVERCREDITED: [WHOLE, CREDIT._replace(lines=[(A, "6000.00")])],
    Billing.UNBILLED: [],
    Billing.ZERO: [Paper([(A, "0.00")])],
    Billing.WRONG_CURRENCY: [WHOLE._replace(currency="USD")],
    Billing.WRONG_PARTNER: [WHOLE._replace(supplier="fabrikam")],
    Billing.PREMATURE: [WHOLE._replace(on="2021-08-31")],
    # of two contents under one number the first by date counts, and A stands in the other alone
    Billing.CONFLICT: [Paper([(OTHERS, "1.00")], on="2021-09-02"), WHOLE],
}


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("billing", BILLINGS)
def test_each_answer_about_billing_in_each_format(billing: Billing, how: str) -> None:
    assert judged(BILLINGS[billing], how).vouchers[A].billing is billing


LINES: dict[LineClass, list[Paper]] = {
    LineClass.CONFLICT: BILLINGS[Billing.CONFLICT],
    LineClass.RESENT: [WHOLE, WHOLE],
    LineClass.NO_VOUCHER: [Paper([("", "5.00")])],
    LineClass.AMBIGUOUS_VOUCHER: [Paper([(f"{A}, {B}", "5.00")])],
    LineClass.UNKNOWN_VOUCHER: [Paper([("PSV-000003", "5.00")])],
    LineClass.NOT_REDEEMED: [Paper([(IDLE, "5.00")])],
    LineClass.PREMATURE: BILLINGS[Billing.PREMATURE],
    LineClass.WRONG_PARTNER: BILLINGS[Billing.WRONG_PARTNER],
    LineClass.WRONG_CURRENCY: BILLINGS[Billing.WRONG_CURRENCY],
    LineClass.ZERO: BILLINGS[Billing.ZERO],
    LineClass.CREDIT: BILLINGS[Billing.CREDITED],
    LineClass.CREDIT_EXCESS: BILLINGS[Billing.OVERCREDITED],
    LineClass.MATCHED: [WHOLE],
    LineClass.TWICE: BILLINGS[Billing.TWICE],
    LineClass.OVER: BILLINGS[Billing.OVERBILLED],
}


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("line_class", LINES)
def test_each_class_of_a_line_in_each_format(line_class: LineClass, how: str) -> None:
    assert line_class in {verdict.line_class for verdict in judged(LINES[line_class], how).lines}


def test_every_class_has_its_example() -> None:
    assert set(LINES) == set(LineClass)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize(
    ("papers", "timeliness"),
    [
        ([WHOLE], Timeliness.ON_TIME),
        ([WHOLE._replace(on="2021-11-01")], Timeliness.LATE),
        ([], Timeliness.MISSED),
    ],
)
def test_each_answer_about_time_in_each_format(papers: list[Paper], timeliness: Timeliness, how: str) -> None:
    assert judged(papers, how).vouchers[A].timeliness is timeliness


def test_every_answer_has_its_example() -> None:
    assert set(BILLINGS) == set(Billing)


@pytest.mark.parametrize("one", FORMATS)
@pytest.mark.parametrize("other", FORMATS)
def test_the_same_invoice_in_another_format_is_a_copy(one: str, other: str) -> None:
    outcome = judged([WHOLE, WHOLE], one, other)
    assert sorted(str(verdict.line_class) for verdict in outcome.lines) == ["matched", "resent"]
