"""The decision about one message, with its invoice files read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath

from voucherd.domain.events import Role
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.remittances import ReadDocument, RemittanceAdvice
from voucherd.domain.rulebook import Rulebook
from voucherd.service.handin import Decided, InvoiceFile
from voucherd.service.invoice_files import UNREADABLE, read_file
from voucherd.service.ports import InvoiceReader

_TELLING = 5  # characters of an invoice number that may tell a file by its name


def decide(
    sha256: str,
    size: int,
    received_at: datetime | None,
    reading: Reading | Unreadable,
    gate: Gate,
    rules: Rulebook,
    readers: Sequence[InvoiceReader],
    now: datetime,
) -> Decided:
    """What is to be done with a message. An invoice file that no reader understands puts it before a person."""
    handling = handle(reading, gate, rules, now)
    documents = _read_invoices(handling, readers)
    refused = next((read for _, _, read in documents if isinstance(read, Unreadable)), None)
    if handling.invoices and not documents:
        names = ", ".join(file.name or "a file without a name" for file in handling.invoices)
        refused = Unreadable(f"no reader understands {names}", "invoice-unreadable")
    if refused is not None:
        handling = replace(handling, outcome="review", code=refused.code, reason=refused.reason)
    told = _not_entitled(reading, handling, documents, rules)
    if told:
        handling = replace(handling, outcome="review", code="not-entitled", reason=told)
        documents = ()
    return Decided(sha256, size, received_at, reading, handling, documents)


def _not_entitled(
    reading: Reading | Unreadable, handling: Handling, files: Sequence[InvoiceFile], rules: Rulebook
) -> str:
    """Why the sender may not hand these files in; empty where they may (RULES.md, Who may say what): the programme
    bills nothing, and a partner tells of payments only with the programme's mail, forwarded."""
    read = [one for _, _, read in files if not isinstance(read, Unreadable) for one in read]
    sender = handling.sender
    if sender.role is Role.PROGRAMME and any(isinstance(one, InvoiceDocument) for one in read):
        return f"{sender.address} is neither a partner nor an operator: only they may hand in invoices"
    if sender.role is not Role.PARTNER or not any(isinstance(one, RemittanceAdvice) for one in read):
        return ""
    original = reading.original if isinstance(reading, Reading) else None
    by = original.from_addr if original is not None else None
    if by is not None and rules.is_programme_domain(by.rpartition("@")[2]):
        return ""
    return f"{sender.address}, as partner, may report payments only by forwarding the programme's own mail"


def _read_invoices(handling: Handling, readers: Sequence[InvoiceReader]) -> tuple[InvoiceFile, ...]:
    supplier = handling.partner.id if handling.partner else None
    documents: list[InvoiceFile] = []
    for file in handling.invoices:
        read = read_file(readers, file.name, file.media_type, file.content, supplier)
        if read is not None:
            documents.append((file.name, hashlib.sha256(file.content).hexdigest(), read))
    return _without_copies(documents)


def _without_copies(documents: Sequence[InvoiceFile]) -> tuple[InvoiceFile, ...]:
    """The files without the pages that show what another of them states: `INV-1.pdf` beside `INV-1.xml`, or a PDF
    with the number of an invoice that was read in its name, or whose text was read and states such a number."""
    stems = {
        PurePath(name).stem.casefold() for name, _, read in documents if not isinstance(read, Unreadable)
    }
    keys = {
        key
        for _, _, read in documents
        if not isinstance(read, Unreadable)
        for one in read
        if isinstance(one, InvoiceDocument) and len(key := voucher_key(one.invoice)) >= _TELLING
    }

    stated = {
        invoice_key(one.invoice)
        for _, _, read in documents
        if not isinstance(read, Unreadable)
        for one in read
        if isinstance(one, InvoiceDocument) and not one.template
    }

    def shows_another(name: str, read: Sequence[ReadDocument] | Unreadable) -> bool:
        if not isinstance(read, Unreadable):
            return bool(read) and all(
                isinstance(one, InvoiceDocument) and one.template and invoice_key(one.invoice) in stated
                for one in read
            )
        if read.code != UNREADABLE or not name.lower().endswith(".pdf"):
            return False
        stem = PurePath(name).stem
        return stem.casefold() in stems or any(key in voucher_key(stem) for key in keys)

    return tuple(one for one in documents if not shows_another(one[0], one[2]))
