"""Invoice files on their way in: which reader takes one, and the vouchers that only the ledger can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.reconciliation.lines import voucher_keys
from voucherd.domain.reconciliation.remittances import ReadDocument, RemittanceAdvice
from voucherd.domain.rulebook import Rulebook
from voucherd.service.ports import InvoiceReader
from voucherd.service.records import ReviewCode, ReviewEntry, VoucherKey
from voucherd.service.store import Transaction

UNREADABLE = ReviewCode.INVOICE_UNREADABLE.value
_MOST_ASKED = 5_000
"""IDs without a label that are looked up for one file."""


def read_file(
    readers: Sequence[InvoiceReader], name: str, media_type: str, content: bytes, supplier: str | None
) -> Sequence[ReadDocument] | Unreadable | None:
    """What a file says by the one reader that claims it; None where none does. Several that claim it are an error,
    which their order never settles."""
    claiming = [reader for reader in readers if reader.identify(name, media_type, content)]
    if len(claiming) > 1:
        names = " and ".join(reader.name for reader in claiming)
        return Unreadable(f"{name}: {len(claiming)} readers claim the file: {names}", UNREADABLE)
    return claiming[0].read(name, content, supplier) if claiming else None


def apart(documents: Sequence[ReadDocument]) -> tuple[list[InvoiceDocument], list[RemittanceAdvice]]:
    """The invoices of a file, and the lists of what was paid."""
    return (
        [one for one in documents if isinstance(one, InvoiceDocument)],
        [one for one in documents if isinstance(one, RemittanceAdvice)],
    )


def with_known_vouchers(
    tx: Transaction, rules: Rulebook, documents: Sequence[InvoiceDocument]
) -> list[InvoiceDocument]:
    """The documents, each line that names no voucher by label or pattern given the ones that the ledger knows among
    the IDs standing in it: an order number is no voucher, whatever it looks like."""
    asked = dict.fromkeys(
        voucher_key(one)
        for document in documents
        for line in document.lines
        if not line.voucher_text
        for one in line.perhaps
    )
    if not asked:
        return list(documents)
    wanted = [
        VoucherKey(programme, key) for programme in rules.programmes for key in list(asked)[:_MOST_ASKED]
    ]
    known = {key.key for key in tx.ledger.standings(wanted)}
    return [
        replace(document, lines=tuple(_with_known(line, known) for line in document.lines))
        for document in documents
    ]


def _with_known(line: InvoiceLine, known: set[str]) -> InvoiceLine:
    found = [one for one in line.perhaps if voucher_key(one) in known]
    if line.voucher_text or not found:
        return line
    return replace(line, voucher_text=", ".join(sorted(found, key=voucher_key)))


def loose_documents(
    documents: Sequence[InvoiceDocument], message: int | None, now: datetime
) -> list[ReviewEntry]:
    """An entry for each document without line detail whose text does not name one voucher: it is taken in with its
    totals, and a person says what it bills."""
    entries = []
    for document in documents:
        keys = {key for line in document.lines for key in voucher_keys(line.voucher_text)}
        if document.itemised or len(keys) == 1:
            continue
        said = "names several vouchers" if keys else "names no voucher"
        code = ReviewCode.AMBIGUOUS if keys else ReviewCode.NO_VOUCHER_ID
        reason = f"{document.kind} {document.invoice} has no lines, and its text {said}"
        entries.append(ReviewEntry(code, reason, now, message=message))
    return entries
