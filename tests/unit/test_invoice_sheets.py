"""Invoices in spreadsheets and archives: read like a list in CSV, and refused whole within the limits.

All files are synthetic, made here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter

from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
from voucherd.adapters.invoicefile.zip_invoices import ZipInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument

HEAD = ("invoice", "date", "line", "voucher", "net", "tax", "currency")
ROW = ("I-1", date(2021, 9, 10), 1, "PSV-000001", 5000, 950, "EUR")
CSV = b"invoice,date,line,voucher,net,currency\nI-9,2021-09-12,1,PSV-000009,12.50,EUR\n"


def workbook(*sheets: Sequence[Sequence[Any]], text_only: bool = False) -> bytes:
    """An .xlsx with one sheet for each list of rows."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, date) and not text_only:
                        sheet.write_datetime(number, column, cell)
                    elif isinstance(cell, int | float) and not text_only:
                        sheet.write_number(number, column, cell)
                    else:
                        sheet.write_string(number, column, str(cell))
    return file.getvalue()


def opendocument(*rows: Sequence[Any]) -> bytes:
    """A minimal .ods whose cells are text, but for its numbers."""

    def cell(value: Any) -> str:
        number = isinstance(value, int | float)
        kind = f'office:value-type="float" office:value="{value}"' if number else 'office:value-type="string"'
        return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Sheet">{body}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as container:
        container.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        container.writestr("content.xml", content)
        container.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest'
            ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return file.getvalue()


def archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in files.items():
            container.writestr(name.replace("__", ".") if name[:1].islower() else name, content)
    return file.getvalue()


def read(content: bytes, supplier: str | None = "contoso") -> list[InvoiceDocument]:
    reader = SheetInvoices()
    assert reader.identify("whatever.bin", "", content)
    found = reader.read("list.xlsx", content, supplier)
    assert isinstance(found, list), found
    return found


def refusal(content: bytes) -> str:
    found = SheetInvoices().read("list.xlsx", content, "contoso")
    assert isinstance(found, Unreadable)
    assert found.code in ("invoice-unreadable", "invoice-inconsistent")
    return found.reason


@pytest.mark.parametrize(
    "content",
    [
        workbook([HEAD, ROW]),
        workbook([HEAD, ROW], text_only=True),
        workbook([("Contoso Consulting",), (), HEAD, ROW]),
        workbook([("a note",)], [HEAD, ROW]),
        opendocument(HEAD, ROW),
    ],
    ids=["typed cells", "text cells", "a title above", "on the second sheet", "opendocument"],
)
def test_a_spreadsheet_is_read_like_a_list_in_csv(content: bytes) -> None:
    (document,) = read(content)
    assert (document.supplier, document.invoice, document.issued_on) == ("contoso", "I-1", date(2021, 9, 10))
    (line,) = document.lines
    assert (line.voucher_text, line.net, line.tax, line.currency) == ("PSV-000001", 500_000, 95_000, "EUR")


@pytest.mark.parametrize(
    ("number", "cents"),
    [
        (5000, 500_000),
        (27.8, 2_780),
        (2780, 278_000),
        (0.1 + 0.2, 30),
        (1234567.89, 123_456_789),
        (-12.5, -1_250),
    ],
)
def test_a_number_of_a_sheet_reads_one_way_only(number: float, cents: int) -> None:
    (document,) = read(workbook([HEAD, (*ROW[:4], number, 0, "EUR")]))
    assert document.lines[0].net == cents


def test_a_number_with_more_decimals_than_its_currency_is_refused_by_row() -> None:
    assert "row 2" in refusal(workbook([HEAD, (*ROW[:4], 1.234, 0, "EUR")]))


def test_an_id_that_a_sheet_turned_into_a_number_too_large_is_refused() -> None:
    assert "lost digits" in refusal(workbook([HEAD, (*ROW[:3], 12345678901234567890, 1, 0, "EUR")]))


def test_several_sheets_with_invoices_all_count() -> None:
    second = ("I-2", *ROW[1:])
    assert [document.invoice for document in read(workbook([HEAD, ROW], [HEAD, second]))] == ["I-1", "I-2"]


def test_a_total_that_does_not_add_up_says_by_how_much() -> None:
    total = ("Total", "", "", "", 4999.99, "", "EUR")
    assert "0.01 EUR of difference" in refusal(workbook([HEAD, ROW, total]))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (workbook([("a", "b", "c")]), "no header row"),
        (workbook([]), "no header row"),
        (workbook([HEAD, ROW], [HEAD, ("I-2", "soon", *ROW[2:])]), "sheet 'Sheet2'" ),
        (workbook([HEAD, *[ROW] * 20_001]), "more than 20,000 rows"),
        (workbook([HEAD, ("x", *[""] * 16_000, "y")]), "columns"),
        (workbook([HEAD, ("x" * 2_001, *ROW[1:])]), "2000 characters"),
        (workbook([HEAD, ROW])[:-200], "cannot be unpacked"),
    ],
    ids=["no list", "nothing", "a bad date", "rows", "columns", "a long cell", "cut off"],
)  # fmt: skip
def test_a_spreadsheet_that_cannot_be_read_says_why(content: bytes, why: str) -> None:
    assert why in refusal(content)


def zipped(content: bytes) -> list[InvoiceDocument] | Unreadable:
    readers = (CsvInvoices(), SheetInvoices())
    reader = ZipInvoices(readers)
    assert reader.identify("september.zip", "application/zip", content)
    assert not any(other.identify("september.zip", "application/zip", content) for other in readers)
    return reader.read("september.zip", content, "contoso")


def test_every_invoice_of_an_archive_is_read() -> None:
    found = zipped(archive(a__csv=CSV, b__xlsx=workbook([HEAD, ROW])))
    assert isinstance(found, list)
    assert [document.invoice for document in found] == ["I-9", "I-1"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (archive(a__csv=CSV, b__exe=b"MZ"), "september.zip/b.exe: no reader understands it"),
        (archive(a__csv=CSV, b__csv=b"invoice,date,voucher,net,currency\nI,x,V-1,1.00,EUR\n"), "b.csv: row 2"),
        (archive(a__csv=CSV, b__zip=archive(a__csv=CSV)), "another archive"),
        (archive(a__csv=CSV, b__bin=archive(a__csv=CSV)), "b.bin is another archive"),
        (archive(bomb__csv=b"0" * 20_000_000), "100 times its size"),
        (archive(**{f"f{n}__csv": CSV for n in range(51)}), "more than 50 files"),
        (archive(**{f"f{n}__csv": CSV for n in range(201)}), "more than 200 files"),
        (archive(), "no file"),
        (archive(a__csv=CSV)[:-10], "cannot be unpacked"),
    ],
    ids=["a stranger", "a broken list", "an archive", "an archive in disguise", "a bomb", "many", "very many",
         "nothing", "cut off"],
)  # fmt: skip
def test_an_archive_is_taken_whole_or_not_at_all(content: bytes, why: str) -> None:
    if not content.startswith(b"PK\x03\x04"):
        found = ZipInvoices(()).read("september.zip", content, None)
    else:
        found = zipped(content)
    assert isinstance(found, Unreadable)
    assert why in found.reason


def test_what_systems_add_to_archives_by_themselves_is_passed_over() -> None:
    found = zipped(archive(a__csv=CSV, **{"__MACOSX/._a.csv": b"x", "Thumbs.db": b"x"}))
    assert isinstance(found, list)
    assert len(found) == 1
