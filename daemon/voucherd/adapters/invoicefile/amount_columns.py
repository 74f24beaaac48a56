"""The amounts of an invoice list: read cell by cell, then what reads two ways is settled by the others.

First by the same column of the same document, then by all its amounts, then by the file's; marks that contradict
each other settle nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from voucherd.adapters.invoicefile.table import RefusedTableError
from voucherd.domain.reconciliation.written_amounts import COMMA, POINT, WrittenAmount, read_written


@dataclass(frozen=True, slots=True)
class AmountCell:
    """An amount where it stands: the row's number, the column's word, the document that the row belongs to."""

    row: int
    column: str
    document: Hashable
    amount: WrittenAmount


def amount_cell(text: str, currency: str, row: int, column: str, document: Hashable) -> AmountCell:
    """Reads one cell; RefusedTableError with the row and the value where it is no amount."""
    try:
        return AmountCell(row, column, document, read_written(text, currency))
    except ValueError as error:
        raise RefusedTableError(f"row {row}: {column} {error}") from None


class Settled:
    """Minor units of every cell, by (row, column)."""

    def __init__(self, cells: Sequence[AmountCell]) -> None:
        self._shown: dict[tuple[Hashable, ...], set[str]] = {}
        for cell in cells:
            shows = cell.amount.shows
            if shows is not None:
                for scope in _scopes(cell):
                    self._shown.setdefault(scope, set()).add(shows)
        self._cells = {(cell.row, cell.column): cell for cell in cells}
        self._marks: dict[tuple[int, str], str] = {}

    def settle_by_total(self, rows: Iterable[int], column: str, total_row: int) -> None:
        """Settles the open amounts of `rows` and their total where only one decimal mark makes them add up."""
        keys = [(row, column) for row in (*rows, total_row) if (row, column) in self._cells]
        waiting = [key for key in keys if self._cells[key].amount.open and not self._mark(self._cells[key])]
        if not waiting or keys[-1] != (total_row, column):
            return
        fitting = [mark for mark in (POINT, COMMA) if self._adds_up(keys, mark)]
        if len(fitting) == 1:
            self._marks.update(dict.fromkeys(waiting, fitting[0]))

    def _adds_up(self, keys: Sequence[tuple[int, str]], mark: str) -> bool:
        try:
            *lines, total = [
                self._cells[key].amount.value(self._mark(self._cells[key]) or mark) for key in keys
            ]
        except ValueError:
            return False
        return sum(lines) == total

    def _mark(self, cell: AmountCell) -> str | None:
        decided = self._marks.get((cell.row, cell.column))
        if decided is not None:
            return decided
        for scope in _scopes(cell):
            shown = self._shown.get(scope)
            if shown:
                return next(iter(shown)) if len(shown) == 1 else None
        return None

    def value(self, row: int, column: str) -> int | None:
        """Minor units, None where the cell is empty; RefusedTableError where it stays open."""
        cell = self._cells.get((row, column))
        if cell is None:
            return None
        try:
            return cell.amount.value(self._mark(cell) if cell.amount.open else None)
        except ValueError as error:
            raise RefusedTableError(f"row {row}: {column} {error}") from None


def _scopes(cell: AmountCell) -> tuple[tuple[Hashable, ...], ...]:
    return (cell.document, cell.column), (cell.document,), ("", cell.column), ("",)
