"""Reports: the same figures as a spreadsheet, as comma-separated values and as a page, and nothing that runs."""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from python_calamine import CalamineWorkbook

from tests.unit.reconciliation_ledgers import FIRST_DAY, TODAY, Ledger, invoice, ledgers, redeemed
from voucherd.adapters.report import html_page, xlsx
from voucherd.adapters.report.csv_files import CsvReport
from voucherd.adapters.report.html_page import HtmlReport
from voucherd.adapters.report.xlsx import XlsxReport
from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.report import ReportedDocument
from voucherd.errors import OperatorError
from voucherd.service import report as reporting
from voucherd.service.report import Report, ReportWriter
from voucherd.service.report_tables import (
    AGING,
    BRIDGE,
    EXCEPTIONS,
    FOUND,
    LINES,
    RISK,
    UNBILLED,
    VOUCHERS,
    Cell,
    Table,
)

AS_OF = datetime(2021, 11, 15, 12, tzinfo=UTC)
FRESH = {"voucher facts, newest": AS_OF, "invoices, newest": None}
BILL_BY = date(2021, 10, 31)
WORKED = Ledger(
    (
        *(redeemed(f"PSV-00000{name}", FIRST_DAY, BILL_BY) for name in "1234"),
        redeemed("PSV-000005", date(2021, 10, 20), date(2021, 12, 19)),
    ),
    (
        invoice("I-1", date(2021, 9, 10), ("PSV-000001", 500_001), ("PSV-000002", 400_000)),
        invoice("I-2", date(2021, 9, 12), ("PSV-000001", 500_000)),
        invoice("I-3", date(2021, 9, 15), ("PSV-000003", 500_000)),
        invoice("K-1", date(2021, 9, 20), ("PSV-000003", -500_000), kind="credit"),
        invoice("I-4", date(2021, 9, 21), ("PSV-999999", 1_000)),
    ),
)
"""The worked ledger of RECONCILIATION.md, with a line for a voucher that nobody knows."""
HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1+1",
    "  =1",
    "\t=1",
    '=HYPERLINK("http://evil.example")',
    "<b>x</b>",
    '<r><t>x</t></r></is></c><c r="Z9"><f>1+1</f></c><r></r>',  # what the library takes for its own XML
    "<r><f>1+1</f></r>",
)
ODD = (
    "_x0041_",
    " a ",
    "a\nb",
    "\x00\x1f\ufffe\ud800",
    "\U0001f3ab",
    "x" * 40_000,
    "a & b < c",
    "_x005F_x0041_",
)
"""Texts that a spreadsheet would read as something else, or not at all, were they not written with care."""


def written(ledger: Ledger, writer: ReportWriter) -> None:
    outcome = ledger.reconcile()
    report = Report(writer, TODAY)
    for verdict in outcome.vouchers.values():
        report.voucher(verdict)
    for line in outcome.loose:
        report.line(line, ())
    for number, document in enumerate(ledger.documents, start=1):
        report.document(
            ReportedDocument(
                number, f"{document.invoice}.csv", "0" * 64, document.supplier, document.invoice,
                document.kind, document.issued_on, document.currency, document.total, "accepted", "",
            )
        )  # fmt: skip
    report.finish(AS_OF, FRESH)


@pytest.fixture
def book(tmp_path: Path) -> Callable[[Ledger], dict[str, list[list[Any]]]]:
    """Writes a ledger as a spreadsheet and reads its sheets again."""

    def made(ledger: Ledger) -> dict[str, list[list[Any]]]:
        path = tmp_path / "report.xlsx"
        written(ledger, XlsxReport(path, "Reconciliation"))
        sheets = CalamineWorkbook.from_path(str(path))
        return {name: sheets.get_sheet_by_name(name).to_python() for name in sheets.sheet_names}

    return made


def column(rows: list[list[Any]], name: str) -> list[Any]:
    at = rows[0].index(name)
    return [row[at] for row in rows[1:]]


