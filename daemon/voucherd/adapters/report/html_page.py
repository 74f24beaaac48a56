"""A report as one page of HTML: complete in itself, nothing fetched, no script, readable on a phone and on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from voucherd.adapters.report.complete import Unfinished
from voucherd.domain.letter import Sum
from voucherd.service.report import cell_text
from voucherd.service.report_tables import AGING, SHEETS, SUMMARY, TAKE_CARE, Cell, Kind, Table

MOST_SHOWN = 1_000
"""Rows of a table on the page, which a browser still opens at once; the spreadsheet holds them all."""
_PAGE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as the page shows it: `share` is how much of the table's largest amount it is, in percent."""

    text: str
    kind: Kind
    negative: bool = False
    share: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A table as the page shows it, with what stands below it."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: list[list[Shown]]
    remarks: list[str]


class HtmlReport:
    """The ReportWriter port on an HTML file."""

    def __init__(self, path: Path, title: str) -> None:
        self._part, self._title = Unfinished(path), title
        self._rows: dict[str, list[Sequence[Cell]]] = {table.name: [] for table in (*SUMMARY, *SHEETS)}
        self._remarks: dict[str, list[str]] = {name: [] for name in self._rows}
        self._counts: Counter[str] = Counter()

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        """Adds a row; beyond the page's limit it is only counted."""
        self._counts[table.name] += 1
        if self._counts[table.name] <= MOST_SHOWN:
            self._rows[table.name].append(cells)

    def remark(self, table: Table, text: str) -> None:
        """Says `text` below the table."""
        self._remarks[table.name].append(text)

    def close(self) -> None:
        """Writes the page and puts it in its place."""
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        page = environment.from_string(_PAGE.read_text("utf-8")).render(
            title=self._title,
            care=TAKE_CARE,
            summary=[self._section(table) for table in SUMMARY],
            details=[self._section(table) for table in SHEETS],
        )
        self._part.path.write_text(page, encoding="utf-8", errors="replace")
        self._part.complete()

    def abandon(self) -> None:
        """Leaves nothing behind."""
        self._part.abandon()

    def _section(self, table: Table) -> Section:
        rows = self._rows[table.name]
        remarks = list(self._remarks[table.name])
        if self._counts[table.name] > len(rows):
            more = self._counts[table.name] - len(rows)
            remarks.append(f"{more:,} more rows stand in the spreadsheet (voucherd report --xlsx, or --csv)")
        largest = _largest_by_currency(rows) if table is AGING else {}
        return Section(
            table.name,
            tuple(column.name for column in table.columns),
            tuple(column.kind for column in table.columns),
            [
                [_shown(cell, column.kind, largest) for cell, column in zip(row, table.columns, strict=True)]
                for row in rows
            ],
            remarks,
        )


def _largest_by_currency(rows: Sequence[Sequence[Cell]]) -> dict[str, int]:
    largest: dict[str, int] = {}
    for row in rows:
        for cell in row:
            if isinstance(cell, Sum):
                largest[cell.currency] = max(largest.get(cell.currency, 0), cell.amount)
    return largest


def _shown(cell: Cell, kind: Kind, largest: dict[str, int]) -> Shown:
    if not isinstance(cell, Sum):
        return Shown(
            cell_text(cell), kind, negative=kind is Kind.NUMBER and isinstance(cell, int) and cell < 0
        )
    most = largest.get(cell.currency, 0)
    share = max(0, round(100 * cell.amount / most)) if most else None
    return Shown(_grouped(cell), kind, cell.amount < 0, share)


def _grouped(amount: Sum) -> str:
    """`1,250.00`, as the spreadsheet shows it."""
    sign, digits = ("-", cell_text(amount)[1:]) if amount.amount < 0 else ("", cell_text(amount))
    whole, point, decimals = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{decimals}"
