"""The text of a PDF, row by row with its columns kept apart: for a worker under limits only (PROMISES.md, P6).

pypdf reads it; pdfium where that finds no text at all (RECONCILIATION.md, Readers): it sees more, and a small file has
made it take gigabytes, so it is never the first to look.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from voucherd.adapters.invoicefile.pdf_drawn import drawn_pages
from voucherd.adapters.invoicefile.pdf_file import array, opened, refusing, resolved
from voucherd.adapters.invoicefile.refusal import RefusedFileError
from voucherd.domain.message import Unreadable

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES: Final = 50
MAX_TEXT: Final = 1_000_000
MAX_ROW: Final = 4_000
"""Characters of a row of text, the blanks that keep columns apart among them."""
_MAX_NODES: Final = 1_000
_MAX_STREAM: Final = 16 * 1024 * 1024


def page_texts(content: bytes) -> tuple[str, ...]:
    """The text of each page, empty for a page without any. Raises RefusedFileError."""
    from pypdf import Configuration, apply_configuration

    limits = Configuration(
        zlib_maximum_output_length=_MAX_STREAM,
        lzw_maximum_output_length=_MAX_STREAM,
        run_length_maximum_output_length=_MAX_STREAM,
        array_based_stream_maximum_output_length=_MAX_STREAM,
    )
    with refusing(), apply_configuration(limits):
        reader = opened(content)
        _check_pages(reader)
        found = _kept(page.extract_text(extraction_mode="layout") for page in reader.pages)
    if any(page.strip() for page in found):
        return found
    return _kept(drawn_pages(content, MAX_PAGES, _too_many()))


def read(name: str, content: bytes) -> tuple[str, ...] | Unreadable:
    """What a worker process is asked to do for who writes a template: the text of each page, as templates see it."""
    try:
        return page_texts(content)
    except RefusedFileError as error:
        return Unreadable(f"{name}: {error}", error.code)


def _check_pages(reader: PdfReader) -> None:
    """Walks the tree of pages before anything builds them: a tree may lead back to itself, or say 10,000."""
    from pypdf.generic import DictionaryObject

    waiting, seen, pages = [resolved(reader.root_object.get("/Pages"))], 0, 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > _MAX_NODES:
            raise RefusedFileError("the PDF's tree of pages does not end")
        if not isinstance(node, DictionaryObject):
            continue
        kids = array(node.get("/Kids"))
        pages += not kids
        if pages > MAX_PAGES or len(kids) > MAX_PAGES:
            raise RefusedFileError(_too_many())
        waiting += [resolved(kid) for kid in kids]


def _too_many() -> str:
    return f"the PDF has more than {MAX_PAGES} pages"


def _kept(pages: Iterable[str]) -> tuple[str, ...]:
    """The pages as they are read: blanks of every kind as plain ones, nothing that cannot be seen."""
    kept: list[str] = []
    length = 0
    for page in pages:
        length += len(page)
        if length > MAX_TEXT:
            raise RefusedFileError(f"the PDF has more than {MAX_TEXT:,} characters of text")
        kept.append("\n".join(_rows(page)))
    return tuple(kept)


def _rows(page: str) -> Iterator[str]:
    for row in page.splitlines():
        shown = row.rstrip()
        if len(shown) > MAX_ROW:
            raise RefusedFileError(f"the PDF has a row of more than {MAX_ROW:,} characters")
        if not shown.isascii() or not shown.isprintable():
            shown = "".join(_char(char) for char in shown)
        yield shown.rstrip()


def _char(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Zs" or char == "\t":
        return " "
    return "" if kind in ("Cc", "Cf", "Cs", "Co", "Cn") else char
