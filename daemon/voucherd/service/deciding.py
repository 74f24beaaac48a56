"""The decision about one message, with its invoice files read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.rulebook import Rulebook
from voucherd.service.handin import Decided, InvoiceFile
from voucherd.service.ports import InvoiceReader


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
    return Decided(sha256, size, received_at, reading, handling, documents)


def _read_invoices(handling: Handling, readers: Sequence[InvoiceReader]) -> tuple[InvoiceFile, ...]:
    supplier = handling.partner.id if handling.partner else None
    documents: list[InvoiceFile] = []
    for file in handling.invoices:
        for reader in readers:
            if reader.identify(file.name, file.media_type, file.content):
                digest = hashlib.sha256(file.content).hexdigest()
                documents.append((file.name, digest, reader.read(file.name, file.content, supplier)))
                break
    return tuple(documents)
