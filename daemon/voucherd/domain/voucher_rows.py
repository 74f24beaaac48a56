"""Labels and what stands beside, below or under them: the statements of a stretch of lines.

Text, lists and tables are read alike: `label: value`, `label | value`, a label on a line of its own with the
value on the next, a table with the labels above its columns, and one with a voucher a column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voucherd.domain.text_lines import Line
from voucherd.domain.voucher_ids import IdsRead, ids_at, only_id
from voucherd.domain.voucher_labels import VOUCHER_ID, Labelled, Lexicon

_CELL_END = re.compile(r"[\t|]| {3,}")
MAX_STATEMENTS = 2_000
"""Statements that are read of one stretch of lines."""
_MAX_CELLS = 40
_MAX_BLANKS = 2
_LONGEST_VALUE = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell, or a whole line: its text and its offset in the part."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One `label, value` as found: `paragraph` counts the stretches between blank lines, `owner` ties the facts
    of a table to the voucher of their row or column (-1: not told by a table). `own_line` is a value on a line
    of its own, without a colon behind its label when `stacked`."""

    fact: str
    languages: tuple[str, ...]
    value: str
    start: int
    rule: str
    paragraph: int
    owner: int = -1
    own_line: bool = False
    stacked: bool = False
    ids: IdsRead | None = None


def cells_of(line: Line) -> list[Cell]:
    """The cells of a line: parted by tabs, bars, or three blanks and more; empty ones kept."""
    cells: list[Cell] = []
    at = 0
    for match in _CELL_END.finditer(line.text):
        cells.append(_cell(line, at, match.start()))
        at = match.end()
        if len(cells) == _MAX_CELLS:
            break
    cells.append(_cell(line, at, len(line.text)))
    return cells


def _cell(line: Line, start: int, end: int) -> Cell:
    raw = line.text[start:end]
    bare = raw.lstrip(" \u00a0")
    return Cell(bare.rstrip(" \u00a0"), line.start + start + len(raw) - len(bare))


class Rows:
    """Reads the statements of lines, top to bottom, each line once."""

    def __init__(self, lines: list[Line], lexicon: Lexicon) -> None:
        self._lines = lines
        self._lexicon = lexicon
        self._at = 0
        self._paragraph = 0
        self._owners = 0
        self.statements: list[Statement] = []

    def read(self) -> list[Statement]:
        """All statements, in their order."""
        while self._at < len(self._lines) and len(self.statements) < MAX_STATEMENTS:
            line = self._lines[self._at]
            self._at += 1
            if not line.text:
                self._paragraph += 1
                continue
            cells = cells_of(line)
            labels = [self._lexicon.label_of(cell.text) if cell.text else None for cell in cells]
            if not any(labels):
                continue
            if _heads_columns(labels):
                self._columns([label if label and label.at < 0 else None for label in labels])
            elif not self._transposed(cells, labels):
                self._row(cells, labels)
        return self.statements

    def _row(self, cells: list[Cell], labels: list[Labelled | None]) -> None:
        at = 0
        while at < len(cells):
            label = labels[at]
            if label is not None and label.at >= 0:
                cell = cells[at]
                self._state(label, Cell(cell.text[label.at :], cell.start + label.at), "after")
            elif label is not None:
                beside = next((place for place in range(at + 1, len(cells)) if cells[place].text), None)
                if beside is None:
                    self._below(label, colon=cells[at].text.rstrip("* ").endswith((":", "：")))
                elif labels[beside] is None:
                    self._state(label, cells[beside], "beside")
                    at = beside
            at += 1

    def _below(self, label: Labelled, *, colon: bool) -> None:
        """The value on the next line, at most two blank ones between; not where that line is a label itself."""
        at = self._at
        while at < len(self._lines) and not self._lines[at].text and at - self._at < _MAX_BLANKS:
            at += 1
        if at >= len(self._lines) or not self._lines[at].text or (label.weak and not colon):
            return
        cell = cells_of(self._lines[at])[0]
        if cell.text and self._lexicon.label_of(cell.text) is None:
            self._state(label, cell, "on the line after", own_line=True, stacked=not colon)

    def _columns(self, heads: list[Labelled | None]) -> None:
        """The rows under a line of labels, one voucher a row."""
        id_column = next(place for place, head in enumerate(heads) if head and head.fact == VOUCHER_ID)
        while self._at < len(self._lines) and len(self.statements) < MAX_STATEMENTS:
            line = self._lines[self._at]
            if line.text and not line.text.strip("-|+:= \t"):  # the rule under the head of a drawn table
                self._at += 1
                continue
            cells = cells_of(line)
            if id_column >= len(cells) or not only_id(cells[id_column].text):
                return
            self._owners += 1
            self._at += 1
            for place, head in enumerate(heads[: len(cells)]):
                if head is not None and cells[place].text:
                    self._state(head, cells[place], "in the column", owner=self._owners)

    def _transposed(self, cells: list[Cell], labels: list[Labelled | None]) -> bool:
        """A table with its labels down the first column and a voucher in each of the others."""
        first = labels[0]
        values = cells[1:]
        if first is None or first.fact != VOUCHER_ID or first.at >= 0 or len(values) < 2:
            return False
        if not all(only_id(cell.text) for cell in values):
            return False
        base = self._owners
        self._owners += len(values)
        label: Labelled | None = first
        while label is not None and len(values) == self._owners - base:
            for place, cell in enumerate(values, start=base + 1):
                if cell.text:
                    self._state(label, cell, "beside", owner=place)
            row = cells_of(self._lines[self._at]) if self._at < len(self._lines) else []
            label = self._lexicon.label_of(row[0].text) if len(row) == len(values) + 1 else None
            if label is None or label.at >= 0 or label.fact == VOUCHER_ID:
                return True
            values = row[1:]
            self._at += 1
        return True

    def _state(
        self,
        label: Labelled,
        cell: Cell,
        how: str,
        owner: int = -1,
        *,
        own_line: bool = False,
        stacked: bool = False,
    ) -> None:
        value = cell.text.lstrip(" \t\u00a0*_")
        start = cell.start + len(cell.text) - len(value)
        ids = ids_at(value, whole=own_line) if label.fact == VOUCHER_ID else None
        if ids is not None and not ids.found and not ids.problem:
            return
        rule = (
            f'{how} the label "{label.words}"' if how != "in the column" else f'in the column "{label.words}"'
        )
        self.statements.append(
            Statement(
                label.fact,
                label.languages,
                value[:_LONGEST_VALUE].rstrip(" \t\u00a0*_"),
                start,
                rule,
                self._paragraph,
                owner,
                own_line,
                stacked,
                ids,
            )
        )


def _heads_columns(labels: list[Labelled | None]) -> bool:
    alone = [label for label in labels if label is not None and label.at < 0]
    return len(alone) >= 2 and any(label.fact == VOUCHER_ID for label in alone)
