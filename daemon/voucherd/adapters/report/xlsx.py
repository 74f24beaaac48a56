"""A report as a spreadsheet: typed cells, filters, frozen heads; text is text, whatever it looks like.

Written in constant memory: each sheet's rows go to disk as they come. The file appears under its name when it is
complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from voucherd.adapters.report.complete import Unfinished
from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.amounts import exponent
from voucherd.service.report_tables import SHEETS, SUMMARY, Cell, Table

MOST_ROWS = 1_048_576
"""Rows of a sheet, its head included (the format's own limit)."""
MOST_TEXT = 32_767
"""Characters of a cell (the format's own limit)."""


class XlsxReport:
    """The ReportWriter port on an XLSX file."""

    def __init__(self, path: Path, title: str) -> None:
        self._part = Unfinished(path)
        # strings stay strings: neither formulas nor links nor numbers are made of what strangers wrote
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        }
        self._book = xlsxwriter.Workbook(str(self._part.path), options)
        self._book.set_properties({"title": title})
        self._heading = self._book.add_format({"bold": True, "font_size": 12})
        self._head = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._money: dict[int, Any] = {}
        self._summary = self._book.add_worksheet("summary")
        self._summary.set_column(0, 0, 34)
        self._summary.set_column(1, 12, 22)
        self._below: dict[str, list[Sequence[Cell]]] = {table.name: [] for table in SUMMARY}
        self._sheets = {table.name: _Sheet(self, table, 1) for table in SHEETS}
        self._parts = {table.name: [self._sheets[table.name]] for table in SHEETS}

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        """Adds a row; a full sheet goes on in another."""
        if table.name in self._below:
            self._below[table.name].append(cells)
            return
        sheet = self._sheets[table.name]
        if sheet.next_row >= MOST_ROWS:
            sheet = self._sheets[table.name] = _Sheet(self, table, len(self._parts[table.name]) + 1)
            self._parts[table.name].append(sheet)
        sheet.add(cells)

    def remark(self, table: Table, text: str) -> None:
        """Says `text` in a row of its own."""
        self.row(table, (None,) * (len(table.columns) - 1) + (text,))

    def close(self) -> None:
        """Writes the summary and puts the file in its place."""
        self._write_summary()
        for parts in self._parts.values():
            for sheet in parts:
                sheet.close()
        self._book.close()
        self._part.complete()

    def abandon(self) -> None:
        """Leaves nothing behind, the rows that went to disk already included."""
        try:
            self._book.close()
        finally:
            self._part.abandon()

    def add_worksheet(self, name: str) -> Any:
        """A new sheet of the book."""
        return self._book.add_worksheet(name)

    def write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        """Puts one typed cell in its place; an absent fact stays empty."""
        if cell is None:
            return
        if isinstance(cell, Sum):
            places = exponent(cell.currency)
            sheet.write_number(row, column, cell.amount / 10**places, self._format(places))
        elif isinstance(cell, date):
            sheet.write_datetime(row, column, cell)
        elif isinstance(cell, int):
            sheet.write_number(row, column, cell)
        else:
            sheet.write_string(row, column, _storable(cell))

    def write_head(self, sheet: Any, row: int, table: Table) -> None:
        """The headings of a table."""
        for column, what in enumerate(table.columns):
            sheet.write_string(row, column, what.name, self._head)

    def _format(self, places: int) -> Any:
        if places not in self._money:
            pattern = "#,##0" + ("." + "0" * places if places else "")
            self._money[places] = self._book.add_format({"num_format": f"{pattern};[Red]-{pattern}"})
        return self._money[places]

    def _write_summary(self) -> None:
        row = 0
        for table in SUMMARY:
            self._summary.write_string(row, 0, table.name, self._heading)
            self.write_head(self._summary, row + 1, table)
            row += 2
            for cells in self._below[table.name]:
                for column, cell in enumerate(cells):
                    self.write(self._summary, row, column, cell)
                row += 1
            row += 1


class _Sheet:
    """One sheet with one table: a frozen head, a filter over it."""

    def __init__(self, report: XlsxReport, table: Table, part: int) -> None:
        self._report, self._table = report, table
        self._sheet = report.add_worksheet(table.sheet if part == 1 else f"{table.sheet} {part}")
        for column, what in enumerate(table.columns):
            self._sheet.set_column(column, column, what.width)
        self._sheet.freeze_panes(1, 0)
        report.write_head(self._sheet, 0, table)
        self.next_row = 1

    def add(self, cells: Sequence[Cell]) -> None:
        for column, cell in enumerate(cells):
            self._report.write(self._sheet, self.next_row, column, cell)
        self.next_row += 1

    def close(self) -> None:
        self._sheet.autofilter(0, 0, max(self.next_row - 1, 1), len(self._table.columns) - 1)


def _storable(text: str) -> str:
    """Text as a cell can hold it: control characters that XML forbids become U+FFFD, the rest is cut at the limit."""
    kept = "".join(char if char >= " " or char in "\t\n" else "\ufffd" for char in text[:MOST_TEXT])
    return kept.encode("utf-8", "replace").decode()
