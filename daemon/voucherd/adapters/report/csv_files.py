"""A report as comma-separated values: a file for the vouchers, and one beside it for each further table; in a folder,
one for each under its table's name.

UTF-8 with a mark, so that spreadsheet programs read it as such; amounts as `1250.00`, dates as `2021-12-18`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from voucherd.adapters.report.complete import Unfinished
from voucherd.service.report import cell_text
from voucherd.service.report_tables import FRESHNESS, SHEETS, SUMMARY, VOUCHERS, Cell, Table

_STARTS_A_FORMULA = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""First characters that a spreadsheet program takes for a formula, their full-width forms included."""


class CsvReport:
    """The ReportWriter port on a set of CSV files: `report.csv`, `report.lines.csv`, … or `vouchers.csv`, `lines.csv`,
    … in a folder that is there."""

    def __init__(self, path: Path) -> None:
        self._parts: list[tuple[TextIO, Unfinished]] = []
        self._writers: dict[str, Any] = {}
        try:
            for table in (*SHEETS, *SUMMARY):
                self._open(table, place_of(path, table))
        except BaseException:
            self.abandon()
            raise

    def _open(self, table: Table, place: Path) -> None:
        part = Unfinished(place)
        file = part.path.open("w", encoding="utf-8-sig", newline="")
        self._parts.append((file, part))
        self._writers[table.name] = csv.writer(file)
        self._writers[table.name].writerow(column.name for column in table.columns)

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        """Adds a row; text that a spreadsheet program would run is marked as text."""
        self._writers[table.name].writerow([_guarded(cell) for cell in cells])

    def remark(self, table: Table, text: str) -> None:
        """Says `text` in the file about what the report was made from: the other files hold rows alone."""
        self._writers[FRESHNESS.name].writerow((table.name, text))

    def close(self) -> None:
        """Completes every file."""
        for file, _ in self._parts:
            file.close()
        for _, part in self._parts:
            part.complete()

    def abandon(self) -> None:
        """Leaves nothing behind."""
        for file, part in self._parts:
            with suppress(OSError):
                file.close()
            part.abandon()


def place_of(path: Path, table: Table) -> Path:
    """The file of a table: the vouchers have the name that was asked for, the others stand beside it; a folder has one
    for each."""
    name = table.name.partition(",")[0].replace(" ", "-")
    if path.is_dir():
        return path / f"{name}.csv"
    return path if table is VOUCHERS else path.with_name(f"{path.stem}.{name}{path.suffix or '.csv'}")


def _guarded(cell: Cell) -> str:
    text = cell_text(cell)
    if isinstance(cell, str):
        text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        if text.lstrip(" ")[:1] in _STARTS_A_FORMULA:
            return "'" + text
    return text
