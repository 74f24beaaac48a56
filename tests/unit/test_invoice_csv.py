"""Invoices from CSV: every form that a partner's export takes, and every way in which one is refused.

The files in tests/golden/invoices are synthetic, as is everything here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.words import HEADERS, Column
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.service.ports import InvoiceReader

GOLDEN = Path(__file__).parent.parent / "golden" / "invoices"
EXPECTED: list[dict[str, Any]] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
HEADER = "invoice,date,voucher,net,currency\n"


def read(text: str | bytes, supplier: str | None = None) -> list[InvoiceDocument] | Unreadable:
    content = text.encode() if isinstance(text, str) else text
    reader: InvoiceReader = CsvInvoices()
    return reader.read("list.csv", content, supplier)


def documents(text: str | bytes, supplier: str | None = None) -> list[InvoiceDocument]:
    found = read(text, supplier)
    assert not isinstance(found, Unreadable), found.reason
    return found


def refusal(text: str | bytes) -> str:
    found = read(text)
    assert isinstance(found, Unreadable)
    return f"{found.code}: {found.reason.removeprefix('list.csv: ')}"


def nets(text: str) -> list[int]:
    return [line.net for document in documents(text) for line in document.lines]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected["file"])
def test_an_export_is_read_in_the_form_of_its_country(expected: dict[str, Any]) -> None:
    content = (GOLDEN / expected["file"]).read_bytes()
    assert CsvInvoices().identify(expected["file"], "application/octet-stream", content)
    assert [
        {
            "supplier": document.supplier,
            "invoice": document.invoice,
            "kind": document.kind,
            "issued_on": document.issued_on.isoformat(),
            "total": document.total,
            "lines": [
                [line.line, line.voucher_text, line.net, line.tax, line.currency] for line in document.lines
            ],
        }
        for document in documents(content)
    ] == expected["documents"]


@pytest.mark.parametrize(
    "expected", [case for case in EXPECTED if "same_as" in case], ids=lambda expected: expected["file"]
)
def test_other_line_ends_columns_order_spelling_and_signs_say_the_same(expected: dict[str, Any]) -> None:
    one = documents((GOLDEN / expected["same_as"]).read_bytes())
    other = documents((GOLDEN / expected["file"]).read_bytes())
    assert [document.content_sha256 for document in other] == [document.content_sha256 for document in one]


def test_row_numbers_are_not_part_of_what_a_document_says() -> None:
    row = "I-1,2021-09-30,A,1.00,EUR\n"
    (plain,), (shifted,) = documents(HEADER + row), documents("\n\n" + HEADER + row)
    assert (plain.lines[0].line, shifted.lines[0].line) == ("2", "4")
    assert plain.content_sha256 == shifted.content_sha256


@pytest.mark.parametrize(
    "changed",
    ["I-2,2021-09-30,A,1.00,EUR", "I-1,2021-10-01,A,1.00,EUR", "I-1,2021-09-30,B,1.00,EUR",
     "I-1,2021-09-30,A,1.01,EUR", "I-1,2021-09-30,A,1.00,USD"],
)  # fmt: skip
def test_every_fact_is_part_of_what_a_document_says(changed: str) -> None:
    (one,), (other,) = documents(HEADER + "I-1,2021-09-30,A,1.00,EUR"), documents(HEADER + changed)
    assert one.content_sha256 != other.content_sha256


def test_the_partner_who_sent_it_is_the_supplier_else_the_column_else_nobody() -> None:
    text = "invoice,date,voucher,net,currency,supplier\nI-1,2021-09-30,A,1.00,EUR,Fabrikam\n"
    assert documents(text)[0].supplier == "Fabrikam"
    assert documents(text, "contoso")[0].supplier == "contoso"
    assert documents(HEADER + "I-1,2021-09-30,A,1.00,EUR")[0].supplier is None


def test_the_same_number_of_two_suppliers_or_two_kinds_is_two_documents() -> None:
    text = "supplier,kind,invoice,date,voucher,net,currency\n" + "".join(
        f"{supplier},{kind},7,2021-09-30,A,1.00,EUR\n"
        for supplier in ("Contoso", "Fabrikam")
        for kind in ("invoice", "credit")
    )
    assert [(document.supplier, document.kind) for document in documents(text)] == [
        ("Contoso", "invoice"), ("Contoso", "credit"), ("Fabrikam", "invoice"), ("Fabrikam", "credit")
    ]  # fmt: skip


def test_a_negative_total_makes_a_credit_note() -> None:
    (document,) = documents(HEADER + "I-1,2021-09-30,A,1.00,EUR\nI-1,2021-09-30,B,-3.00,EUR\n")
    assert (document.kind, document.total) == ("credit", -200)


def test_lines_of_several_currencies_keep_theirs_and_have_no_total() -> None:
    (document,) = documents(HEADER + "I-1,2021-09-30,A,1.00,EUR\nI-1,2021-09-30,B,3.00,USD\n")
    assert ([line.currency for line in document.lines], document.total) == (["EUR", "USD"], None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ('I-1,2021-09-30,A,"2,780",EUR\nI-1,2021-09-30,B,"27,80",EUR', [278, 2780]),
        ('I-1,2021-09-30,A,"2,780",EUR\nI-1,2021-09-30,B,27.80,EUR', [278_000, 2780]),
        ('I-1,2021-09-30,A,"2,780",EUR\nI-1,2021-09-30,B,"1,002,780",EUR', [278_000, 100_278_000]),
        ('I-1,2021-09-30,A,"2,780",EUR\nI-2,2021-09-30,B,5.00,EUR', [278_000, 500]),
        ('I-1,2021-09-30,A,"2,780",KRW', [2780]),
        ('I-1,2021-09-30,A,"2,780",EUR\ntotal,,,2780,EUR', [278_000]),
        ('I-1,2021-09-30,A,"2,780",EUR\nI-1,2021-09-30,B,1,EUR\ntotal,,,"3,780",EUR', [278, 100]),
    ],
    ids=["comma", "point", "groups", "another invoice", "no decimals", "total", "total with both open"],
)
def test_an_amount_that_reads_two_ways_is_settled_by_the_others(rows: str, expected: list[int]) -> None:
    assert nets(HEADER + rows) == expected


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('I-1,2021-09-30,A,"2,780",EUR', "row 2: net '2,780' reads two ways"),
        (
            'I-1,2021-09-30,A,"2,780",EUR\nI-1,2021-09-30,B,5.00,EUR\nI-1,2021-09-30,B,"5,00",EUR',
            "row 2: net '2,780' reads two ways",
        ),
        (
            'I-1,2021-09-30,A,"2,785",EUR\nI-1,2021-09-30,B,"5,00",EUR',
            "row 2: net '2,785' has more decimals than EUR has (2)",
        ),
        ("I-1,2021-09-30,A,1e3,EUR", "row 2: net '1e3' is not an amount"),
        ("I-1,2021-09-30,A,NaN,EUR", "row 2: net 'NaN' is not an amount"),
        ("I-1,2021-09-30,A,$1.00,EUR", "row 2: net '$1.00' is not in EUR"),
        ("I-1,2021-09-30,A,,EUR", "row 2: no net amount"),
        ("I-1,2021-09-30,A,1.00,XYZ", "row 2: 'XYZ' is not a currency of ISO 4217"),
        ("I-1,2021-09-30,A,1.00,", "row 2: '' is not a currency of ISO 4217"),
        (",2021-09-30,A,1.00,EUR", "row 2: no invoice number"),
        ("I-1,10/09/2021,A,1.00,EUR", "row 2: date '10/09/2021' is not a date that reads one way, as 2021-09-30 does"),
        ("I-1,2021-02-30,A,1.00,EUR", "row 2: date '2021-02-30' is not a date that reads one way, as 2021-09-30 does"),
        (
            "I-1,2021-09-30,A,1.00,EUR\nI-1,2021-10-01,B,1.00,EUR",
            "row 3: I-1 is dated 2021-10-01, in row 2 2021-09-30",
        ),
        ("I-1,2021-09-30,A,1.00,EUR,more", "row 2 has more cells than the header"),
        ("", "no invoice lines"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_stops_the_file_and_is_named(rows: str, reason: str) -> None:
    assert refusal(HEADER + rows) == f"invoice-unreadable: {reason}"


def test_a_date_that_reads_two_ways_is_settled_by_the_others_in_its_column() -> None:
    american = documents(HEADER + "I-1,10/09/2021,A,1.00,EUR\nI-2,10/30/2021,A,1.00,EUR")
    european = documents(HEADER + "I-1,10/09/2021,A,1.00,EUR\nI-2,30/10/2021,A,1.00,EUR")
    assert [document.issued_on.isoformat() for document in american] == ["2021-10-09", "2021-10-30"]
    assert [document.issued_on.isoformat() for document in european] == ["2021-09-10", "2021-10-30"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            "I-1,2021-09-30,A,5.00,EUR\nI-1,2021-09-30,B,6.00,EUR\nTotal,,,12.00,EUR",
            "row 4: the total net is 12.00 EUR, the lines add up to 11.00 EUR: 1.00 EUR of difference",
        ),
        (
            "I-1,2021-09-30,A,5.00,EUR\nI-2,2021-09-30,B,6.00,EUR\nI-1,,total,5.01,EUR",
            "row 4: the total net is 5.01 EUR, the lines add up to 5.00 EUR: 0.01 EUR of difference",
        ),
    ],
)
def test_a_total_that_does_not_add_up_stops_the_file_with_the_difference(rows: str, reason: str) -> None:
    assert refusal(HEADER + rows) == f"invoice-inconsistent: {reason}"


@pytest.mark.parametrize(
    "rows",
    [
        "I-1,2021-09-30,A,5.00,EUR\nsubtotal,,,5.00,\nI-2,2021-09-30,B,6.00,EUR\nsubtotal,,,6.00,\ntotal,,,11.00,",
        "I-1,2021-09-30,A,5.00,EUR\nI-2,2021-09-30,B,6.00,USD\ntotal,,,5.00,EUR\ntotal,,,6.00,USD",
        "I-1,2021-09-30,A,5.00,EUR\nI-2,2021-09-30,B,6.00,EUR\nI-1,,total,5.00,EUR\nI-2,,Summe:,6.00,EUR",
    ],
    ids=["subtotals and a grand total", "a total per currency", "a total per invoice"],
)
def test_totals_that_add_up_are_not_lines(rows: str) -> None:
    assert nets(HEADER + rows) == [500, 600]


def test_a_line_that_names_a_voucher_is_no_total_whatever_its_supplier_is_called() -> None:
    text = "supplier,invoice,date,voucher,net,currency\nTotal,I-1,2021-09-30,A,5.00,EUR\n"
    assert [line.net for line in documents(text)[0].lines] == [500]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header row with the words of an invoice list"),
        (b"a,b,c\n1,2,3\n", "no header row with the words of an invoice list"),
        (b"invoice,date,voucher\n", "no column for net"),
        (b"invoice,date,voucher,net\n", "no column for currency"),
        (b"invoice,date,voucher,net,netto,currency\n", "two columns for net: 'net' and 'netto'"),
        (b"invoice\0,date", "not a text file"),
        (b"invoice,date,voucher,net,currency\n\x81", "the encoding is neither UTF-8 nor Windows-1252"),
        (b"x" * 10_000_001, "larger than 10 MB"),
        (b"," * 9_000_000, "no header row with the words of an invoice list"),
        (HEADER.encode() + b"x" * 300_000, "a line of more than 200300 characters"),
        (
            HEADER.encode() + b"I-1,2021-09-30," + b"A" * 2001 + b",1.00,EUR",
            "row 2 has a cell of more than 2000 characters",
        ),
        (HEADER.encode() + b"," * 100, "row 2 has more than 100 columns"),
        (HEADER.encode() + b"I-1,2021-09-30,A,1.00,EUR\n" * 100_000, "more than 100000 rows"),
        (HEADER.encode() + b'"I-1,2021-09-30,A,1.00,EUR\n', "row 2 cannot be split into cells: unexpected end of data"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_beyond_what_can_be_read_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert refusal(content) == f"invoice-unreadable: {reason}"


@pytest.mark.parametrize(
    ("name", "media_type", "content", "claimed"),
    [
        ("list.csv", "application/vnd.ms-excel", b"a,b", True),
        ("LIST.CSV", "", b"a,b", True),
        ("list", "text/csv; charset=utf-8", b"a,b", True),
        ("list.csv", "text/csv", b"%PDF-1.7", False),
        ("list.csv", "text/csv", b"PK\x03\x04", False),
        ("list.csv", "text/csv", b"\n <?xml version='1.0'?>", False),
        ("list.xml", "application/xml", b"a,b", False),
    ],
)
def test_only_a_file_that_says_it_is_csv_is_claimed(
    name: str, media_type: str, content: bytes, claimed: bool
) -> None:
    assert CsvInvoices().identify(name, media_type, content) is claimed


@pytest.mark.parametrize("language", ["en", "ko", "de", "fr", "es", "ja", "zh-CN"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_headings_are_known_in_every_language_of_the_programmes(language: str, delimiter: str) -> None:
    columns = [column for column in HEADERS if column is not Column.AMOUNT]
    values = {"invoice": "I-1", "date": "2021-09-30", "line": "3", "voucher": "A", "net": "5.00", "tax": "1.00",
              "currency": "EUR", "kind": "381", "supplier": "Contoso", "corrects": "I-0"}  # fmt: skip
    words = [HEADERS[column].get(language, ("date",))[0] for column in columns]
    text = delimiter.join(word.upper() for word in words) + "\n" + delimiter.join(values[c] for c in columns)
    (document,) = documents(text)
    assert (document.supplier, document.kind, document.lines[0].line) == ("Contoso", "credit", "3")
    assert (document.lines[0].net, document.lines[0].tax) == (500, 100)
    assert document.refers_to == "I-0"


def test_a_programme_may_bring_its_own_headings() -> None:
    reader = CsvInvoices({"Číslo poukazu": Column.VOUCHER})
    found = reader.read(
        "x.csv", "invoice;date;ČÍSLO POUKAZU;net;currency\nI-1;2021-09-30;A;5;CZK\n".encode(), None
    )
    assert not isinstance(found, Unreadable)
    assert found[0].lines[0].voucher_text == "A"


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300), st.text(alphabet='invoce,;\n"=()1.2-EUR', max_size=200).map(str.encode)
    )
)
def test_no_file_ever_raises(content: bytes) -> None:
    for body in (content, HEADER.encode() + content):
        found = CsvInvoices().read("x.csv", body, None)
        assert isinstance(found, list | Unreadable)