def test_the_spreadsheet_has_a_sheet_for_each_question(book: Any) -> None:
    assert list(book(WORKED)) == ["summary", "unbilled", "exceptions", "lines", "vouchers", "documents"]


def test_the_bridge_of_the_worked_ledger_stands_on_the_summary(book: Any) -> None:
    rows = book(WORKED)["summary"]
    head = next(row for row in rows if row[:2] == ["currency", "redeemed"])
    euro = rows[rows.index(head) + 1]
    assert dict(zip(head, euro, strict=True)) == {
        "currency": "EUR", "redeemed": 25000.0, "billed": 14000.01, "short": 1000.0, "open": 5000.0,
        "missed": 5000.0, "credited": 5000.0, "blocked": 0.0, "excess": 5000.01, "in tolerance": 0.0,
    }  # fmt: skip


def test_what_is_unbilled_comes_by_days_left_the_most_urgent_first(book: Any) -> None:
    rows = book(WORKED)["unbilled"]
    assert column(rows, "days left") == [-15, -15, -15, 34]
    assert column(rows, "voucher") == ["PSV-000002", "PSV-000003", "PSV-000004", "PSV-000005"]
    assert column(rows, "still to bill") == [1000.0, 5000.0, 5000.0, 5000.0]


def test_the_exceptions_come_by_class(book: Any) -> None:
    rows = book(WORKED)["exceptions"]
    assert column(rows, "class") == [
        "credited", "missed", "missed", "missed", "probably-swapped", "short", "twice", "twice",
        "unknown-voucher",
    ]  # fmt: skip


def test_money_at_risk_stands_by_partner_apart_from_what_is_missed(book: Any) -> None:
    rows = book(WORKED)["summary"]
    head = next(row for row in rows if row[:2] == ["partner", "currency"])
    assert rows[rows.index(head) + 1][:5] == ["contoso", "EUR", 4.0, 5000.0, 11000.0]


def test_cells_are_typed_so_that_a_spreadsheet_can_count_with_them(book: Any) -> None:
    rows = book(WORKED)["vouchers"]
    assert column(rows, "redeemed on")[0] == date(2021, 9, 1)
    assert column(rows, "billed")[0] == 10000.01
    assert column(rows, "value") == [5000.0] * 5


