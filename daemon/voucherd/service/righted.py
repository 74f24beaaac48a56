"""Invoices that did not add up, and the right ones that come after them: what waited about the first is closed.

Only where nothing is left to choose: the right one is the only content of its number, and it stands for everything
that was refused with the wrong one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.rulebook import Rulebook
from voucherd.service.records import MessageOutcome, ReviewCode, ReviewEntry, StoredDocument
from voucherd.service.store import Transaction

_BY: Final = "voucherd"
_TELLING: Final = 40  # characters of a digest: the keys of the table are short


def await_right(
    tx: Transaction, rules: Rulebook, refused: Unreadable, supplier: str | None, entries: Sequence[int]
) -> None:
    """Keeps which document these entries are about, where a right one of it makes up for all that was refused.
    `supplier` is the partner that sent it, where one is known."""
    wrong = refused.inconsistent
    whose = supplier or (wrong.supplier if wrong is not None else None)
    if wrong is None or not wrong.alone or whose is None or not invoice_key(wrong.invoice):
        return
    place = _place(rules.partner_named(whose) or whose, wrong.invoice, wrong.kind)
    kept = _entries(tx.state.hold(place))
    tx.state.put(place, json.dumps(sorted({*kept, *entries})))


def close_righted(tx: Transaction, numbers: Sequence[int], now: datetime) -> None:
    """Closes what waits about a wrong version of documents that are new and add up. Where another content stands
    under the same number, a person has to choose between them, and the entry stays."""
    waiting = {entry.number: entry for entry in tx.reviews.waiting(ReviewCode.INVOICE_INCONSISTENT.value)}
    if not waiting or not numbers:
        return
    beside = tx.invoices.beside(numbers)
    for number in numbers:
        [right] = [one for one in beside if one.number == number]
        document = right.document
        if document.supplier is None or any(_contradicts(one, right) for one in beside):
            continue
        kept = _entries(tx.state.get(_place(document.supplier, document.invoice, document.kind)))
        why = f"{document.invoice} came again and adds up: document {number}"
        for entry in (waiting[one] for one in kept if one in waiting):
            _close(tx, entry, why, now)


def _contradicts(one: StoredDocument, right: StoredDocument) -> bool:
    """Whether another document stands under the number of this one, and is no copy of it."""
    same = one.counts_as == right.counts_as and one.document.kind == right.document.kind
    return (
        same
        and one.document.supplier == right.document.supplier
        and one.document.content_sha256 != right.document.content_sha256
    )


def _close(tx: Transaction, entry: ReviewEntry, why: str, now: datetime) -> None:
    tx.reviews.close(entry.number, "settled", now, _BY, why)
    if entry.message is not None and not tx.reviews.of_messages([entry.message]):
        tx.messages.set_outcomes([(entry.message, MessageOutcome.RECORDED, "", why)])


def _entries(kept: str | None) -> list[int]:
    return [int(one) for one in json.loads(kept)] if kept else []


def _place(supplier: str, invoice: str, kind: str) -> str:
    said = json.dumps([supplier, invoice_key(invoice), kind])
    return f"not-added-up {hashlib.sha256(said.encode()).hexdigest()[:_TELLING]}"
