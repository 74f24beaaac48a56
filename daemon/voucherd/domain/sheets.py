"""Spreadsheets as plain values: the rows of one as text, and the vouchers of a programme's export.

The values may cross from a worker process (`adapters.reader.answers` names them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LOST_DIGITS = "≈"
"""Stands before a number that is too large for its spreadsheet to keep all digits of: it is never an ID."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a file: `text` holds a row a line, its cells joined by tabs, the first row being 1.

    `numbers` are the offsets of cells that the spreadsheet keeps as numbers: leading zeros are lost in these.
    """

    name: str
    text: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One voucher of an export: `status` is `available` or `reserved`, dates in `facts` and `reserved_on` are in
    ISO form, `partner` is as written. `is_number` says that the ID's cell is a number."""

    number: int
    voucher: str
    status: str
    facts: Mapping[str, str]
    partner: str = ""
    reserved_on: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """What the programme's validation tool exported: rows that could be read, and, by row number, why others could
    not."""

    name: str
    rows: tuple[ExportRow, ...]
    faults: tuple[tuple[int, str], ...] = field(default=())
