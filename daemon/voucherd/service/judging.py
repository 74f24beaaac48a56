"""Everything known, judged: each redeemed voucher and each line that meets none, streamed in the order of keys.

What is known now comes from the stored columns; what was known before the newest record from the histories up to then
(RULES.md, Time).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter, itemgetter

from voucherd.domain.billable import BillingFacts, billable, billing_facts
from voucherd.domain.history import fold
from voucherd.domain.reconciliation.decisions import Decision, Placement, in_force, placements
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.documents import DocumentStatus, DocumentVerdict, judge_documents
from voucherd.domain.reconciliation.frozen import frozen_row
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.reconciliation.report import ReportedDocument
from voucherd.domain.reconciliation.stream import reconcile_in_order
from voucherd.domain.reconciliation.verdict import (
    PRIOR_PERIOD,
    LineVerdict,
    RedeemedVoucher,
    VoucherVerdict,
)
from voucherd.domain.rulebook import Rulebook
from voucherd.service.closed import Closed
from voucherd.service.hinted_lines import key_of, text_of
from voucherd.service.placing import chosen_contents, moved, placed
from voucherd.service.records import StoredDocument, VoucherKey
from voucherd.service.store import Transaction

_FIRST: DocumentVerdict = DocumentVerdict(DocumentStatus.ACCEPTED, "the first of its number")


class Judging:
    """One look at everything known at `now`."""

    def __init__(self, tx: Transaction, rules: Rulebook, now: datetime) -> None:
        self._tx, self.rules, self.now = tx, rules, now
        newest = tx.state.newest_record()
        self.until = now if newest is not None and now < newest else None
        """The instant up to which records count; None where that is all of them."""
        self.today = now.astimezone(rules.desk.zone).date()
        self.closed = Closed(tx, self.until)

    def verdicts(self) -> Iterator[VoucherVerdict | LineVerdict]:
        """The verdicts; a voucher that a closed period has otherwise says so."""
        return self._beside_closed(self.plain()) if self.closed.periods else self.plain()

    def plain(self) -> Iterator[VoucherVerdict | LineVerdict]:
        """The verdicts, whatever closed periods say."""
        return reconcile_in_order(self._vouchers(), self._lines(), self.rules.tolerance, self.today)

    def documents(self) -> Iterator[StoredDocument]:
        """Every document, in the order of arrival, without its lines, streamed."""
        stored = self._tx.invoices.all_documents()
        return (one for one in stored if self.until is None or one.recorded_at <= self.until)

    def document_verdict(self, number: int) -> DocumentVerdict:
        """Whether a document counts."""
        return self._contested.get(number, _FIRST)

    @cached_property
    def _decisions(self) -> list[Decision]:
        return self._tx.decisions.every(self.until)

    @cached_property
    def _contested(self) -> Mapping[int, DocumentVerdict]:
        """The verdicts of the documents that share a number with another; all others are accepted."""
        documents = self._tx.reconciling.contested(self.until)
        return judge_documents(documents, chosen_contents(documents, self._decisions))

    def _vouchers(self) -> Iterator[tuple[str, list[RedeemedVoucher]]]:
        rules = self.rules
        for key, same in groupby(self._facts(), key=itemgetter(0)):
            found = (billable(facts, rules) for facts in same)
            redeemed = [voucher for voucher in found if voucher is not None]
            if len(redeemed) > 1:  # databases sort names of programmes in ways of their own
                redeemed.sort(key=attrgetter("programme"))
            yield key, redeemed

    def _facts(self) -> Iterable[BillingFacts]:
        if self.until is None:
            return self._tx.reconciling.vouchers()
        histories = self._tx.ledger.histories(self.until)
        standings = ((key, self.rules.stand(fold(history))) for key, history in histories)
        return (billing_facts(key.key, standing) for key, standing in standings if standing is not None)

    def _lines(self) -> Iterable[PlacedLine]:
        statuses = {
            number: verdict.status
            for number, verdict in self._contested.items()
            if verdict.status is not DocumentStatus.ACCEPTED
        }
        decided = placements(in_force(self._decisions))
        later = self._tx.reconciling.placed_after(self.until) if self.until is not None else []
        apart = {*decided, *later}
        stream = self._tx.reconciling.lines(statuses, apart, self.until)
        if not apart:
            return stream
        return heapq.merge(stream, self._apart(apart, decided, statuses, set(later)), key=attrgetter("key"))

    def _apart(
        self,
        numbers: set[int],
        decided: Mapping[int, Placement],
        statuses: Mapping[int, DocumentStatus],
        later: set[int],
    ) -> list[PlacedLine]:
        """The lines that do not stand where the index has them: a person put them elsewhere, or they found their
        voucher only later."""
        lines = self._tx.invoices.lines(sorted(numbers))
        documents = self._tx.invoices.documents(sorted({line.document for line in lines}))
        hints = self._tx.invoices.hints(sorted(later))
        known = self._known_then({key for one in hints.values() for key in one})
        found: list[PlacedLine] = []
        for line in lines:
            stored = documents[line.document]
            if self.until is not None and stored.recorded_at > self.until:
                continue
            one = placed(line, stored, statuses.get(line.document, DocumentStatus.ACCEPTED))
            if line.number in later:
                mine = hints.get(line.number, {})
                one = one._replace(voucher_text=text_of(mine, known), key=key_of(mine, known))
            found.append(moved(one, decided.get(line.number)))
        return sorted(found, key=attrgetter("key", "number"))

    def _known_then(self, keys: set[str]) -> set[str]:
        every = self._tx.ledger.same_ids(sorted(keys))
        return {key.key for key in self._tx.ledger.events(every, self.until)} if every else set()

    def _beside_closed(
        self, verdicts: Iterable[VoucherVerdict | LineVerdict]
    ) -> Iterator[VoucherVerdict | LineVerdict]:
        """The verdicts, merged with what closed periods froze of them."""
        frozen = iter(self.closed.every_frozen())
        waiting = next(frozen, None)
        for verdict in verdicts:
            if isinstance(verdict, LineVerdict):
                yield verdict
                continue
            place = _place(verdict)
            while waiting is not None and (waiting[0].key, waiting[0].programme) < place:
                waiting = next(frozen, None)
            if waiting is None or (waiting[0].key, waiting[0].programme) != place:
                yield verdict
                continue
            period, row = waiting[1]
            if row == frozen_row(verdict):
                yield verdict
            else:
                prior = (self.closed.name(period), row)
                yield verdict._replace(flags=(*verdict.flags, PRIOR_PERIOD), prior=prior)


def _place(verdict: VoucherVerdict) -> tuple[str, str]:
    return verdict.voucher.key, verdict.voucher.programme


def verdict_key(verdict: VoucherVerdict) -> VoucherKey:
    """Where the store keeps the voucher of a verdict."""
    key, programme = _place(verdict)
    return VoucherKey(programme, key)


def reported(stored: StoredDocument, verdict: DocumentVerdict) -> ReportedDocument:
    """A document as reports show it."""
    document = stored.document
    return ReportedDocument(
        number=stored.number,
        file=stored.file,
        sha256=stored.sha256,
        supplier=document.supplier,
        invoice=document.invoice,
        kind=document.kind,
        issued_on=document.issued_on,
        currency=document.currency,
        total=document.total,
        totals=document.totals,
        status=verdict.status.value,
        reason=_reason(document, verdict),
    )


def _reason(document: InvoiceDocument, verdict: DocumentVerdict) -> str:
    """Why a document counts or not, with the invoices before it that it names."""
    if document.corrects and verdict.status is DocumentStatus.ACCEPTED and verdict is _FIRST:
        return f"corrects {document.corrects}, which is not known"
    return f"{verdict.reason}; refers to {document.refers_to}" if document.refers_to else verdict.reason
