"""A foreign spreadsheet (.xlsx, .ods) as rows of plain values, within limits that are checked before it is opened.

Used in a worker alone: a mutated sheet of 5 KB has been seen to end the process that read it (PROMISES.md).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from voucherd.adapters.zipped import RefusedContainerError, check, is_zip

MAX_ROWS: Final = 20_000
MAX_SHEETS: Final = 10
_WIDEST: Final = 200  # columns, counting empty ones: a sheet is read as a full rectangle
_EXACT: Final = 2**53
_PLACE = re.compile(rb"\br\s?=\s?[\"']([A-Z]{0,3})(\d{1,9})[\"']")

Rows = Iterator[Sequence[object]]


class UnreadWorkbookError(Exception):
    """The spreadsheet is left unread; the sentence says why."""


def is_workbook(content: bytes) -> bool:
    """Whether the bytes say of themselves that they are an .xlsx or .ods: by the first file of the container."""
    opening = content[:4_096]
    return is_zip(content) and (
        b"[Content_Types].xml" in opening
        or b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in opening
        or b"xl/" in opening
    )


def sheets_of(content: bytes) -> Iterator[tuple[str, Rows]]:
    """Each sheet's name and rows. Rows above the first used one are kept, so that a row's number is the one that a
    person sees. Raises UnreadWorkbookError beyond a limit, or for what is no spreadsheet."""
    if not is_zip(content):
        raise UnreadWorkbookError("it is no spreadsheet")
    places = _Places()
    try:
        check(content, places.watch)
    except RefusedContainerError as error:
        raise UnreadWorkbookError(str(error)) from None
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        if len(names) > MAX_SHEETS:
            raise UnreadWorkbookError(f"it has more than {MAX_SHEETS} sheets")
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height > MAX_ROWS or sheet.total_width > _WIDEST:
                raise UnreadWorkbookError(f"it has more than {MAX_ROWS:,} rows, or very many columns")
            yield name, iter(sheet.to_python(skip_empty_area=False))
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadWorkbookError(f"it cannot be opened ({type(error).__name__})") from None


class _Places:
    """Refuses cells far out: two of them, at opposite ends, make a rectangle of gigabytes when it is read."""

    def __init__(self) -> None:
        self._file, self._tail = "", b""

    def watch(self, name: str, block: bytes) -> None:
        if not name.startswith("xl/worksheets/"):
            return
        if name != self._file:
            self._file, self._tail = name, b""
        for column, row in _PLACE.findall(self._tail + block):
            if int(row) > MAX_ROWS or _column_number(column) > _WIDEST:
                raise UnreadWorkbookError(f"it has more than {MAX_ROWS:,} rows or {_WIDEST} columns")
        self._tail = block[-20:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def is_exact(value: float) -> bool:
    """Whether a number of a sheet kept its digits: beyond 2^53 it is another one than was typed."""
    return abs(value) < _EXACT


def moment_text(value: object) -> str | None:
    """A date, time or duration of a cell in ISO form; None for anything else."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else None
