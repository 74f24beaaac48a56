"""One made-up invoice in every format that voucherd reads: what a test says of it is the same in all of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import xlsxwriter

from tests.einvoicing import cii, fattura, item, pdf_with, product, ubl
from tests.pdfmaking import pdf

COLUMNS = ("Invoice", "Date", "Line", "Voucher", "Net", "Currency", "Kind")


@dataclass(frozen=True)
class Bill:
    """An invoice or credit note: lines of (voucher as written, net), amounts as `5000.00`."""

    number: str
    lines: tuple[tuple[str, str], ...]
    on: date = date(2021, 9, 10)
    credit: bool = False
    currency: str = "EUR"

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of a list."""
        kind = "credit" if self.credit else "invoice"
        return [
            (self.number, self.on.isoformat(), str(at), voucher, net, self.currency, kind)
            for at, (voucher, net) in enumerate(self.lines, 1)
        ]

    @property
    def worded(self) -> list[tuple[str, str]]:
        """Its lines as (net, words)."""
        return [(net, f"Voucher ID: {voucher}" if voucher else "Consulting") for voucher, net in self.lines]


def as_csv(bill: Bill, copy: int = 0) -> bytes:
    """A list of one invoice; copies end their rows otherwise."""
    ends = "\r\n" if copy else "\n"
    rows = [COLUMNS, *bill.rows]
    return ends.join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()


def as_xlsx(bill: Bill, copy: int = 0) -> bytes:
    """The same as a spreadsheet."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": f"copy {copy}"})
    sheet = book.add_worksheet()
    for at, row in enumerate([COLUMNS, *bill.rows]):
        sheet.write_row(at, 0, row)
    book.close()
    return content.getvalue()


def as_ubl(bill: Bill, copy: int = 0) -> bytes:
    """UBL, an invoice or a credit note."""
    root, kind = ("CreditNote", "381") if bill.credit else ("Invoice", "380")
    lines = [(net, item(words)) for net, words in bill.worded]
    made = ubl(lines, number=bill.number, root=root, kind=kind, currency=bill.currency)
    return made.replace(b"2021-09-10", bill.on.isoformat().encode()) + b"\n" * copy


def as_cii(bill: Bill, copy: int = 0) -> bytes:
    """A cross industry invoice."""
    lines = [(net, product(words)) for net, words in bill.worded]
    made = cii(lines, number=bill.number, kind="381" if bill.credit else "380")
    made = made.replace(b"20210910", f"{bill.on:%Y%m%d}".encode()).replace(b"EUR", bill.currency.encode())
    return made + b"\n" * copy


def as_fattura(bill: Bill, copy: int = 0) -> bytes:
    """FatturaPA."""
    made = fattura(bill.worded, kind="TD04" if bill.credit else "TD01").replace(
        b"INV-1001", bill.number.encode()
    )
    made = made.replace(b"2021-09-10", bill.on.isoformat().encode()).replace(b"EUR", bill.currency.encode())
    return made + b"\n" * copy


def as_hybrid(bill: Bill, copy: int = 0) -> bytes:
    """A PDF with the cross industry invoice inside."""
    return pdf_with({"factur-x.xml": as_cii(bill, copy)})


def as_page(bill: Bill, copy: int = 0) -> bytes:
    """A PDF that is a page for people alone, as the shipped example template reads it; see PAGE_CHANGES."""
    total = sum(round(float(net) * 100) for _, net in bill.lines)
    rows = [
        f"Fabrikam Beratung GmbH                   {'Gutschrift' if bill.credit else 'Rechnung'} Nr. {bill.number}",
        f"                                         Datum: {bill.on:%d.%m.%Y}",
        f"Pos   Leistung                                           Betrag {bill.currency}",
    ]
    for at, (net, words) in enumerate(bill.worded, 1):
        rows += [
            f"{at}     {words.replace('Voucher ID:', 'Gutschein-ID:')}   {german(round(float(net) * 100)):>40}"
        ]
    rows += [
        f"                         Summe netto           {german(total)}",
        f"                         USt. 19 %             {german(0)}",
        f"                         Gesamtbetrag          {german(total)}",
    ]
    return pdf("\n".join(rows)) + b"\n%%copy\n" * copy


PAGE_CHANGES = (
    ('currency = "EUR"', "# "),
    ("[lines] ", "currency = 'Betrag (\\w+)'\n[lines] "),
    ("voucher = ", "# voucher = "),
)
"""How the example template must differ: the currency stands on the page, the programme's words find vouchers."""


def german(cents: int) -> str:
    """Minor units as a German page has them."""
    return f"{cents / 100:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


WRITERS: dict[str, tuple[str, Callable[..., bytes]]] = {
    "csv": ("bill.csv", as_csv),
    "xlsx": ("bill.xlsx", as_xlsx),
    "ubl": ("bill.xml", as_ubl),
    "cii": ("bill.xml", as_cii),
    "fattura": ("bill.xml", as_fattura),
    "xml in pdf": ("bill.pdf", as_hybrid),
    "pdf text": ("bill.pdf", as_page),
}
"""Each format with the name of such a file, and what writes one."""
