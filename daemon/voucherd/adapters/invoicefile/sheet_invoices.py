"""Invoices and credit notes from a spreadsheet (.xlsx, .ods): each sheet with the headings of an invoice list is one.

Numbers of a sheet are floats: amounts are taken at their decimals, a voucher ID is never trusted beyond 2^53.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from voucherd.adapters.invoicefile import remittance_list
from voucherd.adapters.invoicefile.invoice_list import NEEDED, WHAT, InvoiceList, heading_words
from voucherd.adapters.invoicefile.refusal import UNREADABLE, RefusedFileError
from voucherd.adapters.invoicefile.remittance_list import RemittanceList
from voucherd.adapters.invoicefile.remittance_words import COLUMN_OF
from voucherd.adapters.invoicefile.table import (
    HEADER_WITHIN,
    MAX_CELL,
    MAX_COLUMNS,
    NoHeaderError,
    RefusedTableError,
    Row,
    table_of,
)
from voucherd.adapters.invoicefile.words import Column
from voucherd.adapters.workbook import UnreadWorkbookError, is_exact, is_workbook, moment_text, sheets_of
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.remittances import ReadDocument


class SheetInvoices:
    """Reads invoice lists in spreadsheets. `more_words` adds headings (as written -> column)."""

    name = "invoice lists in spreadsheets"

    def __init__(self, more_words: Mapping[str, Column] | None = None) -> None:
        self._words = heading_words(more_words)

    def identify(self, name: str, media_type: str, content: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether the content is a spreadsheet, whatever its name says."""
        return is_workbook(content)

    def read(self, name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
        """The documents of every sheet that is an invoice list or a remittance advice, or why there are none; one list
        that cannot be read stops the file."""
        found: list[ReadDocument] = []
        refused: NoHeaderError | None = None
        lists, shown = 0, name
        try:
            for sheet, rows in sheets_of(content):
                shown = f"{name}, sheet {sheet[:40]!r}"
                opening, numbered = _opening(_numbered(rows))
                if remittance_list.is_remittance(opening, self._words):
                    table = table_of(numbered, COLUMN_OF, remittance_list.NEEDED, remittance_list.WHAT)
                    found.append(RemittanceList(table).advice())
                    lists += 1
                    continue
                try:
                    table = table_of(numbered, self._words, NEEDED, WHAT)
                except (
                    NoHeaderError
                ) as error:  # a note, a pivot table: passed over as long as there is a list
                    refused = refused or error
                    continue
                lists += 1
                found.extend(InvoiceList(table, supplier).documents())
        except (RefusedTableError, UnreadWorkbookError) as error:
            return Unreadable(f"{shown}: {error}", UNREADABLE)
        except RefusedFileError as error:
            return error.about(shown)
        return found if lists else Unreadable(f"{name}: {refused or 'it holds nothing'}", UNREADABLE)


def _opening(numbered: Iterator[Row]) -> tuple[list[Row], Iterator[Row]]:
    """The first rows, and all of them again; a row beyond a limit is refused where it stands."""
    opening: list[Row] = []
    refused: RefusedTableError | None = None
    try:
        opening.extend(islice(numbered, HEADER_WITHIN))
    except RefusedTableError as error:
        refused = error

    def everything() -> Iterator[Row]:
        yield from opening
        if refused is not None:
            raise refused
        yield from numbered

    return opening, everything()


def _numbered(rows: Iterator[Sequence[object]]) -> Iterator[Row]:
    for number, cells in enumerate(rows, start=1):
        if any(cell not in ("", None) for cell in cells[MAX_COLUMNS:]):
            raise RefusedTableError(f"row {number} has more than {MAX_COLUMNS} columns")
        yield Row(number, tuple(_text(cell, number) for cell in cells[:MAX_COLUMNS]))


def _text(value: object, row: int) -> str:
    """A cell as a person would have typed it: a number that has decimals shows them so that it reads one way only."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value, row)
    text = moment_text(value) or str(value or "")
    if len(text) > MAX_CELL:
        raise RefusedTableError(f"row {row} has a cell of more than {MAX_CELL} characters")
    return text.strip()


def _number(value: float, row: int) -> str:
    if not is_exact(value) or value != value:
        raise RefusedTableError(f"row {row} has a number that lost digits: the column must be text")
    if value == int(value):
        return str(int(value))
    two = f"{value:.2f}"
    return two if abs(float(two) - value) < 1e-9 * max(1.0, abs(value)) else f"{value:.4f}"


def read(name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
    """What a worker process is asked to do with a file that `SheetInvoices` claims."""
    return SheetInvoices().read(name, content, supplier)
