"""Attached spreadsheets (.xlsx, .ods, .csv) as lines of text: a row a line, its cells joined by a tab.

Imported in a worker alone: a mutated sheet of 5 KB has been seen to end the process that read it (PROMISES.md).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from voucherd.adapters.workbook import MAX_ROWS, UnreadWorkbookError, is_exact, moment_text, sheets_of
from voucherd.domain.sheets import LOST_DIGITS, Sheet

MAX_COLUMNS: Final = 60
MAX_CELL: Final = 500
MAX_TEXT: Final = 2 * 1024 * 1024
_DELIMITERS: Final = ",;\t|"
_BREAKS = str.maketrans(dict.fromkeys("\t\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x00", " "))


class UnreadSheetError(Exception):
    """The spreadsheet is left unread; the sentence says why."""


@dataclass(slots=True)
class _Lines:
    """Rows as text while they are gathered, with where each whole number begins."""

    text: list[str]
    numbers: list[int]
    length: int = 0

    def add(self, row: Iterable[object]) -> None:
        cells: list[str] = []
        at = self.length
        for value in row:
            shown = _shown(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.numbers.append(at)
            cells.append(shown)
            at += len(shown) + 1
        line = "\t".join(cells)
        self.text.append(line)
        self.length += len(line) + 1
        if len(self.text) > MAX_ROWS or self.length > MAX_TEXT:
            raise UnreadSheetError(f"it has more than {MAX_ROWS:,} rows, or {MAX_TEXT:,} characters")


def read(name: str, content: bytes) -> tuple[Sheet, ...]:
    """The sheets of a file that hold anything. Raises UnreadSheetError beyond a limit, or for what is none."""
    if name.lower().endswith(".csv"):
        return (_sheet(name, _csv_rows(content)),)
    return _book(name, content)


def read_here(name: str, content: bytes) -> list[Sheet] | str:
    """What a worker process is asked to do with a file: its sheets, or why it cannot be read."""
    try:
        return list(read(name, content))
    except UnreadSheetError as error:
        return str(error)


def _sheet(name: str, rows: Iterable[Sequence[object]]) -> Sheet:
    lines = _Lines([], [])
    for row in rows:
        if any(cell not in ("", None) for cell in row[MAX_COLUMNS:]):
            raise UnreadSheetError(f"it has more than {MAX_COLUMNS} columns")
        lines.add(row[:MAX_COLUMNS])
    return Sheet(name, "\n".join(lines.text), tuple(lines.numbers))


def _book(file: str, content: bytes) -> tuple[Sheet, ...]:
    found: list[Sheet] = []
    try:
        for name, rows in sheets_of(content):
            shown = file if not found else f"{file}, {name.translate(_BREAKS)[:40]}"
            made = _sheet(shown, rows)
            if made.text.strip():
                found.append(made)
    except UnreadWorkbookError as error:
        raise UnreadSheetError(str(error)) from None
    return tuple(found)


def _csv_rows(content: bytes) -> Iterator[list[object]]:
    text = _decoded(content)
    if len(text) > MAX_TEXT:
        raise UnreadSheetError(f"it has more than {MAX_TEXT:,} characters")
    opening = text[:4_000].splitlines()[:10]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in opening))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield [_unwrapped(cell) for cell in row]
    except csv.Error as error:
        raise UnreadSheetError(f"row {reader.line_num} cannot be split into cells: {error}") from None


def _unwrapped(cell: str) -> str:
    """`="0012"` is how exports keep a spreadsheet from turning an ID into a number."""
    cell = cell.strip()
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and len(cell) > 3 else cell


def _decoded(content: bytes) -> str:
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise UnreadSheetError("it is no text file")
    return text


def _shown(value: object) -> str:
    """A cell as text: dates in ISO form, whole numbers without a point; one that lost digits says so."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    moment = moment_text(value)
    if moment is not None:
        return moment
    return str(value)[: MAX_CELL + 1].translate(_BREAKS).strip()[:MAX_CELL]


def _number(value: float) -> str:
    if not is_exact(value):
        return f"{LOST_DIGITS}{value:.15e}"
    if value == int(value):
        return str(int(value))
    return repr(value)
