"""The text of a PDF by pdfium, laid out in rows and columns: for a worker under limits only, and only where pypdf finds
no text (PROMISES.md, Defences: a file of 1,330 bytes has cost pdfium 835 MB).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from voucherd.adapters.invoicefile.refusal import RefusedFileError

_MAX_PIECES: Final = 20_000
_WIDEST: Final = 400
"""Columns of a row; what stands further right follows the text before it."""


class _Piece(NamedTuple):
    """A run of text on a page: its edges in points, `bottom` counted from the foot of the page."""

    left: float
    bottom: float
    right: float
    top: float
    text: str


def drawn_pages(content: bytes, most: int, too_many: str) -> Iterator[str]:
    """The text of each page; RefusedFileError, with `too_many`, where there are more than `most`."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        if len(document) > most:
            raise RefusedFileError(too_many)
        for at in range(len(document)):
            yield "\n".join(_rows(_pieces(document[at].get_textpage())))
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise RefusedFileError(f"the PDF cannot be opened: {str(error)[:120]}") from None


def _pieces(page: Any) -> list[_Piece]:
    count = page.count_rects()
    if count > _MAX_PIECES:
        raise RefusedFileError(f"a page of the PDF has more than {_MAX_PIECES:,} pieces of text")
    found = []
    for at in range(count):
        left, bottom, right, top = page.get_rect(at)
        text = " ".join(page.get_text_bounded(left, bottom, right, top).split())
        if text:
            found.append(_Piece(left, bottom, right, top, text))
    return found


def _rows(pieces: Sequence[_Piece]) -> Iterator[str]:
    """The pieces from the top down, those side by side in one row, each at the column of its left edge."""
    if not pieces:
        return
    widths = sorted((one.right - one.left) / len(one.text) for one in pieces)
    width = max(widths[len(widths) // 2], 0.1)
    margin = min(one.left for one in pieces)
    row: list[_Piece] = []
    for one in sorted(pieces, key=lambda each: -(each.top + each.bottom)):
        if row and (row[0].bottom > (one.top + one.bottom) / 2):
            yield _row(row, margin, width)
            row = []
        row.append(one)
    yield _row(row, margin, width)


def _row(row: list[_Piece], margin: float, width: float) -> str:
    text, end = "", margin
    for one in sorted(row):
        column = min(int((one.left - margin) / width), _WIDEST)
        gap = one.left - end > width * 1.5  # wider than a blank: another column
        text += " " * max(column - len(text), 0 if not text else 2 if gap else 1)
        text += one.text
        end = one.right
    return text
