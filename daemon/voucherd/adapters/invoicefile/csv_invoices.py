"""Invoices and credit notes from CSV: one file may hold several, a row is a line of one of them.

A list of what was paid comes as CSV as well, and is told by its headings.
"""

from __future__ import annotations

from collections.abc import Mapping

from voucherd.adapters.invoicefile import remittance_list
from voucherd.adapters.invoicefile.invoice_list import NEEDED, WHAT, InvoiceList, heading_words
from voucherd.adapters.invoicefile.refusal import UNREADABLE, RefusedFileError
from voucherd.adapters.invoicefile.remittance_list import RemittanceList
from voucherd.adapters.invoicefile.remittance_words import COLUMN_OF
from voucherd.adapters.invoicefile.table import RefusedTableError, openings, read_table
from voucherd.adapters.invoicefile.words import Column
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.remittances import ReadDocument

_EXTENSIONS = (".csv", ".tsv")
_MEDIA_TYPES = frozenset({"text/csv", "text/tab-separated-values", "application/csv", "text/x-csv"})
_OTHER_FORMATS = (b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"<?xml", b"<")


class CsvInvoices:
    """Reads invoice lists in CSV. `more_words` adds headings (as written -> column) to those that are known."""

    name = "invoice lists (CSV)"

    def __init__(self, more_words: Mapping[str, Column] | None = None) -> None:
        self._words = heading_words(more_words)

    def identify(self, name: str, media_type: str, content: bytes) -> bool:
        """Whether the file says that it is CSV, by its name or type, and does not begin like another format."""
        if content[:64].lstrip().startswith(_OTHER_FORMATS):
            return False
        return (
            name.lower().endswith(_EXTENSIONS) or media_type.lower().partition(";")[0].strip() in _MEDIA_TYPES
        )

    def read(self, name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
        """The documents of the file in the order in which they begin, or why they cannot be read.

        `invoice-unreadable` names the row and the value; `invoice-inconsistent` says by how much a stated total
        differs. One row that cannot be read stops the file: half an invoice would be worse than none.
        """
        try:
            if remittance_list.is_remittance(openings(content), self._words):
                table = read_table(content, COLUMN_OF, remittance_list.NEEDED, remittance_list.WHAT)
                return [RemittanceList(table).advice()]
            return [*InvoiceList(read_table(content, self._words, NEEDED, WHAT), supplier).documents()]
        except RefusedTableError as error:
            return Unreadable(f"{name}: {error}", UNREADABLE)
        except RefusedFileError as error:
            return error.about(name)


def read(name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
    """What a worker process is asked to do with a file that `CsvInvoices` claims."""
    return CsvInvoices().read(name, content, supplier)
