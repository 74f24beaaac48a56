"""A report as a spreadsheet: typed cells, filters, frozen heads; text is text, whatever it looks like.

Written in constant memory: each sheet's rows go to disk as they come, beside the file that they are for. It appears
under its name when it is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter

from voucherd.adapters.report.complete import Unfinished
from voucherd.adapters.report.sheet_rows import StreamedSheet, style_of
from voucherd.domain.reconciliation.amounts import EXPONENTS
from voucherd.service.report_tables import FRESHNESS, SHEETS, SUMMARY, Cell, Table

MOST_ROWS = 1_048_576
"""Rows of a sheet, its head included (the format's own limit)."""


class XlsxReport:
    """The ReportWriter port on an XLSX file."""

    def __init__(self, path: Path, title: str) -> None:
        self._part = Unfinished(path)
        # beside the file: /tmp is memory on many machines, and a large ledger has gigabytes of rows
        self._rows = TemporaryDirectory(prefix=f"{self._part.path.name[:100]}.", dir=self._part.path.parent)
        # strings stay strings: neither formulas nor links nor numbers are made of what strangers wrote
        options = {
            "constant_memory": True,
            "tmpdir": self._rows.name,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(self._part.path), options)
        self._book.set_properties({"title": title})
        self._heading = self._book.add_format({"bold": True, "font_size": 12})
        self._head = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._date = style_of(self._book.add_format({"num_format": "yyyy-mm-dd"}))
        self._money = {places: self._money_style(places) for places in sorted({*EXPONENTS.values(), 2})}
        self._summary = self.add_worksheet("summary")
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
        for name, parts in self._parts.items():
            if len(parts) > 1:
                named = ", ".join(part.name for part in parts)
                self._below[FRESHNESS.name].append((name, f"more rows than a sheet can hold: {named}"))
        self._write_summary()
        for parts in self._parts.values():
            for sheet in parts:
                sheet.close()
        self._book.close()
        self._rows.cleanup()
        self._part.complete()

    def abandon(self) -> None:
        """Leaves nothing behind, the rows that went to disk already included."""
        try:
            self._book.close()
        finally:
            self._rows.cleanup()
            self._part.abandon()

    def add_worksheet(self, name: str) -> Any:
        """A new sheet of the book."""
        return self._book.add_worksheet(name, StreamedSheet)

    def write(self, sheet: Any, row: int, cells: Sequence[Cell]) -> None:
        """Puts a row of typed cells in its place."""
        sheet.put(row, cells, self._date, self._money)

    def write_head(self, sheet: Any, row: int, table: Table) -> None:
        """The headings of a table."""
        for column, what in enumerate(table.columns):
            sheet.write_string(row, column, what.name, self._head)

    def _money_style(self, places: int) -> int:
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return style_of(self._book.add_format({"num_format": f"{pattern};[Red]-{pattern}"}))

    def _write_summary(self) -> None:
        row = 0
        for table in SUMMARY:
            self._summary.write_string(row, 0, table.name, self._heading)
            self.write_head(self._summary, row + 1, table)
            row += 2
            for cells in self._below[table.name]:
                self.write(self._summary, row, cells)
                row += 1
            row += 1


class _Sheet:
    """One sheet with one table: a frozen head, a filter over it."""

    def __init__(self, report: XlsxReport, table: Table, part: int) -> None:
        self._report, self._table = report, table
        self.name = table.sheet if part == 1 else f"{table.sheet} {part}"
        self._sheet = report.add_worksheet(self.name)
        for column, what in enumerate(table.columns):
            self._sheet.set_column(column, column, what.width)
        self._sheet.freeze_panes(1, 0)
        report.write_head(self._sheet, 0, table)
        self.next_row = 1

    def add(self, cells: Sequence[Cell]) -> None:
        self._report.write(self._sheet, self.next_row, cells)
        self.next_row += 1

    def close(self) -> None:
        self._sheet.autofilter(0, 0, max(self.next_row - 1, 1), len(self._table.columns) - 1)
