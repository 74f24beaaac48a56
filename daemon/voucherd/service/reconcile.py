"""Reconciliation: documents are taken in, and everything known is put side by side."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from voucherd.domain.events import Role
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.bridge import Totals, totals_of
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.next_steps import for_line, for_voucher
from voucherd.domain.reconciliation.remittances import RemittanceAdvice
from voucherd.domain.reconciliation.report import ReportedDocument
from voucherd.domain.reconciliation.report import reconciliation as as_json
from voucherd.domain.reconciliation.suggestions import probable_swaps
from voucherd.domain.reconciliation.verdict import Billing, LineVerdict, Timeliness, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service.awaited_payments import open_entry, take_up
from voucherd.service.billing import ClosedChange
from voucherd.service.hand_overs import keep_hand_over
from voucherd.service.invoice_files import UNREADABLE, apart, loose_documents, read_file, with_known_vouchers
from voucherd.service.judging import Judging, reported
from voucherd.service.placing import placed_lines
from voucherd.service.ports import Archive, InvoiceReader
from voucherd.service.recording import record_instant, rejudge
from voucherd.service.records import ReviewCode, ReviewEntry
from voucherd.service.remitting import Remitted, all_of, take_remittances
from voucherd.service.righted import await_right, close_righted
from voucherd.service.slips import meant
from voucherd.service.store import Store, Transaction
from voucherd.service.teller import Teller
from voucherd.service.verdicts import tell, tell_inconsistent

_REFUSALS = (ReviewCode.INVOICE_UNREADABLE, ReviewCode.INVOICE_INCONSISTENT)
"""Why a file that was handed in waits for a person."""

REMITTANCE = "remittance|"
"""Before the sha256 of a file, in an entry about what was paid by it and finds no voucher."""


def take_in(
    tx: Transaction,
    rules: Rulebook,
    documents: Sequence[InvoiceDocument],
    file: str,
    sha256: str,
    message: int | None,
    now: datetime,
    changes: list[ClosedChange] | None = None,
    told: dict[int, LineVerdict] | None = None,
) -> list[int]:
    """Stores documents and judges the vouchers that they concern anew, in the same transaction.

    Returns the numbers of the documents that were new. A document under a number that is known concerns the
    vouchers of every document of that number: another content may bill now. `changes` is told what of a closed period
    is not so any more, `told` the verdict of each line that was judged, by its number.
    """
    documents = [_of_partner(document, rules) for document in documents]
    documents = with_known_vouchers(tx, rules, documents)
    numbers = [tx.invoices.add(document, file, sha256, message, now) for document in documents]
    new = [number for number in numbers if number is not None]
    if new:
        fresh = [one for one, number in zip(documents, numbers, strict=True) if number is not None]
        tx.reviews.open(loose_documents(fresh, message, now))
        same = tx.invoices.beside(new)
        lines = placed_lines(tx, tx.invoices.lines_of_documents([stored.number for stored in same]))
        done = rejudge(tx, rules, tx.ledger.same_ids(sorted({line.key for line in lines} - {""})), now)
        if changes is not None:
            changes.extend(done.closed_changes)
        if told is not None:
            told.update(done.lines)
        close_righted(tx, new, now)
    return new


def _of_partner(document: InvoiceDocument, rules: Rulebook) -> InvoiceDocument:
    """The document with its supplier as a partner's id, where what it says is a partner's id or name."""
    named = rules.partner_named(document.supplier)
    return replace(document, supplier=named) if named is not None else document


@dataclass(frozen=True, slots=True)
class TakenFile:
    """What became of a file that was handed in: the numbers of its new documents, how many were known, or why it
    could not be read; `remitted` is what its remittance advices led to, `closed_changes` what of closed periods it
    changes."""

    name: str
    new: tuple[int, ...] = ()
    known: int = 0
    refused: Unreadable | None = None
    remitted: Remitted | None = None
    closed_changes: tuple[ClosedChange, ...] = ()


def take_in_file(
    store: Store,
    archive: Archive,
    readers: Sequence[InvoiceReader],
    rules: Rulebook,
    name: str,
    content: bytes,
    supplier: str | None,
    now: datetime,
    *,
    token_key: bytes | None = None,
    by: str = "reconcile",
) -> TakenFile:
    """Takes an invoice file from an operator's hand. One that cannot be read waits in review, never in silence.

    With the key that makes Message-IDs the partners hear what became of their invoices (`service.verdicts`). `by` is
    who closes the entries that wait about the file.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    read = read_file(readers, name, "", content, supplier)
    if read is None:
        read = Unreadable(f"{name}: no reader understands it", UNREADABLE)
    archive.keep([content])
    with store.write() as tx:
        instant = record_instant(tx, now)
        if isinstance(read, Unreadable):
            reason = f"{name}: {read.reason.removeprefix(f'{name}: ')}"
            _settle(tx, sha256, [code for code in _REFUSALS if code != read.code], instant, by, reason)
            if not tx.reviews.open_about(read.code, [sha256]):
                opened = tx.reviews.open([ReviewEntry(ReviewCode(read.code), reason, instant, about=sha256)])
                await_right(tx, rules, read, supplier, opened)
            keep_hand_over(tx, sha256, name, supplier)
            if token_key is not None:
                tell_inconsistent(tx, rules, read, supplier, None, token_key, instant)
            return TakenFile(name, refused=read)
        _settle(tx, sha256, _REFUSALS, instant, by, "the file was read")
        invoices, advices = apart(read)
        changes: list[ClosedChange] = []
        told: dict[int, LineVerdict] = {}
        new = take_in(tx, rules, invoices, name, sha256, None, instant, changes, told)
        if token_key is not None:
            tell(tx, rules, new, None, token_key, instant, told)
        remitted = [_remitted(tx, rules, advice, name, sha256, instant) for advice in advices]
        if any(one.unplaced for one in remitted):
            keep_hand_over(tx, sha256, name, supplier)
        take_up(tx, rules, instant)
    return TakenFile(
        name,
        tuple(new),
        len(invoices) - len(new),
        remitted=all_of(remitted),
        closed_changes=tuple(changes),
    )


