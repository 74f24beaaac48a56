"""The rows of a large sheet, each put into the file as one piece of XML: a tenth of what it costs cell by cell.

Text is data alone. The library takes a text between `<r>` and `</r>` for its own XML and copies it as it is, so that
a stranger's line could bring a formula with it; here every text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.amounts import exponent

if TYPE_CHECKING:
    from voucherd.service.report_tables import Cell

MOST_TEXT: Final = 32_767
"""Characters of a cell (the format's own limit)."""

_LETTERS: Final = tuple(xl_col_to_name(column) for column in range(64))
_NO_CHARACTER: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_READ_AS_CODE: Final = re.compile("_(?=x[0-9a-fA-F]{4}_)")
"""What spreadsheet programs read as one character by its code (ECMA-376, 22.4.2.4)."""
_BEFORE_DAY_1: Final = date(1899, 12, 30).toordinal()
_FIRST_DAY: Final = date(1900, 3, 1)
"""The days before it are counted in two ways (1900 was no leap year); they are written as text."""


class StreamedSheet(Worksheet):  # type: ignore[misc]  # the library has no types
    """A sheet that takes whole rows, one below the other, beside what the library itself writes into it."""

    def put(self, row: int, cells: Sequence[Cell], date_style: int, money_styles: Mapping[int, int]) -> None:
        """Writes the row numbered `row` from 0, below all before it. The styles are the numbers of formats of the book:
        of a date, and of an amount by its decimal places."""
        if row > self.previous_row:
            self._write_single_row(row)  # what the library was given for the row before
        self._check_dimensions(row, len(cells) - 1)
        self.row_data_fh.write(row_xml(row + 1, cells, date_style, money_styles))


def row_xml(number: int, cells: Iterable[Cell], date_style: int, money_styles: Mapping[int, int]) -> str:
    """A row with its number from 1; an absent fact, or an empty text, is no cell."""
    parts = [f'<row r="{number}">']
    for letter, cell in zip(_LETTERS, cells, strict=False):
        if cell is None or cell == "":
            continue
        if isinstance(cell, str):
            parts.append(f'<c r="{letter}{number}" t="inlineStr"><is>{_text(cell)}</is></c>')
        elif isinstance(cell, Sum):
            places = exponent(cell.currency)
            amount = cell.amount / 10**places
            parts.append(f'<c r="{letter}{number}" s="{money_styles[places]}"><v>{amount:.16G}</v></c>')
        elif not isinstance(cell, date):
            parts.append(f'<c r="{letter}{number}"><v>{cell}</v></c>')
        elif cell >= _FIRST_DAY:
            day = cell.toordinal() - _BEFORE_DAY_1
            parts.append(f'<c r="{letter}{number}" s="{date_style}"><v>{day}</v></c>')
        else:
            parts.append(f'<c r="{letter}{number}" t="inlineStr"><is>{_text(cell.isoformat())}</is></c>')
    parts.append("</row>")
    return "".join(parts)


@lru_cache(maxsize=4096)  # most texts of a report are answers and reasons that come again
def _text(text: str) -> str:
    """Text as an element of its own; what XML forbids becomes U+FFFD, what is too long is cut."""
    if text.isalnum() and len(text) <= MOST_TEXT:
        return f"<t>{text}</t>"
    kept = _NO_CHARACTER.sub("\ufffd", text[:MOST_TEXT])
    kept = _READ_AS_CODE.sub("_x005F_", kept)
    kept = kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    space = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() or "\n" in text else ""
    return f"<t{space}>{kept}</t>"


def style_of(given: Any) -> int:
    """The number of a format, as cells refer to it."""
    return int(given._get_xf_index())