@pytest.mark.parametrize("text", HOSTILE)
def test_no_formula_and_no_link_is_made_of_what_strangers_wrote(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    written(Ledger((), (invoice(text, FIRST_DAY, (text, 100), supplier=text),)), XlsxReport(path, text))
    with zipfile.ZipFile(path) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        for name in sheets:
            tags = {element.tag.rpartition("}")[2] for element in fromstring(parts.read(name)).iter()}
            assert not tags & {"f", "hyperlink", "hyperlinks"}
        assert not any("rels" in name and "worksheets" in name for name in parts.namelist())


@pytest.mark.parametrize("text", ODD)
def test_any_text_stands_in_its_cell_as_it_is_but_for_what_no_cell_can_hold(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.xlsx"
    written(Ledger((), (invoice("I-1", FIRST_DAY, (text, 100)),)), XlsxReport(path, ""))
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name("lines").to_python()
    shown = re.sub("[\x00\x1f\ufffe\ud800]", "\ufffd", text)[:32_767]
    assert column([list(row) for row in rows], "voucher as written") == [shown]


def test_days_and_amounts_are_what_they_were_whatever_the_year_and_the_currency(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    writer = XlsxReport(path, "")
    facts: list[tuple[date, Sum]] = [
        (date(1900, 3, 1), Sum(-1, "EUR")),
        (date(2000, 2, 29), Sum(123_456_789_012_345, "EUR")),
        (date(9999, 12, 31), Sum(1_234_567, "KWD")),
        (date(2021, 12, 18), Sum(-5_000, "JPY")),
        (date(1, 1, 1), Sum(0, "CLF")),
    ]
    for day, amount in facts:
        writer.row(UNBILLED, (1, None, None, None, None, day, amount, None, None))
    writer.close()
    rows = [list(row) for row in CalamineWorkbook.from_path(path).get_sheet_by_name("unbilled").to_python()]
    assert column(rows, "bill by") == [*(day for day, _ in facts[:4]), "0001-01-01"]
    assert column(rows, "still to bill") == [-0.01, 1234567890123.45, 1234.567, -5000.0, 0.0]


@pytest.mark.parametrize("text", HOSTILE)
def test_in_comma_separated_values_such_text_is_marked_as_text(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    written(Ledger((), (invoice("I-1", FIRST_DAY, (text, -100)),)), CsvReport(path))
    with (tmp_path / "report.lines.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    dangerous = text.strip()[:1] in "=+-@\uff1d" or text[0] == "\t"
    assert row["voucher as written"] == ("'" + text if dangerous else text)
    assert row["net"] == "-1.00"


def test_the_files_of_comma_separated_values_hold_a_table_each(tmp_path: Path) -> None:
    written(WORKED, CsvReport(tmp_path / "report.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.board.csv", "report.closed-periods.csv", "report.csv",
        "report.documents.csv", "report.exceptions.csv", "report.lines.csv",
        "report.made-from.csv", "report.money-at-risk.csv", "report.money.csv", "report.not-billed-in-full.csv",
        "report.reminders-held.csv", "report.unbilled.csv", "report.what-stands-out.csv",
    ]  # fmt: skip
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["voucher"], row["billing"], row["timeliness"]) for row in rows] == [
        ("PSV-000001", "twice", "on-time"),
        ("PSV-000002", "short", "missed"),
        ("PSV-000003", "credited", "missed"),
        ("PSV-000004", "unbilled", "missed"),
        ("PSV-000005", "unbilled", "open"),
    ]


def test_the_page_says_the_same_and_fetches_and_runs_nothing(tmp_path: Path) -> None:
    written(WORKED, HtmlReport(tmp_path / "report.html", "Reconciliation"))
    page = (tmp_path / "report.html").read_text()
    for said in (
        "PSV-000004",
        "25,000.00",
        "-5,000.00",
        "missed 1-30 days",
        "unknown-voucher",
        "nothing yet",
    ):
        assert said in page
    assert not re.search(r"<script|<img|<link|@import|url\(|https?://", page)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{7*7}}", "\u202egnp.exe", "a" * 10_000, '"><b>']
)
def test_the_page_shows_what_strangers_wrote_as_text(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    written(Ledger((), (invoice(text, FIRST_DAY, (text, 100)),)), HtmlReport(path, "Reconciliation"))
    page = path.read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "49" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)


def test_a_page_says_how_many_rows_it_leaves_to_the_spreadsheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_page, "MOST_SHOWN", 2)
    written(WORKED, HtmlReport(tmp_path / "report.html", "Reconciliation"))
    assert "3 more rows stand in the spreadsheet" in (tmp_path / "report.html").read_text()


def test_a_sheet_that_is_full_goes_on_in_another(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    sheets = book(WORKED)
    assert [len(sheets[name]) for name in ("vouchers", "vouchers 2", "vouchers 3")] == [3, 3, 2]
    said = [row for row in sheets["summary"] if row[0] == "vouchers"]
    assert said[0][1] == "more rows than a sheet can hold: vouchers, vouchers 2, vouchers 3"


def test_of_what_must_be_sorted_the_most_urgent_rows_are_kept_and_the_rest_is_counted(
    book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "MOST_SORTED", 2)
    rows = book(WORKED)["unbilled"]
    assert column(rows, "voucher")[:2] == ["PSV-000002", "PSV-000003"]
    assert rows[-1][-1] == "2 more, with more days left"


@pytest.mark.parametrize(
    "make", [lambda path: XlsxReport(path, ""), CsvReport, lambda path: HtmlReport(path, "")]
)
def test_a_report_appears_when_it_is_complete_and_not_before(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.out"
    writer = make(path)
    assert not path.exists()
    written(WORKED, writer)
    assert path.stat().st_size > 0
    assert not [left for left in tmp_path.iterdir() if "unfinished" in left.name]


@pytest.mark.parametrize("place", [".", "missing/report.xlsx"])
def test_a_place_that_cannot_be_written_is_named(place: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError):
        XlsxReport(tmp_path / place, "")


def test_in_a_folder_each_table_has_a_file_of_its_own_name(tmp_path: Path) -> None:
    written(WORKED, CsvReport(tmp_path))
    assert {"vouchers.csv", "lines.csv", "unbilled.csv", "exceptions.csv", "money.csv"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize(
    "make", [lambda path: XlsxReport(path, ""), CsvReport, lambda path: HtmlReport(path, "")]
)
def test_what_cannot_be_finished_leaves_the_report_of_yesterday_as_it_was(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.out"
    path.write_text("yesterday")
    writer = make(path)
    writer.row(VOUCHERS, (None,) * len(VOUCHERS.columns))
    writer.abandon()
    assert path.read_text() == "yesterday"
    assert [left.name for left in tmp_path.iterdir()] == ["report.out"]


def test_a_device_is_not_put_aside_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OperatorError, match="is not a file"):
        HtmlReport(pipe, "")
    assert pipe.is_fifo()


def test_a_name_that_a_stranger_could_foresee_is_not_written_to(tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        writer = HtmlReport(tmp_path / "report.html", "")
        names |= {path.name for path in tmp_path.iterdir()}
        writer.abandon()
    assert len(names) == 2


def test_the_file_is_readable_as_others_are(tmp_path: Path) -> None:
    (tmp_path / "another").touch()
    written(WORKED, HtmlReport(tmp_path / "report.html", ""))
    assert (tmp_path / "report.html").stat().st_mode == (tmp_path / "another").stat().st_mode


class _Cells:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Sequence[Cell]]] = {}

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        assert len(cells) == len(table.columns)
        self.rows.setdefault(table.name, []).append(cells)

    def remark(self, table: Table, text: str) -> None:
        self.row(table, (None,) * (len(table.columns) - 1) + (text,))

    def close(self) -> None: ...

    def abandon(self) -> None: ...

    def of(self, table: Table, name: str) -> list[Any]:
        at = [column.name for column in table.columns].index(name)
        return [row[at] for row in self.rows.get(table.name, [])]


def _added(sums: list[Any], currency: str) -> int:
    return sum(one.amount for one in sums if one is not None and one.currency == currency)


@given(ledgers())
def test_the_money_ties_to_the_cent_between_the_summary_and_the_rows_behind_it(ledger: Ledger) -> None:
    cells = _Cells()
    written(ledger, cells)
    for row in cells.rows.get(BRIDGE.name, []):
        currency = str(row[0])
        names = [column.name for column in BRIDGE.columns[1:]]
        term = {name: _added([cell], currency) for name, cell in zip(names, row[1:], strict=True)}
        parts = ("billed", "short", "open", "missed", "credited", "blocked")
        assert term["redeemed"] == sum(term[name] for name in parts) - term["excess"]
        assert term["redeemed"] == _added(cells.of(VOUCHERS, "value"), currency)
        differences = _added(cells.of(VOUCHERS, "difference"), currency)
        assert term["redeemed"] + differences == term["billed"]
        left = _added(cells.of(AGING, "still to bill"), currency)
        assert left == _added(cells.of(UNBILLED, "still to bill"), currency)
        assert left == _added([*cells.of(RISK, "still to bill"), *cells.of(RISK, "window missed")], currency)
    assert sum(cells.of(AGING, "vouchers")) == len(
        [one for one in cells.of(UNBILLED, "still to bill") if one]
    )
    assert sum(cells.of(FOUND, "count")) == len(cells.rows.get(EXCEPTIONS.name, []))


@given(ledgers())
def test_every_line_stands_in_the_report_once(ledger: Ledger) -> None:
    cells = _Cells()
    written(ledger, cells)
    assert len(cells.of(LINES, "number")) == sum(len(one.lines) for one in ledger.documents)
