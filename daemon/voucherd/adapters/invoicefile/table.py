"""A text table of a stranger as rows within limits: encoding, delimiter, the row that holds the headers.

Rows are numbered as a spreadsheet shows them, the first one being 1.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from voucherd.adapters.invoicefile.words import folded

MAX_BYTES = 10_000_000
MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_CELL = 2_000
_MAX_LINE = MAX_COLUMNS * (MAX_CELL + 3)
HEADER_WITHIN = 10
_DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_AS_TEXT = re.compile(r'="([^"]*)"')


class RefusedTableError(ValueError):
    """The table cannot be read within its limits; the message says which row and why."""


class NoHeaderError(RefusedTableError):
    """No row shows the headings: the table may be something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` as a spreadsheet shows it, `cells` without outer blanks."""

    number: int
    cells: tuple[str, ...]

    def cell(self, at: int | None) -> str:
        """The cell in column `at`, empty where there is no such column or the row is shorter."""
        return self.cells[at] if at is not None and at < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """The header's columns by what they mean, their headings as written, and the rows below."""

    columns: Mapping[str, int]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def decoded(content: bytes) -> str:
    """The text: by its byte order mark, else strict UTF-8, else Windows-1252 (RECONCILIATION.md, Readers)."""
    if len(content) > MAX_BYTES:
        raise RefusedTableError(f"larger than {MAX_BYTES // 1_000_000} MB")
    try:
        for mark, encoding in _BOMS:
            if content.startswith(mark):
                return _without_nul(content[len(mark) :].decode(encoding))
        try:
            return _without_nul(content.decode("utf-8"))
        except UnicodeDecodeError:
            return _without_nul(content.decode("cp1252"))
    except UnicodeDecodeError:
        raise RefusedTableError("the encoding is neither UTF-8 nor Windows-1252") from None


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise RefusedTableError("not a text file")
    return text


def read_table(content: bytes, words: Mapping[str, str], needed: int, what: str) -> Table:
    """The table of a CSV file: the delimiter is the one under which the header shows most known words.

    `words` maps folded headings to what they mean; a header shows at least `needed` of the meanings and stands
    in the first 10 rows. `what` is what the refusal calls it. RefusedTableError where there is no header, where
    two headings mean the same, or beyond a limit.
    """
    text = decoded(content)
    votes = [
        (len(columns_of(row, words)), -row.number, delimiter)
        for delimiter in _DELIMITERS
        for row in _opening(text, delimiter)
    ]
    _, _, delimiter = max(votes, key=lambda vote: vote[:2], default=(0, 0, ","))
    return table_of(_rows(text, delimiter), words, needed, what)


def table_of(numbered: Iterable[Row], words: Mapping[str, str], needed: int, what: str) -> Table:
    """The table that stands in `numbered` rows: below the one of the first 10 that shows most known words.

    Refuses as `read_table` does.
    """
    following = iter(numbered)
    opening: list[Row] = []
    try:
        opening.extend(islice(following, HEADER_WITHIN))
    except RefusedTableError:
        if not any(len(columns_of(row, words)) >= needed for row in opening):
            raise NoHeaderError(f"no header row with the words of {what}") from None
        raise
    header = max(opening, key=lambda row: (len(columns_of(row, words)), -row.number), default=Row(0, ()))
    columns = columns_of(header, words)
    if len(columns) < needed:
        raise NoHeaderError(f"no header row with the words of {what}")
    _refuse_twins(header, words)
    below = (row for row in chain(opening, following) if row.number > header.number)
    rows = tuple(row for row in below if any(row.cells))
    for row in rows:
        if any(row.cells[len(header.cells) :]):
            raise RefusedTableError(f"row {row.number} has more cells than the header")
    return Table(columns, header.cells, rows)


def openings(content: bytes) -> list[Row]:
    """The first rows of a CSV file under each delimiter, as far as they can be read: to see what list it is."""
    text = decoded(content)
    return [row for delimiter in _DELIMITERS for row in _opening(text, delimiter)]


def _opening(text: str, delimiter: str) -> list[Row]:
    """The first rows under one delimiter, as far as they can be read under it."""
    rows: list[Row] = []
    with contextlib.suppress(RefusedTableError):
        rows.extend(islice(_rows(text, delimiter), HEADER_WITHIN))
    return rows


def columns_of(row: Row, words: Mapping[str, str]) -> dict[str, int]:
    """What the cells of a row mean as headings -> their column; nothing for words that are not known."""
    columns: dict[str, int] = {}
    for at, heading in enumerate(row.cells):
        meaning = _meaning(heading, words)
        if meaning is not None:
            columns.setdefault(meaning, at)
    return columns


def _meaning(heading: str, words: Mapping[str, str]) -> str | None:
    """What a heading means, with or without what it says in brackets; a percentage is no amount."""
    if "%" in heading:
        return None
    return words.get(folded(heading)) or words.get(folded(re.split(r"[(\[]", heading, maxsplit=1)[0]))


def _refuse_twins(header: Row, words: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for heading in header.cells:
        meaning = _meaning(heading, words)
        if meaning is not None and meaning in seen:
            raise RefusedTableError(f"two columns for {meaning}: {seen[meaning]!r} and {heading!r}")
        if meaning is not None:
            seen[meaning] = heading


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MAX_ROWS:
                raise RefusedTableError(f"more than {MAX_ROWS} rows")
            if len(cells) > MAX_COLUMNS:
                raise RefusedTableError(f"row {number} has more than {MAX_COLUMNS} columns")
            yield Row(number, tuple(_cell(cell, number) for cell in cells))
    except csv.Error as error:
        raise RefusedTableError(f"row {number + 1} cannot be split into cells: {error}") from None


def _cell(cell: str, number: int) -> str:
    if len(cell) > MAX_CELL:
        raise RefusedTableError(f"row {number} has a cell of more than {MAX_CELL} characters")
    as_text = _AS_TEXT.fullmatch(cell)  # how exports keep a spreadsheet from turning an ID into a number
    return (as_text[1] if as_text else cell).strip()


def _lines(text: str) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        if len(line) > _MAX_LINE:
            raise RefusedTableError(f"a line of more than {_MAX_LINE} characters")
        yield line
