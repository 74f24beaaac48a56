"""Invoices in a ZIP archive: each file in it is read as if it had come by itself.

All or nothing, as half of a delivery would look like the whole: a file that no reader claims or that cannot be read
stops the archive, by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.refusal import UNREADABLE
from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
from voucherd.adapters.invoicefile.structured import reader_of
from voucherd.adapters.workbook import is_workbook
from voucherd.adapters.zipped import RefusedContainerError, check, files, is_zip
from voucherd.domain.message import Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate
from voucherd.domain.reconciliation.remittances import ReadDocument
from voucherd.service.ports import InvoiceReader

MAX_FILES = 50
MAX_FILE = 25 * 1024 * 1024
_COMPANY = ("__macosx/", "thumbs.db", ".ds_store", "desktop.ini")


class ZipInvoices:
    """Reads archives with `readers`, one of which claims each file."""

    name = "ZIP archives"

    def __init__(self, readers: Sequence[InvoiceReader]) -> None:
        self._readers = readers

    def identify(self, name: str, media_type: str, content: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether the content is an archive that is no spreadsheet."""
        return is_zip(content) and not is_workbook(content)

    def read(self, name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
        """The documents of all files, in the archive's order."""
        found: list[ReadDocument] = []
        count = 0
        try:
            check(content, office_inside=True)  # whole, before the first file is read
            for inner, inside in files(content):
                if _is_company(inner):
                    continue
                count += 1
                refused = self._refused(inner, inside, count)
                read = refused or self._read(f"{name}/{inner}", inside, supplier)
                if isinstance(read, Unreadable):
                    read = _among_others(read)
                    return read if refused is None else replace(read, reason=f"{name}: {read.reason}")
                found.extend(read)
        except RefusedContainerError as error:
            return Unreadable(f"{name}: {error}", UNREADABLE)
        return found if count else Unreadable(f"{name}: it holds no file", UNREADABLE)

    def _refused(self, inner: str, inside: bytes, count: int) -> Unreadable | None:
        if count > MAX_FILES:
            return Unreadable(f"it holds more than {MAX_FILES} files", UNREADABLE)
        if len(inside) > MAX_FILE:
            return Unreadable(f"{inner} is larger than {MAX_FILE // 2**20} MB", UNREADABLE)
        if is_zip(inside) and not is_workbook(inside):
            return Unreadable(f"{inner} is another archive", UNREADABLE)
        return None

    def _read(self, name: str, content: bytes, supplier: str | None) -> Sequence[ReadDocument] | Unreadable:
        claimed = [reader for reader in self._readers if reader.identify(name, "", content)]
        if not claimed:
            return Unreadable(f"{name}: no reader understands it", UNREADABLE)
        if len(claimed) > 1:
            names = " and ".join(reader.name for reader in claimed)
            return Unreadable(f"{name}: several readers claim the file: {names}", UNREADABLE)
        return claimed[0].read(name, content, supplier)


def _among_others(read: Unreadable) -> Unreadable:
    """The refusal of a file that others stand beside: a right one of it does not make up for those."""
    wrong = read.inconsistent
    return read if wrong is None else replace(read, inconsistent=replace(wrong, alone=False))


def _is_company(name: str) -> bool:
    """Files that systems add by themselves: no person put them there."""
    folded = name.lower()
    return folded.startswith(_COMPANY[0]) or folded.rpartition("/")[2] in _COMPANY[1:]


def is_archive(name: str, media_type: str, content: bytes) -> bool:
    """Whether a file is one that `ZipInvoices` claims, by its first bytes."""
    return ZipInvoices(()).identify(name, media_type, content)


def read(
    name: str,
    content: bytes,
    supplier: str | None,
    programmes: tuple[Programme, ...],
    templates: tuple[InvoiceTemplate, ...] = (),
) -> list[ReadDocument] | Unreadable:
    """What a worker process is asked to do with such a file."""
    readers = (CsvInvoices(), SheetInvoices(), reader_of(programmes, templates))
    return ZipInvoices(readers).read(name, content, supplier)
