"""Electronic invoices: XML in the formats of the registry, by itself or inside a PDF; and a PDF's text by templates.

A worker takes them apart; what the daemon asks is the first bytes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from voucherd.adapters.invoicefile import einvoice, magic, ubl_remittance
from voucherd.adapters.invoicefile.cii import CiiInvoices
from voucherd.adapters.invoicefile.fatturapa import FatturaPa
from voucherd.adapters.invoicefile.fatturapa_simplified import SimplifiedFatturaPa
from voucherd.adapters.invoicefile.pdf_attachments import embedded_xml
from voucherd.adapters.invoicefile.pdf_text import page_texts
from voucherd.adapters.invoicefile.refusal import UNREADABLE, RefusedFileError, among
from voucherd.adapters.invoicefile.signed import content_of
from voucherd.adapters.invoicefile.template_text import read_by, template_for
from voucherd.adapters.invoicefile.ubl import UblInvoices
from voucherd.adapters.invoicefile.xml_gate import root_of
from voucherd.domain.message import Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.recognition import Recogniser, recogniser
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate
from voucherd.domain.reconciliation.remittances import ReadDocument


class XmlFormat(Protocol):
    """A format of electronic invoices."""

    name: str

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root element is one of these."""

    def documents(self, content: bytes) -> list[einvoice.RawDocument]:
        """What the file states. Raises RefusedFileError."""


FORMATS: Final[tuple[XmlFormat, ...]] = (UblInvoices(), CiiInvoices(), FatturaPa(), SimplifiedFatturaPa())
"""Every format that is read. Two that claim one file are an error, which is never settled by their order."""


class StructuredInvoices:
    """Reads XML invoices, PDFs with one inside, and PDFs whose text one of `templates` is for. Without the limits of a
    worker: foreign files go through one."""

    name = "electronic invoices and PDF"

    def __init__(
        self, programmes: Sequence[Programme] = (), templates: Sequence[InvoiceTemplate] = ()
    ) -> None:
        self._words = recogniser(programmes)
        self._templates = templates

    def identify(self, name: str, media_type: str, content: bytes) -> bool:
        """Whether the file is XML, PDF, or signed, by its first bytes."""
        return magic.is_structured(name, media_type, content)

    def read(self, name: str, content: bytes, supplier: str | None) -> list[ReadDocument] | Unreadable:
        """The documents of the file, or why it cannot be taken in."""
        shown = name
        try:
            if magic.format_of(name, "", content) == magic.SIGNED:
                content = content_of(content)
                if magic.format_of("", "", content) not in (magic.PDF, magic.XML):
                    raise RefusedFileError("the signed file holds neither XML nor PDF")
                name = name.removesuffix(".p7m").removesuffix(".P7M")
            if magic.format_of(name, "", content) == magic.PDF:
                return [*self._in_pdf(content, supplier)]
            if ubl_remittance.claims(*root_of(content)):
                return [ubl_remittance.advice(content, self._words)]
            return [*_documents(content, supplier, self._words)]
        except RefusedFileError as error:
            return error.about(shown)

    def _in_pdf(self, content: bytes, supplier: str | None) -> list[InvoiceDocument]:
        """The XML inside wins over the text (RECONCILIATION.md, Readers)."""
        inside = embedded_xml(content)
        claimed = [(found, data) for _, data in inside if (found := format_of(data)) is not None]
        if claimed:
            return _of_one(claimed, supplier, self._words)
        what = f"of its {len(inside)} XML files none is an invoice" if inside else "it holds no XML invoice"
        pages = page_texts(content)
        if not any(page.strip() for page in pages):
            reason = (
                f"no reader understands the PDF: {what}, and its {len(pages)} pages hold no text, as scanned ones do: "
                "ask for the invoice as XML, or take its lines in from a list"
            )
            raise RefusedFileError(reason)
        template = template_for(pages, self._templates, supplier)
        if template is None:
            raise RefusedFileError(f"no reader understands the PDF: {what}, and no template is for its text")
        with among(1):
            read = einvoice.document(read_by(template, pages), supplier, self._words)
        return [replace(read, template=template.name)]


class _Memory:
    """The reader of the last call: a worker is asked for many files with the same rules."""

    rules: tuple[object, ...] | None = None
    reader: StructuredInvoices | None = None


def read(
    name: str,
    content: bytes,
    supplier: str | None,
    programmes: tuple[Programme, ...],
    templates: tuple[InvoiceTemplate, ...] = (),
) -> list[ReadDocument] | Unreadable:
    """What a worker process is asked to do with a file that `StructuredInvoices` claims."""
    return reader_of(programmes, templates).read(name, content, supplier)


def reader_of(
    programmes: tuple[Programme, ...], templates: tuple[InvoiceTemplate, ...]
) -> StructuredInvoices:
    """The reader with these rules."""
    if _Memory.reader is None or _Memory.rules != (programmes, templates):
        _Memory.rules, _Memory.reader = (programmes, templates), StructuredInvoices(programmes, templates)
    return _Memory.reader


def format_of(content: bytes) -> XmlFormat | None:
    """The one format that claims an XML file, None where none does. RefusedFileError where several do."""
    namespace, root = root_of(content)
    claiming = [one for one in FORMATS if one.claims(namespace, root)]
    if len(claiming) > 1:
        raise RefusedFileError(f"several readers claim the file: {', '.join(one.name for one in claiming)}")
    return claiming[0] if claiming else None


def _documents(content: bytes, supplier: str | None, words: Recogniser) -> list[InvoiceDocument]:
    found = format_of(content)
    if found is None:
        namespace, root = root_of(content)
        shown = f"{root} of {namespace}" if namespace else root
        raise RefusedFileError(f"no reader understands it: its root element is {shown[:160]}", UNREADABLE)
    return _all_of(found, content, supplier, words)


def _all_of(
    found: XmlFormat, content: bytes, supplier: str | None, words: Recogniser
) -> list[InvoiceDocument]:
    raws = found.documents(content)
    with among(len(raws)):
        return [einvoice.document(raw, supplier, words) for raw in raws]


def _of_one(
    claimed: Sequence[tuple[XmlFormat, bytes]], supplier: str | None, words: Recogniser
) -> list[InvoiceDocument]:
    """The documents of the first of the XML invoices in a PDF, which must all say the same."""
    read = [_all_of(one, data, supplier, words) for one, data in claimed]
    said = {
        tuple((one.invoice, one.kind, one.currency, one.total) for one in documents) for documents in read
    }
    if len(said) > 1:
        raise RefusedFileError(f"the PDF holds {len(claimed)} XML invoices that differ: which one counts?")
    return read[0]