def _remitted(
    tx: Transaction, rules: Rulebook, advice: RemittanceAdvice, name: str, sha256: str, now: datetime
) -> Remitted:
    """What an advice from an operator's hand leads to; what finds no voucher waits in one entry for the file."""
    day = now.astimezone(rules.desk.zone).date()
    teller = Teller("reconcile", Role.OPERATOR)
    done = take_remittances(tx, rules, advice, teller, day, now)
    about = REMITTANCE + sha256
    for entry in tx.reviews.waiting():
        if entry.about == about:
            tx.reviews.close(entry.number, "settled", now, "reconcile", "the file was taken in again")
    if done.unplaced:
        open_entry(tx, name, done, teller, day, now, about)
    return done


def _settle(
    tx: Transaction, sha256: str, codes: Sequence[ReviewCode], now: datetime, by: str, why: str
) -> None:
    """Closes what waits about a file under one of these codes."""
    for code in codes:
        for entry in tx.reviews.waiting(code.value):
            if entry.about == sha256:
                tx.reviews.close(entry.number, "settled", now, by, why)


@dataclass(slots=True)
class Aside:
    """What a page for people only counts: vouchers that need nothing, the late ones among them, documents by status."""

    vouchers: int = 0
    late: int = 0
    documents: Counter[str] = field(default_factory=Counter)


def reconciliation(
    tx: Transaction, rules: Rulebook, now: datetime, partner: str | None = None
) -> tuple[dict[str, Any], list[VoucherVerdict], list[LineVerdict]]:
    """Everything known at `now`, put side by side: the JSON of `reconcile` (RECONCILIATION.md) with the verdicts behind
    it; `partner` narrows it to that partner's vouchers and documents."""
    judging = Judging(tx, rules, now)
    vouchers: list[VoucherVerdict] = []
    loose: list[LineVerdict] = []
    for verdict in _verdicts(judging, partner):
        if isinstance(verdict, LineVerdict):
            loose.append(verdict)
        else:
            vouchers.append(verdict)
    documents = list(_documents(judging, partner))
    report = _document(tx, judging, vouchers, loose, documents, totals_of(vouchers))
    return report, vouchers, [*loose, *(line for verdict in vouchers for line in verdict.lines)]


def to_look_at(
    tx: Transaction, rules: Rulebook, now: datetime, partner: str | None = None
) -> tuple[dict[str, Any], Aside]:
    """The same without what needs nothing, which is counted and not kept: memory grows with the work that is left,
    not with the ledger."""
    judging = Judging(tx, rules, now)
    vouchers: list[VoucherVerdict] = []
    loose: list[LineVerdict] = []
    aside, totals = Aside(), Totals()
    for verdict in _verdicts(judging, partner):
        if isinstance(verdict, LineVerdict):
            if for_line(verdict.line_class):
                loose.append(verdict)
            continue
        totals.add(verdict)
        if verdict.prior is not None or for_voucher(verdict.billing, verdict.timeliness, None, None):
            vouchers.append(verdict)
            continue
        aside.vouchers += 1
        aside.late += verdict.timeliness is Timeliness.LATE
        loose.extend(line for line in verdict.lines if for_line(line.line_class))
    aside.documents.update(str(document.status) for document in _documents(judging, partner))
    return _document(tx, judging, vouchers, loose, [], totals), aside


def _verdicts(judging: Judging, partner: str | None) -> Iterator[VoucherVerdict | LineVerdict]:
    for verdict in judging.verdicts():
        whose = verdict.line.supplier if isinstance(verdict, LineVerdict) else verdict.voucher.partner
        if partner is None or whose == partner:
            yield verdict


def _documents(judging: Judging, partner: str | None) -> Iterator[ReportedDocument]:
    for document in judging.documents():
        if partner is None or document.document.supplier == partner:
            yield reported(document, judging.document_verdict(document.number))


def _document(
    tx: Transaction,
    judging: Judging,
    vouchers: list[VoucherVerdict],
    loose: list[LineVerdict],
    documents: list[ReportedDocument],
    totals: Totals,
) -> dict[str, Any]:
    unbilled = {verdict.voucher.id for verdict in vouchers if verdict.billing is Billing.UNBILLED}
    return as_json(
        judging.now,
        vouchers,
        loose,
        documents,
        totals,
        meant(tx, judging.rules, loose, lambda standing: standing.voucher.id in unbilled),
        probable_swaps(vouchers),
        judging.closed.periods,
    )
