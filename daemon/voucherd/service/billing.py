"""Billing as the history hears of it: what the invoice lines of a voucher say becomes an event of its own.

Called inside the transaction that changed the lines or the voucher, so that a matched line meets the billing
deadline at once (RULES.md, Time: bill is met by billing in full).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.history import recorded_order
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.documents import (
    DocumentStatus,
    DocumentVerdict,
    KnownDocument,
    document_key,
    judge_documents,
)
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.reconciliation.match import match_voucher
from voucherd.domain.reconciliation.verdict import COMPLETE, RedeemedVoucher, Remittance, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.voucher import Remitted
from voucherd.service.records import StoredDocument, StoredLine, VoucherKey
from voucherd.service.store import Transaction

BY_RECONCILIATION = "reconciliation"


def redeemed_voucher(standing: Standing, rules: Rulebook) -> RedeemedVoucher | None:
    """The voucher as matching takes it; None where no redemption is recorded."""
    voucher = standing.voucher
    if voucher.redeemed_on is None:
        return None
    worth = rules.worth(standing)
    bill = standing.deadline("bill")
    return RedeemedVoucher(
        id=voucher.id,
        partner=voucher.redeemed_by or voucher.partner,
        redeemed_on=voucher.redeemed_on,
        bill_by=bill.on if bill else None,
        value=worth.value,
        currency=worth.currency,
        flags=worth.flags,
        remittances=tuple(_remittance(one, worth.currency) for one in voucher.remitted),
    )


def _remittance(one: Remitted, currency: str | None) -> Remittance:
    """A payment as matching takes it; one in another currency is never converted, and says that it was paid alone."""
    amount = one.amount if currency in (None, one.currency) else None
    return Remittance(one.on, amount, one.denied)


def document_verdicts(documents: Iterable[StoredDocument]) -> dict[int, DocumentVerdict]:
    """Which of these documents count; all that share a number must be among them."""
    return judge_documents(
        KnownDocument(
            stored.number,
            document_key(stored.document.supplier, stored.document.invoice, stored.document.kind),
            stored.document.issued_on,
            stored.document.content_sha256,
        )
        for stored in documents
    )


def placed(line: StoredLine, stored: StoredDocument, status: DocumentStatus) -> PlacedLine:
    """A stored line with what its document says about it."""
    document = stored.document
    return PlacedLine(
        number=line.number,
        document=line.document,
        status=status,
        supplier=document.supplier,
        invoice=document.invoice,
        issued_on=document.issued_on,
        line=line.line,
        voucher_text=line.voucher_text,
        key=line.voucher_key,
        net=line.net,
        tax=line.tax,
        currency=line.currency,
        content_sha256=document.content_sha256,
        file=stored.file,
    )


def lines_by_voucher(tx: Transaction, keys: Sequence[str]) -> dict[str, list[PlacedLine]]:
    """Every line that names one of these vouchers, with the status of its document."""
    lines = tx.invoices.lines_of_vouchers(keys)
    named = tx.invoices.documents(sorted({line.document for line in lines}))
    related = tx.invoices.same_numbers([invoice_key(stored.document.invoice) for stored in named.values()])
    verdicts = document_verdicts(related)
    found: dict[str, list[PlacedLine]] = defaultdict(list)
    for line in lines:
        stored = named[line.document]
        found[line.voucher_key].append(placed(line, stored, verdicts[stored.number].status))
    return found


def billing_events(
    tx: Transaction,
    rules: Rulebook,
    keys: Sequence[VoucherKey],
    standings: Mapping[VoucherKey, Standing],
    now: datetime,
) -> list[tuple[VoucherKey, Event]]:
    """The events that the invoice lines of these vouchers call for: billed in full, or open again."""
    lines = lines_by_voucher(tx, sorted({key.key for key in keys}))
    today = now.astimezone(rules.desk.zone).date()
    concerned: dict[VoucherKey, VoucherVerdict] = {}
    for key in dict.fromkeys(keys):
        standing = standings.get(key)
        voucher = redeemed_voucher(standing, rules) if standing and key.key in lines else None
        if voucher is not None:
            concerned[key] = match_voucher(voucher, lines[key.key], rules.tolerance, today)
    histories = tx.ledger.events(list(concerned)) if concerned else {}
    events: list[tuple[VoucherKey, Event]] = []
    for key, verdict in concerned.items():
        event = _event(key, verdict, standings[key], histories.get(key, []), now, today)
        if event is not None:
            events.append((key, event))
    return events


def _event(
    key: VoucherKey,
    verdict: VoucherVerdict,
    standing: Standing,
    history: list[Event],
    now: datetime,
    today: date,
) -> Event | None:
    """Billed, where the lines complete the voucher and the history does not know; a credit note, where they no
    longer do and it was reconciliation that said so."""
    complete = verdict.billing in COMPLETE
    billed_on = standing.voucher.billed_on
    money = [e for e in recorded_order(history) if e.kind in (EventKind.BILLED, EventKind.CREDIT_NOTE)]
    if complete and billed_on is None and verdict.completed_on is not None:
        kind, on = EventKind.BILLED, verdict.completed_on
        if _an_operator_says_otherwise(money, on):
            return None
        if money and money[-1].on > on:  # billed again after a credit note: not before that note
            on = money[-1].on
        invoices = sorted({line.line.invoice for line in verdict.lines})
        note = f"{verdict.billing} by invoice {', '.join(invoices)}"
        said = [e for e in money if e.role is Role.RECONCILIATION][-1:]
        if [(e.kind, e.on, e.note) for e in said] == [(kind, on, note)]:
            return None  # said already: something else, as a denied payment, stands against it
    elif not complete and billed_on is not None and money and money[-1].role is Role.RECONCILIATION:
        last = max((line.line.issued_on for line in verdict.lines), default=today)
        kind, on = EventKind.CREDIT_NOTE, max(last, billed_on)
        note = f"no longer billed in full: {verdict.billing}"
    else:
        return None
    return Event(
        id=0,
        programme=key.programme,
        voucher=standing.voucher.id,
        kind=kind,
        on=on,
        recorded_at=now,
        by=BY_RECONCILIATION,
        role=Role.RECONCILIATION,
        partner=None,
        note=note,
    )


def _an_operator_says_otherwise(money: Sequence[Event], on: date) -> bool:
    """Whether a person recorded a credit note that no line issued since then has answered."""
    last = money[-1] if money else None
    return (
        last is not None
        and last.kind is EventKind.CREDIT_NOTE
        and last.role is Role.OPERATOR
        and on <= last.on
    )
