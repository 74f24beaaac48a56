"""Electronic invoices: XML in the formats of the registry, by itself or inside a PDF.

A worker takes them apart; what the daemon asks is the first bytes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from voucherd.adapters.invoicefile import einvoice, magic
from voucherd.adapters.invoicefile.cii import CiiInvoices
from voucherd.adapters.invoicefile.fatturapa import FatturaPa
from voucherd.adapters.invoicefile.pdf_attachments import embedded_xml
from voucherd.adapters.invoicefile.refusal import UNREADABLE, RefusedFileError
from voucherd.adapters.invoicefile.ubl import UblInvoices
from voucherd.adapters.invoicefile.xml_gate import root_of
from voucherd.domain.message import Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.recognition import Recogniser, recogniser
from voucherd.domain.reconciliation.document import InvoiceDocument


class XmlFormat(Protocol):
    """A format of electronic invoices."""

    name: str

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root element is one of these."""

    def documents(self, content: bytes) -> list[einvoice.RawDocument]:
        """What the file states. Raises RefusedFileError."""


FORMATS: Final[tuple[XmlFormat, ...]] = (UblInvoices(), CiiInvoices(), FatturaPa())
"""Every format that is read. Two that claim one file are an error, which is never settled by their order."""


class StructuredInvoices:
    """Reads XML invoices and PDFs with one inside. Without the limits of a worker: foreign files go through one."""

    def __init__(self, programmes: Sequence[Programme] = ()) -> None:
        self._words = recogniser(programmes)

    def identify(self, name: str, media_type: str, content: bytes) -> bool:
        """Whether the file is XML or PDF, by its first bytes."""
        return magic.is_structured(name, media_type, content)

    def read(self, name: str, content: bytes, supplier: str | None) -> list[InvoiceDocument] | Unreadable:
        """The documents of the file, or why it cannot be taken in."""
        try:
            return _documents(name, content, supplier, self._words)
        except RefusedFileError as error:
            return Unreadable(f"{name}: {error}", error.code)


class _Memory:
    programmes: tuple[Programme, ...] | None = None
    reader: StructuredInvoices | None = None


def read(
    name: str, content: bytes, supplier: str | None, programmes: tuple[Programme, ...]
) -> list[InvoiceDocument] | Unreadable:
    """What a worker process is asked to do with a file that `StructuredInvoices` claims."""
    if _Memory.reader is None or _Memory.programmes != programmes:
        _Memory.programmes, _Memory.reader = programmes, StructuredInvoices(programmes)
    return _Memory.reader.read(name, content, supplier)


def format_of(content: bytes) -> XmlFormat | None:
    """The one format that claims an XML file, None where none does. RefusedFileError where several do."""
    namespace, root = root_of(content)
    claiming = [one for one in FORMATS if one.claims(namespace, root)]
    if len(claiming) > 1:
        raise RefusedFileError(f"several readers claim the file: {', '.join(one.name for one in claiming)}")
    return claiming[0] if claiming else None


def _documents(name: str, content: bytes, supplier: str | None, words: Recogniser) -> list[InvoiceDocument]:
    if magic.format_of(name, "", content) == magic.PDF:
        return _in_pdf(content, supplier, words)
    found = format_of(content)
    if found is None:
        namespace, root = root_of(content)
        shown = f"{root} of {namespace}" if namespace else root
        raise RefusedFileError(f"no reader understands it: its root element is {shown[:160]}", UNREADABLE)
    return [einvoice.document(raw, supplier, words) for raw in found.documents(content)]


def _in_pdf(content: bytes, supplier: str | None, words: Recogniser) -> list[InvoiceDocument]:
    """The XML inside wins over the text (RECONCILIATION.md, Readers)."""
    inside = embedded_xml(content)
    claimed = [(found, data) for _, data in inside if (found := format_of(data)) is not None]
    if not claimed:
        what = f"of its {len(inside)} XML files none is an invoice" if inside else "it holds no XML invoice"
        raise RefusedFileError(f"no reader understands the PDF: {what}")
    read = [[einvoice.document(raw, supplier, words) for raw in one.documents(data)] for one, data in claimed]
    if (
        len(
            {
                tuple((one.invoice, one.kind, one.currency, one.total) for one in documents)
                for documents in read
            }
        )
        > 1
    ):
        raise RefusedFileError(f"the PDF holds {len(claimed)} XML invoices that differ: which one counts?")
    return read[0]
